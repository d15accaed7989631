//===- RunOrder.h - Which features a thread takes into shared memory ---------===//
//
// The threads of a CTA take the rows of a block from memory in runs of eight features of 16 bits, or of four of 32
// that become 16 bits: numbered items, thread n the items n, n + threads, ... Which row and which features an item is
// decides how memory is read and how banks are written. A chunk is eight features, 16 bytes of a row once they are
// stored, and all banks are written at once by eight chunks that lie in eight different groups of four banks.
//
// Neighbouring items are neighbouring chunks of a row as far as whole groups of eight go: they are read in whole
// sectors, and written to all banks. The chunks at the end of a row, of which there are fewer than eight, are taken by
// eight items from several rows: w of them in every w-th row, for w = 4, 2, 1 as their number has it. Rows are an odd
// number of chunks apart, so that w w-th rows begin w chunks apart, modulo 8. The order of eight rows repeats.
//
//     chunks 12, eight rows     items 0 to 63: chunks 0 to 7 of rows 0 to 7
//                               items 64 to 95: four at a time, chunks 8 to 11 of rows 0, 4, 1, 5, 2, 6, 3, 7
//
//===----------------------------------------------------------------------===//
#ifndef ATTN_LAYOUT_RUNORDER_H
#define ATTN_LAYOUT_RUNORDER_H

#include "attn/Layout/Digits.h"

namespace attn::layout {

class RunOrder {
public:
  /// `run` is 8 or 4 features; rows of so many chunks of eight features, or of four of 32 bits. Where chunks are no
  /// multiple of eight, rows are.
  RunOrder(int64_t run, int64_t chunks, int64_t chunkFeatures = 8);

  /// Row, and the run's first feature.
  Cell at(int64_t item) const;

  /// Of a group of eight rows the chunks from number `first` on: row, and chunk less `firstChunk`, of a number less
  /// `first`.
  struct Piece {
    int64_t first, firstChunk;
    Digits row, chunk;
  };
  int64_t run, chunks, chunkFeatures;
  int64_t perChunk;    // items
  bool inGroups;       // of eight rows; else one row goes by after the other
  Digits row, feature; // where there are no groups, of an item
  std::vector<Piece> pieces;
};

} // namespace attn::layout

#endif
