// Small programs over dimensions b | i | j | c, e whose scores are q_i k_j, with any clauses and outputs.
#ifndef ATTN_TEST_UNIT_INTERPRETER_PROBE_H
#define ATTN_TEST_UNIT_INTERPRETER_PROBE_H

#include "Harness.h"

namespace attn::test {

using interpreter::ColumnResult;

struct Output {
  std::string name, indices; // "b, i, e"
  std::string element = "";  // empty: the operands'
};

/// Two batch elements, queries and keys as many as q and k have; the value has two features, v and 10 v.
struct Probe {
  std::vector<double> q, k, v;
  std::string clauses, args = "", normalizers = "", element = "f32", scale = "scale = 1.0";
  std::vector<Output> outputs = {{"o", "b, i, e"}};
  std::vector<Tensor> captured = {};
  std::vector<attn_scalar> params = {};
  bool valueless = false;

  std::string text() const;
  /// Batch element 1 has the negated queries of element 0.
  double score(int64_t b, int64_t i, int64_t j) const { return (b ? -q[i] : q[i]) * k[j]; }
  double value(int64_t j, int64_t e) const { return e ? 10 * v[j] : v[j]; }
  std::vector<double> scores(int64_t b, int64_t i) const;

  RowResult row(int64_t b, int64_t i, Precision precision = Precision::Double) const;
  ColumnResult columns(int64_t b, Precision precision = Precision::Double) const;
  /// One output of all rows of both batch elements in both precisions against want(b, i); NaN and infinities exactly.
  void expect(llvm::StringRef output, std::function<std::vector<double>(int64_t b, int64_t i)> want,
              double plain = 4e-6, double exact = 1e-12) const;

private:
  struct Running {
    Program program;
    std::vector<Tensor> tensors;
    std::unique_ptr<Interpreter> interpreter;
  };
  Running start() const;
};

/// Compares a list of values; the tolerance is relative to the larger of 1 and the value.
void expectValues(const std::vector<double> &got, const std::vector<double> &want, double tolerance,
                  llvm::StringRef what);

} // namespace attn::test

#endif
