// Programs, tensors and brute-force attention for the interpreter's tests.
#ifndef ATTN_TEST_UNIT_INTERPRETER_HARNESS_H
#define ATTN_TEST_UNIT_INTERPRETER_HARNESS_H

#include "attn/Interpreter/Interpreter.h"

#include "Numbers.h"

#include "gtest/gtest.h"

#include <cmath>
#include <functional>

namespace attn::test {

using interpreter::Format;
using interpreter::Interpreter;
using interpreter::Precision;
using interpreter::RowResult;

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// A parsed, verified module with its normalizers linked.
struct Program {
  explicit Program(llvm::StringRef text);
  static Program gallery(llvm::StringRef name);

  std::unique_ptr<mlir::MLIRContext> context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  KernelOp kernel;
};

/// A dense tensor that owns its elements; `values` are what they read back as.
class Tensor {
public:
  Tensor(Format format, std::vector<int64_t> shape, llvm::ArrayRef<double> values);
  /// Uniform in [-1, 1] from the seed.
  static Tensor random(Format format, std::vector<int64_t> shape, unsigned seed);

  double operator()(llvm::ArrayRef<int64_t> index) const;
  void set(llvm::ArrayRef<int64_t> index, double value);
  /// The same elements with the axes in another order: the result's axis n is this one's axis order[n].
  Tensor permuted(llvm::ArrayRef<unsigned> order) const;
  attn_tensor abi() const;

  std::vector<int64_t> shape, stride;

private:
  Format format;
  std::shared_ptr<std::vector<char>> bytes;
};

struct Call {
  std::vector<Tensor> tensors;
  std::vector<attn_scalar> params = {};

  llvm::Expected<std::unique_ptr<Interpreter>> tryCreate(Program &program) const;
  /// Ends the test program on an error.
  std::unique_ptr<Interpreter> create(Program &program) const;
};

inline attn_scalar integerParam(int64_t i) {
  attn_scalar s;
  s.i = i;
  return s;
}
inline attn_scalar floatParam(double f) {
  attn_scalar s;
  s.f = f;
  return s;
}

/// Softmax attention of one row by its formula: absent keys have no entry.
struct Pair {
  double score;
  std::function<double(int64_t e)> value;
};
struct Expected {
  std::vector<double> o;
  double lse;
};
Expected softmaxRow(llvm::ArrayRef<Pair> pairs, int64_t width);

/// Compares o and lse with a relative tolerance; NaN and infinities exactly.
void expectRow(const RowResult &got, const Expected &want, double tolerance, llvm::StringRef what);
void expectValue(double got, double want, double tolerance, llvm::StringRef what);

/// A softmax kernel over [b, h, i, c] f32 tensors of width `d`, with a clause (set, score, ..) and further arguments.
std::string simpleKernel(int64_t d, llvm::StringRef clauses, llvm::StringRef moreArgs = "",
                         llvm::StringRef element = "f32");

/// A softmax kernel with dimensions b, h | i | j whose set is checked pair by pair. Two batches and two heads.
struct SetCase {
  std::string set, args = "";
  std::vector<Tensor> captured = {};
  std::vector<attn_scalar> params = {};
  int64_t I = 5, J = 8;
  std::string queryGrid = "", keyGrid = ""; // "[?, 4]"
  std::string first = "";                   // "first = 2"

  std::string text() const;
  /// q, k and v are made up, the captured tensors follow.
  Call call() const;
};

using Member = std::function<bool(int64_t b, int64_t h, int64_t i, int64_t j)>;
void checkSet(const SetCase &c, Member member);

/// Whether the row reports a bad index; `visible`, unless negative, is the number of its pairs.
void expectBad(const SetCase &c, int64_t b, int64_t h, int64_t i, bool bad, int64_t visible = -1);

inline int64_t floorDiv(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }
inline int64_t ceilDiv(int64_t a, int64_t b) { return -floorDiv(-a, b); }

} // namespace attn::test

#endif
