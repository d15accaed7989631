// Outputs from the state of the last step: the text's finish, reductions, the epilogue.
//
// A weighted reduction sum_j w_ij f_ij is what the finish makes of f in the place of the value: sum_j phi f for every
// sum of values. So it costs one number a row in the last sweep, whatever the normalizer.
#include "Lowering.h"

using namespace mlir;
using namespace attn;

LogicalResult Lowering::checkOutputs() {
  if (!normalizer)
    return attend.emitError("[unsupported_normalizer] @")
           << attend.normalizerName() << " is not linked; run --attn-link-normalizers first";
  for (unsigned n = 0; n < attend.numReductions(); ++n)
    if (attend.reductionCount(n) > 16384)
      return attend.emitError("[unsupported_topk] a topk finds up to 16384 keys here, not ")
             << attend.reductionCount(n) << "; take fewer, or write a threshold as a set";
  for (unsigned r = 0; r < attend.getNumResults(); ++r) {
    auto source = findOutput(attend, normalizer, attend.outName(r));
    if (!source)
      return attend.emitError("[attend_c10] @")
             << attend.normalizerName() << " has no output '" << attend.outName(r) << "'";
    if (source->kind == OutputSource::Column || source->kind == OutputSource::Aggregate)
      return attend.emitError("[unsupported_columns] sums over queries are an attend of their own; run "
                              "--attn-expand-columns first");
    sources.push_back(*source);
  }
  findNeeded();
  return success();
}

/// Results of the finish that outputs and the epilogue take.
static void addNeeded(std::vector<bool> &needed, Block &body, Value root) {
  SmallVector<Value> work{root};
  llvm::DenseSet<Value> seen;
  while (!work.empty()) {
    Value v = work.pop_back_val();
    if (!seen.insert(v).second)
      continue;
    if (auto arg = dyn_cast<BlockArgument>(v)) {
      if (arg.getOwner() == &body)
        needed[arg.getArgNumber()] = true;
    } else if (v.getParentBlock() == &body) {
      llvm::append_range(work, v.getDefiningOp()->getOperands());
    }
  }
}

static int resultNamed(FinishOp finish, StringRef name) {
  for (auto [n, a] : llvm::enumerate(finish.getOutNames()))
    if (cast<StringAttr>(a).getValue() == name)
      return n;
  return -1;
}

static int reductionNamed(AttendOp attend, StringRef name) {
  for (unsigned n = 0; n < attend.numReductions(); ++n)
    if (attend.reductionName(n) == name)
      return n;
  return -1;
}

/// Whether anything is made of a reduction.
static bool isRead(AttendOp attend, ArrayRef<OutputSource> sources, unsigned n) {
  for (const OutputSource &source : sources)
    if (source.kind == OutputSource::Reduction && source.index == n)
      return true;
  return attend.getEpilogueArgs() && llvm::is_contained(*attend.getEpilogueArgs(), (*attend.getReduceNames())[n]);
}

void Lowering::findNeeded() {
  FinishOp finish = normalizer.finish();
  Block &body = finish.getBody().front();
  needed.assign(body.getNumArguments(), false);
  auto add = [&](unsigned result) { addNeeded(needed, body, body.getTerminator()->getOperand(result)); };
  for (const OutputSource &source : sources)
    if (source.kind == OutputSource::Finish)
      add(source.index);
  if (attend.getEpilogueArgs())
    for (Attribute name : attend.getEpilogueArgsAttr())
      if (StringRef s = cast<StringAttr>(name).getValue(); reductionNamed(attend, s) < 0)
        add(resultNamed(finish, s));
  // A weighted reduction, and a weight itself, need what o needs but the values.
  std::vector<bool> values = needed;
  bool weighted = llvm::any_of(sources, [](const OutputSource &s) { return s.kind == OutputSource::Weights; });
  for (unsigned n = 0; n < attend.numReductions(); ++n)
    weighted |= attend.reductionKind(n) == ReduceKind::Weighted && isRead(attend, sources, n);
  if (weighted)
    add(resultNamed(finish, "o"));
  if (auto pass = dyn_cast<PassOp>(normalizer.lastStep()))
    for (unsigned n = 0; n < pass.numSums(); ++n)
      if (pass.kindOf(n) == SumKind::Value)
        needed[n + pass.hasRef()] = values[n + pass.hasRef()];
}

void Lowering::addReductions(Sweep &what) {
  auto pass = dyn_cast<PassOp>(normalizer.lastStep());
  for (unsigned n = 0; n < attend.numReductions(); ++n) {
    if (!isRead(attend, sources, n))
      continue;
    Sum sum;
    sum.reduction = n;
    sum.score = !attend.reductionRegion(n);
    switch (attend.reductionKind(n)) {
    case ReduceKind::Weighted:
      for (unsigned k = 0; pass && k < pass.numSums(); ++k)
        if (pass.kindOf(k) == SumKind::Value) {
          sum.phi = pass.weightOf(k), sum.cls = pass.classOf(k), sum.weighted = k + pass.hasRef();
          what.sums.push_back(sum);
        }
      continue;
    case ReduceKind::Sum:
      break;
    case ReduceKind::Max:
      sum.op = 1;
      break;
    case ReduceKind::Min:
      sum.op = 2;
      break;
    case ReduceKind::Argmax:
      sum.op = 3;
      break;
    case ReduceKind::TopK:
      sum.op = 4;
      break;
    }
    what.sums.push_back(sum);
  }
}

LogicalResult Lowering::lowerFinish() {
  FinishOp text = normalizer.finish();
  Block &from = text.getBody().front();
  bool select = isa<SelectOp>(normalizer.lastStep()), indexed = attend.epilogueRegion() != nullptr;

  // Positions: ref, sums.., accs.., given..
  SmallVector<Value> given = regions->given();
  SmallVector<Value> sums = last.sums;
  if (select)
    given.push_back(last.ref); // the selected score
  Value ref = select ? Value() : last.ref;
  unsigned firstSum = ref ? 1 : 0, firstAcc = firstSum + sums.size(), firstGiven = firstAcc + last.accs.size();
  SmallVector<int64_t> order;
  SmallVector<Type> types;
  auto argument = [&](unsigned position, Type type) {
    order.push_back(position);
    types.push_back(type);
    return (unsigned)order.size() - 1;
  };
  // Arguments of the region: those of the text in their order, where they are needed; reductions; given.
  llvm::DenseMap<unsigned, unsigned> ofText, ofSum;
  for (unsigned n = 0; n < from.getNumArguments(); ++n) {
    if (select) {
      ofText[n] = argument(n == 0 ? firstGiven + given.size() - 1 : firstAcc, real);
      continue;
    }
    if (ref && n == 0)
      ofText[n] = argument(0, real);
    for (auto [k, sum] : llvm::enumerate(lastSweep.sums))
      if (sum.argument == (int)n)
        ofText[n] = argument(firstSum + k, real);
    for (auto [k, acc] : llvm::enumerate(lastSweep.accs))
      if (acc.argument == (int)n)
        ofText[n] = argument(firstAcc + k, real);
  }
  for (auto [k, sum] : llvm::enumerate(lastSweep.sums))
    if (sum.argument < 0 && sum.op != 4 && !(select && k == 0))
      ofSum[k] = argument(firstSum + k, sum.op == 3 ? (Type)b.getIndexType() : (Type)real);
  unsigned numOwn = order.size(), rowsGiven = regions->given().size();
  for (unsigned n = 0; n < rowsGiven; ++n)
    argument(firstGiven + n, real);
  if (indexed) {
    types.push_back(b.getI1Type());
    types.append(attend.epilogueDims().size(), b.getIndexType());
  }

  auto isTopk = [&](const OutputSource &source) {
    return source.kind == OutputSource::Reduction && attend.reductionKind(source.index) == ReduceKind::TopK;
  };
  for (auto [r, source] : llvm::enumerate(sources))
    for (auto [k, sum] : llvm::enumerate(lastSweep.sums))
      if (isTopk(source) && sum.reduction == (int)source.index)
        tile::TopOp::create(b, loc, sums[k], outputs[r], attend.outMap(r));

  double none = std::numeric_limits<double>::quiet_NaN();
  SmallVector<double> empty;
  SmallVector<Attribute> maps;
  SmallVector<int64_t> yields;
  unsigned o = std::max(0, resultNamed(text, "o"));
  auto emptyOf = [&](unsigned result) { return cast<FloatAttr>(text.getEmpty()[result]).getValueAsDouble(); };
  SmallVector<Value> stored;
  for (auto [r, source] : llvm::enumerate(sources)) {
    bool weighted =
        source.kind == OutputSource::Reduction && attend.reductionKind(source.index) == ReduceKind::Weighted;
    if (source.kind == OutputSource::Weights || isTopk(source))
      continue;
    yields.push_back(stored.size());
    empty.push_back(source.kind == OutputSource::Finish ? emptyOf(source.index) : weighted ? emptyOf(o) : none);
    maps.push_back(AffineMapAttr::get(attend.outMap(r)));
    stored.push_back(outputs[r]);
  }
  auto finish = tile::FinishOp::create(b, loc, ref, sums, last.accs, given, stored, b.getArrayAttr(maps),
                                       b.getDenseI64ArrayAttr(yields), b.getF64ArrayAttr(empty),
                                       b.getDenseI64ArrayAttr(order), indexed);
  Block *block = b.createBlock(&finish.getBody(), {}, types, SmallVector<Location>(types.size(), loc));
  ValueRange givenArgs = block->getArguments().slice(numOwn, rowsGiven);

  /// The text's finish; `values` maps arguments that sum values.
  auto clone = [&](llvm::function_ref<Value(unsigned)> value) {
    IRMapping map;
    for (auto [n, position] : ofText) {
      Value v = block->getArgument(position);
      if (!select && ref && n == 0)
        v = regions->natural(v, lastForm.base2);
      map.map(from.getArgument(n), v);
    }
    for (unsigned n = 0; n < from.getNumArguments(); ++n)
      if (Value v = value(n))
        map.map(from.getArgument(n), v);
      else if (!map.contains(from.getArgument(n))) // nothing that is stored depends on it
        map.map(from.getArgument(n), arith::ConstantOp::create(b, loc, b.getFloatAttr(real, 0.0)));
    return regions->inlined(from, map, givenArgs);
  };
  SmallVector<Value> plain = clone([](unsigned) { return Value(); });
  if (ref && normalizer->hasAttr(kExportsState)) // the reference for sums over queries, in the kernel's units
    for (auto [result, yielded] : llvm::zip(plain, from.getTerminator()->getOperands()))
      if (yielded == from.getArgument(0))
        result = block->getArgument(ofText[0]);
  SmallVector<Value> reductions(attend.numReductions());
  for (unsigned n = 0; n < attend.numReductions(); ++n) {
    if (!isRead(attend, sources, n) || attend.reductionKind(n) == ReduceKind::TopK)
      continue;
    if (attend.reductionKind(n) != ReduceKind::Weighted) {
      for (auto [k, sum] : llvm::enumerate(lastSweep.sums))
        if (sum.reduction == (int)n)
          reductions[n] = block->getArgument(ofSum[k]);
      continue;
    }
    reductions[n] = clone([&](unsigned argument) {
      for (auto [k, sum] : llvm::enumerate(lastSweep.sums))
        if (sum.reduction == (int)n && sum.weighted == (int)argument)
          return (Value)block->getArgument(ofSum[k]);
      return Value();
    })[o];
  }
  SmallVector<Value> epilogue;
  if (indexed) {
    Block &body = attend.epilogueRegion()->front();
    unsigned numbers = attend.getEpilogueArgs() ? attend.getEpilogueArgs()->size() : 0;
    Value isEmpty = block->getArgument(order.size());
    auto orEmpty = [&](Value v, double value) -> Value {
      return arith::SelectOp::create(b, loc, isEmpty, arith::ConstantOp::create(b, loc, b.getFloatAttr(real, value)),
                                     v);
    };
    IRMapping map = args;
    for (unsigned n = 0; n < body.getNumArguments(); ++n) {
      if (n >= numbers) {
        map.map(body.getArgument(n), block->getArgument(order.size() + 1 + n - numbers));
        continue;
      }
      StringRef name = cast<StringAttr>((*attend.getEpilogueArgs())[n]).getValue();
      int r = reductionNamed(attend, name), f = resultNamed(text, name);
      bool weighted = r >= 0 && attend.reductionKind(r) == ReduceKind::Weighted;
      map.map(body.getArgument(n), r < 0      ? orEmpty(plain[f], emptyOf(f))
                                   : weighted ? orEmpty(reductions[r], emptyOf(o))
                                              : reductions[r]);
    }
    for (Operation &op : body.without_terminator())
      b.clone(op, map);
    for (Value v : body.getTerminator()->getOperands())
      epilogue.push_back(map.lookupOrDefault(v));
  }
  SmallVector<Value> results;
  for (const OutputSource &source : sources)
    if (source.kind != OutputSource::Weights && !isTopk(source))
      results.push_back(source.kind == OutputSource::Finish      ? plain[source.index]
                        : source.kind == OutputSource::Reduction ? reductions[source.index]
                                                                 : epilogue[source.index]);
  tile::YieldOp::create(b, loc, results);
  b.setInsertionPointAfter(finish);
  for (auto [r, source] : llvm::enumerate(sources))
    if (source.kind == OutputSource::Weights)
      lowerWeights(r);
  tile::YieldOp::create(b, loc, ValueRange{});
  return success();
}

/// p: the finish's o with the weight of one pair in the place of every sum of values, in a sweep of its own.
void Lowering::lowerWeights(unsigned output) {
  auto pass = cast<PassOp>(normalizer.lastStep());
  Sweep what;
  what.form = &lastForm;
  what.ref = last.ref;
  what.exact = lastSweep.exact;
  what.spreadTo = outputs[output];
  what.spreadMap = attend.outMap(output);
  unsigned own = pass.hasRef();
  for (unsigned n = 0; n < pass.numSums(); ++n)
    if (pass.kindOf(n) == SumKind::Value)
      what.accs.push_back({pass.weightOf(n), pass.classOf(n), int(n + own)});
  SmallVector<int> arguments; // of the finish
  if (last.ref) {
    what.spreadState.push_back(last.ref);
    arguments.push_back(0);
  }
  for (auto [k, sum] : llvm::enumerate(lastSweep.sums))
    if (sum.argument >= 0) {
      what.spreadState.push_back(last.sums[k]);
      arguments.push_back(sum.argument);
    }
  llvm::append_range(what.spreadState, regions->given());
  what.spread = [&](Region &region) {
    OpBuilder::InsertionGuard guard(b);
    Block &from = normalizer.finish().getBody().front();
    SmallVector<Type> types(what.accs.size() + what.spreadState.size(), real);
    Block *block = b.createBlock(&region, {}, types, SmallVector<Location>(types.size(), loc));
    IRMapping map;
    for (auto [n, acc] : llvm::enumerate(what.accs))
      map.map(from.getArgument(acc.argument), block->getArgument(n));
    unsigned first = what.accs.size();
    for (auto [n, argument] : llvm::enumerate(arguments)) {
      Value v = block->getArgument(first + n);
      map.map(from.getArgument(argument), last.ref && n == 0 ? regions->natural(v, lastForm.base2) : v);
    }
    for (BlockArgument arg : from.getArguments())
      if (!map.contains(arg)) // o does not depend on it
        map.map(arg, arith::ConstantOp::create(b, loc, b.getFloatAttr(real, 0.0)));
    SmallVector<Value> results =
        regions->inlined(from, map, block->getArguments().drop_front(first + arguments.size()));
    tile::YieldOp::create(b, loc, results[sources[output].index]);
  };
  sweep(what);
}
