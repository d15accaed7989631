// Where the tiles of a main phase are held, as its tile.place ops say: the one source of offsets, planes and fragments
// for what is emitted. A tile that is needed somewhere and not placed there is refused, and so are places that meet.
#ifndef ATTN_LIB_CONVERSION_TILETONV_PLACED_H
#define ATTN_LIB_CONVERSION_TILETONV_PLACED_H

#include "attn/Dialect/Tile/Tile.h"
#include "attn/Schedule/GpuTiles.h"

namespace attn {

struct Placed {
  layout::SharedOperand q, k, v;  // v: of no rows where no values are summed
  bool f16 = false, tf32 = false; // elements of operands; else bf16
  int64_t planesP = 1;            // of weights as a left operand
  int64_t valueColumns = 0;       // of accumulators
  layout::SharedMap map;          // what no tile is: weights element by element, words of rows, flags

  /// Whether some operand may be copied as it is.
  bool copies() const { return !tf32 && (q.planes == 1 || k.planes == 1 || (v.rows.rows && v.planes == 1)); }

  /// Of a main phase. `t`: the sizes of its variant.
  static mlir::FailureOr<Placed> read(tile::PhaseOp main, const GpuTiles &t);
  /// Whether the queries of a sweep are placed in fragments of the left operand.
  static bool keepsQueries(tile::WeighOp weigh);

private:
  explicit Placed(const GpuTiles &t) : map(t.shared()) {}
};

} // namespace attn

#endif
