// One set region at a time: named sets in SetPredicate.cpp, those over grids in GridSets.cpp, lists in ListSets.cpp,
// regions of `where` in WhereCondition.cpp.
#ifndef ATTN_LIB_ANALYSIS_PREDICATEBUILDER_H
#define ATTN_LIB_ANALYSIS_PREDICATEBUILDER_H

#include "attn/Analysis/SetPredicate.h"

namespace attn {

class PredicateBuilder {
public:
  PredicateBuilder(const TokenAxes &axes, SetPredicate &out);
  sets::Pred set(mlir::Value v);

private:
  using Expr = sets::Expr;
  using Pred = sets::Pred;

  Pred opaque(SetPredicate::Opaque what, bool mayBeUnknown = false);
  bool isOfKeys(SetPredicate::Opaque what);
  template <typename Atom> Pred answerable(Atom atom) {
    out.answerables.push_back(std::move(atom));
    return Pred::opaque(Pred::answerable | (out.answerables.size() - 1));
  }

  static unsigned argNumber(mlir::Value v) { return mlir::cast<mlir::BlockArgument>(v).getArgNumber(); }
  Expr perBatch(mlir::Value tensor) { return Expr::load(argNumber(tensor), {Expr::var(0)}); }
  Expr perToken(mlir::Value tensor, const Expr &token);
  /// A constant, a scalar of the call, or what a tensor holds for the batch element.
  Expr scalar(mlir::Value v);
  Expr extent(unsigned dim) { return Expr::var(extentVar(dim)); }
  /// The query index on the keys' scale: i, i + J - I, or i + klen[b] - qlen[b].
  Expr aligned(Alignment alignment, mlir::Value q, mlir::Value k);
  std::vector<Expr> indicesOf(mlir::AffineMap map);

  // GridSets.cpp
  struct GridAxis {
    Expr x, y;   // coordinates of query and key
    Expr extent; // of the key grid
  };
  /// Coordinates along every grid axis; `inside` is where both tokens stand on their grids.
  std::vector<GridAxis> gridAxes(Pred &inside);
  Pred neighborhood(SetNeighborhoodOp op);
  Pred halo(SetHaloOp op);
  Pred disc(SetDiscOp op);

  // ListSets.cpp
  Pred list(SetListOp op);
  Pred diagonals(SetDiagonalsOp op);
  Pred csr(SetCsrOp op);
  Pred bits(SetBitsOp op);
  Pred randomBlocks(SetRandomBlocksOp op);
  std::optional<Pred> member(MemberOp op);

  // WhereCondition.cpp
  Pred where(SetWhereOp op);
  std::optional<Expr> integer(mlir::Value v);
  std::optional<Expr> loaded(LoadOp op);
  Pred condition(mlir::Value v);

  const TokenAxes &axes;
  unsigned numBatch;
  Expr i, j;
  SetPredicate &out;
  llvm::DenseMap<mlir::Value, Expr> indices;
};

} // namespace attn

#endif
