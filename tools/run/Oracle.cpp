// The oracle's rows against the kernel's.
#include "Oracle.h"
#include "Failure.h"

#include "attn/Support/Random.h"

#include <chrono>
#include <set>

using namespace attn;
using namespace attn::run;

bool CheckResult::ok() const {
  return llvm::all_of(outputs, [](const Comparison &c) { return c.report.ok; });
}

llvm::Expected<std::unique_ptr<interpreter::Interpreter>> attn::run::makeInterpreter(const Program &program,
                                                                                     const Problem &problem) {
  const auto args = problem.arguments();
  const auto params = problem.params();
  return interpreter::Interpreter::create(program.kernel, args, params);
}

namespace {

/// What the interpreter does, counted in its slowest unit: a key tested, or a multiplication of two evaluations. The
/// rate is deliberately low, so that the number of rows does not depend on the machine; a clock guards against much
/// slower ones.
constexpr double unitsPerSecond = 3e8, budgetSeconds = 3, clockSeconds = 20;

std::vector<int64_t> chooseRows(const Problem &p, const AttendOp &op, uint64_t seed) {
  AttendOp attend = op;
  const int64_t rows = p.rows();
  const double features = double(p.extents[attend.dotDim()] + p.extents[attend.valueDim()]);
  const double units = double(std::max<int64_t>(p.keys(), 1)) * (10 + 2 * features);
  const auto most = std::max<int64_t>(32, int64_t(budgetSeconds * unitsPerSecond / units));
  std::vector<int64_t> all;
  if (rows <= most) {
    for (int64_t n = 0; n < rows; ++n)
      all.push_back(n);
    return all;
  }
  std::set<int64_t> chosen = {0, p.queries() - 1, rows - p.queries(), rows - 1};
  const Random random(seed, "--check");
  for (int64_t n = 0; n < most; ++n) { // one of every stretch
    const auto lo = int64_t(double(n) * double(rows) / double(most)),
               hi = int64_t(double(n + 1) * double(rows) / double(most));
    chosen.insert(std::min(rows - 1, lo + int64_t(random.uniform(uint64_t(n)) * double(hi - lo))));
  }
  return {chosen.begin(), chosen.end()};
}

/// Where one result keeps a row, and how its values are called.
class OutputRows {
public:
  OutputRows(const Tensor &t, mlir::AffineMap map, unsigned valueDim, const Problem &p)
      : t(t), map(map), valueDim(valueDim), p(p) {
    for (auto [axis, e] : llvm::enumerate(map.getResults()))
      if (dimOf(e) == valueDim) {
        length = t.shape[axis];
        stride = t.strides[axis];
      }
  }

  int64_t length = 1, stride = 0;

  double value(const std::vector<int64_t> &batch, int64_t i, int64_t n) const {
    int64_t offset = n * stride;
    for (auto [axis, e] : llvm::enumerate(map.getResults()))
      if (dimOf(e) != valueDim)
        offset += (dimOf(e) < p.numBatch ? batch[dimOf(e)] : i) * t.strides[axis];
    return loadNumber(t.data.data(), t.element, offset);
  }

  std::string name(const std::vector<int64_t> &batch, int64_t i, int64_t n) const {
    std::string s = t.name + "[";
    for (auto [axis, e] : llvm::enumerate(map.getResults()))
      s += fmt::format("{}{}", axis ? ", " : "",
                       dimOf(e) == valueDim    ? n
                       : dimOf(e) < p.numBatch ? batch[dimOf(e)]
                                               : i);
    return s + "]";
  }

private:
  static unsigned dimOf(mlir::AffineExpr e) { return llvm::cast<mlir::AffineDimExpr>(e).getPosition(); }
  const Tensor &t;
  mlir::AffineMap map;
  unsigned valueDim;
  const Problem &p;
};

struct Values {
  std::vector<double> got, exact, plain;
};

std::string describe(const std::string &name, double got, double expected) {
  return fmt::format("{} is {:.9g}, expected {:.9g}", name, got, expected);
}

} // namespace

CheckResult attn::run::checkResults(const Program &program, const Problem &problem,
                                    interpreter::Interpreter &interpreter, uint64_t seed) {
  AttendOp attend = program.attend;
  CheckResult result;
  result.of = problem.rows();
  std::vector<OutputRows> outputs;
  for (unsigned r = 0; r < attend.getNumResults(); ++r)
    outputs.emplace_back(problem.output(r), attend.outMap(r), attend.valueDim(), problem);
  std::vector<Values> values(outputs.size());
  std::vector<char> empty;
  std::vector<int64_t> rows = chooseRows(problem, attend, seed);
  const auto start = std::chrono::steady_clock::now();
  for (size_t n = 0; n < rows.size(); ++n) {
    const auto batch = problem.batchAt(rows[n] / problem.queries());
    const int64_t i = rows[n] % problem.queries();
    auto exact = interpreter.row(batch, i, interpreter::Precision::Double);
    auto plain = interpreter.row(batch, i, interpreter::Precision::Plain);
    result.badIndex |= exact.badIndex;
    empty.push_back(exact.visible == 0);
    for (unsigned r = 0; r < outputs.size(); ++r) {
      const std::string name = attend.outName(r).str();
      const auto &e = exact.outputs[name], &p = plain.outputs[name];
      for (int64_t k = 0; k < outputs[r].length; ++k) {
        values[r].got.push_back(outputs[r].value(batch, i, k));
        values[r].exact.push_back(e.at(size_t(k)));
        values[r].plain.push_back(p.at(size_t(k)));
      }
    }
    if (n >= 31 && std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() > clockSeconds)
      rows.resize(n + 1);
  }
  result.rows = int64_t(rows.size());
  for (unsigned r = 0; r < outputs.size(); ++r) {
    const Values &v = values[r];
    Comparison c;
    c.name = problem.output(r).name;
    c.report = checkError({problem.output(r).element, outputs[r].length, v.got, v.exact, v.plain, empty});
    if (const int64_t w = c.report.worst; w >= 0) {
      const int64_t row = rows[size_t(w / outputs[r].length)];
      c.worst = describe(
          outputs[r].name(problem.batchAt(row / problem.queries()), row % problem.queries(), w % outputs[r].length),
          v.got[w], v.exact[w]);
    }
    result.outputs.push_back(std::move(c));
  }
  return result;
}

/// All elements in C order.
static std::vector<double> numbersOf(const void *data, Element element, llvm::ArrayRef<int64_t> shape,
                                     llvm::ArrayRef<int64_t> strides) {
  int64_t count = 1;
  for (int64_t n : shape)
    count *= n;
  std::vector<double> values(static_cast<size_t>(count));
  for (int64_t n = 0; n < count; ++n) {
    int64_t rest = n, offset = 0;
    for (size_t axis = shape.size(); axis--; rest /= shape[axis])
      offset += rest % shape[axis] * strides[axis];
    values[size_t(n)] = loadNumber(data, element, offset);
  }
  return values;
}

llvm::Expected<std::vector<NpyArray>> attn::run::readExpected(Problem &problem, const Options &options) {
  std::vector<NpyArray> files;
  for (const Assignment &a : options.expects) {
    const Tensor &t = *problem.find(a.name);
    auto file = readNpy(a.value, options.maxBytes);
    if (!file)
      return fail(ExitBadInput, "--expect {}: {}", a.name, llvm::toString(file.takeError()));
    const bool bits = t.element == Element::BF16 && file->header.element == Element::BF16;
    if (!bits && (!isFloat(file->header.element) || file->header.element == Element::BF16))
      return fail(ExitBadInput, "--expect {}: {} holds {}; expected numbers are floats", a.name, a.value,
                  numpyName(file->header.element));
    if (file->header.shape != t.shape)
      return fail(ExitBadInput, "--expect {}: {} has shape ({}), the result ({}); check --size and --input", a.name,
                  a.value, fmt::join(file->header.shape, ", "), fmt::join(t.shape, ", "));
    files.push_back(std::move(*file));
  }
  return std::move(files);
}

std::vector<Comparison> attn::run::compareExpected(Problem &problem, const Options &options,
                                                   llvm::ArrayRef<NpyArray> files) {
  std::vector<Comparison> result;
  for (auto [a, file] : llvm::zip(options.expects, files)) {
    const Tensor &t = *problem.find(a.name);
    const auto got = numbersOf(t.data.data(), t.element, t.shape, t.strides);
    const auto want = numbersOf(file.data.data(), file.header.element, file.header.shape, file.header.strides);
    Comparison c;
    c.name = a.name;
    c.tolerance = options.tolerance.value_or(is16Bit(t.element) ? 1e-2 : 1e-5);
    c.report = checkTolerance(got, want, c.tolerance);
    if (const int64_t w = c.report.worst; w >= 0) {
      std::vector<int64_t> at(t.shape.size());
      int64_t rest = w;
      for (size_t axis = t.shape.size(); axis--; rest /= t.shape[axis])
        at[axis] = rest % t.shape[axis];
      c.worst = describe(fmt::format("{}[{}]", a.name, fmt::join(at, ", ")), got[size_t(w)], want[size_t(w)]);
    }
    result.push_back(std::move(c));
  }
  return result;
}
