// A program and its made-up problem, as attn-run makes them.
#ifndef ATTN_TEST_UNIT_RUN_HARNESS_H
#define ATTN_TEST_UNIT_RUN_HARNESS_H

#include "run/Oracle.h"
#include "run/Visibility.h"

#include <gtest/gtest.h>

namespace attn::test {

struct Given {
  std::string clauses, args = "";
  std::string queryGrid = "", keyGrid = "";                // "[?, 4]"
  std::vector<std::pair<std::string, int64_t>> sizes = {}; // of --size
  std::vector<run::Assignment> params = {};                // of --param
  uint64_t seed = 1;
  std::string program = ""; // the whole text, in place of the clauses
};

/// Dimensions b, h | i | j, one feature, softmax.
class Made {
public:
  explicit Made(const Given &given);

  run::Options options;
  run::Program program;
  run::Problem problem;

  const run::Tensor &tensor(llvm::StringRef name) { return *problem.find(name); }
  /// All elements in C order.
  std::vector<int64_t> integers(llvm::StringRef name);
  /// Element n in C order becomes `value`.
  void set(llvm::StringRef name, int64_t n, int64_t value);
  int64_t extent(llvm::StringRef dim) const;
  int64_t scalar(llvm::StringRef name) const;
  std::unique_ptr<interpreter::Interpreter> interpreter() const;
};

} // namespace attn::test

#endif
