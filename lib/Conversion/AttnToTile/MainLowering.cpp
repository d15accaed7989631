// The main phase: a sweep over the keys for each step of the normalizer, then the finish.
//
//   attn.pass    a sweep; then its seed, then its statistics
//   attn.root    a sweep inside a loop over brackets
//   attn.select  a sweep that keeps the key of the largest score; then that key's value
//
// Where the keys are split, the main phase ends after its one sweep, whose state it saves for every chunk, and all that
// follows a sweep is done by the merge phase: so a seed enters once.
#include "Lowering.h"
#include "attn/Analysis/SetPredicate.h"
#include "attn/Schedule/Schedule.h"

using namespace mlir;
using namespace attn;

/// The rest of a variant; `from` without keys: every query goes by a list of its own.
LogicalResult Lowering::lowerMain(DictionaryAttr v, TileKeys keysFrom) {
  auto integer = [&](StringRef name) { return v.getAs<IntegerAttr>(name).getInt(); };
  rows = integer("block_rows"), keys = integer("block_keys"), tileRows = integer("tile_rows");
  taskRows = integer("task_rows"), chunks = v.contains(kChunksAttr) ? integer(kChunksAttr) : 0;
  from = keysFrom;
  openPhase("main", chunks ? tile::StateType::get(b.getContext()) : Type());
  if (!from.keys)
    from = ownKeys();
  queries = loadQueries(tileOf({rows, attend.dotExtent()}));
  lastForm = PassForm();
  lastSweep = Sweep();
  last = State();
  bindParameters();
  Operation *lastStep = normalizer.lastStep();
  for (Operation &op : llvm::drop_end(normalizer.getBody().front())) {
    if (auto pass = dyn_cast<PassOp>(op)) {
      if (failed(lowerPass(pass, &op == lastStep)))
        return failure();
    } else if (auto root = dyn_cast<RootOp>(op)) {
      lowerRoot(root);
    } else {
      lowerSelect();
    }
  }
  return lowerFinish();
}

/// A phase of tasks by blocks of queries, and into it.
void Lowering::openPhase(StringRef kind, Type result) {
  // Blocks of a triangle: the longest first. Queries with lists go head by head, whose keys so stay in the caches.
  auto phase = tile::PhaseOp::create(b, loc, result ? TypeRange(result) : TypeRange(), b.getStringAttr(kind),
                                     b.getI64IntegerAttr(taskRows),
                                     from.keys && !from.byTasks && kind == "main" ? b.getUnitAttr() : UnitAttr(),
                                     result ? b.getI64IntegerAttr(chunks) : IntegerAttr(), UnitAttr());
  b.createBlock(&phase.getBody());
}

/// What the text captures, for regions of the phase that is open.
void Lowering::bindParameters() {
  regions = std::make_unique<RegionBuilder>(b, real);
  for (unsigned n = 0; n < attend.numNormArgs(); ++n) {
    Value parameter = normalizer.getBody().getArgument(n);
    AttendOp::NormArg arg = attend.normArg(n);
    if (!arg.value)
      regions->bindConstant(parameter, arg.constant);
    else if (isa<RankedTensorType>(arg.value.getType()))
      regions->bindRow(parameter, tile::ParamOp::create(b, loc, tileOf({rows}), args.lookup(arg.value), arg.map));
    else
      regions->bindScalar(parameter, args.lookup(arg.value));
  }
}

/// tile.for around one tile.weigh and a tile.accumulate for each sum of values.
Lowering::State Lowering::sweep(const Sweep &what) {
  bool hasRef = what.form && what.form->hasRef, base2 = what.form && what.form->base2;
  int64_t e = attend.vPart().extent;
  SmallVector<Value> init;
  auto fill = [&](double value, Type type) {
    init.push_back(tile::FillOp::create(b, loc, type, b.getF64FloatAttr(value)));
  };
  double inf = std::numeric_limits<double>::infinity();
  bool carriesRef = hasRef && !what.spreadTo;
  if (carriesRef)
    fill(-inf, tileOf({rows}));
  for (const Sum &sum : what.sums)
    fill(sum.op == 0   ? 0
         : sum.op == 2 ? inf
                       : -inf,
         sum.op == 3   ? tileOf({rows, 2})
         : sum.op == 4 ? tileOf({rows, attend.reductionCount(sum.reduction)})
                       : tileOf({rows}));
  for (unsigned n = 0; n < what.accs.size() && !what.spreadTo; ++n)
    fill(0, tileOf({rows, e}));
  SmallVector<Type> carried;
  for (Value t : init)
    carried.push_back(t.getType());

  auto loop = tile::ForOp::create(b, loc, carried, init, from.order,
                                  attend.getFirst() ? args.lookup(attend.getFirst()) : Value(),
                                  attend.getFirstValueAttr(), attend.getQueryGridAttr(), attend.getKeyGridAttr(),
                                  from.boxes ? b.getUnitAttr() : UnitAttr());
  if (attend->hasAttr(kExchanged))
    loop->setAttr(kExchanged, b.getUnitAttr());
  if (!attend.getSet().empty()) {
    IRMapping copied = args; // one for every clone: another variant has regions and arguments of its own
    attend.getSet().cloneInto(&loop.getSet(), copied);
    if (from.stands)
      copied.lookup(from.stands->getResult(0)).getDefiningOp()->setAttr(kGatheredAttr, b.getUnitAttr());
  }
  unsigned numSums = what.sums.size();
  {
    OpBuilder::InsertionGuard inner(b);
    Block *strip = b.createBlock(&loop.getBody(), {}, carried, SmallVector<Location>(carried.size(), loc));
    SmallVector<Value> state(strip->getArguments());
    Value ref = carriesRef ? state[0] : what.ref;
    ValueRange sums = ValueRange(state).slice(carriesRef, numSums),
               accs = ValueRange(state).drop_front(carriesRef + numSums);
    SmallVector<Type> weightTypes(what.accs.size(), tileOf({tileRows, keys}));
    if (weightTypes.empty())
      weightTypes.push_back(tileOf({tileRows, keys}));
    SmallVector<int64_t> sumPhis, sumClasses, sumValues, sumOps, weightPhis, weightClasses;
    unsigned valueRegions = 0;
    for (const Sum &sum : what.sums) {
      sumPhis.push_back(sum.phi);
      sumClasses.push_back(sum.cls);
      sumValues.push_back(sum.score || sum.reduction >= 0 ? (int64_t)valueRegions++ : -1);
      sumOps.push_back(sum.op);
    }
    for (const Acc &acc : what.accs) {
      weightPhis.push_back(acc.phi);
      weightClasses.push_back(acc.cls);
    }
    SmallVector<Value> given = regions->given();
    llvm::append_range(given, what.alsoGiven);
    if (what.spreadTo)
      weightTypes.clear(), ++valueRegions;
    auto spreadMap = what.spreadMap ? AffineMapAttr::get(what.spreadMap) : AffineMapAttr();
    auto weigh = tile::WeighOp::create(b, loc, weightTypes, carriesRef ? ref.getType() : Type(), sums.getTypes(),
                                       accs.getTypes(), queries, from.keys, ref, sums, accs, given, what.spreadState,
                                       what.spreadTo, spreadMap, sumPhis, sumClasses, sumValues, sumOps, weightPhis,
                                       weightClasses, what.form && what.form->usesRef, what.exact, valueRegions);
    buildScore(weigh.getScore(), base2);
    buildProduct(weigh.getProduct());
    if (carriesRef)
      regions->gauge(*what.form, weigh.getGauge());
    if (what.spread)
      what.spread(weigh.getValues().front());
    if (what.phi) {
      what.phi(weigh.getPhi());
    } else if (what.form) {
      regions->phi(*what.form, weigh.getPhi());
    } else { // nothing weighs
      SmallVector<Type> types(1 + given.size(), real);
      b.createBlock(&weigh.getPhi(), {}, types, SmallVector<Location>(types.size(), loc));
      tile::YieldOp::create(b, loc, ValueRange{});
      b.setInsertionPointAfter(weigh);
    }
    if (attend.hasDropout() && !what.accs.empty() && !what.spreadTo)
      buildDropout(weigh.getFactor());
    auto classed = [](auto &x) { return x.cls >= 0; };
    if (llvm::any_of(what.sums, classed) || llvm::any_of(what.accs, classed))
      buildClass(weigh.getClasses());
    unsigned region = 0;
    for (const Sum &sum : what.sums)
      if (sum.score || sum.reduction >= 0)
        buildReduction(weigh.getValues()[region++], sum.reduction, base2);
    b.setInsertionPointToEnd(strip);
    SmallVector<Value> next(weigh->getResults().drop_front(weightTypes.size()));
    for (unsigned n = 0; n < accs.size(); ++n) {
      Value &acc = next[hasRef + numSums + n];
      acc = tile::AccumulateOp::create(b, loc, acc.getType(), weigh.getWeights()[n], from.values, acc);
    }
    tile::YieldOp::create(b, loc, next);
  }
  State state;
  if (carriesRef)
    state.ref = loop.getResult(0);
  llvm::append_range(state.sums, loop.getResults().slice(carriesRef, numSums));
  llvm::append_range(state.accs, loop.getResults().drop_front(carriesRef + numSums));
  return chunks ? acrossChunks(what, state) : state;
}

/// Ends the main phase with the state of its chunk and goes on in the merge phase with that of all.
Lowering::State Lowering::acrossChunks(const Sweep &what, State ofChunk) {
  Value saved =
      tile::SaveOp::create(b, loc, tile::StateType::get(b.getContext()), ofChunk.ref, ofChunk.sums, ofChunk.accs);
  tile::YieldOp::create(b, loc, saved);
  Operation *main = saved.getDefiningOp()->getParentOp();
  b.setInsertionPointAfter(main);
  openPhase("merge");
  bindParameters();
  SmallVector<int64_t> phis, ops;
  for (const Sum &sum : what.sums) {
    phis.push_back(sum.phi);
    ops.push_back(sum.op);
  }
  auto merge =
      tile::MergeOp::create(b, loc, ofChunk.ref ? ofChunk.ref.getType() : Type(), ValueRange(ofChunk.sums).getTypes(),
                            ValueRange(ofChunk.accs).getTypes(), main->getResult(0), phis, ops);
  if (what.form)
    regions->gauge(*what.form, merge.getGauge());
  b.setInsertionPointAfter(merge);
  return {merge.getRef(), merge.getSums(), merge.getAccs()};
}

/// The seed of a pass enters what the finish and the statistics see. Reductions are over pairs, and a seed is none:
/// those that are weighted change with the reference alone.
void Lowering::seed(const Sweep &what, State &state) {
  PassOp pass = what.form->pass;
  SmallVector<int64_t> seeded;
  SmallVector<unsigned> sums; // of the text
  unsigned own = pass.hasRef();
  for (auto [n, sum] : llvm::enumerate(what.sums)) {
    int argument = sum.argument >= 0 ? sum.argument : sum.weighted;
    if (argument < 0 || (sum.phi < 0 && sum.argument < 0))
      continue;
    seeded.push_back(n);
    sums.push_back(sum.argument >= 0 ? argument - own : RegionBuilder::kZero);
  }
  for (auto [n, acc] : llvm::enumerate(what.accs)) {
    seeded.push_back(what.sums.size() + n);
    sums.push_back(acc.argument - own);
  }
  SmallVector<Type> types{state.ref.getType()};
  llvm::append_range(types, ValueRange(state.sums).getTypes());
  llvm::append_range(types, ValueRange(state.accs).getTypes());
  auto op = tile::SeedOp::create(b, loc, types, state.ref, state.sums, state.accs, regions->given(), seeded);
  regions->seed(*what.form, op.getSeed(), sums);
  regions->gauge(*what.form, op.getGauge());
  b.setInsertionPointAfter(op);
  state.ref = op.getResult(0);
  for (unsigned n = 0; n < state.sums.size(); ++n)
    state.sums[n] = op.getResult(1 + n);
  for (unsigned n = 0; n < state.accs.size(); ++n)
    state.accs[n] = op.getResult(1 + state.sums.size() + n);
}

LogicalResult Lowering::lowerPass(PassOp pass, bool isLast) {
  auto analyzed = analyzePass(pass);
  if (failed(analyzed))
    return failure();
  PassForm form = *analyzed;
  Sweep what;
  what.form = &form;
  Region *stat = pass.statRegion();
  what.exact = form.exact;
  for (unsigned n = 0; n < pass.numSums(); ++n) {
    int argument = n + form.hasRef;
    if (isLast && !needed[argument] && !stat)
      continue;
    if (pass.kindOf(n) == SumKind::Value) {
      if (isLast && needed[argument])
        what.accs.push_back({pass.weightOf(n), pass.classOf(n), argument});
      continue;
    }
    Sum sum;
    sum.phi = pass.kindOf(n) == SumKind::Count ? -1 : (int64_t)pass.weightOf(n);
    sum.cls = pass.classOf(n);
    sum.argument = argument;
    what.sums.push_back(sum);
  }
  if (isLast)
    addReductions(what);
  State state = sweep(what);
  if (pass.seedRegion())
    seed(what, state);
  if (stat) {
    SmallVector<Value> operands;
    if (form.hasRef)
      operands.push_back(state.ref);
    for (auto [n, sum] : llvm::enumerate(what.sums))
      if (sum.argument >= 0)
        operands.push_back(state.sums[n]);
    llvm::append_range(operands, regions->given());
    SmallVector<Type> types(pass.getNumResults(), tileOf({rows}));
    auto op = tile::StatOp::create(b, loc, types, operands);
    regions->plain(*stat, op.getBody(), form.base2, form.hasRef ? 0 : -1);
    b.setInsertionPointAfter(op);
    for (auto [result, tile] : llvm::zip(pass.getResults(), op.getResults()))
      regions->bindRow(result, tile);
  }
  if (isLast) {
    lastForm = form;
    lastSweep = what;
    lastSweep.form = &lastForm;
    last = state;
  }
  return success();
}

void Lowering::lowerRoot(RootOp root) {
  auto op = tile::RootOp::create(b, loc, tileOf({rows}), regions->given(), root.getAtMost());
  regions->plain(root.getTo(), op.getTo(), false, -1);
  {
    OpBuilder::InsertionGuard guard(b);
    Block *block = b.createBlock(&op.getSweep(), {}, {tileOf({rows})}, {loc});
    PassForm none;
    Sweep what;
    what.form = nullptr;
    what.alsoGiven.push_back(block->getArgument(0));
    what.sums.push_back(Sum{0});
    // (s, given.., x)
    what.phi = [&](Region &region) {
      Region &from = root.getPhi();
      unsigned count = regions->given().size();
      SmallVector<Type> types(2 + count, real);
      Block *body = b.createBlock(&region, {}, types, SmallVector<Location>(types.size(), loc));
      IRMapping map;
      map.map(from.getArgument(0), body->getArgument(0));
      map.map(from.getArgument(1), body->getArgument(1 + count));
      tile::YieldOp::create(b, loc, regions->inlined(from.front(), map, body->getArguments().slice(1, count)));
    };
    State state = sweep(what);
    tile::YieldOp::create(b, loc, state.sums);
  }
  b.setInsertionPointAfter(op);
  regions->bindRow(root.getTau(), op.getResult());
}

void Lowering::lowerSelect() {
  Sweep what;
  Sum found;
  found.op = 3;
  found.score = true;
  what.sums.push_back(found);
  addReductions(what);
  State state = sweep(what);
  AttendOp::Operand v = attend.vPart();
  auto pick = tile::PickOp::create(b, loc, tileOf({rows}), tileOf({rows, v.extent}), state.sums[0],
                                   args.lookup(v.tensor), v.map);
  cloneProducer(v.region, pick.getProducer());
  lastSweep = what;
  last = state;
  last.ref = pick.getScore();
  last.accs.push_back(pick.getValue());
}

/// (score, indices) -> x in the text's units; a reduction without a region is of the score itself.
void Lowering::buildReduction(Region &region, int reduction, bool base2) {
  OpBuilder::InsertionGuard guard(b);
  Region *text = reduction >= 0 ? attend.reductionRegion(reduction) : nullptr;
  SmallVector<Type> types(attend.numBatch() + 3, b.getIndexType());
  types[0] = real;
  Block *block = b.createBlock(&region, {}, types, SmallVector<Location>(types.size(), loc));
  Value score = regions->natural(block->getArgument(0), base2);
  if (!text) {
    tile::YieldOp::create(b, loc, score);
    return;
  }
  IRMapping map = args;
  for (BlockArgument arg : text->getArguments())
    map.map(arg, arg.getArgNumber() ? (Value)block->getArgument(arg.getArgNumber()) : score);
  for (Operation &op : text->front().without_terminator())
    b.clone(op, map);
  tile::YieldOp::create(b, loc, map.lookupOrDefault(text->front().getTerminator()->getOperand(0)));
}

void Lowering::buildClass(Region &region) {
  IRMapping map = args;
  attend.classRegion()->cloneInto(&region, map);
  Operation *yield = region.front().getTerminator();
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(yield);
  tile::YieldOp::create(b, loc, yield->getOperands());
  yield->erase();
}
