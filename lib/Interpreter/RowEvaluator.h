// One row in one precision: its pairs, the normalizer, reductions, the epilogue, as written.
//
// Double sums in index order. Plain does what a straightforward numpy program does in f32 (checked against numpy on
// random data): every product and every sum is rounded on its own; a matmul adds its products one after another (over
// keys in blocks of 256, as an optimized BLAS does, which is the stricter yardstick); numpy's own sum runs eight
// partial sums, which are added pairwise. 16-bit values meet weights of 16 bits.
//
// What is said nowhere else of rows that are not ordinary:
//
//   empty       no present pair and no seed: the finish's empty values, weighted reductions o's; the epilogue runs on
//               them. With a seed the finish runs, and reductions still see no pair: weighted ones are the finish's o
//               of sums 0.
//   NaN, +inf   a present pair has such a score, or a seed such a reference: results of the finish, weighted
//               reductions and weights of present pairs are NaN; weights of absent pairs stay 0. sum, max, min and
//               argmax are what their definition gives. The epilogue runs on all that. Columns add the NaN weights of
//               the row's present pairs.
//   selected    behind attn.select no score makes the row NaN: a NaN, or +inf, is selected like any largest score, and
//               the finish takes it and its key's value.
//
// Loads. One at a bad index in the score, in the class region of a normalizer with classes, or in a reduction that an
// output needs makes the pair absent from the row (also where its score is -inf it is reported); in a column it leaves
// the pair out of that column; in the epilogue the element is NaN. All are reported.
//
// A seed's value belongs to no key: it enters the sum of values, and neither weighted reductions nor weights of pairs.
// Dropout multiplies the weights of sums of values, nothing else; a weight of exactly 0 before it takes no value.
#ifndef ATTN_LIB_INTERPRETER_ROWEVALUATOR_H
#define ATTN_LIB_INTERPRETER_ROWEVALUATOR_H

#include "CompiledKernel.h"
#include "attn/Interpreter/Interpreter.h"

namespace attn::interpreter {

class RowEvaluator {
public:
  virtual ~RowEvaluator() = default;
  /// `keys` are the members of the row's set, ascending; fills outputs, and takes back the keys at a bad index.
  virtual void row(llvm::ArrayRef<int64_t> batch, int64_t i, llvm::ArrayRef<int64_t> keys, RowResult &result) = 0;
  /// Columns of a batch element: addRow for all its rows in ascending order in between.
  virtual void startColumns() = 0;
  virtual void addRow(llvm::ArrayRef<int64_t> batch, int64_t i, llvm::ArrayRef<int64_t> keys, ColumnResult &result) = 0;
  virtual void finishColumns(ColumnResult &result) = 0;
};

/// For the kernel's accumulation type and the precision.
std::unique_ptr<RowEvaluator> makeRowEvaluator(const CompiledKernel &kernel, Precision precision);

} // namespace attn::interpreter

#endif
