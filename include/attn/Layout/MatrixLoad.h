//===- MatrixLoad.h - Where lanes point ldmatrix -----------------------------===//
//
// ldmatrix.x4 loads four matrices of 8 rows of 16 bytes. Lane 8 m + r gives the address of row r of matrix m. Register
// m of lane l then holds of matrix m
//
//     row l / 4, elements w (l mod 4) + e        w elements of a register, 2 of 16 bits or 1 of 32
//     .trans, 16 bits: row 2 (l mod 4) + e, element l / 4
//
// So which fragment arrives is a matter of which rows the lanes name. Three ways, by what lies in memory as rows:
//
//     left        16 rows of the left operand, two chunks of 16 bytes: matrices go down the rows first
//     right       16 columns of the right operand, each a row in memory (keys of a score), two chunks: matrices go
//                 along the chunks first, and registers 0, 1 are those of columns 0 to 7, 2, 3 those of 8 to 15
//     transposed  16 rows of the right operand as they are (values): .trans turns them, two chunks are two tiles of
//                 eight columns, matrices go down the rows first
//
//===----------------------------------------------------------------------===//
#ifndef ATTN_LAYOUT_MATRIXLOAD_H
#define ATTN_LAYOUT_MATRIXLOAD_H

#include "attn/Layout/Digits.h"

namespace attn::layout {

struct MatrixLoad {
  Digits row, bytes; // in memory, by lane: the row, and bytes from its start
  bool transposed;

  static constexpr int64_t rows = 16, chunkBytes = 16, chunks = 2, registers = 4;
  static constexpr int64_t stepBytes = chunks * chunkBytes; // along a row: 16 elements of 16 bits, 8 of 32

  static MatrixLoad left();
  static MatrixLoad right();
  static MatrixLoad rightTransposed();

  /// Row in memory, and element of it, that arrive in a lane's register. By ldmatrix's rule and nothing else.
  Cell loaded(int64_t lane, int64_t reg, int64_t element, int64_t bits) const;
};

} // namespace attn::layout

#endif
