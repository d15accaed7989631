//===- FragmentLayout.h - Which element of a matrix a register holds ---------===//
//
// mma.sync multiplies matrices that the 32 lanes of a warp hold between them in registers of 32 bits, w elements in
// each: 2 of 16 bits, 1 of 32. With g = lane / 4 and q = lane mod 4, element e of register r is
//
//     left operand, 16 x K        row g + 8 (r mod 2), column w q + e + 4 w (r / 2)
//     right operand, K x 8        row w q + e + 4 w r, column g
//     accumulator, 16 x N, f32    row g + 8 (r / 2 mod 2), column 2 q + r mod 2 + 8 (r / 4)
//
// K is 16 or 8 for 16 bits, 8 for tf32. Where the matrix is wider than one instruction takes, its fragments are those
// of its parts one after the other, and the same formulas hold: a left operand of 64 columns is four of 16.
//
// Elements are counted in the order of registers, the low half first: i = w r + e. Every coordinate is the lane's part
// plus the element's part, both sums of digits, so a thread computes the lane's part once and the rest is constant.
//
// Roles change without a lane giving anything away where both layouts put the same places into the same lane. That is
// so for accumulators and a left operand of 16 bits: with w = 2 the two formulas are one, and element i of the one is
// element i of the other. Weights therefore become the left operand of the next product by rounding alone. It is not so
// for a left operand of 32 bits: its lane holds columns q and q + 4, the accumulator's 2 q and 2 q + 1. There the
// columns can be named anew, as long as the rows of the right operand are too: `alongColumns`.
//
//===----------------------------------------------------------------------===//
#ifndef ATTN_LAYOUT_FRAGMENTLAYOUT_H
#define ATTN_LAYOUT_FRAGMENTLAYOUT_H

#include "attn/Layout/Digits.h"

#include <optional>
#include <utility>

namespace attn::layout {

class FragmentLayout {
public:
  /// 16 x `columns`, a multiple of 4 w; `bits` is 16 or 32.
  static FragmentLayout left(int64_t bits, int64_t columns);
  /// `rows` x 8, rows a multiple of 4 w.
  static FragmentLayout right(int64_t bits, int64_t rows);
  /// 16 x `columns` of f32, a multiple of 8.
  static FragmentLayout accumulator(int64_t columns);

  int64_t rows() const { return numRows; }
  int64_t columns() const { return numColumns; }
  int64_t elements() const { return numRows * numColumns / kLanes; } // of a lane
  int64_t perRegister() const { return width; }
  int64_t registers() const { return elements() / width; }

  Cell at(int64_t lane, int64_t element) const {
    return {laneRow.at(lane) + elementRow.at(element), laneColumn.at(lane) + elementColumn.at(element)};
  }
  /// Lane and element that hold a place.
  std::pair<int64_t, int64_t> holderOf(Cell cell) const;
  /// The element whose own part is `row`, `column`: what a lane holds at its first place moved by that much.
  int64_t elementAt(int64_t row, int64_t column) const;

  Digits laneRow, laneColumn, elementRow, elementColumn;

private:
  FragmentLayout(int64_t rows, int64_t columns, int64_t width) : numRows(rows), numColumns(columns), width(width) {}
  int64_t numRows, numColumns, width;
};

/// For each element of `to`, the element of `from` that the same lane has at the same place; absent: some lane holds
/// others.
std::optional<std::vector<int64_t>> takenFrom(const FragmentLayout &to, const FragmentLayout &from);

/// A column of `from` for each column of `to` that lets every lane keep what it has: of its elements in a row the n-th
/// of the one is the n-th of the other. Absent: there is no such renaming.
std::optional<std::vector<int64_t>> alongColumns(const FragmentLayout &to, const FragmentLayout &from);

} // namespace attn::layout

#endif
