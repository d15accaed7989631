// The parser of set expressions, shared by the files that read one family of named sets each.
#ifndef ATTN_LIB_DIALECT_ATTN_SETPARSER_H
#define ATTN_LIB_DIALECT_ATTN_SETPARSER_H

#include "Syntax.h"

#include <variant>

namespace attn::syntax {

class SetParser;

/// A set that is written `name<...>`: reads everything after the name.
struct NamedSet {
  llvm::StringRef name;
  mlir::ParseResult (*parse)(SetParser &p, mlir::Location at, llvm::StringRef name, mlir::Value &result);
};

/// Families of named sets, each with the function that prints its ops (false: none of its ops).
llvm::ArrayRef<NamedSet> tokenSets();
llvm::ArrayRef<NamedSet> gridSets();
llvm::ArrayRef<NamedSet> listSets();
bool printTokenSet(mlir::OpAsmPrinter &p, mlir::Operation *op, mlir::ArrayAttr dims);
bool printGridSet(mlir::OpAsmPrinter &p, mlir::Operation *op, mlir::ArrayAttr dims);
bool printListSet(mlir::OpAsmPrinter &p, mlir::Operation *op, mlir::ArrayAttr dims);

/// A slot for a float constant or a captured value.
struct RealSlot {
  mlir::Value *value;
};

/// `name = X`, or `name` alone for a flag. What X may be depends on the slot: an integer constant or a captured value,
/// a float constant or a captured value, an integer constant, a list of those.
struct NamedArgument {
  llvm::StringRef name;
  std::variant<mlir::Value *, RealSlot, std::optional<int64_t> *, llvm::SmallVector<int64_t> *, bool *> slot;
};

class SetParser {
public:
  SetParser(mlir::OpAsmParser &parser, mlir::OpBuilder &builder, llvm::ArrayRef<llvm::StringRef> dims,
            unsigned numIndices)
      : parser(parser), builder(builder), dims(dims), numIndices(numIndices) {}

  mlir::ParseResult parseOr(mlir::Value &result);

  // Pieces of the named sets.
  mlir::Location loc() { return parser.getEncodedSourceLoc(parser.getCurrentLocation()); }
  mlir::Type type() { return SetType::get(parser.getContext()); }
  /// `top_left` or `bottom_right`.
  mlir::ParseResult parseAlignment(AlignmentAttr &alignment);
  /// An integer constant, or a captured value.
  mlir::ParseResult parseParameter(mlir::Value &value);
  /// `, argument` pairs in any order up to `>`; `first` when no comma stands before the first.
  mlir::ParseResult parseArguments(llvm::ArrayRef<NamedArgument> arguments, bool first);
  /// `%list[b, h]`; the brackets may be left out where they are empty.
  mlir::ParseResult parseIndexed(mlir::Value &value, mlir::AffineMap &map);

  mlir::OpAsmParser &parser;
  mlir::OpBuilder &builder;
  llvm::ArrayRef<llvm::StringRef> dims;
  unsigned numIndices;

private:
  mlir::ParseResult parseAnd(mlir::Value &result);
  mlir::ParseResult parseUnary(mlir::Value &result);
  mlir::ParseResult parsePrimary(mlir::Value &result);
  mlir::ParseResult parseNamed(mlir::Value &result);
  mlir::ParseResult parseArgument(const NamedArgument &argument);

  unsigned depth = 0;
};

/// A constant prints as its number, a kernel argument by name, anything else with its type.
void printParameter(mlir::OpAsmPrinter &p, mlir::Value value);
/// `name = parameter` pairs, without those that have no value.
void printParameters(mlir::OpAsmPrinter &p, llvm::ArrayRef<std::pair<llvm::StringRef, mlir::Value>> parameters,
                     bool first);
/// `%list[b, h]`, without brackets where they would be empty.
void printIndexed(mlir::OpAsmPrinter &p, mlir::Value value, mlir::AffineMap map, mlir::ArrayAttr dims);

} // namespace attn::syntax

#endif
