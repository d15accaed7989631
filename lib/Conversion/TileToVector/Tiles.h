// Tiles of AMX, for targets that have them (the attribute tiles of a variant). A tile is 16 rows of 64 bytes; there are
// eight, named by number. One instruction (tdpbf16ps) does for a tile of sums s, 16 x 16 f32, a tile x of 16 rows of 16
// words, and a tile y of 16 words of 16 columns, where a word is two bf16, as in Bf16.h:
//
//   a = b = 0    for w = 0 .. 15: a_rn = fma(x_rw even, y_wn even, a_rn)    b_rn = fma(x_rw odd, y_wn odd, b_rn)
//   s_rn += a_rn + b_rn                                       each rounded to f32
//
// It reads subnormal numbers as zeros and gives zeros for subnormal results, whatever the mode, as vdpbf16ps does; what
// Bf16.h says of tiny elements holds here.
//
// Two by two tiles of sums are the product of 32 rows by a panel of keys, or of value features, 32 words of both at a
// time: 4 instructions for 4 tiles that are loaded, and enough of them in flight. Queries and weights are rows of words
// already, packed keys and values words of columns. Strips, whose scores fit into registers, take their rows of the
// product from scratch.
#ifndef ATTN_LIB_CONVERSION_TILETOVECTOR_TILES_H
#define ATTN_LIB_CONVERSION_TILETOVECTOR_TILES_H

#include "TaskEmitter.h"

namespace attn {

/// Rows of a tile, and words of a row.
inline constexpr int64_t kTileWords = 16, kTileBytes = 64;

/// Tiles by number: 0 to 3 sums, 4 and 5 rows, 6 and 7 columns.
class Tiles {
public:
  using V = mlir::Value;
  explicit Tiles(Emit &e) : e(e) {}

  /// Before the first and after the last use in a function. `at`: 64 bytes that may be written.
  void begin(V at);
  void end();
  void zeroSums();
  /// Sums of 32 rows by 32 columns, `stride` bytes from row to row.
  void loadSums(V at, int64_t stride);
  void storeSums(V at, int64_t stride);
  /// sums += 32 rows of 16 words times 16 words of 32 columns.
  void multiply(V rows, int64_t stride, V columns);

private:
  void call(llvm::StringRef name, mlir::ValueRange in);
  V number(int64_t n);
  void transfer(llvm::StringRef name, int64_t tile, V at, int64_t stride);
  void eachSum(llvm::function_ref<void(int64_t tile, int64_t row, int64_t half)> body);

  Emit &e;
};

} // namespace attn

#endif
