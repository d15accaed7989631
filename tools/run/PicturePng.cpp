// PNG (W3C, Portable Network Graphics, third edition): a palette, one byte a pixel, zlib as LLVM brings it.
#include "Picture.h"

#include "llvm/Support/CRC.h"
#include "llvm/Support/Compression.h"

using namespace attn::run;

namespace {

using Bytes = llvm::SmallVector<uint8_t, 0>;

void append32(Bytes &to, uint32_t n) {
  for (int shift = 24; shift >= 0; shift -= 8)
    to.push_back(uint8_t(n >> shift));
}

void chunk(Bytes &to, llvm::StringRef type, llvm::ArrayRef<uint8_t> data) {
  append32(to, uint32_t(data.size()));
  const size_t start = to.size();
  to.append(type.bytes_begin(), type.bytes_end());
  to.append(data.begin(), data.end());
  append32(to, llvm::crc32(llvm::ArrayRef<uint8_t>(to).drop_front(start)));
}

void textChunk(Bytes &to, llvm::StringRef key, llvm::StringRef text) {
  Bytes data(key.bytes_begin(), key.bytes_end());
  data.push_back(0);
  data.append(text.bytes_begin(), text.bytes_end());
  chunk(to, "tEXt", data);
}

/// Beyond the shades.
constexpr uint8_t line = Picture::levels, ink = line + 1, frame = line + 2;

struct Canvas {
  int64_t width, height;
  std::vector<uint8_t> pixels;
  Canvas(int64_t width, int64_t height) : width(width), height(height), pixels(size_t(width * height), 0) {}

  void fill(int64_t x, int64_t y, int64_t wide, int64_t high, uint8_t color) {
    for (int64_t v = y; v < y + high; ++v)
      std::fill_n(pixels.begin() + v * width + x, wide, color);
  }

  /// Glyphs of 3 x 5 dots, a dot 2 x 2 pixels. Returns where the text ends.
  int64_t write(int64_t x, int64_t y, llvm::StringRef text) {
    for (char c : text) {
      const char *dots = c == '0'   ? "####.##.##.####"
                         : c == '1' ? ".#.##..#..#.###"
                         : c == '5' ? "####..###..####"
                                    : "#.#..#.#.#..#.#"; // %
      for (int64_t n = 0; n < 15; ++n)
        if (dots[n] == '#')
          fill(x + n % 3 * 2, y + n / 3 * 2, 2, 2, ink);
      x += 8;
    }
    return x;
  }
};

} // namespace

std::string Picture::png() const {
  const int64_t s = scale(), wide = columns * s, high = rows * s;
  Canvas canvas(std::max<int64_t>(wide + 2, 160), high + 38);
  canvas.fill(0, 0, wide + 2, high + 2, frame);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c)
      canvas.fill(1 + c * s, 1 + r * s, s, s, uint8_t(level(r, c)));
  if (const int64_t step = squaresOf(lineRows, queries))
    for (int64_t r = step; r < rows; r += step)
      canvas.fill(1, 1 + r * s, wide, 1, line);
  if (const int64_t step = squaresOf(lineKeys, keys))
    for (int64_t c = step; c < columns; c += step)
      canvas.fill(1 + c * s, 1, 1, high, line);
  // The ramp, and its numbers at the shades that they belong to.
  for (int n = 0; n < levels; ++n)
    if (side > 1 || n == 0 || n == levels - 1) {
      canvas.fill(1 + n * 14, high + 6, 14, 14, frame);
      canvas.fill(2 + n * 14, high + 7, 12, 12, uint8_t(n));
    }
  canvas.write(1, high + 24, "0%");
  if (side > 1)
    canvas.write(1 + 5 * 14 - 12, high + 24, "50%"); // where the fifth eighth begins
  canvas.write(1 + 9 * 14, high + 24, "100%");

  Bytes header, palette, raw, packed, out{0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  append32(header, uint32_t(canvas.width));
  append32(header, uint32_t(canvas.height));
  header.append({8, 3, 0, 0, 0}); // bits, palette, the one compression, the one filter method, not interlaced
  for (int n = 0; n < levels; ++n) {
    const auto shade = shadeOf(n);
    palette.append(shade.begin(), shade.end());
  }
  palette.append({224, 138, 0, 0, 0, 0, 136, 136, 136});
  for (int64_t y = 0; y < canvas.height; ++y) {
    raw.push_back(0); // no filter: runs compress as they are
    raw.append(canvas.pixels.begin() + y * canvas.width, canvas.pixels.begin() + (y + 1) * canvas.width);
  }
  llvm::compression::zlib::compress(raw, packed, llvm::compression::zlib::BestSizeCompression);
  chunk(out, "IHDR", header);
  chunk(out, "PLTE", palette);
  textChunk(out, "Title", title());
  textChunk(out, "Description", "Query rows go down, keys across. " + size() + ": " + counted() + ".");
  chunk(out, "IDAT", packed);
  chunk(out, "IEND", {});
  return std::string(out.begin(), out.end());
}
