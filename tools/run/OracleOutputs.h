// Where results keep what the interpreter computes: a row of a query, or of a key where the output is over keys.
#ifndef ATTN_TOOLS_RUN_ORACLEOUTPUTS_H
#define ATTN_TOOLS_RUN_ORACLEOUTPUTS_H

#include "Oracle.h"

namespace attn::run {

/// One result of the kernel. Its row has one number, one for each value feature, or (p) one for each key; that of an
/// output over keys one, or one for each feature.
class OutputRows {
public:
  OutputRows(const Program &program, const Problem &problem, unsigned result, OutputSource source);

  /// Of the attend's output, by which the interpreter knows it; the kernel's result may have another.
  const std::string &name() const { return outputName; }
  bool isOverKeys() const { return source.kind == OutputSource::Column || source.kind == OutputSource::Aggregate; }
  int64_t length() const { return rowLength; }

  /// Adds a row that was computed; `exact` and `plain` have its numbers from `from` on. `empty`: no pair was visible.
  void add(llvm::ArrayRef<int64_t> batch, int64_t token, const std::vector<double> &exact,
           const std::vector<double> &plain, size_t from, bool empty);
  /// Keys of an argmax are compared exactly: with the exact key, or the plain one where rounding decides between two.
  Comparison compare() const;

private:
  ErrorReport compareKeys() const;
  std::string placeOf(int64_t element) const;

  const Tensor &tensor;
  std::string outputName;
  mlir::AffineMap map;
  OutputSource source;
  unsigned numBatch;
  int inner = -1; // the dimension along a row
  bool exactWhereEmpty = false;
  int64_t rowLength = 1, stride = 0;
  std::vector<double> got, exact, plain;
  std::vector<char> exactRows;
  std::vector<std::vector<int64_t>> rows; // batch indices and token
};

} // namespace attn::run

#endif
