// The product region of tile.weigh on vectors: what depends on the query alone, on the key alone, or on neither is
// computed once for all of the pairs that share it.
#ifndef ATTN_LIB_CONVERSION_TILETOVECTOR_CONTRACTION_H
#define ATTN_LIB_CONVERSION_TILETOVECTOR_CONTRACTION_H

#include "attn/Conversion/RegionEmitter.h"
#include "attn/Dialect/Tile/Tile.h"

namespace attn {

class Contraction {
public:
  using V = mlir::Value;

  Contraction(Emit &e, tile::WeighOp weigh);

  /// How many rows of a microtile may be summed at once without spilling; divides `tileRows`.
  int64_t rowsAtOnce(int64_t tileRows) const;
  bool isLight() const { return temporaries <= 3; }
  /// `base`, and what depends on the element of a query or of a key, on vectors; Common: on neither.
  enum : unsigned { Common = 0, Query = 1, Key = 2 };
  RegionEmitter with(const RegionEmitter &base, unsigned of, V element = {});
  /// sum + dot(query, key)
  V add(const RegionEmitter &ofQuery, const RegionEmitter &ofKey, V sum);
  /// An error if an index in the region may be out of bounds.
  void refuse(mlir::Operation *op) const;

private:
  Emit &e;
  mlir::Block &block;
  llvm::SmallVector<mlir::Operation *> ops[4]; // by what they depend on; 3: both
  unsigned temporaries = 1;
  std::optional<RegionEmitter::BoundsCheck> bad; // the first load that may be out of bounds
};

} // namespace attn

#endif
