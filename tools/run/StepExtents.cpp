// How large everything is in a kernel of several steps. Axes and dimensions of one extent form a class: an axis that a
// dimension indexes alone, in any step, and a dimension of another step that indexes the same axis. The extent of a
// class comes from, first to last:
//
//   1. the program's static types and the shapes of the files; they must agree with each other
//   2. --size NAME: the first step's dimension of that name; --size NAME.2: that of step 2
//   3. --size n, for the query and key axes that have no extent yet
//   4. what indexes by `floordiv`, in both directions
//   5. for the attends in order, what Extents.cpp says, but 512 tokens: all of what later steps read is checked
//   6. dimensions of maps alone: 8 for one called h, 1 for the first of several, else 512
//
// An axis of a table that a map reads by computed indices is as long as the longest dimension of the map.
#include "Failure.h"
#include "Steps.h"

using namespace attn;
using namespace attn::run;
using llvm::Error;

namespace {

constexpr int64_t defaultTokens = 512;

/// The facts of one axis by an index expression.
AxisFact factOf(mlir::AffineExpr e, int64_t extent) {
  AxisFact fact;
  fact.free = 0;
  fact.extent = mlir::ShapedType::isDynamic(extent) ? -1 : extent;
  if (auto dim = llvm::dyn_cast<mlir::AffineDimExpr>(e)) {
    fact.dim = dim.getPosition();
  } else if (auto constant = llvm::dyn_cast<mlir::AffineConstantExpr>(e)) {
    fact.offset = constant.getValue();
  } else {
    auto binary = llvm::cast<mlir::AffineBinaryOpExpr>(e);
    fact.dim = llvm::cast<mlir::AffineDimExpr>(binary.getLHS()).getPosition();
    fact.divisor = llvm::cast<mlir::AffineConstantExpr>(binary.getRHS()).getValue();
  }
  return fact;
}

/// How every tensor of a map or a merge is indexed.
std::vector<std::pair<mlir::Value, mlir::AffineMap>> usesOf(mlir::Operation *op) {
  std::vector<std::pair<mlir::Value, mlir::AffineMap>> uses;
  if (auto map = llvm::dyn_cast<MapOp>(op)) {
    for (auto [n, input] : llvm::enumerate(map.getInputs()))
      uses.push_back({input, map.inMap(n)});
    uses.push_back({map.getResult(), map.getOutMap()});
  } else if (auto merge = llvm::dyn_cast<MergeOp>(op)) {
    for (unsigned p = 0; p < merge.numParts(); ++p) {
      uses.push_back({merge.getPartOuts()[p], merge.partOutMap(p)});
      uses.push_back({merge.getPartLses()[p], merge.partLseMap(p)});
    }
    for (unsigned n = 0; n < merge.numNormArgs(); ++n)
      if (AttendOp::NormArg arg = merge.normArg(n); arg.value && llvm::isa<mlir::RankedTensorType>(arg.value.getType()))
        uses.push_back({arg.value, arg.map});
    uses.push_back({merge.getOut(), merge.getOutMap()});
    uses.push_back({merge.getLse(), merge.getLseMap()});
  }
  return uses;
}

mlir::Operation *opOf(const Program &step) {
  KernelOp kernel = step.kernel;
  return &kernel.getBody().front().front();
}

std::vector<std::string> dimNamesOf(mlir::Operation *op) {
  std::vector<std::string> names;
  for (mlir::Attribute name : op->getAttrOfType<mlir::ArrayAttr>("dim_names"))
    names.push_back(llvm::cast<mlir::StringAttr>(name).getValue().str());
  return names;
}

class StepSolver {
public:
  StepSolver(Problem &problem, const Program &program, const Options &options)
      : p(problem), program(program), options(options) {}

  Error run() {
    for (const Program &step : program.steps)
      if (Error e = declare(step))
        return e;
    for (auto step : {&StepSolver::known, &StepSolver::sizes, &StepSolver::propagate, &StepSolver::attends,
                      &StepSolver::rest, &StepSolver::verify})
      if (Error e = (this->*step)())
        return e;
    publish();
    return Error::success();
  }

private:
  /// An axis of a value in the whole kernel, and what a step says of it.
  struct Rule {
    unsigned step;
    mlir::Value value;
    unsigned axis;
    unsigned node;
    AxisFact fact;
  };
  struct Part {
    Problem problem;
    unsigned firstDim; // node of dimension 0
  };

  unsigned newNode() {
    parent.push_back(unsigned(parent.size()));
    extents.push_back(-1);
    sources.emplace_back();
    return parent.back();
  }
  unsigned find(unsigned n) const {
    while (parent[n] != n)
      n = parent[n];
    return n;
  }
  int64_t extent(unsigned n) const { return extents[find(n)]; }

  std::string nameOf(mlir::Value value) const {
    KernelOp kernel = program.kernel;
    if (auto arg = llvm::dyn_cast<mlir::BlockArgument>(value))
      return kernel.argName(arg.getArgNumber()).str();
    auto ret = llvm::cast<ReturnOp>(kernel.getBody().front().getTerminator());
    for (auto [n, v] : llvm::enumerate(ret.getOperands()))
      if (v == value)
        return kernel.resName(n).str();
    return "a step's result";
  }

  Error set(unsigned node, int64_t n, const std::string &who) {
    node = find(node);
    if (extents[node] >= 0 && extents[node] != n)
      return fail(ExitBadInput, "an extent is {} by {} and {} by {}; make them agree", extents[node], sources[node], n,
                  who);
    if (extents[node] < 0)
      sources[node] = who;
    extents[node] = n;
    return Error::success();
  }

  unsigned axes(mlir::Value value) {
    auto [it, isNew] = firstAxis.try_emplace(value, unsigned(parent.size()));
    if (isNew)
      for (int64_t n = 0; n < llvm::cast<mlir::RankedTensorType>(value.getType()).getRank(); ++n)
        newNode();
    return it->second;
  }

  Error declare(const Program &step) {
    auto made = declareStep(step, options);
    if (!made)
      return made.takeError();
    const auto s = unsigned(parts.size());
    Part part{std::move(*made), unsigned(parent.size())};
    for (size_t d = 0; d < part.problem.dimNames.size(); ++d)
      newNode();
    auto rule = [&](mlir::Value value, size_t axis, const AxisFact &fact) {
      const unsigned node = axes(value) + unsigned(axis);
      rules.push_back({s, value, unsigned(axis), node, fact});
      if (fact.free || fact.dim < 0 || fact.divisor != 1 || fact.offset != 0)
        return;
      unite(node, part.firstDim + unsigned(fact.dim));
      if (fact.also >= 0)
        unite(node, part.firstDim + unsigned(fact.also));
    };
    for (const Tensor &t : part.problem.tensors) {
      const mlir::Value value = t.isOutput ? mlir::Value(stepOp(s)->getResult(t.index)) : step.captured[t.index];
      for (auto [n, fact] : llvm::enumerate(t.fact.axes))
        rule(value, n, fact);
    }
    // One tensor may be read in several ways.
    for (auto &[value, map] : usesOf(stepOp(s)))
      for (auto [n, e] : llvm::enumerate(map.getResults()))
        rule(value, n, factOf(e, llvm::cast<mlir::RankedTensorType>(value.getType()).getDimSize(n)));
    parts.push_back(std::move(part));
    return Error::success();
  }

  mlir::Operation *stepOp(unsigned s) const { return stepsOf(program.kernel)[s]; }

  void unite(unsigned a, unsigned b) { parent[find(b)] = find(a); }

  /// Static types, grids, files.
  Error known() {
    for (const Rule &r : rules)
      if (r.fact.extent >= 0)
        if (Error e = set(r.node, r.fact.extent, fmt::format("axis {} of {}", r.axis, nameOf(r.value))))
          return e;
    for (const Tensor &t : p.tensors)
      if (t.isGiven)
        for (size_t n = 0; n < t.shape.size(); ++n)
          if (auto it = firstAxis.find(valueOf(t)); it != firstAxis.end())
            if (Error e = set(it->second + n, t.shape[n], fmt::format("axis {} of the file of {}", n, t.name)))
              return e;
    return Error::success();
  }

  mlir::Value valueOf(const Tensor &t) const {
    KernelOp kernel = program.kernel;
    if (!t.isOutput)
      return kernel.getBody().getArgument(t.index);
    return kernel.getBody().front().getTerminator()->getOperand(t.index);
  }

  Error sizes() {
    for (auto &[name, n] : options.sizes) {
      if (name == "n" && !dimNamed(name))
        continue;
      if (auto node = dimNamed(name)) {
        if (Error e = unambiguous(name, *node))
          return e;
        if (Error e = set(*node, n, "--size " + name))
          return e;
        continue;
      }
      auto [tensor, axis] = llvm::StringRef(name).split('.');
      unsigned number;
      Tensor *t = p.find(tensor);
      if (!t || axis.getAsInteger(10, number) || number >= t->fact.axes.size())
        return fail(
            ExitBadInput,
            "--size {}: no such dimension; there are {}n (all token axes), NAME.STEP (steps from 1) and TENSOR.AXIS",
            name, names());
      if (Error e = set(axes(valueOf(*t)) + number, n, "--size " + name))
        return e;
    }
    for (auto &[name, n] : options.sizes)
      if (name == "n" && !dimNamed(name))
        for (const Part &part : parts)
          for (unsigned d = part.problem.numBatch; isAttend(part) && d < part.problem.numBatch + 2; ++d)
            if (extent(part.firstDim + d) < 0)
              if (Error e = set(part.firstDim + d, n, "--size n"))
                return e;
    return Error::success();
  }

  /// "x.1" may be the dimension x of step 1 and an axis of the tensor x: then it is neither, unless they are one.
  Error unambiguous(llvm::StringRef name, unsigned node) {
    auto [tensor, axis] = name.split('.');
    unsigned number;
    Tensor *t = axis.empty() ? nullptr : p.find(tensor);
    if (!t || axis.getAsInteger(10, number) || number >= t->fact.axes.size() ||
        find(axes(valueOf(*t)) + number) == find(node))
      return Error::success();
    return fail(ExitBadInput,
                "--size {0}: this is the dimension {1} of step {2} and axis {2} of the tensor {1}; call one of them "
                "otherwise, or give the size of another dimension or axis that is as long",
                name.str(), tensor.str(), number);
  }

  bool isAttend(const Part &part) const { return bool(program.steps[size_t(&part - parts.data())].attend); }

  /// "j": of the first step that has it; "j.2": of step 2.
  std::optional<unsigned> dimNamed(llvm::StringRef name) const {
    auto [dim, number] = name.split('.');
    unsigned step = 0;
    if (!number.empty() && (number.getAsInteger(10, step) || step == 0))
      return std::nullopt;
    for (size_t s = step ? step - 1 : 0; s < (step ? std::min<size_t>(step, parts.size()) : parts.size()); ++s)
      for (size_t d = 0; d < parts[s].problem.dimNames.size(); ++d)
        if (parts[s].problem.dimNames[d] == dim)
          return parts[s].firstDim + unsigned(d);
    return std::nullopt;
  }

  std::string names() const {
    std::string text;
    std::vector<std::string> seen;
    for (const Part &part : parts)
      for (const std::string &name : part.problem.dimNames)
        if (!llvm::is_contained(seen, name)) {
          seen.push_back(name);
          text += name + ", ";
        }
    return text;
  }

  /// Axes and dimensions that floordiv and offsets relate, as far as one says the other.
  Error propagate() {
    for (bool changed = true; changed;) {
      changed = false;
      for (const Rule &r : rules) {
        const AxisFact &a = r.fact;
        if (a.free || a.dim < 0 || (a.divisor == 1 && a.offset == 0))
          continue;
        const unsigned dim = parts[r.step].firstDim + unsigned(a.dim);
        int64_t n = 0;
        if (extent(dim) >= 0 && extent(r.node) < 0) {
          n = extent(dim) / a.divisor + (extent(dim) % a.divisor != 0) + a.offset;
          changed = true;
          if (Error e = set(r.node, n, sources[find(dim)]))
            return e;
        } else if (extent(dim) < 0 && extent(r.node) >= 0 && a.offset == 0 &&
                   !__builtin_mul_overflow(extent(r.node), a.divisor, &n)) {
          changed = true;
          if (Error e = set(dim, n, fmt::format("axis {} of {}", r.axis, nameOf(r.value))))
            return e;
        }
      }
    }
    return Error::success();
  }

  /// One attend after the other, each as a problem of its own.
  Error attends() {
    for (size_t s = 0; s < parts.size(); ++s) {
      Part &part = parts[s];
      AttendOp attend = program.steps[s].attend;
      if (!attend)
        continue;
      for (unsigned d = attend.queryDim(); d <= attend.keyDim(); ++d)
        if (const bool grid =
                d == attend.queryDim() ? attend.getQueryGrid().has_value() : attend.getKeyGrid().has_value();
            !grid && extent(part.firstDim + d) < 0)
          if (Error e = set(part.firstDim + d, defaultTokens, "default"))
            return e;
      if (Error e = propagate())
        return e;
      for (size_t d = 0; d < part.problem.extents.size(); ++d)
        part.problem.extents[d] = extent(part.firstDim + unsigned(d));
      Options own = options;
      own.sizes.clear();
      for (Tensor &t : part.problem.tensors)
        for (auto [n, fact] : llvm::enumerate(t.fact.axes))
          if (const int64_t e = extent(axisOf(unsigned(s), t, unsigned(n))); fact.free && fact.extent < 0 && e >= 0)
            own.sizes.push_back({fmt::format("{}.{}", t.name, n), e});
      borrowFiles(unsigned(s));
      Error error = solveExtents(part.problem, program.steps[s], own);
      borrowFiles(unsigned(s));
      if (error)
        return error;
      for (size_t d = 0; d < part.problem.extents.size(); ++d)
        if (Error e = set(part.firstDim + unsigned(d), part.problem.extents[d], "default"))
          return e;
      for (Tensor &t : part.problem.tensors)
        for (size_t n = 0; n < t.shape.size(); ++n)
          if (Error e = set(axisOf(unsigned(s), t, unsigned(n)), t.shape[n], "default"))
            return e;
      if (Error e = propagate())
        return e;
    }
    return Error::success();
  }

  unsigned axisOf(unsigned s, const Tensor &t, unsigned axis) {
    return axes(t.isOutput ? mlir::Value(stepOp(s)->getResult(t.index)) : program.steps[s].captured[t.index]) + axis;
  }

  /// Lends the step the contents of files, and takes them back.
  void borrowFiles(unsigned s) {
    for (Tensor &t : parts[s].problem.tensors)
      if (Tensor *whole = t.isOutput ? nullptr : given(program.steps[s].captured[t.index])) {
        std::swap(t.data, whole->data);
        t.isGiven = !t.isGiven;
        t.shape = whole->shape;
        t.strides = whole->strides;
      }
  }

  Tensor *given(mlir::Value value) {
    for (Tensor &t : p.tensors)
      if (!t.isOutput && t.isGiven && valueOf(t) == value)
        return &t;
    return nullptr;
  }

  Error rest() {
    for (size_t s = 0; s < parts.size(); ++s)
      for (size_t d = 0; d < parts[s].problem.dimNames.size(); ++d) {
        const unsigned node = parts[s].firstDim + unsigned(d);
        if (extent(node) >= 0)
          continue;
        const std::string &name = parts[s].problem.dimNames[d];
        const bool first = d == 0 && parts[s].problem.dimNames.size() > 1;
        if (Error e = set(node, name == "h" ? 8 : first ? 1 : defaultTokens, "default"))
          return e;
        if (Error e = propagate())
          return e;
      }
    for (const Rule &r : rules) {
      if (extent(r.node) >= 0)
        continue;
      int64_t longest = r.fact.offset + 1;
      for (size_t d = 0; r.fact.free && d < parts[r.step].problem.dimNames.size(); ++d)
        longest = std::max(longest, extent(parts[r.step].firstDim + unsigned(d)));
      if (Error e = set(r.node, longest, "default"))
        return e;
    }
    return Error::success();
  }

  /// Every step's rules hold, so that what is refused is refused by name.
  Error verify() {
    for (const Rule &r : rules) {
      const AxisFact &a = r.fact;
      if (a.free)
        continue;
      const int64_t n = a.dim >= 0 ? extent(parts[r.step].firstDim + unsigned(a.dim)) : 0;
      const int64_t need = a.dim < 0 ? a.offset + 1 : n / a.divisor + (n % a.divisor != 0) + a.offset;
      const bool exact = a.dim >= 0 && a.offset == 0;
      if (exact ? extent(r.node) != need : extent(r.node) < need)
        return fail(ExitBadInput, "axis {} of {} has extent {}; step {} needs {}{}", r.axis, nameOf(r.value),
                    extent(r.node), r.step + 1, exact ? "" : "at least ", need);
    }
    return Error::success();
  }

  void publish() {
    for (Tensor &t : p.tensors) {
      const unsigned first = axes(valueOf(t));
      t.shape.clear();
      for (size_t n = 0; n < t.fact.axes.size(); ++n) { // what no step reads has one element
        const int64_t e = extent(first + unsigned(n));
        t.shape.push_back(e >= 0 ? e : t.fact.axes[n].extent >= 0 ? t.fact.axes[n].extent : 1);
      }
    }
    for (size_t s = 0; s < parts.size(); ++s) {
      auto &own = p.stepExtents.emplace_back();
      for (size_t d = 0; d < parts[s].problem.dimNames.size(); ++d) {
        std::string name = parts[s].problem.dimNames[d];
        const int64_t n = extent(parts[s].firstDim + unsigned(d));
        own.push_back(n);
        auto same = llvm::find(p.dimNames, name);
        if (same != p.dimNames.end() && p.extents[size_t(same - p.dimNames.begin())] == n)
          continue;
        p.dimNames.push_back(same == p.dimNames.end() ? name : fmt::format("{}.{}", name, s + 1));
        p.extents.push_back(n);
      }
    }
  }

  Problem &p;
  const Program &program;
  const Options &options;
  std::vector<Part> parts;
  std::vector<Rule> rules;
  llvm::DenseMap<mlir::Value, unsigned> firstAxis;
  std::vector<unsigned> parent;
  std::vector<int64_t> extents;
  std::vector<std::string> sources;
};

} // namespace

llvm::Expected<Problem> attn::run::declareStep(const Program &step, const Options &options) {
  Problem problem;
  mlir::Operation *op = opOf(step);
  AttendOp attend = step.attend;
  KernelOp kernel = step.kernel;
  llvm::SmallVector<ArgumentFact> facts;
  if (attend) {
    std::string said;
    mlir::ScopedDiagnosticHandler handler(kernel.getContext(), [&](mlir::Diagnostic &d) {
      if (said.empty())
        said = d.str();
      return mlir::success();
    });
    auto found = argumentFacts(kernel, attend);
    if (failed(found))
      return fail(ExitUnsupported, "{}: {}", options.file, said);
    facts = std::move(*found);
    problem.numBatch = attend.numBatch();
  } else {
    const auto uses = usesOf(op);
    auto add = [&](mlir::Value value) {
      ArgumentFact &fact = facts.emplace_back();
      auto type = llvm::dyn_cast<mlir::RankedTensorType>(value.getType());
      for (int64_t n = 0; type && n < type.getRank(); ++n) {
        AxisFact axis;
        axis.extent = type.isDynamicDim(n) ? -1 : type.getDimSize(n);
        for (auto &[used, map] : uses)
          if (used == value && axis.free)
            axis = factOf(map.getResult(n), type.getDimSize(n));
        fact.axes.push_back(axis);
      }
    };
    for (mlir::BlockArgument arg : kernel.getBody().getArguments())
      add(arg);
    for (mlir::Value result : op->getResults())
      add(result);
  }
  problem.dimNames = dimNamesOf(op);
  problem.extents.assign(problem.dimNames.size(), -1);
  const unsigned numArgs = kernel.getArgumentTypes().size();
  auto addTensor = [&](std::string name, mlir::Type type, unsigned index, bool isOutput) {
    Tensor t;
    t.name = std::move(name);
    t.element = *elementOf(type);
    t.isOutput = isOutput;
    t.index = index;
    t.fact = facts[isOutput ? numArgs + index : index];
    problem.tensors.push_back(std::move(t));
  };
  for (mlir::BlockArgument arg : kernel.getBody().getArguments()) {
    const std::string name = kernel.argName(arg.getArgNumber()).str();
    if (llvm::isa<mlir::RankedTensorType>(arg.getType()))
      addTensor(name, arg.getType(), arg.getArgNumber(), false);
    else
      problem.scalars.push_back({name, llvm::isa<mlir::FloatType>(arg.getType()), arg, {}});
  }
  for (auto [n, type] : llvm::enumerate(kernel.getResultTypes()))
    addTensor(kernel.resName(n).str(), type, n, true);
  return std::move(problem);
}

Error attn::run::solveSteps(Problem &problem, const Program &program, const Options &options) {
  return StepSolver(problem, program, options).run();
}
