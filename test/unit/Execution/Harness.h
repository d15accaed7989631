// Programs compiled and interpreted, calls with guarded memory, and THE comparison of measuring.md.
#ifndef ATTN_TEST_UNIT_EXECUTION_HARNESS_H
#define ATTN_TEST_UNIT_EXECUTION_HARNESS_H

#include "Tensor.h"

#include "attn/Compiler/Compiler.h"
#include "attn/Interpreter/Interpreter.h"
#include "attn/Support/MLIR.h"

#include "gtest/gtest.h"

#include <cmath>
#include <limits>
#include <string>

namespace attn::test {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
using interpreter::Precision;

/// The pieces of a program over q, k, v [b, h, token, feature].
struct Attention {
  int64_t d = 8, dv = 8;
  std::string element = "f32", out = "";       // of o; empty: as element
  std::string set = "", score = "", args = ""; // args: ", %m: tensor<?xi1>"
  std::string scale = "";
  std::string heads = "h"; // index of the key's head
  std::string text() const;
};

struct Blocks {
  int64_t rows = 0, keys = 0, split = 0; // split: chunks of the keys; each 0: by the schedule
};
constexpr Blocks kTiny{6, 16};

/// A program compiled for one block size, and parsed for the interpreter.
class Program {
public:
  /// Null and a message if it does not compile. Without a target: defaultTarget().
  static std::unique_ptr<Program> make(const std::string &text, Blocks blocks, std::string &message,
                                       const std::string &tokenOrder = "auto", const std::string &target = "");
  Kernel &kernel() { return *compiled; }

  std::string text;
  KernelOp parsed;
  AttendOp attend;

private:
  std::unique_ptr<mlir::MLIRContext> context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::unique_ptr<Kernel> compiled;
};

/// Compiled once per text, block size and order; ends the test program if it does not compile.
Program &program(const std::string &text, Blocks blocks = kTiny, const std::string &tokenOrder = "auto");
inline Program &program(const Attention &a, Blocks blocks = kTiny) { return program(a.text(), blocks); }

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

/// One call of a kernel. `run` makes outputs that are not given, dense.
struct Call {
  std::vector<Tensor> inputs;
  std::vector<attn_scalar> params = {};
  std::vector<Tensor> outputs = {};
  int workers = 1;
  attn_pool *pool = nullptr;
  int32_t variant = -1; // or this one, forced
  // What came of it.
  attn_status status = -1;
  attn_stats stats = {};
  attn_error error = {};

  /// Checks besides: bytes around workspace and outputs, input bytes and the floating-point environment stay as found.
  attn_status run(Program &program);
  std::unique_ptr<interpreter::Interpreter> oracle(Program &program) const;
};

std::vector<Tensor> makeOutputs(Program &program, const std::vector<Tensor> &inputs);

/// All outputs of some calls of one program against the interpreter, over rows and over keys. The calls together are
/// one tensor of the error rule; keys (of an argmax) are exact.
class Comparison {
public:
  explicit Comparison(Program &program);
  void add(const Call &call);
  /// "" or what differs.
  std::string verdict() const;

private:
  struct Rows {
    Element element = Element::F32;
    std::vector<double> got, exact, plain;
    std::vector<std::string> names; // of rows
    std::vector<char> empty;        // rows whose values are what the text says, to the bit
  };
  bool addRow(const Call &call, interpreter::Interpreter &oracle, const Index &batch, int64_t i);
  bool addColumns(const Call &call, interpreter::Interpreter &oracle, const Index &batch);
  bool isColumn(unsigned r) const;
  /// One row of an output; `at` makes the index of its element n.
  void add(unsigned r, const Tensor &t, llvm::ArrayRef<double> exact, llvm::ArrayRef<double> plain, bool empty,
           llvm::function_ref<int64_t(unsigned dim, int64_t n)> at);

  Program &program;
  AttendOp attend;
  llvm::SmallVector<OutputSource> sources;
  bool seeded = false; // no row is empty
  std::vector<Rows> outputs;
  std::string message;
};

std::string compare(Program &program, const Call &call);
/// Runs and compares.
std::string check(Program &program, Call &call);

/// q, k, v of an Attention: normal numbers, dense.
std::vector<Tensor> normalInputs(const Attention &a, int64_t B, int64_t H, int64_t I, int64_t J, uint64_t seed,
                                 double scale = 1, int64_t keyHeads = 0);
Element elementOf(const std::string &name);

/// Whether every output has the same bits in both calls.
::testing::AssertionResult sameBits(const Call &a, const Call &b);

} // namespace attn::test

#endif
