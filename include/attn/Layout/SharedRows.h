//===- SharedRows.h - Rows in shared memory, without bank conflicts ----------===//
//
// A block of queries, keys or values lies in shared memory row by row, features padded with zeros to whole steps of 16,
// and 16 bytes behind each row:
//
//     offset(row, column) = row rowBytes + column elementBytes        rowBytes = 16 n elementBytes + 16
//
// Shared memory has 32 banks of 4 bytes. A warp's access of 16 bytes a lane is served eight lanes at a time, so that
// all banks can give at once; so is a matrix of ldmatrix, whose eight rows of 16 bytes eight lanes name. Lanes that
// want different words of one bank wait for each other: how often the banks have to be gone through is the number of
// wavefronts. Rows that are an odd number of 16-byte chunks apart, as these are (2 n + 1 of 16 bits, 4 n + 1 of 32),
// begin in eight different groups of four banks: the eight rows of a matrix are one wavefront, wherever they begin.
//
//===----------------------------------------------------------------------===//
#ifndef ATTN_LAYOUT_SHAREDROWS_H
#define ATTN_LAYOUT_SHAREDROWS_H

#include "attn/Layout/MatrixLoad.h"

namespace attn::layout {

struct SharedRows {
  int64_t rows, features, elementBytes, rowBytes;

  static constexpr int64_t step = 16, padBytes = 16; // features of a step, bytes behind a row
  static constexpr int64_t padded(int64_t features) { return (features + step - 1) / step * step; }

  /// As the essay has them.
  SharedRows(int64_t rows, int64_t features, int64_t elementBytes)
      : SharedRows(rows, features, elementBytes, padded(features) * elementBytes + padBytes) {}
  SharedRows(int64_t rows, int64_t features, int64_t elementBytes, int64_t rowBytes)
      : rows(rows), features(features), elementBytes(elementBytes), rowBytes(rowBytes) {}

  int64_t columns() const { return padded(features); }
  int64_t bytes() const { return rows * rowBytes; }
  /// Products along a row.
  int64_t steps() const { return columns() * elementBytes / MatrixLoad::stepBytes; }
  int64_t offset(int64_t row, int64_t column) const { return row * rowBytes + column * elementBytes; }
  /// Of the 16 bytes that a lane names, where the load begins with a row and a byte of it.
  int64_t addressOf(const MatrixLoad &load, int64_t lane, int64_t row, int64_t byte) const {
    return (row + load.row.at(lane)) * rowBytes + byte + load.bytes.at(lane);
  }
};

/// Passes over the banks for an access of 4, 8 or 16 bytes by each lane of a warp at these offsets.
int64_t wavefronts(const std::vector<int64_t> &offsets, int64_t bytes);
/// The least that so many lanes could need.
int64_t leastWavefronts(int64_t lanes, int64_t bytes);

} // namespace attn::layout

#endif
