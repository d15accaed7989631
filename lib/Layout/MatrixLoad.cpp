#include "attn/Layout/MatrixLoad.h"

using namespace attn::layout;

// Lane 8 m + r: the row of matrix m is r, and m is two digits.

MatrixLoad MatrixLoad::left() { return {{{{1, 16, 1}}}, {{{16, 0, chunkBytes}}}, false}; }

MatrixLoad MatrixLoad::right() { return {{{{1, 8, 1}, {16, 0, 8}}}, {{{8, 2, chunkBytes}}}, false}; }

MatrixLoad MatrixLoad::rightTransposed() { return {{{{1, 16, 1}}}, {{{16, 0, chunkBytes}}}, true}; }

Cell MatrixLoad::loaded(int64_t lane, int64_t reg, int64_t element, int64_t bits) const {
  const int64_t w = 32 / bits;
  int64_t major = lane / 4, minor = w * (lane % 4) + element;
  if (transposed)
    std::swap(major, minor);
  const int64_t source = 8 * reg + major; // the lane that gave the address
  return {row.at(source), bytes.at(source) * 8 / bits + minor};
}
