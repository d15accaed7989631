// Shared pieces of the custom syntax: index lists, types of captured values, regions over named indices.
#ifndef ATTN_LIB_DIALECT_ATTN_SYNTAX_H
#define ATTN_LIB_DIALECT_ATTN_SYNTAX_H

#include "attn/Dialect/Attn/Attn.h"

namespace attn::syntax {

/// While a kernel's body is parsed: the types of its arguments by name, so that `left = %w` needs no type in the text.
class KernelScope {
public:
  explicit KernelScope(mlir::ArrayRef<mlir::OpAsmParser::Argument> args);
  ~KernelScope();
  static mlir::Type lookup(llvm::StringRef name);

private:
  std::map<std::string, mlir::Type> types;
  KernelScope *outer;
};

/// `%x` or `%x : type`; the type may be left out for kernel arguments.
mlir::ParseResult parseCaptured(mlir::OpAsmParser &parser, mlir::Value &value);
mlir::ParseResult resolveCaptured(mlir::OpAsmParser &parser, const mlir::OpAsmParser::UnresolvedOperand &operand,
                                  mlir::Value &value);
/// The same where the type was read before; null: it is a kernel argument's.
mlir::ParseResult resolveCapturedAs(mlir::OpAsmParser &parser, const mlir::OpAsmParser::UnresolvedOperand &operand,
                                    mlir::Type type, mlir::Value &value);

/// A value by name, with its type where that is needed to read it back.
void printCaptured(mlir::OpAsmPrinter &printer, mlir::Value value);
void printCapturedType(mlir::OpAsmPrinter &printer, mlir::Value value);

/// `[b, h floordiv 4, 0, i, c + 64]` over the dimension names.
/// `rank`: a name that stands for the rank of a topk, a symbol.
mlir::ParseResult parseIndexList(mlir::OpAsmParser &parser, llvm::ArrayRef<llvm::StringRef> dims, mlir::AffineMap &map,
                                 mlir::OpAsmParser::Delimiter delimiter = mlir::OpAsmParser::Delimiter::Square,
                                 llvm::StringRef rank = {});
void printIndexList(mlir::OpAsmPrinter &printer, mlir::AffineMap map, mlir::ArrayAttr dims, llvm::StringRef rank = {});

/// `i = %i, c = %c)` after `(` and perhaps leading arguments, then a region whose entry block has these and one index
/// for each slot, named or not. `slotOf` says where the index of a dimension goes, -1: nowhere; `unknown` is the error
/// then.
mlir::ParseResult parseSlots(mlir::OpAsmParser &parser, llvm::ArrayRef<llvm::StringRef> dims,
                             llvm::ArrayRef<mlir::OpAsmParser::Argument> leading, unsigned numSlots,
                             llvm::function_ref<int(unsigned, llvm::SMLoc)> slotOf, mlir::Region &region,
                             llvm::function_ref<mlir::ParseResult(llvm::SMLoc, llvm::StringRef)> unknown);

/// `i = %i, j = %j)` after `(` (and after `%s`, where `leading` arguments came first), then a region whose entry block
/// has the leading arguments and one index for each of the first `numIndices` dimensions.
mlir::ParseResult parseIndexedRegion(mlir::OpAsmParser &parser, llvm::ArrayRef<llvm::StringRef> dims,
                                     unsigned numIndices, llvm::ArrayRef<mlir::OpAsmParser::Argument> leading,
                                     mlir::Region &region);
void printIndexedRegion(mlir::OpAsmPrinter &printer, mlir::Region &region, mlir::ArrayAttr dims, unsigned leading);

/// A set expression; ops go to the builder.
mlir::ParseResult parseSet(mlir::OpAsmParser &parser, mlir::OpBuilder &builder, llvm::ArrayRef<llvm::StringRef> dims,
                           unsigned numIndices, mlir::Value &result);
void printSet(mlir::OpAsmPrinter &printer, mlir::Value set, mlir::ArrayAttr dims);

} // namespace attn::syntax

#endif
