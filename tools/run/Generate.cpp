// Values that nobody gave, all from the seed: stream = name of the argument, number = position in the tensor
// (Random.h).
//
//   floats             normal(0, 1)
//   lengths            uniform in 0..extent: operands of lengths, prefix and of causal's and window's q and k
//   segments           sorted documents; a document ends after every token with probability 1 / mean, the mean drawn
//   once a
//                      row, log-uniform between 8 tokens and all of them
//   masks              0 or 1 with equal odds, whatever their element type
//   table indices      uniform over the axis that an attn.load indexes by them
//   other integers     uniform in 0..15
//   scalars            windows 256, a prefix a quarter of the keys, the scale 1/sqrt(d); others have no sensible
//   default
#include "Failure.h"
#include "Problem.h"

#include "attn/Support/Random.h"

#include "llvm/ADT/StringRef.h"

#include <cmath>

using namespace attn;
using namespace attn::run;
using llvm::Error;

namespace {

enum class Role { Plain, Length, Segment, Mask, Index };

/// What the program does with an argument, as far as its made values should respect it.
struct Use {
  Role role = Role::Plain;
  int64_t bound = 0; // Index: values are below it
};

bool passesIntegersOn(mlir::Operation *op) {
  return llvm::isa<mlir::arith::IndexCastOp, mlir::arith::ExtSIOp, mlir::arith::ExtUIOp, mlir::arith::TruncIOp>(op);
}

/// The smallest axis that `value`, or a cast of it, indexes; -1 if none.
int64_t indexedAxis(mlir::Value value, const Problem &problem) {
  int64_t bound = -1;
  for (mlir::OpOperand &use : value.getUses()) {
    int64_t found = -1;
    if (auto load = llvm::dyn_cast<LoadOp>(use.getOwner())) {
      const Tensor *table = problem.tensorOf(load.getTensor());
      if (table && use.getOperandNumber() > 0)
        found = table->shape[use.getOperandNumber() - 1];
    } else if (passesIntegersOn(use.getOwner())) {
      found = indexedAxis(use.getOwner()->getResult(0), problem);
    }
    if (found >= 0)
      bound = bound < 0 ? found : std::min(bound, found);
  }
  return bound;
}

Use useOf(const Tensor &t, const Problem &problem, const Program &program) {
  Use use;
  if (t.fact.lengthOf >= 0)
    return {Role::Length, problem.extents[t.fact.lengthOf]};
  KernelOp kernel = program.kernel;
  mlir::Value value = kernel.getBody().getArgument(t.index);
  for (mlir::Operation *user : value.getUsers()) {
    if (llvm::isa<SetSegmentOp>(user))
      return {Role::Segment, 0};
    if (llvm::isa<SetMaskOp>(user))
      return {Role::Mask, 0};
    if (auto load = llvm::dyn_cast<LoadOp>(user); load && !isFloat(t.element))
      if (int64_t bound = indexedAxis(load.getResult(), problem); bound >= 0)
        use = {Role::Index, use.role == Role::Index ? std::min(use.bound, bound) : bound};
  }
  return use;
}

void fillNormal(Tensor &t, const Random &random) {
  const int64_t count = t.elements();
  for (int64_t n = 0; n < count; n += 4) {
    const auto four = random.normals(uint64_t(n / 4));
    for (int64_t k = 0; k < 4 && n + k < count; ++k)
      storeNumber(t.data.data(), t.element, n + k, four[size_t(k)]);
  }
}

void fillSegments(Tensor &t, const Random &random, uint64_t seed) {
  const int64_t tokens = t.shape.back(), count = t.elements();
  const Random means(seed, t.name + ".mean");
  double odds = 0;
  int64_t id = 0;
  for (int64_t n = 0; n < count; ++n) {
    if (n % tokens == 0) {
      const double longest = std::log(std::max<double>(8, double(tokens)));
      odds = std::exp(-(std::log(8.0) + means.uniform(uint64_t(n / tokens)) * (longest - std::log(8.0))));
      id = 0;
    } else if (random.uniform(uint64_t(n)) < odds) {
      ++id;
    }
    storeNumber(t.data.data(), t.element, n, double(id));
  }
}

void fillUniform(Tensor &t, const Random &random, int64_t lo, int64_t hi) {
  const int64_t count = t.elements();
  for (int64_t n = 0; n < count; ++n)
    storeNumber(t.data.data(), t.element, n, double(random.integer(uint64_t(n), lo, std::max(lo, hi))));
}

/// A NaN or a -1 in every element: what a kernel does not write shows.
void poison(Tensor &t) {
  if (!isFloat(t.element)) {
    std::memset(t.data.data(), 0xff, t.data.size());
    return;
  }
  const int64_t count = t.elements();
  for (int64_t n = 0; n < count; ++n)
    storeNumber(t.data.data(), t.element, n, NAN);
}

Error readScalar(Scalar &s, const std::string &text) {
  const llvm::StringRef v(text);
  if (s.isFloat) {
    double x;
    if (v.getAsDouble(x))
      return fail(ExitBadInput, "--param {}: '{}' is not a number", s.name, text);
    s.value.f = s.argument.getType().isF32() ? double(float(x)) : x;
    return Error::success();
  }
  int64_t n;
  if (v.getAsInteger(10, n))
    return fail(ExitBadInput, "--param {}: '{}' is not an integer of 64 bits", s.name, text);
  if (s.argument.getType().isInteger(32) && n != int32_t(n))
    return fail(ExitBadInput, "--param {}: {} does not fit the program's i32", s.name, n);
  s.value.i = n;
  return Error::success();
}

} // namespace

Error attn::run::fillScalars(Problem &problem, const Program &program, const Options &options) {
  AttendOp attend = program.attend;
  for (Scalar &s : problem.scalars) {
    auto given = llvm::find_if(options.params, [&](const Assignment &a) { return a.name == s.name; });
    if (given != options.params.end()) {
      if (Error e = readScalar(s, given->value))
        return e;
      continue;
    }
    bool known = false;
    for (mlir::OpOperand &use : s.argument.getUses()) {
      if (llvm::isa<SetWindowOp>(use.getOwner()))
        s.value.i = 256;
      else if (llvm::isa<SetPrefixOp>(use.getOwner()))
        s.value.i = problem.keys() / 4;
      else if (use.getOwner() == attend && s.isFloat)
        s.value.f = 1 / std::sqrt(double(attend.featureExtent(attend.dotDim())));
      else
        continue;
      known = true;
    }
    if (!known)
      return fail(ExitBadInput, "the scalar argument {} has no default; say --param {}=VALUE", s.name, s.name);
  }
  return Error::success();
}

Error attn::run::fillInputs(Problem &problem, const Program &program, const Options &options) {
  for (Tensor &t : problem.tensors) {
    if (t.isOutput)
      poison(t);
    if (t.isOutput || t.isGiven || t.elements() == 0)
      continue;
    const Random random(options.seed, t.name);
    const Use use = useOf(t, problem, program);
    if (use.role == Role::Segment)
      fillSegments(t, random, options.seed);
    else if (use.role == Role::Length)
      fillUniform(t, random, 0, use.bound);
    else if (use.role == Role::Mask || t.element == Element::I1)
      fillUniform(t, random, 0, 1);
    else if (isFloat(t.element))
      fillNormal(t, random);
    else
      fillUniform(t, random, 0, use.role == Role::Index ? use.bound - 1 : 15);
  }
  return Error::success();
}
