// Text of what an attend reads: q, k and v in parts and through regions, a bilinear tensor, the dot region.
#ifndef ATTN_LIB_DIALECT_ATTN_OPERANDSYNTAX_H
#define ATTN_LIB_DIALECT_ATTN_OPERANDSYNTAX_H

#include "Syntax.h"

namespace attn::syntax {

/// What that text holds while an attend is parsed.
class OperandClauses {
public:
  using Parser = mlir::OpAsmParser;

  OperandClauses(llvm::ArrayRef<llvm::StringRef> dims, unsigned numBatch) : dims(dims), numBatch(numBatch) {}

  /// `q = %a[..] | %b[..] as (%x, i = %i) {..} k = .. v = ..`
  mlir::ParseResult parseOperands(Parser &parser);
  /// `bilinear = %g[h, c, r]` or `dot(%x, %y, c = %c) {..}`, the keyword being read.
  mlir::ParseResult parse(Parser &parser, llvm::StringRef clause);
  /// What is known once all clauses are read.
  mlir::ParseResult check(Parser &parser);
  /// q, k and v first, then the further parts, then the bilinear tensor.
  mlir::ParseResult resolve(Parser &parser, llvm::ArrayRef<mlir::Type> types, llvm::SMLoc at);

  bool valueless() const { return !v.present; }
  bool hasRegions() const;
  unsigned numTypes() const { return (valueless() ? 2 : 3) + 2 * (q.size() - 1) + (bilinear.present ? 1 : 0); }
  unsigned numContracted() const { return bilinear.present ? 2 : q.size(); }
  /// In the order of the op: q, k, v; further parts; bilinear.
  llvm::SmallVector<mlir::Value> first, parts, last;
  void addAttributes(mlir::Builder &b, mlir::OperationState &result);
  /// Behind those of the reductions and columns.
  void addRegions(mlir::OperationState &result);

private:
  struct Operand {
    bool present = false;
    Parser::UnresolvedOperand name;
    mlir::AffineMap map;
    std::unique_ptr<mlir::Region> region = std::make_unique<mlir::Region>();
    int feature = -1; // the dimension that the region names
    llvm::SMLoc featureAt;
  };
  mlir::ParseResult parseOperand(Parser &parser, Operand &operand, unsigned token);
  mlir::ParseResult parseRegion(Parser &parser, Operand &operand, unsigned token);
  mlir::ParseResult checkFeature(Parser &parser, Operand &operand, unsigned feature);

  llvm::ArrayRef<llvm::StringRef> dims;
  unsigned numBatch;
  llvm::SmallVector<Operand, 2> q, k;
  Operand v, bilinear, dot;
};

/// From `q =` to the bilinear tensor and the dot region.
void printOperands(mlir::OpAsmPrinter &p, AttendOp op, llvm::function_ref<void()> line);
/// The types of `: (..) -> ..`.
llvm::SmallVector<mlir::Type> printedTypes(AttendOp op);

} // namespace attn::syntax

#endif
