#include "attn/Layout/FragmentLayout.h"

#include <map>
#include <set>

using namespace attn::layout;

// With i = w r + e: r mod 2 and e are digits of i, and r / 2 is what is left.

FragmentLayout FragmentLayout::left(int64_t bits, int64_t columns) {
  const int64_t w = 32 / bits;
  FragmentLayout f(16, columns, w);
  f.laneRow = {{{4, 0, 1}}};
  f.laneColumn = {{{1, 4, w}}};
  f.elementRow = {{{w, 2, 8}}};
  f.elementColumn = {{{1, w, 1}, {2 * w, 0, 4 * w}}};
  return f;
}

FragmentLayout FragmentLayout::right(int64_t bits, int64_t rows) {
  const int64_t w = 32 / bits;
  FragmentLayout f(rows, 8, w);
  f.laneRow = {{{1, 4, w}}};
  f.laneColumn = {{{4, 0, 1}}};
  f.elementRow = {{{1, w, 1}, {w, 0, 4 * w}}};
  return f;
}

FragmentLayout FragmentLayout::accumulator(int64_t columns) {
  FragmentLayout f(16, columns, 1);
  f.laneRow = {{{4, 0, 1}}};
  f.laneColumn = {{{1, 4, 2}}};
  f.elementRow = {{{2, 2, 8}}};
  f.elementColumn = {{{1, 2, 1}, {4, 0, 8}}};
  return f;
}

std::pair<int64_t, int64_t> FragmentLayout::holderOf(Cell cell) const {
  for (int64_t lane = 0; lane < kLanes; ++lane)
    for (int64_t i = 0; i < elements(); ++i)
      if (at(lane, i) == cell)
        return {lane, i};
  return {-1, -1};
}

int64_t FragmentLayout::elementAt(int64_t row, int64_t column) const {
  for (int64_t i = 0; i < elements(); ++i)
    if (elementRow.at(i) == row && elementColumn.at(i) == column)
      return i;
  return -1;
}

std::optional<std::vector<int64_t>> attn::layout::takenFrom(const FragmentLayout &to, const FragmentLayout &from) {
  std::vector<int64_t> taken;
  for (int64_t i = 0; i < to.elements(); ++i) {
    int64_t same = -1;
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      auto [holder, element] = from.holderOf(to.at(lane, i));
      if (holder != lane || (lane && element != same))
        return std::nullopt;
      same = element;
    }
    taken.push_back(same);
  }
  return taken;
}

std::optional<std::vector<int64_t>> attn::layout::alongColumns(const FragmentLayout &to, const FragmentLayout &from) {
  if (to.rows() != from.rows() || to.columns() != from.columns())
    return std::nullopt;
  // Element i is the n-th of its row in either layout; rows come in the same order.
  std::vector<int64_t> column(size_t(to.columns()), -1);
  std::set<int64_t> used;
  std::map<int64_t, std::vector<int64_t>> ofRow;
  for (int64_t i = 0; i < from.elements(); ++i)
    ofRow[from.elementRow.at(i)].push_back(i);
  for (auto &[row, all] : ofRow) {
    size_t n = 0;
    for (int64_t i = 0; i < to.elements(); ++i) {
      if (to.elementRow.at(i) != row)
        continue;
      if (n == all.size())
        return std::nullopt;
      for (int64_t lane = 0; lane < kLanes; ++lane) {
        Cell a = to.at(lane, i), b = from.at(lane, all[n]);
        int64_t &c = column[size_t(a.column)];
        if (a.row != b.row || (c >= 0 && c != b.column))
          return std::nullopt;
        c = b.column;
      }
      ++n;
    }
  }
  for (int64_t c : column)
    if (c < 0 || !used.insert(c).second)
      return std::nullopt;
  return column;
}
