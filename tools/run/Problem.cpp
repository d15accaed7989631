// From a program and a command line to a problem with its memory.
#include "Problem.h"
#include "Failure.h"
#include "Steps.h"

#include "attn/Support/Npy.h"

#include <unistd.h>

using namespace attn;
using namespace attn::run;
using llvm::Error;

int64_t Tensor::elements() const {
  int64_t n = 1;
  for (int64_t extent : shape)
    n *= extent;
  return n;
}

attn_tensor Tensor::view() const {
  static const uint8_t codes[] = {ATTN_FLOAT,       ATTN_FLOAT, ATTN_FLOAT, ATTN_BFLOAT, ATTN_FLOAT8_E4M3FN,
                                  ATTN_FLOAT8_E5M2, ATTN_INT,   ATTN_INT,   ATTN_INT,    ATTN_BOOL};
  attn_tensor t{};
  t.data = data.data();
  t.code = codes[int(element)];
  t.bits = uint8_t(8 * bytesOf(element));
  t.lanes = 1;
  t.rank = int32_t(shape.size());
  for (size_t n = 0; n < shape.size(); ++n) {
    t.shape[n] = shape[n];
    t.stride[n] = strides[n];
  }
  return t;
}

int64_t Problem::batches() const {
  int64_t n = 1;
  for (unsigned d = 0; d < numBatch; ++d)
    n *= extents[d];
  return n;
}

std::vector<int64_t> Problem::batchAt(int64_t n) const {
  std::vector<int64_t> at(numBatch);
  for (unsigned d = numBatch; d--; n /= extents[d])
    at[d] = n % extents[d];
  return at;
}

uint64_t Problem::bytes() const {
  uint64_t sum = 0;
  for (const Tensor &t : tensors)
    sum += t.data.size();
  return sum;
}

Tensor *Problem::find(llvm::StringRef name) {
  for (Tensor &t : tensors)
    if (t.name == name)
      return &t;
  return nullptr;
}

const Tensor *Problem::tensorOf(mlir::Value value) const {
  auto arg = llvm::dyn_cast<mlir::BlockArgument>(value);
  if (arg && llvm::isa_and_nonnull<KernelOp>(arg.getOwner()->getParentOp()))
    for (const Tensor &t : tensors)
      if (!t.isOutput && t.index == arg.getArgNumber())
        return &t;
  return nullptr;
}

const Tensor &Problem::output(unsigned result) const {
  size_t n = 0;
  while (!tensors[n].isOutput)
    ++n;
  return tensors[n + result];
}

const attn_scalar *Problem::scalarOf(mlir::Value value) const {
  for (const Scalar &s : scalars)
    if (s.argument == value)
      return &s.value;
  return nullptr;
}

std::vector<attn_tensor> Problem::callArguments() const {
  std::vector<attn_tensor> views;
  for (const Tensor &t : tensors)
    views.push_back(t.view());
  return views;
}

std::vector<attn_tensor> Problem::arguments() const {
  std::vector<attn_tensor> views;
  for (const Tensor &t : tensors)
    if (!t.isOutput)
      views.push_back(t.view());
  return views;
}

std::vector<attn_scalar> Problem::params() const {
  std::vector<attn_scalar> values;
  for (const Scalar &s : scalars)
    values.push_back(s.value);
  return values;
}

namespace {

class Maker {
public:
  Maker(Program &program, const Options &options) : program(program), options(options) {}

  llvm::Expected<Problem> run() {
    if (Error e = declare())
      return std::move(e);
    if (Error e = checkNames())
      return std::move(e);
    if (Error e = readInputs())
      return std::move(e);
    const bool steps = !program.attend;
    if (Error e = steps ? solveSteps(problem, program, options) : solveExtents(problem, program, options))
      return std::move(e);
    if (Error e = allocate())
      return std::move(e);
    if (steps) {
      if (Error e = fillSteps(problem, program, options))
        return std::move(e);
      return std::move(problem);
    }
    if (Error e = fillScalars(problem, program, options))
      return std::move(e);
    if (Error e = fillInputs(problem, program, options))
      return std::move(e);
    if (Error e = checkLengths())
      return std::move(e);
    if (Error e = shapeLogits(problem, program, options))
      return std::move(e);
    return std::move(problem);
  }

private:
  /// Tensors and scalars by the kernel's signature, with what the maps say of their axes.
  Error declare() {
    if (!program.attend)
      return declareSteps();
    std::string said;
    mlir::ScopedDiagnosticHandler handler(program.context.get(), [&](mlir::Diagnostic &d) {
      if (said.empty())
        said = d.str();
      return mlir::success();
    });
    auto facts = argumentFacts(program.kernel, program.attend);
    if (failed(facts))
      return fail(ExitUnsupported, "{}: {}", options.file, said);
    AttendOp attend = program.attend;
    for (unsigned d = 0; d < attend.numDims(); ++d)
      problem.dimNames.push_back(attend.dimName(d).str());
    problem.numBatch = attend.numBatch();
    problem.extents.assign(attend.numDims(), -1);
    const unsigned numArgs = program.kernel.getArgumentTypes().size();
    for (auto arg : program.kernel.getBody().getArguments()) {
      const std::string name = program.kernel.argName(arg.getArgNumber()).str();
      if (llvm::isa<mlir::RankedTensorType>(arg.getType()))
        addTensor(name, arg.getType(), arg.getArgNumber(), (*facts)[arg.getArgNumber()], false);
      else
        problem.scalars.push_back({name, llvm::isa<mlir::FloatType>(arg.getType()), arg, {}});
    }
    for (auto [n, type] : llvm::enumerate(program.kernel.getResultTypes()))
      addTensor(program.kernel.resName(n).str(), type, n, (*facts)[numArgs + n], true);
    return Error::success();
  }

  /// What each step says of the axes is for solveSteps.
  Error declareSteps() {
    if (options.logits != Logits::Normal)
      return fail(ExitBadInput, "--logits {}: the kernel has several steps; use --logits normal",
                  nameOf(options.logits));
    if (!options.pictures.empty())
      return fail(ExitBadInput, "--picture draws the mask of a kernel that is one attend, and @{} has {} step{}",
                  program.kernel.getSymName().str(), program.steps.size(), program.steps.size() == 1 ? "" : "s");
    auto declared = [](mlir::Type type) {
      ArgumentFact fact;
      for (int64_t extent : llvm::cast<mlir::RankedTensorType>(type).getShape()) {
        AxisFact &axis = fact.axes.emplace_back();
        axis.extent = mlir::ShapedType::isDynamic(extent) ? -1 : extent;
      }
      return fact;
    };
    for (auto arg : program.kernel.getBody().getArguments()) {
      const std::string name = program.kernel.argName(arg.getArgNumber()).str();
      if (llvm::isa<mlir::RankedTensorType>(arg.getType()))
        addTensor(name, arg.getType(), arg.getArgNumber(), declared(arg.getType()), false);
      else
        problem.scalars.push_back({name, llvm::isa<mlir::FloatType>(arg.getType()), arg, {}});
    }
    for (auto [n, type] : llvm::enumerate(program.kernel.getResultTypes()))
      addTensor(program.kernel.resName(n).str(), type, n, declared(type), true);
    return Error::success();
  }

  void addTensor(std::string name, mlir::Type type, unsigned index, const ArgumentFact &fact, bool isOutput) {
    Tensor t;
    t.name = std::move(name);
    t.element = *elementOf(type);
    t.isOutput = isOutput;
    t.index = index;
    t.fact = fact;
    problem.tensors.push_back(std::move(t));
  }

  std::string listNames(bool outputs, bool scalars) const {
    std::string names;
    auto add = [&](const std::string &name) { names += (names.empty() ? "" : ", ") + name; };
    for (const Tensor &t : problem.tensors)
      if (!scalars && t.isOutput == outputs)
        add(t.name);
    for (const Scalar &s : problem.scalars)
      if (scalars)
        add(s.name);
    return names.empty() ? "none" : names;
  }

  bool isScalar(const std::string &name) const {
    return llvm::any_of(problem.scalars, [&](const Scalar &s) { return s.name == name; });
  }

  /// Every name that the command line uses is one of the program's, of the right kind.
  Error checkNames() {
    for (const Assignment &a : options.inputs) {
      if (isScalar(a.name))
        return fail(ExitBadInput, "--input {}: it is a scalar; say --param {}=VALUE", a.name, a.name);
      Tensor *t = problem.find(a.name);
      if (!t || t->isOutput)
        return fail(ExitBadInput, "--input {}: no such tensor argument; there is {}", a.name, listNames(false, false));
    }
    for (const Assignment &a : options.params) {
      Tensor *t = problem.find(a.name);
      if (t && !t->isOutput)
        return fail(ExitBadInput, "--param {}: it is a tensor; say --input {}=FILE.npy", a.name, a.name);
      if (!isScalar(a.name))
        return fail(ExitBadInput, "--param {}: no such scalar argument; there is {}", a.name, listNames(false, true));
    }
    auto results = [&](const char *option, const std::vector<Assignment> &list) -> Error {
      for (const Assignment &a : list)
        if (Tensor *t = problem.find(a.name); !t || !t->isOutput)
          return fail(ExitBadInput, "{} {}: no such result; there is {}", option, a.name, listNames(true, false));
      return Error::success();
    };
    if (Error e = results("--save", options.saves))
      return e;
    for (const Assignment &a : options.saves) { // found out now rather than after the work
      const size_t slash = a.value.rfind('/');
      const std::string folder = slash == std::string::npos ? "." : a.value.substr(0, slash + 1);
      if (::access(folder.c_str(), W_OK))
        return fail(ExitBadInput, "--save {}: no folder {} to write to", a.name, folder);
    }
    return results("--expect", options.expects);
  }

  Error readInputs() {
    for (const Assignment &a : options.inputs) {
      Tensor &t = *problem.find(a.name);
      auto array = readNpy(a.value, options.maxBytes - std::min(options.maxBytes, problem.bytes()));
      if (!array)
        return fail(ExitBadInput, "--input {}: {}", a.name, llvm::toString(array.takeError()));
      if (is8BitFloat(array->header.element) && is8BitFloat(t.element))
        array->header.element = t.element; // one of the two: the file holds bytes
      if (array->header.element != t.element)
        return fail(ExitBadInput,
                    "--input {}: {} holds {}, the program's argument is {}; convert it with .astype('{}'){}", a.name,
                    a.value, numpyName(array->header.element), nameOf(t.element), numpyName(t.element),
                    t.element == Element::BF16 ? " after rounding to bf16 bits"
                    : is8BitFloat(t.element)   ? " after rounding to the bits of such floats"
                                               : "");
      if (array->header.shape.size() != t.fact.axes.size())
        return fail(ExitBadInput, "--input {}: {} has {} axes, the program's argument {}; reshape it", a.name, a.value,
                    array->header.shape.size(), t.fact.axes.size());
      t.shape = array->header.shape;
      t.strides = array->header.strides;
      t.data = std::move(array->data);
      t.isGiven = true;
    }
    return Error::success();
  }

  Error allocate() {
    const uint64_t memory = uint64_t(sysconf(_SC_PHYS_PAGES)) * uint64_t(sysconf(_SC_PAGESIZE));
    uint64_t total = problem.bytes();
    for (bool measure : {true, false})
      for (Tensor &t : problem.tensors) {
        if (t.isGiven)
          continue;
        uint64_t bytes = uint64_t(bytesOf(t.element));
        bool overflow = false;
        for (int64_t n : t.shape)
          overflow |= __builtin_mul_overflow(bytes, uint64_t(std::max<int64_t>(n, 1)), &bytes); // as strides count
        if (measure) {
          overflow |= __builtin_add_overflow(total, bytes, &total);
          if (overflow || total > options.maxBytes)
            return fail(ExitBadInput,
                        "the tensors up to {} need {} bytes, more than --max-bytes {} allows; choose smaller --size",
                        t.name, overflow ? "over 2^64" : fmt::format("{}", total), options.maxBytes);
          if (total > memory)
            return fail(ExitBadInput,
                        "the tensors up to {} need {} bytes, more than this machine's {}; choose smaller --size",
                        t.name, total, memory);
          continue;
        }
        t.data = Buffer::allocate(uint64_t(t.elements() * bytesOf(t.element)));
        if (!t.data.data())
          return fail(ExitBadInput, "no memory for {} bytes of {}; choose smaller --size", bytes, t.name);
        t.strides.assign(t.shape.size(), 1);
        for (size_t n = t.shape.size(); n-- > 1;)
          t.strides[n - 1] = t.strides[n] * std::max<int64_t>(t.shape[n], 1);
      }
    return Error::success();
  }

  /// The runtime refuses these too; here the message can name the file's tensor and position.
  Error checkLengths() {
    for (const Tensor &t : problem.tensors) {
      if (!t.isGiven || t.fact.lengthOf < 0 || t.shape.size() != 1)
        continue;
      const int64_t extent = problem.extents[t.fact.lengthOf];
      for (int64_t n = 0; n < t.shape[0]; ++n)
        if (const int64_t length = loadInteger(t.data.data(), t.element, n * t.strides[0]);
            length < 0 || length > extent)
          return fail(ExitBadInput,
                      "--input {}: its value {} at [{}] is no length of {}, which has {}; lengths lie in 0..{}", t.name,
                      length, n, problem.dimNames[t.fact.lengthOf], extent, extent);
    }
    return Error::success();
  }

  Program &program;
  const Options &options;
  Problem problem;
};

} // namespace

llvm::Expected<Problem> attn::run::makeProblem(Program &program, const Options &options) {
  return Maker(program, options).run();
}
