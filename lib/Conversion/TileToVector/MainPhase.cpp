#include "Bf16.h"
#include "MainEmitter.h"
#include "Tiles.h"
#include "attn-rt/attn_rt.h"

using namespace mlir;
using namespace attn;
using V = Value;

/// True where the value depends on nothing but constants and captured scalars.
static bool isInvariant(V v, Block &block) {
  if (auto arg = dyn_cast<BlockArgument>(v))
    return arg.getOwner() != &block;
  Operation *op = v.getDefiningOp();
  return !isa<attn::LoadOp>(op) &&
         llvm::all_of(op->getOperands(), [&](V operand) { return isInvariant(operand, block); });
}

LogicalResult MainEmitter::match() {
  for (Operation &op : main.getBody().front().without_terminator()) {
    if (auto o = dyn_cast<tile::LoadOp>(op))
      loadOp = o;
    else if (auto o = dyn_cast<tile::FinishOp>(op))
      finishOp = o;
    else if (auto o = dyn_cast<tile::SaveOp>(op))
      saveOp = o;
    else if (!isa<tile::FillOp, tile::RowsOp, tile::ListsOp, tile::ForOp, tile::ParamOp, tile::StatOp, tile::SeedOp,
                  tile::RootOp, tile::PickOp, tile::TopOp>(op))
      return op.emitError("[unsupported_main] has no lowering in a main phase");
  }
  main.walk([&](tile::ForOp op) {
    if (!forOp)
      forOp = op;
    tile::WeighOp weigh;
    for (auto inner : op.getBody().front().getOps<tile::WeighOp>())
      weigh = inner;
    if (weigh && !weigh.getSpreadTo())
      lastSweep = op;
  });
  if (!loadOp || !forOp || !finishOp == !saveOp)
    return main.emitError("[unsupported_main] a main phase has one load, one for and one finish or save");
  WalkResult strips = main.walk([&](tile::ForOp loop) {
    unsigned weighs = 0;
    for (Operation &op : loop.getBody().front().without_terminator()) {
      if (auto weigh = dyn_cast<tile::WeighOp>(op)) {
        ++weighs;
        allWeighs.push_back(weigh);
      } else if (!isa<tile::AccumulateOp, tile::FillOp>(op)) {
        op.emitError("[unsupported_main] has no lowering in a strip");
        return WalkResult::interrupt();
      }
    }
    if (weighs == 1)
      return WalkResult::advance();
    loop.emitError("[unsupported_main] a strip has one weigh");
    return WalkResult::interrupt();
  });
  if (strips.wasInterrupted())
    return failure();
  assignPlaces(main.getBody().front());
  return success();
}

/// What the code of one sweep goes by.
void MainEmitter::matchSweep(tile::ForOp op) {
  sweepOp = op;
  accumulates.clear();
  for (Operation &inner : op.getBody().front().without_terminator()) {
    if (auto o = dyn_cast<tile::WeighOp>(inner))
      weighOp = o;
    else if (auto o = dyn_cast<tile::AccumulateOp>(inner))
      accumulates.push_back(o);
  }
  counting = op == lastSweep;
  hasRef = (bool)weighOp.getRef();
  // A score that is the product times a factor of the whole call needs no code of its own.
  Block &score = weighOp.getScore().front();
  auto product = score.getTerminator()->getOperand(0).getDefiningOp<arith::MulFOp>();
  hasScore = !product || product.getLhs() != score.getArgument(0) || !isInvariant(product.getRhs(), score);
  // exp2(d) is 0 at -inf by itself; any other weight is selected to 0 where the score is absent.
  Block &phi = weighOp.getPhi().front();
  Operation *yield = phi.getTerminator();
  auto exp2 = yield->getNumOperands() == 1 ? yield->getOperand(0).getDefiningOp<math::Exp2Op>() : math::Exp2Op();
  plainPhi = hasRef && exp2 && exp2.getOperand() == phi.getArgument(0);
  auto isPlain = [](ArrayRef<int64_t> values, int64_t plain) {
    return llvm::all_of(values, [&](int64_t v) { return v == plain; });
  };
  keepsScores = hasRef && !weighOp.getValues().empty() && !weighOp.getSpreadTo();
  simple = !weighOp.getSpreadTo() && yield->getNumOperands() == 1 && weighOp.getClasses().empty() &&
           isPlain(weighOp.getSumPhis(), 0) && isPlain(weighOp.getSumValues(), -1) && isPlain(weighOp.getSumOps(), 0) &&
           accumulates.size() <= 1;
  sumSlots.clear();
  weighedSlots.clear();
  unsigned slot = 0;
  for (auto [n, kind] : llvm::enumerate(weighOp.getSumOps())) {
    sumSlots.push_back(slot);
    if (weighOp.getSumPhis()[n] >= 0)
      weighedSlots.push_back(slot);
    slot += kind == 3 ? 2 : 1;
  }
  if (l.bf16Values && !accumulates.empty() && (!plainPhi || accumulates.size() > 1))
    weighOp.emitError("[unsupported_bf16] weights of 16 bits are one exponential for each pair; leave bf16_values out");
  if (l.bf16Scores && !weighOp.getProduct().empty())
    weighOp.emitError("[unsupported_bf16] bf16 operands are multiplied, nothing else; leave bf16_scores out");
  matchInline();
  addsReference = keepsScores && plainPhi && sumsScores();
  keepsScores &= !addsReference;
  matchParts();
  raiseName = prefix + "_raise" + std::to_string(llvm::find(allWeighs, weighOp) - allWeighs.begin());

  if (!hasScore) {
    RegionEmitter region = makeRegion();
    auto emitted = region.emit(product.getRhs());
    factor = succeeded(emitted) ? e.broadcast(emitted->v) : e.splat(1);
  }
}

/// The twin's tiles live where those of the phase do.
void MainEmitter::matchTwin() {
  usedRows = 0;
  assignPlaces(twin.getBody().front());
  finishOp = *twin.getBody().getOps<tile::FinishOp>().begin();
}

LogicalResult MainEmitter::run(tile::PhaseOp other) {
  if (failed(match()))
    return failure();
  if ((twin = other))
    matchTwin();
  tensorOf = [this](unsigned n) -> TensorRef & { return n >= kOrderTable ? tables.at(n) : t.tensor(n); };
  if (l.packsAlone)
    t.packsHere = t.isAlone();
  else if (pack && pack.getInTasks() && !l.inPlace)
    t.packsHere = saveOp ? keepsState() : e.i1(true);
  if (l.ordersInTasks && failed(emitOrderPhase(t)))
    return failure();
  bindGathered();
  solveSet();
  solveRows();
  if (l.tiles)
    Tiles(e).begin(e.at(t.scratch, l.tileConfig()));
  auto bind = [this](RegionEmitter &region, SetEmitter &set) { bindCommon(region, set); };
  auto make = [this](RegionEmitter &region) { return makeSet(region); };
  if (members->hasBitmaps())
    members->build(first, rows, bind, make);
  // Optimistic first; once more, guarded, if an accumulator ended non-finite (edge contract 2).
  e.loop(e.i64(0), e.i64(2), 1, ValueRange{e.i1(true)}, [&](V pass, ValueRange go) {
    return e.choose(
        go[0], {e.b.getI1Type()}, [&] { return SmallVector<V>{runOnce(pass)}; },
        [&] { return SmallVector<V>{e.i1(false)}; });
  });
  for (auto loop : main.getBody().getOps<tile::ForOp>()) {
    matchSweep(loop);
    if (!weighOp.getSpreadTo())
      continue;
    guarded = e.i1(false);
    clearSpread();
    visitBlocks(e.i64(1));
  }
  if (l.tiles)
    Tiles(e).end();
  reportAbsent();
  if (members->hasBitmaps())
    members->clear(bind, make);
  return success();
}

void MainEmitter::solveRows() {
  first = t.block;
  rows = e.min(e.i64(l.taskRows), e.sub(l.together ? t.rowsTogether() : t.extents[t.queryDim()], first));
  if (l.together)
    t.placeRows(rows);
  lastRow = e.sub(e.add(first, rows), e.i64(1));
  strips = e.divUnsigned(e.add(rows, l.tileRows - 1), l.tileRows);
}

/// The merge phase: no sweep, only what follows one.
LogicalResult MainEmitter::runMerge() {
  bool merges = false;
  for (Operation &op : main.getBody().front().without_terminator()) {
    if (auto o = dyn_cast<tile::FinishOp>(op))
      finishOp = o;
    else if (isa<tile::MergeOp>(op))
      merges = true;
    else if (!isa<tile::ParamOp, tile::StatOp, tile::SeedOp, tile::PickOp, tile::TopOp>(op))
      return op.emitError("[unsupported_merge] has no lowering in a merge phase");
  }
  if (!merges || !finishOp)
    return main.emitError("[unsupported_merge] a merge phase has a merge and a finish");
  assignPlaces(main.getBody().front());
  solveRows();
  runSteps(main.getBody().front(), V());
  finish();
  return success();
}

V MainEmitter::runOnce(V pass) {
  guarded = e.eq(pass, e.i64(1));
  loadQueries();
  runSteps(main.getBody().front(), pass);
  V nonFinite = endOf();
  V redo = e.both(nonFinite, e.invert(guarded));
  e.when(redo, [&] { count(4, e.i64(1)); });
  return redo;
}

/// i1: the task is one of a chunk.
V MainEmitter::keepsState() {
  V null = LLVM::ZeroOp::create(e.b, e.loc, e.ptrType());
  V state = t.field(offsetof(attn_task, state), e.ptrType());
  return LLVM::ICmpOp::create(e.b, e.loc, LLVM::ICmpPredicate::ne, state, null);
}

/// True if what the task leaves is not finite.
V MainEmitter::endOf() {
  if (!saveOp)
    return finish();
  if (!twin)
    return save();
  return e.choose(
      keepsState(), {e.b.getI1Type()}, [&] { return SmallVector<V>{save()}; },
      [&] {
        bool swept = false;
        for (Operation &op : twin.getBody().front().without_terminator()) {
          if (swept)
            runStep(op, V());
          swept |= isa<tile::ForOp>(op);
        }
        return SmallVector<V>{finish()};
      })[0];
}

/// The steps of the phase, or of a root's sweep.
void MainEmitter::runSteps(Block &block, V pass) {
  for (Operation &op : block.without_terminator())
    runStep(op, pass);
}

void MainEmitter::runStep(Operation &op, V pass) {
  if (auto loop = dyn_cast<tile::ForOp>(op)) {
    matchSweep(loop);
    if (weighOp.getSpreadTo())
      return; // once all rows are finished
    if (hasRef)
      emitRaise();
    clearState();
    visitBlocks(pass);
  } else if (auto o = dyn_cast<tile::ParamOp>(op)) {
    loadParam(o);
  } else if (auto o = dyn_cast<tile::StatOp>(op)) {
    statistics(o);
  } else if (auto o = dyn_cast<tile::MergeOp>(op)) {
    merge(o);
  } else if (auto o = dyn_cast<tile::SeedOp>(op)) {
    seed(o);
  } else if (auto o = dyn_cast<tile::RootOp>(op)) {
    root(o, pass);
  } else if (auto o = dyn_cast<tile::PickOp>(op)) {
    pick(o);
  } else if (auto o = dyn_cast<tile::TopOp>(op)) {
    storeTop(o);
  }
}

void MainEmitter::count(unsigned counter, V by) {
  V at = e.at(t.field(offsetof(attn_task, counters), e.ptrType()), counter * 8);
  e.store(e.add(e.loadI64(at), by), at);
}

/// Queries in the accumulation type, or as words of bf16, rows contiguous; surplus rows of the last strip repeat the
/// last query and are never stored.
void MainEmitter::loadQueries() {
  SmallVector<std::unique_ptr<OperandEmitter>> parts;
  auto open = [&] { // at the batch indices that hold now
    parts.clear();
    for (auto [n, source] : llvm::enumerate(loadOp.getSources()))
      parts.push_back(
          std::make_unique<OperandEmitter>(t, source, cast<AffineMapAttr>(loadOp.getMaps()[n]).getValue(),
                                           loadOp.getProducers().empty() ? nullptr : &loadOp.getProducers()[n],
                                           t.queryDim(), loadOp.getExtents() ? (*loadOp.getExtents())[n] : l.dot));
  };
  if (!l.together)
    open();
  V tinyAt = e.at(t.scratch, l.tinyQueries());
  if (l.bf16Scores)
    e.store(arith::ConstantOp::create(e.b, e.loc, e.b.getI32IntegerAttr(0)), tinyAt);
  e.loop(e.i64(0), e.mul(strips, l.tileRows), 1, [&](V r) {
    V position = e.min(e.add(first, r), lastRow), i = t.queryAt(position);
    TaskEmitter::Row own(t, position);
    if (l.together)
      open();
    V row = e.at(e.at(t.scratch, l.q()), e.mul(r, l.dotBytes()));
    int64_t words = 0;
    OperandEmitter::Absence absent{e.i64(0), e.i64(0)};
    for (auto &part : parts) {
      if (l.bf16Scores) {
        bf16::copyRow(t, *part, i, row, tinyAt);
        row = e.at(row, Layout::wordsOf(part->extent) * 4);
        words += Layout::wordsOf(part->extent);
        continue;
      }
      if (part->isPlain()) {
        copyRow(e, part->element(), part->row(i), part->featureStride, row, part->extent);
      } else {
        OperandEmitter::join(e, absent, part->emit(i, [&](V v) { return e.at(row, e.mul(v, e.lanes * e.bytes)); }));
      }
      row = e.at(row, part->extent * l.element);
    }
    for (int64_t n = words; l.bf16Scores && n < l.dotWords; ++n)
      e.store(e.scalar(0), e.at(row, (n - words) * 4));
    arrangeQuery(e.at(e.at(t.scratch, l.q()), e.mul(r, l.dotBytes())));
    if (l.absentQueries)
      noteQuery(r, absent);
  });
}

void MainEmitter::clearState() {
  V start = e.splat(0), one32 = arith::ConstantOp::create(e.b, e.loc, e.b.getI32IntegerAttr(1));
  V count = e.mul(strips, l.tileRows);
  auto clear = [&](int64_t offset, int64_t rowBytes) {
    V base = e.at(t.scratch, offset);
    e.loop(e.i64(0), e.mul(count, rowBytes), e.lanes * e.bytes, [&](V at) { e.store(start, e.at(base, at)); });
  };
  for (unsigned n = 0; n < accumulates.size(); ++n) {
    clear(l.acc(n), l.valueRowBytes());
    if (l.nested())
      clear(l.outer(n), l.valueRowBytes());
  }
  for (auto [n, slot] : llvm::enumerate(sumSlots)) {
    int64_t kind = weighOp.getSumOps()[n];
    double inf = std::numeric_limits<double>::infinity();
    start = e.splat(kind == 0 ? 0 : kind == 2 ? inf : -inf);
    if (kind != 4)
      clear(l.sum(slot), e.lanes * e.bytes);
    if (kind != 3)
      continue;
    // No key yet.
    start = e.splatInt(e.vecOf(e.b.getIntegerType(e.bytes * 8)), -1);
    clear(l.sum(slot + 1), e.lanes * e.bytes);
  }
  clearTops();
  e.loop(e.i64(0), count, 1, [&](V r) {
    e.store(e.scalar(0), e.at(e.at(t.scratch, l.negRef()), e.mul(r, e.bytes)));
    if (addsReference) // of rows without one
      e.store(e.scalar(0), e.at(e.at(t.scratch, l.absRef()), e.mul(r, e.bytes)));
    e.store(one32, e.at(e.at(t.scratch, l.unset()), e.mul(r, 4)));
  });
  e.loop(e.i64(0), strips, 1, [&](V s) { e.store(one32, e.at(e.at(t.scratch, l.stripUnset()), e.mul(s, 4))); });
}

LogicalResult attn::emitMainPhase(TaskEmitter &t, tile::VariantOp variant, tile::PhaseOp pack, tile::PhaseOp main,
                                  tile::PhaseOp twin, ModuleOp module, StringRef prefix) {
  return MainEmitter(t, variant, pack, main, module, prefix).run(twin);
}
