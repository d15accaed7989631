// Operations on tiles of AMX as functions, for tests on CPUs without them. Defined as in Intel's manual: a product
// takes subnormal numbers for zeros and gives zeros for subnormal results, rounds to nearest, and neither reads nor
// changes MXCSR. Tiles belong to a thread, as registers do.
#include "attn/Target/X86/X86.h"

#include <cstring>
#include <immintrin.h>

namespace {

constexpr unsigned kRows = 16, kWords = 16;

struct Tile {
  alignas(64) uint32_t words[kRows][kWords];
};
thread_local Tile tiles[8];
thread_local bool configured;

/// What hardware traps is a mistake of the code generator.
void require(bool good, const char *what) {
  if (!good)
    llvm::report_fatal_error(what);
}

/// One configuration is emitted: palette 1, all tiles whole.
void config(const void *at) {
  const auto *bytes = static_cast<const uint8_t *>(at);
  bool whole = bytes[0] == 1 && bytes[1] == 0;
  for (unsigned n = 0; n < 8; ++n)
    whole &= bytes[16 + 2 * n] == 64 && bytes[17 + 2 * n] == 0 && bytes[48 + n] == kRows;
  require(whole, "a configuration of tiles that is not emulated");
  std::memset(tiles, 0, sizeof tiles);
  configured = true;
}

void release() { configured = false; }

Tile &tileOf(int32_t n) {
  require(configured && n >= 0 && n < 8, "a tile is used that was not configured");
  return tiles[n];
}

void zero(int32_t n) { std::memset(&tileOf(n), 0, sizeof(Tile)); }

void load(int32_t n, const char *at, int64_t stride) {
  Tile &tile = tileOf(n);
  for (unsigned r = 0; r < kRows; ++r)
    std::memcpy(tile.words[r], at + r * stride, sizeof tile.words[r]);
}

void store(int32_t n, char *at, int64_t stride) {
  const Tile &tile = tileOf(n);
  for (unsigned r = 0; r < kRows; ++r)
    std::memcpy(at + r * stride, tile.words[r], sizeof tile.words[r]);
}

/// Code that is compiled for tiles has AVX2 wherever it runs. Apart from its caller, which sets how results are
/// rounded.
[[gnu::target("avx2,fma"), gnu::noinline]] void multiply(Tile &sums, const Tile &rows, const Tile &columns) {
  const __m256i high = _mm256_set1_epi32(int(0xffff0000));
  auto even = [](__m256i x) __attribute__((target("avx2"))) { return _mm256_castsi256_ps(_mm256_slli_epi32(x, 16)); };
  auto odd = [high](__m256i x)
                 __attribute__((target("avx2"))) { return _mm256_castsi256_ps(_mm256_and_si256(x, high)); };
  for (unsigned r = 0; r < kRows; ++r)
    for (unsigned n = 0; n < kWords; n += 8) {
      __m256 evens = _mm256_setzero_ps(), odds = _mm256_setzero_ps();
      for (unsigned w = 0; w < kWords; ++w) {
        __m256i x = _mm256_set1_epi32(int(rows.words[r][w]));
        __m256i y = _mm256_load_si256(reinterpret_cast<const __m256i *>(columns.words[w] + n));
        evens = _mm256_fmadd_ps(even(x), even(y), evens);
        odds = _mm256_fmadd_ps(odd(x), odd(y), odds);
      }
      float *to = reinterpret_cast<float *>(sums.words[r] + n);
      _mm256_store_ps(to, _mm256_add_ps(_mm256_load_ps(to), _mm256_add_ps(evens, odds)));
    }
}

void dot(int32_t sums, int32_t rows, int32_t columns) {
  require(sums != rows && sums != columns && rows != columns, "the tiles of a product are not three");
  const unsigned mode = _mm_getcsr();
  _mm_setcsr(0x9fc0); // nothing traps, subnormal numbers are zeros, to nearest
  multiply(tileOf(sums), tileOf(rows), tileOf(columns));
  _mm_setcsr(mode);
}

} // namespace

llvm::ArrayRef<std::pair<llvm::StringRef, void *>> attn::x86::tileFunctions() {
  static const std::pair<llvm::StringRef, void *> functions[] = {
      {"attn_tile_config", (void *)&config}, {"attn_tile_release", (void *)&release}, {"attn_tile_zero", (void *)&zero},
      {"attn_tile_load", (void *)&load},     {"attn_tile_store", (void *)&store},     {"attn_tile_dot", (void *)&dot},
  };
  return functions;
}
