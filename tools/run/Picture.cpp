// Squares, text and SVG.
#include "Picture.h"
#include "Failure.h"

#include "llvm/Support/Compression.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

#include <map>
#include <numeric>

using namespace attn::run;

Picture::Picture(const std::string &name, int64_t queries, int64_t keys, int64_t lineRows, int64_t lineKeys)
    : queries(queries), keys(keys), name(name), lineRows(lineRows), lineKeys(lineKeys) {
  while ((std::max(queries, keys) - 1) / side >= mostSquares)
    side *= 2;
  rows = (queries + side - 1) / side;
  columns = (keys + side - 1) / side;
  pairs.resize(size_t(rows * columns));
  looked.resize(size_t(rows));
}

void Picture::addRow(int64_t query, const Ranges &seen) {
  const int64_t r = query / side;
  ++looked[size_t(r)];
  for (auto [lo, hi] : seen)
    for (int64_t c = lo / side; c * side < hi; ++c)
      pairs[size_t(r * columns + c)] += std::min(hi, (c + 1) * side) - std::max(lo, c * side);
}

int Picture::level(int64_t row, int64_t column) const {
  const int64_t seen = pairs[size_t(row * columns + column)];
  const int64_t of = looked[size_t(row)] * (std::min(keys, (column + 1) * side) - column * side);
  return seen == 0 ? 0 : seen == of ? levels - 1 : 1 + int(seen * 8 / of);
}

std::string Picture::title() const { return fmt::format("Mask of @{}: {} queries, {} keys", name, queries, keys); }

double Picture::seen() const {
  double sum = 0, tokens = 0;
  for (int64_t r = 0; r < rows; ++r) {
    if (!looked[size_t(r)])
      continue;
    double ofRow = 0;
    for (int64_t c = 0; c < columns; ++c)
      ofRow += double(pairs[size_t(r * columns + c)]);
    const double high = double(std::min(queries, (r + 1) * side) - r * side);
    sum += ofRow / double(looked[size_t(r)]) * high;
    tokens += high;
  }
  return tokens > 0 ? sum / tokens * double(queries) : 0;
}

std::string Picture::counted() const {
  const int64_t all = std::accumulate(looked.begin(), looked.end(), int64_t(0));
  const double share = 100 * seen() / (double(queries) * double(keys));
  if (all == queries)
    return fmt::format("{} of {} pairs are seen ({:.1f} %)", std::accumulate(pairs.begin(), pairs.end(), int64_t(0)),
                       queries * keys, share);
  return fmt::format("about {:.1f} % of {} pairs are seen, by {} of {} rows", share, queries * keys, all, queries);
}

std::string Picture::size() const {
  return side == 1 ? fmt::format("{} x {} tokens", queries, keys)
                   : fmt::format("{} x {} squares of {} x {} tokens", rows, columns, side, side);
}

int64_t Picture::scale() const { return std::clamp<int64_t>(384 / std::max(rows, columns), 3, 12); }

int64_t Picture::squaresOf(int64_t lineTokens, int64_t tokens) const {
  const int64_t least = side == 1 ? 2 : 8; // closer lines hide the shades
  return lineTokens >= least * side && lineTokens < tokens && lineTokens % side == 0 ? lineTokens / side : 0;
}

std::string Picture::text() const {
  std::string out = title() + " across\n";
  out += side == 1 ? ". not seen, # seen\n"
                   : fmt::format("a character is {} x {} tokens: . nothing seen, 1 to 8 less than so many eighths, # "
                                 "everything\n",
                                 side, side);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c)
      out += side == 1 ? ".########"[level(r, c) != 0] : ".12345678#"[level(r, c)];
    out += '\n';
  }
  return out + counted() + "\n";
}

namespace {

std::string colorOf(int level) {
  auto [red, green, blue] = shadeOf(level);
  return fmt::format("#{:02x}{:02x}{:02x}", red, green, blue);
}

} // namespace

std::string Picture::svg() const {
  // Runs along a row, then runs that the row before had too.
  std::array<std::string, levels> paths;
  struct Run {
    int level;
    int64_t top;
  };
  using Span = std::pair<int64_t, int64_t>;
  std::map<Span, Run> open;
  for (int64_t r = 0; r <= rows; ++r) {
    std::map<Span, Run> now;
    for (int64_t c = 0, end; r < rows && c < columns; c = end) {
      const int here = level(r, c);
      for (end = c + 1; end < columns && level(r, end) == here;)
        ++end;
      auto before = open.find({c, end});
      if (here)
        now[{c, end}] = {here, before != open.end() && before->second.level == here ? before->second.top : r};
    }
    for (auto &[span, run] : open) {
      auto still = now.find(span);
      if (still == now.end() || still->second.top != run.top || still->second.level != run.level) {
        const int64_t wide = span.second - span.first;
        paths[size_t(run.level)] += fmt::format("M{} {}h{}v{}h-{}z", span.first, run.top, wide, r - run.top, wide);
      }
    }
    open = std::move(now);
  }

  const int64_t s = scale(), left = 8, top = 26, wide = columns * s, high = rows * s;
  const int64_t width = std::max<int64_t>(wide + 2 * left, 340), below = top + high;
  std::string out = fmt::format("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" "
                                "viewBox=\"0 0 {0} {1}\" role=\"img\" aria-labelledby=\"t d\">\n",
                                width, below + 48);
  out += fmt::format("<title id=\"t\">{}</title>\n<desc id=\"d\">Query rows go down, keys across. {}: {}.</desc>\n",
                     title(), size(), counted());
  out += fmt::format("<rect width=\"{}\" height=\"{}\" fill=\"#fff\"/>\n", width, below + 48);
  out += "<g font-family=\"sans-serif\" font-size=\"12\">\n";
  out += fmt::format("<text x=\"{}\" y=\"18\">queries 0 to {} down, keys 0 to {} across</text>\n", left, queries - 1,
                     keys - 1);
  // Legend: what the shades mean, then how much there is of them.
  int64_t x = left;
  auto swatch = [&](int n) {
    out += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"12\" height=\"12\" fill=\"{}\" stroke=\"#888\"/>\n", x,
                       below + 8, colorOf(n));
    x += 14;
  };
  auto label = [&](const std::string &what) {
    out += fmt::format("<text x=\"{}\" y=\"{}\">{}</text>\n", x + 3, below + 18, what);
    x += 18 + 7 * int64_t(what.size());
  };
  swatch(0);
  label(side == 1 ? "not seen" : "0 %");
  for (int n = 1; side > 1 && n < levels - 1; ++n)
    swatch(n);
  if (side > 1)
    label("in eighths");
  swatch(levels - 1);
  label(side == 1 ? "seen" : "100 %");
  out += fmt::format("<text x=\"{}\" y=\"{}\">{}</text>\n</g>\n", left, below + 38, counted());

  out += fmt::format("<g shape-rendering=\"crispEdges\" transform=\"translate({} {}) scale({})\">\n", left, top, s);
  for (int n = 1; n < levels; ++n)
    if (!paths[size_t(n)].empty())
      out += fmt::format("<path fill=\"{}\" d=\"{}\"/>\n", colorOf(n), paths[size_t(n)]);
  std::string lines;
  if (const int64_t step = squaresOf(lineRows, queries))
    for (int64_t r = step; r < rows; r += step)
      lines += fmt::format("M0 {}h{}", r, columns);
  if (const int64_t step = squaresOf(lineKeys, keys))
    for (int64_t c = step; c < columns; c += step)
      lines += fmt::format("M{} 0v{}", c, rows);
  if (!lines.empty())
    out += fmt::format("<path stroke=\"#e08a00\" stroke-width=\"{:.2g}\" d=\"{}\"/>\n", 1.0 / double(s), lines);
  out +=
      fmt::format("<path fill=\"none\" stroke=\"#888\" stroke-width=\"{:.2g}\" d=\"M0 0h{}v{}h-{}z\"/>\n</g>\n</svg>\n",
                  1.0 / double(s), columns, rows, columns);
  return out;
}

std::array<uint8_t, 3> attn::run::shadeOf(int level) {
  if (level == 0)
    return {255, 255, 255};
  if (level == Picture::levels - 1)
    return {16, 41, 74};
  auto mix = [&](int pale, int full) { return uint8_t(pale + (full - pale) * (level - 1) / 7); };
  return {mix(214, 64), mix(228, 120), mix(240, 176)};
}

bool attn::run::isPicture(llvm::StringRef path) {
  return path.ends_with(".svg") || path.ends_with(".png") || path.ends_with(".txt");
}

llvm::Error attn::run::writePicture(const std::string &path, const Picture &picture) {
  const llvm::StringRef end = path;
  if (end.ends_with(".png") && !llvm::compression::zlib::isAvailable())
    return fail(ExitToolchain, "{}: this LLVM was built without zlib, which PNG needs; write an .svg", path);
  const std::string text = end.ends_with(".svg")   ? picture.svg()
                           : end.ends_with(".png") ? picture.png()
                                                   : picture.text();
  std::error_code code;
  llvm::raw_fd_ostream out(path, code);
  if (!code) {
    out << text;
    out.close();
    code = out.error();
    out.clear_error(); // else the destructor aborts
  }
  if (code)
    return fail(ExitBadInput, "{}: cannot be written: {}", path, code.message());
  return llvm::Error::success();
}
