// Results of several steps against the interpreter's, and the sets of their attends.
#include "Failure.h"
#include "Steps.h"

#include "attn/Support/Random.h"

#include <chrono>
#include <cstring>
#include <set>

using namespace attn;
using namespace attn::run;
using interpreter::Precision;
using interpreter::StepRow;
using llvm::Error;

static unsigned dimOf(mlir::AffineExpr e) {
  return llvm::isa<mlir::AffineSymbolExpr>(e) ? kRankDim : llvm::cast<mlir::AffineDimExpr>(e).getPosition();
}

/// How result `r` of a step is indexed.
static mlir::AffineMap outMap(mlir::Operation *op, unsigned r) {
  if (auto attend = llvm::dyn_cast<AttendOp>(op))
    return attend.outMap(r);
  if (auto map = llvm::dyn_cast<MapOp>(op))
    return map.getOutMap();
  auto merge = llvm::cast<MergeOp>(op);
  return r ? merge.getLseMap() : merge.getOutMap();
}

llvm::Expected<Problem> attn::run::shapedStep(const Problem &whole, const Program &program, const Program &step,
                                              const Options &options) {
  auto made = declareStep(step, options);
  if (!made)
    return made.takeError();
  const llvm::SmallVector<mlir::Operation *> ops = stepsOf(program.kernel);
  auto numberOf = [&](mlir::Operation *op) { return size_t(llvm::find(ops, op) - ops.begin()); };
  const auto own = size_t(&step - program.steps.data());
  made->extents = whole.stepExtents[own];
  made->extents.resize(std::max<size_t>(made->extents.size(), 2), 1); // queries and keys are asked for
  for (Tensor &t : made->tensors) {
    const mlir::Value value = t.isOutput ? mlir::Value(ops[own]->getResult(t.index)) : step.captured[t.index];
    if (const Tensor *tensor = whole.tensorOf(value)) {
      t.shape = tensor->shape;
      t.strides = tensor->strides;
      t.isGiven = tensor->isGiven;
      continue;
    }
    auto result = llvm::cast<mlir::OpResult>(value);
    const mlir::AffineMap map = outMap(result.getOwner(), result.getResultNumber());
    for (auto [axis, e] : llvm::enumerate(map.getResults()))
      t.shape.push_back(dimOf(e) == kRankDim ? llvm::cast<mlir::RankedTensorType>(result.getType()).getDimSize(axis)
                                             : whole.stepExtents[numberOf(result.getOwner())][dimOf(e)]);
    t.strides.assign(t.shape.size(), 1);
    for (size_t n = t.shape.size(); n-- > 1;)
      t.strides[n - 1] = t.strides[n] * std::max<int64_t>(t.shape[n], 1);
  }
  return std::move(*made);
}

llvm::Expected<std::unique_ptr<interpreter::Steps>> attn::run::makeSteps(const Program &program, const Problem &problem,
                                                                         const Options &options) {
  const auto args = problem.arguments();
  const auto params = problem.params();
  return interpreter::Steps::create(program.kernel, args, params, productsOf(options));
}

namespace {

/// As in Oracle.cpp: a deliberately low rate, so that the number of rows does not depend on the machine.
constexpr double unitsPerSecond = 3e8, budgetSeconds = 3, clockSeconds = 20;

/// What one row costs, in keys tested and multiplications of two evaluations.
double unitsOf(mlir::Operation *op, llvm::ArrayRef<int64_t> extents, llvm::ArrayRef<unsigned> rowDims) {
  if (auto attend = llvm::dyn_cast<AttendOp>(op))
    return double(std::max<int64_t>(extents[attend.keyDim()], 1)) * (10 + 2 * workOf(attend));
  double elements = 100;
  for (size_t d = 0; d < extents.size(); ++d)
    if (!llvm::is_contained(rowDims, unsigned(d)))
      elements *= double(std::max<int64_t>(extents[d], 1));
  return elements;
}

std::vector<int64_t> chooseRows(int64_t rows, double units, uint64_t seed) {
  const auto most = std::max<int64_t>(32, int64_t(budgetSeconds * unitsPerSecond / units));
  std::vector<int64_t> all;
  if (rows <= most) {
    for (int64_t n = 0; n < rows; ++n)
      all.push_back(n);
    return all;
  }
  std::set<int64_t> chosen = {0, rows - 1};
  const Random random(seed, "--check");
  for (int64_t n = 0; n < most; ++n) { // one of every stretch
    const auto lo = int64_t(double(n) * double(rows) / double(most)),
               hi = int64_t(double(n + 1) * double(rows) / double(most));
    chosen.insert(std::min(rows - 1, lo + int64_t(random.uniform(uint64_t(n)) * double(hi - lo))));
  }
  return {chosen.begin(), chosen.end()};
}

/// Whether an empty row of the step's result is what the text says to the bit; as OutputRows has it.
bool exactWhereEmpty(mlir::Operation *op, unsigned result) {
  auto attend = llvm::dyn_cast<AttendOp>(op);
  if (!attend)
    return false;
  const OutputSource source = outputSources(attend)[result];
  NormalizerOp normalizer = lookupNormalizer(attend);
  const bool seed =
      llvm::any_of(normalizer.getBody().front().getOps<PassOp>(), [](PassOp p) { return p.seedRegion(); });
  return source.kind == OutputSource::Reduction || source.kind == OutputSource::Weights ||
         ((source.kind == OutputSource::LogSumExp || source.kind == OutputSource::Finish) && !seed);
}

/// One result of the kernel, the numbers of its rows one after another.
struct Compared {
  const Tensor &tensor;
  mlir::AffineMap map;
  int along;
  unsigned result; // of the step
  bool exactWhereEmpty;
  std::vector<double> got = {}, exact = {}, plain = {};
  std::vector<char> exactRows = {};
  std::vector<std::vector<int64_t>> at = {}; // of the rows, by axis

  int64_t length() const {
    for (auto [axis, e] : llvm::enumerate(map.getResults()))
      if (int(dimOf(e)) == along)
        return tensor.shape[axis];
    return 1;
  }

  void take(llvm::ArrayRef<int64_t> dims, const StepRow &e, const StepRow &p) {
    int64_t offset = 0, stride = 0;
    std::vector<int64_t> place;
    for (auto [axis, expr] : llvm::enumerate(map.getResults())) {
      place.push_back(dimOf(expr) == kRankDim ? 0 : dims[dimOf(expr)]);
      if (int(dimOf(expr)) == along)
        stride = tensor.strides[axis];
      else
        offset += dims[dimOf(expr)] * tensor.strides[axis];
    }
    at.push_back(std::move(place));
    exactRows.push_back(e.empty && exactWhereEmpty);
    for (int64_t n = 0; n < length(); ++n) {
      got.push_back(loadNumber(tensor.data.data(), tensor.element, offset + n * stride));
      exact.push_back(e.results[result].numbers.at(size_t(n)));
      plain.push_back(p.results[result].numbers.at(size_t(n)));
    }
  }

  Comparison finish() const {
    Comparison c;
    c.name = tensor.name;
    if (isFloat(tensor.element)) {
      c.report = checkError({tensor.element, length(), got, exact, plain, exactRows});
    } else { // what the text says they are, or what it says where rounding decides (the largest of equal numbers)
      std::vector<double> want(exact);
      for (size_t n = 0; n < want.size(); ++n)
        if (got[n] == plain[n])
          want[n] = plain[n];
      c.report = checkTolerance(got, want, 0);
    }
    if (const int64_t w = c.report.worst; w >= 0) {
      std::vector<int64_t> place = at[size_t(w / length())];
      for (auto [axis, e] : llvm::enumerate(map.getResults()))
        if (int(dimOf(e)) == along)
          place[axis] = w % length();
      c.worst = fmt::format("{}[{}] is {:.9g}, expected {:.9g}", tensor.name, fmt::join(place, ", "), got[size_t(w)],
                            exact[size_t(w)]);
    }
    return c;
  }
};

} // namespace

llvm::Expected<CheckResult> attn::run::checkSteps(const Program &program, const Problem &problem,
                                                  interpreter::Steps &steps, uint64_t seed) {
  KernelOp kernel = program.kernel;
  CheckResult result;
  std::map<std::pair<unsigned, bool>, std::vector<unsigned>> resultsOf; // by step and kind of rows
  for (unsigned r = 0; r < kernel.getResultTypes().size(); ++r) {
    auto [step, own] = steps.source(r);
    resultsOf[{step, steps.isOverKeys(step, own)}].push_back(r);
  }
  std::vector<Comparison> comparisons(kernel.getResultTypes().size());
  for (auto &[group, results] : resultsOf) {
    auto [step, overKeys] = group;
    for (Precision precision : {Precision::Double, Precision::Plain})
      if (Error e = steps.prepare(step, precision))
        return std::move(e);
    mlir::Operation *op = steps.steps()[step];
    std::vector<Compared> compared;
    llvm::SmallVector<unsigned> rowDims;
    for (unsigned r : results) {
      const unsigned own = steps.source(r).second;
      compared.push_back(
          {problem.output(r), steps.map(step, own), steps.along(step, own), own, exactWhereEmpty(op, own)});
      for (mlir::AffineExpr e : steps.map(step, own).getResults())
        if (int(dimOf(e)) != steps.along(step, own))
          rowDims.push_back(dimOf(e));
    }
    const int64_t all = steps.rows(step, overKeys);
    std::vector<int64_t> rows;
    if (overKeys) { // whole batch elements, for each needs all of its rows
      AttendOp attend = llvm::cast<AttendOp>(op);
      const llvm::ArrayRef<int64_t> extents = steps.extents(step);
      const double units = unitsOf(op, extents, rowDims) * double(extents[attend.queryDim()]);
      const auto batches = std::max<int64_t>(1, int64_t(budgetSeconds * unitsPerSecond / std::max(units, 1.0)));
      for (int64_t n = 0; n < std::min(all, batches * extents[attend.keyDim()]); ++n)
        rows.push_back(n);
    } else {
      rows = chooseRows(all, unitsOf(op, steps.extents(step), rowDims), seed);
    }
    const auto start = std::chrono::steady_clock::now();
    for (size_t n = 0; n < rows.size(); ++n) {
      const StepRow exact = steps.row(step, rows[n], Precision::Double, overKeys),
                    plain = steps.row(step, rows[n], Precision::Plain, overKeys);
      result.badIndex |= exact.badIndex;
      for (Compared &c : compared)
        c.take(steps.indicesAt(step, rows[n], overKeys), exact, plain);
      if (!overKeys && n >= 31 &&
          std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() > clockSeconds)
        rows.resize(n + 1);
    }
    result.rows += int64_t(rows.size());
    result.of += all;
    for (auto [c, r] : llvm::zip(compared, results))
      comparisons[r] = c.finish();
  }
  result.badIndex |= steps.badIndex();
  result.outputs = std::move(comparisons);
  return std::move(result);
}

llvm::Expected<std::vector<std::unique_ptr<StepSurvey>>> attn::run::surveySteps(const Program &program,
                                                                                const Problem &problem,
                                                                                interpreter::Steps &steps,
                                                                                const Options &options) {
  std::vector<std::unique_ptr<StepSurvey>> all;
  for (auto [n, step] : llvm::enumerate(program.steps)) {
    if (!step.attend)
      continue;
    if (Error e = steps.prepare(unsigned(n), Precision::Double))
      return std::move(e);
    auto survey = std::make_unique<StepSurvey>();
    survey->step = unsigned(n) + 1;
    survey->program = &step;
    auto shaped = shapedStep(problem, program, step, options);
    if (!shaped)
      return shaped.takeError();
    survey->problem = std::move(*shaped);
    Problem &own = survey->problem;
    llvm::erase_if(own.tensors, [](const Tensor &t) { return t.isOutput; });
    for (Tensor &t : own.tensors) { // sets read them
      const mlir::Value value = step.captured[t.index];
      const Tensor *whole = problem.tensorOf(value);
      const attn_tensor view = whole ? whole->view() : steps.tensor(value, Precision::Double);
      int64_t last = 0;
      for (size_t axis = 0; axis < t.shape.size(); ++axis)
        last += std::max<int64_t>(t.shape[axis] - 1, 0) * view.stride[axis];
      t.strides.assign(view.stride, view.stride + t.shape.size());
      const uint64_t bytes = t.elements() ? uint64_t((last + 1) * bytesOf(t.element)) : 0;
      t.data = Buffer::allocate(bytes);
      if (!t.data.data())
        return fail(ExitBadInput, "no memory for {} bytes of {}; choose smaller --size", bytes, t.name);
      if (bytes)
        std::memcpy(t.data.data(), view.data, bytes);
    }
    for (Scalar &s : own.scalars)
      if (const attn_scalar *value = problem.scalarOf(step.captured[s.argument.getArgNumber()]))
        s.value = *value;
    Visibility visibility(step, own, *steps.attend(unsigned(n), Precision::Double));
    survey->pairs = countPairs(visibility, own, 3);
    if (options.explain && own.rows() > 0 && own.keys() > 0) {
      SurveyRequest request;
      KernelOp kernel = step.kernel;
      request.name = kernel.getSymName().str();
      request.map = request.graph = true;
      int64_t chosen = 16;
      while (std::max(own.queries(), own.keys()) / chosen > 256)
        chosen *= 2;
      request.blockRows = options.blockRows > 0 ? options.blockRows : chosen;
      request.blockKeys = options.blockKeys > 0 ? options.blockKeys : chosen;
      survey->survey = surveyRows(visibility, own, request);
    }
    all.push_back(std::move(survey));
  }
  return std::move(all);
}
