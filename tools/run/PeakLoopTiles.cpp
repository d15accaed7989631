// Compiled for AMX, unlike everything else: nothing here but the loop, reached by lookupPeakLoop().
#include "PeakLoops.h"

#include <immintrin.h>

namespace {

/// Palette 1: bytes of a row and rows of each of eight tiles.
struct alignas(64) TileConfig {
  uint8_t palette, startRow, reserved[14];
  uint16_t rowBytes[16];
  uint8_t rows[16];
};

/// Four sums in flight, as two by two tiles have them. Elements are zeros: what they are takes no time.
double tileLoop(int64_t iterations) {
  TileConfig config{};
  config.palette = 1;
  for (int n = 0; n < 8; ++n)
    config.rowBytes[n] = 64, config.rows[n] = 16;
  _tile_loadconfig(&config);
  // clang-format off: macros of statements, by number, that some compilers have no commas between
  _tile_zero(0); _tile_zero(1); _tile_zero(2); _tile_zero(3);
  _tile_zero(4); _tile_zero(5); _tile_zero(6); _tile_zero(7);
  // clang-format on
  for (int64_t n = 0; n < iterations; ++n) {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  alignas(64) float sums[16][16];
  _tile_stored(0, sums, 64);
  double sum = sums[0][0];
  _tile_stored(3, sums, 64);
  sum += sums[15][15];
  _tile_release();
  return sum;
}

} // namespace

extern const attn::run::PeakLoop attn::run::kPeakLoopTiles = {4 * 2 * 16 * 16 * 32, 1024, tileLoop};
