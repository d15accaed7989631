// What a tile program says of its tensors and axes, whatever it is lowered to.
#ifndef ATTN_CONVERSION_PROGRAMFACTS_H
#define ATTN_CONVERSION_PROGRAMFACTS_H

#include "attn/Analysis/SetPredicate.h"
#include "attn/Dialect/Tile/Tile.h"

namespace attn {

/// An index of a map: a dimension floordiv a constant, a dimension plus a constant, a constant.
struct OperandIndex {
  int64_t dim = -1, divisor = 1, offset = 0;
  static OperandIndex of(mlir::AffineExpr expr);
};

/// What the text says of the axes of a key loop, and promises of captured integers.
TokenAxes tokenAxes(tile::ForOp op);
/// The set of a kernel that asks pair by pair whether a key or a query is absent.
SetPredicate pairPredicate(tile::ForOp op);
sets::Facts argumentFactsOf(tile::ProgramOp program);
sets::Facts argumentFactsOf(mlir::ArrayAttr argAttrs);
/// exp, log and the basic operations alone, which there are in f64.
bool computesInF64(mlir::Block &body);
/// The map of an elementwise program, null for any other.
tile::MapOp mapOf(tile::ProgramOp program);

} // namespace attn

#endif
