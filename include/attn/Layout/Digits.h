//===- Digits.h - Numbers made of the digits of another ----------------------===//
//
// Layouts of GPUs are sums of digits. The row of a matrix that a lane holds, the byte that it points an instruction at,
// the element that a register stands for: each is
//
//     f(n) = sum over digits of ((n / divisor) mod extent) stride
//
// with constants for each digit; an extent of 0 takes all that is left. What is written here once as numbers is emitted
// as three instructions a digit where n is known at run time, and evaluated where it is a constant, so code and tests
// speak of the same thing. Others write the same as (extent, stride) modes.
//
//===----------------------------------------------------------------------===//
#ifndef ATTN_LAYOUT_DIGITS_H
#define ATTN_LAYOUT_DIGITS_H

#include <cstdint>
#include <vector>

namespace attn::layout {

struct Digit {
  int64_t divisor, extent, stride; // an extent of 0: all that is left

  int64_t at(int64_t n) const { return (extent ? n / divisor % extent : n / divisor) * stride; }
};

struct Digits {
  std::vector<Digit> digits;

  int64_t at(int64_t n) const {
    int64_t sum = 0;
    for (const Digit &digit : digits)
      sum += digit.at(n);
    return sum;
  }
};

/// Row and column of a matrix, or of a block in memory.
struct Cell {
  int64_t row = 0, column = 0;
  bool operator==(const Cell &o) const { return row == o.row && column == o.column; }
  bool operator<(const Cell &o) const { return row != o.row ? row < o.row : column < o.column; }
};

constexpr int64_t kLanes = 32; // of a warp

} // namespace attn::layout

#endif
