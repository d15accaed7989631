// Values that nobody gave, all from the seed: stream = name of the argument, number = position in the tensor
// (Random.h).
//
//   floats             normal(0, 1)
//   lengths            uniform in 0..extent: operands of lengths, prefix and of the q and k of aligned sets
//   global, sinks      uniform in 0..32 and 0..8, at most all keys
//   segments           sorted documents; a document ends after every token with probability 1 / mean, the mean drawn
//                      once a row, log-uniform between 8 tokens and all of them
//   masks              0 or 1 with equal odds, whatever their element type
//   bits               every bit with equal odds
//   lists              tokens, blocks, pages: ids of keys without repeats, the last quarter padding
//   diagonals          the first 0, so that no query is alone; three of four up to 63 before the query, others anywhere
//   csr                offsets from 0 to the number of columns, rows of about the same length; columns uniform over the
//   keys probabilities      uniform in (0, 1), one for each distance of blocks table indices      uniform over the axis
//   that an attn.load or an attn.member indexes by them members            of a list of attn.member: uniform over the
//   keys or queries where the value is one, else in 0..63 other integers     uniform in 0..15
//   operands           integers of q, k and v: uniform over what they index by an attn.load, as a page of a pool, else
//                      over all that their type holds (i64: that i32 holds)
//   classes            integers that a class region loads, and that index nothing: uniform in 0..2
//
//   Promised facts (sorted, range) hold: padding then stands where it ascends, or the last id is repeated instead.
//
//   scalars            windows 256, a prefix a quarter of the keys, 16 global tokens, 4 sinks, radius 8, the shared
//   segment 0 and
//                      the one that sees all 1, seeds --seed, blocks at random with probability 0.5, dropout 0.1,
//                      `first` 0 (where it also counts global tokens, 16), the scale 1/sqrt(d), parameters of the
//                      normalizer normal(0, 1); others have no sensible default
#include "Failure.h"
#include "ListValues.h"
#include "Steps.h"

#include "llvm/ADT/StringRef.h"

#include <cmath>

using namespace attn;
using namespace attn::run;
using llvm::Error;

namespace {

enum class Role { Plain, Full, Uniform, Segment, Mask, Ids, Diagonals, Offsets, Bits, Probability };

/// What the program does with an argument, as far as its made values should respect it.
struct Use {
  Role role = Role::Plain;
  int64_t bound = 0; // Uniform: at most so much; Ids: below it; Offsets: the last
  bool sorted = false, symmetric = false;
};

/// What the kernel's argument promises of its elements.
struct Promise {
  bool sorted = false;
  std::optional<std::pair<int64_t, int64_t>> range; // the second excluded
};

Promise promiseOf(const Tensor &t, const Program &program) {
  Promise promise;
  KernelOp kernel = program.kernel;
  mlir::ArrayAttr all = kernel.getArgAttrsAttr();
  if (!all || t.index >= all.size())
    return promise;
  auto facts = llvm::cast<mlir::DictionaryAttr>(all[t.index]);
  promise.sorted = facts.contains("attn.sorted");
  if (auto range = facts.getAs<mlir::DenseI64ArrayAttr>("attn.range"); range && range.size() == 2)
    promise.range = {range[0], range[1]};
  return promise;
}

bool passesIntegersOn(mlir::Operation *op) {
  return llvm::isa<mlir::arith::IndexCastOp, mlir::arith::ExtSIOp, mlir::arith::ExtUIOp, mlir::arith::TruncIOp>(op);
}

/// The smallest axis that `value`, or a cast of it, indexes; -1 if none.
int64_t indexedAxis(mlir::Value value, const Problem &problem) {
  int64_t bound = -1;
  for (mlir::OpOperand &use : value.getUses()) {
    int64_t found = -1;
    const unsigned operand = use.getOperandNumber();
    if (auto load = llvm::dyn_cast<LoadOp>(use.getOwner())) {
      const Tensor *table = problem.tensorOf(load.getTensor());
      if (table && operand > 0)
        found = table->shape[operand - 1];
    } else if (auto member = llvm::dyn_cast<MemberOp>(use.getOwner())) {
      const Tensor *list = problem.tensorOf(member.getList());
      if (list && operand > 1) // value, list, indices, from, to
        found = list->shape[std::min<size_t>(operand - 2, list->shape.size() - 1)];
    } else if (passesIntegersOn(use.getOwner())) {
      found = indexedAxis(use.getOwner()->getResult(0), problem);
    }
    if (found >= 0)
      bound = bound < 0 ? found : std::min(bound, found);
  }
  return bound;
}

/// Values of a list that `value` is looked for in.
int64_t memberBound(mlir::Value value, const Problem &problem) {
  auto arg = llvm::dyn_cast<mlir::BlockArgument>(value);
  if (!arg)
    return 63;
  const unsigned fromEnd = arg.getOwner()->getNumArguments() - 1 - arg.getArgNumber(); // .., i, j
  return (fromEnd == 0 ? problem.keys() : fromEnd == 1 ? problem.queries() : 64) - 1;
}

/// What an attend reads: integers that index something, or that stand for numbers.
Use operandUse(AttendOp attend, mlir::Value value, const Problem &problem) {
  Use use;
  auto read = [&](const AttendOp::Operand &x) {
    if (x.tensor != value || !x.region)
      return;
    const int64_t bound = indexedAxis(x.region->front().getArgument(0), problem);
    if (bound >= 0 && (use.role != Role::Uniform || bound - 1 < use.bound))
      use = {Role::Uniform, bound - 1};
    else if (use.role == Role::Plain)
      use.role = Role::Full;
  };
  for (unsigned n = 0; n < attend.numParts(); ++n) {
    read(attend.qPart(n));
    read(attend.kPart(n));
  }
  read(attend.vPart());
  return use;
}

/// What one op does with the tensor; Plain if it says nothing.
Use useBy(mlir::Operation *user, mlir::Value value, const Problem &problem) {
  const int64_t keys = problem.keys();
  return llvm::TypeSwitch<mlir::Operation *, Use>(user)
      .Case<SetSegmentOp, SetSharedPrefixOp>([](auto) { return Use{Role::Segment}; })
      .Case<SetMaskOp>([](auto) { return Use{Role::Mask}; })
      .Case<SetGlobalOp>([&](auto) { return Use{Role::Uniform, std::min<int64_t>(32, keys)}; })
      .Case<SetSinksOp>([&](auto) { return Use{Role::Uniform, std::min<int64_t>(8, keys)}; })
      .Case<SetListOp>(
          [&](SetListOp op) { return Use{Role::Ids, int64_t(llvm::divideCeil(keys, op.getBlock())), op.getSorted()}; })
      .Case<SetDiagonalsOp>([&](SetDiagonalsOp op) {
        return op.getList() == value ? Use{Role::Diagonals, 0, op.getSorted(), op.getSymmetric()} : Use{};
      })
      .Case<SetCsrOp>([&](SetCsrOp op) { // without keys there is nothing that a column could name
        if (op.getOffsets() == value)
          return Use{Role::Offsets, keys ? problem.tensorOf(op.getColumns())->shape.back() : 0};
        return Use{Role::Uniform, keys - 1};
      })
      .Case<SetBitsOp>([](auto) { return Use{Role::Bits}; })
      .Case<SetRandomBlocksOp>([](auto) { return Use{Role::Probability}; })
      .Case<MemberOp>(
          [&](MemberOp op) { return Use{Role::Uniform, memberBound(op.getValue(), problem), op.getSorted()}; })
      .Default([](auto) { return Use{}; });
}

Use useOf(const Tensor &t, const Problem &problem, const Program &program) {
  Use use;
  KernelOp kernel = program.kernel;
  mlir::Value value = kernel.getBody().getArgument(t.index);
  for (mlir::Operation *user : value.getUsers())
    if (Use found = useBy(user, value, problem); found.role != Role::Plain)
      return found;
  AttendOp attend = program.attend;
  if (attend && !isFloat(t.element))
    if (Use found = operandUse(attend, value, problem); found.role != Role::Plain)
      return found;
  if (t.fact.lengthOf >= 0)
    return {Role::Uniform, problem.extents[t.fact.lengthOf]};
  for (mlir::Operation *user : value.getUsers())
    if (auto load = llvm::dyn_cast<LoadOp>(user); load && !isFloat(t.element))
      if (int64_t bound = indexedAxis(load.getResult(), problem); bound >= 0)
        use = {Role::Uniform, use.role == Role::Uniform ? std::min(use.bound, bound - 1) : bound - 1};
  // Classes: few, so that every one has keys.
  mlir::Region *classes = attend ? attend.classRegion() : nullptr;
  for (mlir::Operation *user : value.getUsers())
    if (use.role == Role::Plain && classes && !isFloat(t.element) && t.element != Element::I1 &&
        llvm::isa<LoadOp>(user) && user->getParentRegion() == classes)
      use = {Role::Uniform, 2};
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

void fillSegments(Tensor &t, const Random &random, uint64_t seed, int64_t first) {
  const int64_t tokens = t.shape.back(), count = t.elements();
  const Random means(seed, t.name + ".mean");
  double odds = 0;
  int64_t id = first;
  for (int64_t n = 0; n < count; ++n) {
    if (n % tokens == 0) {
      const double longest = std::log(std::max<double>(8, double(tokens)));
      odds = std::exp(-(std::log(8.0) + means.uniform(uint64_t(n / tokens)) * (longest - std::log(8.0))));
      id = first;
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

/// Integers and floats by their use, and as far as it is easy what is promised of them.
void fillByUse(Tensor &t, const Random &random, const Use &use, const Promise &promise, const Problem &problem,
               uint64_t seed) {
  const std::pair<int64_t, int64_t> range = promise.range.value_or(std::pair(INT64_MIN, INT64_MAX));
  const int64_t least = range.first, end = range.second;
  const auto uniform = [&](int64_t lo, int64_t hi) {
    fillUniform(t, random, std::max(lo, least), std::min(hi, end - 1));
    if (use.sorted)
      sortRows(t);
  };
  switch (use.role) {
  case Role::Segment:
    return fillSegments(t, random, seed, std::max<int64_t>(0, least));
  case Role::Mask:
    return fillUniform(t, random, 0, 1);
  case Role::Ids: {
    const bool padded = least < 0 && !(promise.sorted && use.sorted);
    const Padding padding = !padded ? Padding::None : promise.sorted ? Padding::First : Padding::Last;
    return fillIds(t, random, std::max<int64_t>(0, least), std::min(use.bound, end), padding,
                   promise.sorted || use.sorted);
  }
  case Role::Diagonals:
    fillDiagonals(t, random, problem, use.symmetric);
    if (use.sorted)
      sortRows(t);
    return;
  case Role::Offsets:
    return fillOffsets(t, random, use.bound);
  case Role::Bits:
    return fillBits(t, random);
  case Role::Probability:
    for (int64_t n = 0; n < t.elements(); ++n)
      storeNumber(t.data.data(), t.element, n, random.uniform(uint64_t(n)));
    return;
  case Role::Uniform:
    return uniform(0, use.bound);
  case Role::Full:
    if (t.element == Element::I1)
      return fillUniform(t, random, 0, 1);
    return t.element == Element::I8 ? uniform(INT8_MIN, INT8_MAX) : uniform(INT32_MIN, INT32_MAX);
  case Role::Plain:
    if (t.element == Element::I1)
      return fillUniform(t, random, 0, 1);
    return isFloat(t.element) ? fillNormal(t, random) : uniform(0, 15);
  }
}

/// Roles know nothing of ranges and little of order: what their values lack is made up for here.
void fill(Tensor &t, const Random &random, const Use &use, const Promise &promise, const Problem &problem,
          uint64_t seed) {
  fillByUse(t, random, use, promise, problem, seed);
  if (promise.range)
    clampElements(t, promise.range->first, promise.range->second - 1);
  if (promise.sorted)
    sortRows(t);
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

/// A default as an integer and as a float: the scalar's type chooses.
struct Default {
  int64_t integer = 0;
  double real = 0;
};

/// What one use of a scalar expects; none if it says nothing.
std::optional<Default> defaultBy(mlir::OpOperand &use, const std::string &name, int64_t keys, const Options &options) {
  const mlir::Value value = use.get();
  using Result = std::optional<Default>;
  const auto integer = [](int64_t n) { return Result({n}); };
  const auto real = [](double x) { return Result({0, x}); };
  const auto seed = int64_t(options.seed);
  return llvm::TypeSwitch<mlir::Operation *, Result>(use.getOwner())
      .Case<SetWindowOp>([&](auto) { return integer(256); })
      .Case<SetPrefixOp>([&](auto) { return integer(keys / 4); })
      .Case<SetGlobalOp>([&](auto) { return integer(16); })
      .Case<SetSinksOp>([&](auto) { return integer(4); })
      .Case<SetDiscOp>([&](auto) { return integer(8); })
      .Case<SetSharedPrefixOp>([&](SetSharedPrefixOp op) { return integer(op.getAll() == value); })
      .Case<SetRandomBlocksOp>([&](SetRandomBlocksOp op) { return op.getSeed() == value ? integer(seed) : real(0.5); })
      .Case<RandomOp>([&](RandomOp op) { return op.getSeed() == value ? integer(seed) : std::nullopt; })
      .Case<AttendOp>([&](AttendOp op) {
        if (op.getScale() == value)
          return real(op.dotRegion() ? 1 : 1 / std::sqrt(double(op.dotExtent())));
        if (op.getDropSeed() == value)
          return integer(seed);
        if (llvm::is_contained(op.getNormArgs(), value))
          return real(Random(options.seed, name).normals(0)[0]);
        return op.getDropProbability() == value ? real(0.1) : std::nullopt;
      })
      .Default([](auto) { return std::nullopt; });
}

/// The default of a scalar by its first use that has one; `first` comes last.
std::optional<Default> defaultOf(mlir::Value scalar, const std::string &name, int64_t keys, AttendOp attend,
                                 const Options &options) {
  for (mlir::OpOperand &use : scalar.getUses())
    if (auto value = defaultBy(use, name, keys, options))
      return value;
  return attend && attend.getFirst() == scalar ? std::optional(Default()) : std::nullopt;
}

} // namespace

llvm::Expected<bool> attn::run::fillScalar(Scalar &s, int64_t keys, AttendOp attend, const Options &options) {
  auto given = llvm::find_if(options.params, [&](const Assignment &a) { return a.name == s.name; });
  if (given != options.params.end()) {
    if (Error e = readScalar(s, given->value))
      return std::move(e);
    return true;
  }
  auto value = defaultOf(s.argument, s.name, keys, attend, options);
  if (!value)
    return false;
  if (s.isFloat)
    s.value.f = s.argument.getType().isF32() ? double(float(value->real)) : value->real;
  else
    s.value.i = s.argument.getType().isInteger(32) ? int32_t(value->integer) : value->integer;
  return true;
}

static Error noDefault(const Scalar &s) {
  return fail(ExitBadInput, "the scalar argument {} has no default; say --param {}=VALUE", s.name, s.name);
}

Error attn::run::fillScalars(Problem &problem, const Program &program, const Options &options) {
  for (Scalar &s : problem.scalars) {
    auto filled = fillScalar(s, problem.keys(), program.attend, options);
    if (!filled)
      return filled.takeError();
    if (!*filled)
      return noDefault(s);
  }
  return Error::success();
}

int64_t attn::run::firstToken(const Program &program, const Options &options) {
  AttendOp attend = program.attend;
  KernelOp kernel = program.kernel;
  auto arg = llvm::dyn_cast_if_present<mlir::BlockArgument>(attend.getFirst());
  if (!arg)
    return attend.getFirstValue().value_or(0);
  for (const Assignment &a : options.params) {
    int64_t n;
    if (a.name == kernel.argName(arg.getArgNumber()))
      return llvm::StringRef(a.value).getAsInteger(10, n) ? 0 : n;
  }
  return defaultOf(arg, "", 0, attend, options).value_or(Default()).integer;
}

Error attn::run::fillInputs(Problem &problem, const Program &program, const Options &options) {
  for (Tensor &t : problem.tensors) {
    if (t.isOutput)
      poison(t);
    if (t.isOutput || t.isGiven || t.elements() == 0)
      continue;
    const Random random(options.seed, t.name);
    fill(t, random, useOf(t, problem, program), promiseOf(t, program), problem, options.seed);
  }
  return Error::success();
}

Error attn::run::fillSteps(Problem &problem, const Program &program, const Options &options) {
  std::vector<bool> known(problem.scalars.size(), false);
  std::vector<const Tensor *> done;
  for (const bool attends : {true, false}) // what an attend says of a tensor comes before what a map says
    for (const Program &step : program.steps) {
      if (bool(step.attend) != attends)
        continue;
      auto made = shapedStep(problem, program, step, options);
      if (!made)
        return made.takeError();
      for (Scalar &s : made->scalars) {
        const auto n = size_t(
            llvm::find_if(problem.scalars,
                          [&](const Scalar &w) { return w.argument == step.captured[s.argument.getArgNumber()]; }) -
            problem.scalars.begin());
        auto filled = fillScalar(s, attends ? made->keys() : 0, step.attend, options);
        if (!filled)
          return filled.takeError();
        if (*filled && !known[n]) {
          problem.scalars[n].value = s.value;
          known[n] = true;
        }
      }
      llvm::erase_if(made->tensors, [](const Tensor &t) { return t.isOutput; });
      auto wholeOf = [&](const Tensor &t) { return const_cast<Tensor *>(problem.tensorOf(step.captured[t.index])); };
      auto lend = [&] {
        for (Tensor &t : made->tensors)
          if (Tensor *whole = wholeOf(t))
            std::swap(t.data, whole->data);
      };
      for (Tensor &t : made->tensors)
        if (Tensor *whole = wholeOf(t); !whole || llvm::is_contained(done, whole)) // results, and what has its values
          t.isGiven = true;
        else if (!whole->isGiven)
          done.push_back(whole);
      lend();
      Error error = fillInputs(*made, step, options);
      lend();
      if (error)
        return error;
    }
  for (auto [n, s] : llvm::enumerate(problem.scalars)) {
    if (known[n])
      continue;
    auto given = fillScalar(s, 0, AttendOp(), options); // one that no step uses may be given all the same
    if (!given)
      return given.takeError();
    if (!*given)
      return noDefault(s);
  }
  for (Tensor &t : problem.tensors)
    if (t.isOutput)
      poison(t);
    else if (!t.isGiven && !llvm::is_contained(done, &t) && t.elements())
      std::memset(t.data.data(), 0, t.data.size()); // no step reads it
  return Error::success();
}
