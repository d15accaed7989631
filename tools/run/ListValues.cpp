#include "ListValues.h"

#include <cstring>
#include <numeric>

using namespace attn;
using namespace attn::run;

static void store(Tensor &t, int64_t n, int64_t value) {
  if (t.element == Element::I64) // storeNumber goes by double
    std::memcpy(t.data.data() + n * 8, &value, 8);
  else
    storeNumber(t.data.data(), t.element, n, double(value));
}

static int64_t rowsOf(const Tensor &t) { return t.shape.back() ? t.elements() / t.shape.back() : 0; }

void attn::run::fillIds(Tensor &t, const Random &random, int64_t lo, int64_t hi, Padding padding, bool sorted) {
  const int64_t length = t.shape.back(), ids = std::max<int64_t>(hi - lo, 0);
  const int64_t used = std::min(ids, padding == Padding::None ? length : length - length / 4);
  std::vector<int64_t> deck(static_cast<size_t>(ids)), row;
  std::iota(deck.begin(), deck.end(), lo);
  for (int64_t r = 0; r < rowsOf(t); ++r) {
    for (int64_t n = 0; n < used; ++n) // the deck stays shuffled: any order is a start
      std::swap(deck[size_t(n)], deck[size_t(random.integer(uint64_t(r * length + n), n, ids - 1))]);
    row.assign(deck.begin(), deck.begin() + used);
    if (sorted)
      std::sort(row.begin(), row.end());
    const int64_t rest = padding == Padding::None && used ? row.back() : -1;
    row.insert(padding == Padding::First ? row.begin() : row.end(), size_t(length - used), rest);
    for (int64_t n = 0; n < length; ++n)
      store(t, r * length + n, row[size_t(n)]);
  }
}

void attn::run::fillDiagonals(Tensor &t, const Random &random, const Problem &problem, bool symmetric) {
  const int64_t length = t.shape.back(), most = std::max(problem.queries(), problem.keys()) - 1;
  const int64_t lo = symmetric ? 0 : 1 - problem.keys(), hi = symmetric ? most : problem.queries() - 1;
  for (int64_t n = 0; n < t.elements(); ++n) {
    const bool anywhere = random.integer(uint64_t(2 * n), 0, 3) == 0;
    const int64_t from = anywhere ? lo : 0, to = anywhere ? hi : std::min<int64_t>(hi, 63);
    store(t, n, n % length == 0 ? 0 : random.integer(uint64_t(2 * n + 1), std::min(from, to), std::max(from, to)));
  }
}

void attn::run::fillOffsets(Tensor &t, const Random &random, int64_t count) {
  const int64_t length = t.shape.back(), rows = std::max<int64_t>(length - 1, 1), mean = count / rows;
  for (int64_t n = 0; n < t.elements(); ++n) {
    const int64_t i = n % length, even = int64_t(double(count) * double(i) / double(rows));
    // Half a mean to either side keeps the offsets in order.
    const int64_t offset = even + random.integer(uint64_t(n), -(mean / 2), mean / 2);
    store(t, n, i == 0 ? 0 : i == rows ? count : std::clamp<int64_t>(offset, 0, count));
  }
}

void attn::run::fillBits(Tensor &t, const Random &random) {
  for (uint64_t at = 0; at < t.data.size(); at += 16) {
    const auto words = random.words(at / 16);
    std::memcpy(t.data.data() + at, words.data(), std::min<uint64_t>(16, t.data.size() - at));
  }
}

void attn::run::clampElements(Tensor &t, int64_t lo, int64_t hi) {
  for (int64_t n = 0; n < t.elements(); ++n)
    store(t, n, std::clamp(loadInteger(t.data.data(), t.element, n), lo, hi));
}

void attn::run::sortRows(Tensor &t) {
  const int64_t length = t.shape.back();
  std::vector<int64_t> row(static_cast<size_t>(length));
  for (int64_t r = 0; r < rowsOf(t); ++r) {
    for (int64_t n = 0; n < length; ++n)
      row[size_t(n)] = loadInteger(t.data.data(), t.element, r * length + n);
    std::sort(row.begin(), row.end());
    for (int64_t n = 0; n < length; ++n)
      store(t, r * length + n, row[size_t(n)]);
  }
}
