// The oracle's rows against the kernel's.
#include "Failure.h"
#include "OracleOutputs.h"

#include "attn/Support/Random.h"

#include <chrono>
#include <set>

using namespace attn;
using namespace attn::run;

bool CheckResult::ok() const {
  return llvm::all_of(outputs, [](const Comparison &c) { return c.report.ok; });
}

llvm::Expected<std::unique_ptr<interpreter::Interpreter>>
attn::run::makeInterpreter(const Program &program, const Problem &problem, const Options &options) {
  const auto args = problem.arguments();
  const auto params = problem.params();
  return interpreter::Interpreter::create(program.kernel, args, params, productsOf(options));
}

namespace {

/// What the interpreter does, counted in its slowest unit: a key tested, or a multiplication of two evaluations. The
/// rate is deliberately low, so that the number of rows does not depend on the machine; a clock guards against much
/// slower ones.
constexpr double unitsPerSecond = 3e8, budgetSeconds = 3, clockSeconds = 20;

} // namespace

double attn::run::workOf(AttendOp attend) {
  auto ops = [](mlir::Region *region) { return region ? 1.0 + double(region->front().getOperations().size()) : 0.0; };
  double work = double(attend.dotExtent()) * (1 + ops(attend.dotRegion()));
  if (!attend.getValueless())
    work += double(attend.vPart().extent) * (1 + ops(attend.vPart().region));
  for (unsigned n = 0; n < attend.numParts(); ++n)
    work += double(attend.kPart(n).extent) * ops(attend.kPart(n).region);
  return work;
}

namespace {

std::vector<int64_t> chooseRows(const Problem &p, const AttendOp &op, uint64_t seed) {
  AttendOp attend = op;
  const int64_t rows = p.rows();
  const double features = workOf(attend);
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

std::string describe(const std::string &name, double got, double expected) {
  return fmt::format("{} is {:.9g}, expected {:.9g}", name, got, expected);
}

/// As many batch elements as the budget allows, at least one: a column needs all rows.
std::vector<int64_t> chooseBatches(const Problem &p, const AttendOp &op, uint64_t seed) {
  AttendOp attend = op;
  const double features = workOf(attend);
  const double units = double(p.queries()) * double(std::max<int64_t>(p.keys(), 1)) * (10 + 2 * features);
  const auto most = std::max<int64_t>(1, int64_t(budgetSeconds * unitsPerSecond / std::max(units, 1.0)));
  std::vector<int64_t> chosen;
  const Random random(seed, "--check columns");
  for (int64_t n = 0, all = p.batches(); n < std::min(most, all); ++n) {
    const auto lo = int64_t(double(n) * double(all) / double(std::min(most, all))),
               hi = int64_t(double(n + 1) * double(all) / double(std::min(most, all)));
    chosen.push_back(std::min(hi - 1, lo + int64_t(random.uniform(uint64_t(n)) * double(hi - lo))));
  }
  return chosen;
}

void addRows(const Problem &problem, interpreter::Interpreter &interpreter, std::vector<OutputRows> &outputs,
             std::vector<int64_t> rows, CheckResult &result) {
  const auto start = std::chrono::steady_clock::now();
  for (size_t n = 0; n < rows.size(); ++n) {
    const auto batch = problem.batchAt(rows[n] / problem.queries());
    const int64_t i = rows[n] % problem.queries();
    auto exact = interpreter.row(batch, i, interpreter::Precision::Double);
    auto plain = interpreter.row(batch, i, interpreter::Precision::Plain);
    result.badIndex |= exact.badIndex;
    for (OutputRows &output : outputs)
      if (!output.isOverKeys())
        output.add(batch, i, exact.outputs[output.name()], plain.outputs[output.name()], 0, exact.visible == 0);
    if (n >= 31 && std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() > clockSeconds)
      rows.resize(n + 1);
  }
  result.rows = int64_t(rows.size());
}

void addColumns(const Problem &problem, interpreter::Interpreter &interpreter, std::vector<OutputRows> &outputs,
                std::vector<int64_t> batches, CheckResult &result) {
  for (int64_t b : batches) {
    const auto batch = problem.batchAt(b);
    auto exact = interpreter.columns(batch, interpreter::Precision::Double);
    auto plain = interpreter.columns(batch, interpreter::Precision::Plain);
    result.badIndex |= exact.badIndex;
    for (OutputRows &output : outputs)
      for (int64_t j = 0; output.isOverKeys() && j < problem.keys(); ++j)
        output.add(batch, j, exact.outputs[output.name()], plain.outputs[output.name()], size_t(j * output.length()),
                   /*empty=*/false);
  }
  result.batches = int64_t(batches.size());
  result.ofBatches = problem.batches();
}

} // namespace

CheckResult attn::run::checkResults(const Program &program, const Problem &problem,
                                    interpreter::Interpreter &interpreter, uint64_t seed) {
  AttendOp attend = program.attend;
  CheckResult result;
  result.of = problem.rows();
  std::vector<OutputRows> outputs;
  for (auto [r, source] : llvm::enumerate(outputSources(attend)))
    outputs.emplace_back(program, problem, r, source);
  auto isOverKeys = [](const OutputRows &output) { return output.isOverKeys(); };
  if (!llvm::all_of(outputs, isOverKeys))
    addRows(problem, interpreter, outputs, chooseRows(problem, attend, seed), result);
  if (llvm::any_of(outputs, isOverKeys))
    addColumns(problem, interpreter, outputs, chooseBatches(problem, attend, seed), result);
  for (const OutputRows &output : outputs)
    result.outputs.push_back(output.compare());
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
    if (!isFloat(t.element) && isFloat(file->header.element))
      return fail(ExitBadInput, "--expect {}: {} holds {}; expected keys are integers", a.name, a.value,
                  numpyName(file->header.element));
    if (isFloat(t.element) && !bits && (!isFloat(file->header.element) || file->header.element == Element::BF16))
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
    c.tolerance = !isFloat(t.element) ? 0 : options.tolerance.value_or(is16Bit(t.element) ? 1e-2 : 1e-5);
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
