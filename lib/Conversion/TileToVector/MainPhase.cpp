#include "MainEmitter.h"
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
    else if (auto o = dyn_cast<tile::ForOp>(op))
      forOp = o;
    else if (auto o = dyn_cast<tile::FinishOp>(op))
      finishOp = o;
    else if (!isa<tile::FillOp, tile::RowsOp, tile::ListsOp>(op))
      return op.emitError("[unsupported_main] has no lowering in a main phase");
  }
  if (!loadOp || !forOp || !finishOp)
    return main.emitError("[unsupported_main] a main phase has one load, one for and one finish");
  for (Operation &op : forOp.getBody().front().without_terminator()) {
    if (auto o = dyn_cast<tile::WeighOp>(op))
      weighOp = o;
    else if (auto o = dyn_cast<tile::AccumulateOp>(op))
      accumulateOp = o;
    else
      return op.emitError("[unsupported_main] has no lowering in a strip");
  }
  if (!weighOp)
    return forOp.emitError("[unsupported_main] a strip has one weigh");
  hasRef = (bool)weighOp.getRef();
  // A score that is the product times a factor of the whole call needs no code of its own.
  Block &score = weighOp.getScore().front();
  auto product = score.getTerminator()->getOperand(0).getDefiningOp<arith::MulFOp>();
  hasScore = !product || product.getLhs() != score.getArgument(0) || !isInvariant(product.getRhs(), score);
  // exp2(d) is 0 at -inf by itself; any other weight is selected to 0 where the score is absent.
  Block &phi = weighOp.getPhi().front();
  auto exp2 = dyn_cast_or_null<math::Exp2Op>(phi.getTerminator()->getOperand(0).getDefiningOp());
  plainPhi = exp2 && exp2.getOperand() == phi.getArgument(0);
  return success();
}

LogicalResult MainEmitter::run() {
  if (failed(match()))
    return failure();
  tensorOf = [this](unsigned n) -> TensorRef & { return n >= kOrderTable ? tables.at(n) : t.tensor(n); };
  solveSet();
  if (hasRef && failed(emitRaise()))
    return failure();

  if (!hasScore) {
    RegionEmitter region = makeRegion();
    auto product = weighOp.getScore().front().getTerminator()->getOperand(0).getDefiningOp<arith::MulFOp>();
    auto emitted = region.emit(product.getRhs());
    if (failed(emitted))
      return failure();
    factor = e.broadcast(emitted->v);
  }
  first = t.block;
  rows = e.min(e.i64(l.taskRows), e.sub(t.extents[t.queryDim()], first));
  lastRow = e.sub(e.add(first, rows), e.i64(1));
  strips = e.divUnsigned(e.add(rows, l.tileRows - 1), l.tileRows);
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
  if (members->hasBitmaps())
    members->clear(bind, make);
  return success();
}

V MainEmitter::runOnce(V pass) {
  guarded = e.eq(pass, e.i64(1));
  loadQueries();
  clearState();
  visitBlocks(pass);
  V nonFinite = finish();
  V redo = e.both(nonFinite, e.invert(guarded));
  e.when(redo, [&] { count(4, e.i64(1)); });
  return redo;
}

void MainEmitter::count(unsigned counter, V by) {
  V at = e.at(t.field(offsetof(attn_task, counters), e.ptrType()), counter * 8);
  e.store(e.add(e.loadI64(at), by), at);
}

/// Queries in the accumulation type, rows contiguous; surplus rows of the last strip repeat the last query and are
/// never stored.
void MainEmitter::loadQueries() {
  TensorRef &q = t.tensor(cast<BlockArgument>(loadOp.getSource()).getArgNumber());
  AffineMap map = loadOp.getMap();
  Type element = q.type.getElementType();
  V rowStride = t.stride(q, map, t.queryDim()), featureStride = t.stride(q, map, t.dotDim());
  V base = e.at(q.data, e.mul(t.baseOffset(q, map), Emit::elementBytes(element)));
  e.loop(e.i64(0), e.mul(strips, l.tileRows), 1, [&](V r) {
    V i = t.queryAt(e.min(e.add(first, r), lastRow));
    V from = e.at(base, e.mul(e.mul(i, rowStride), Emit::elementBytes(element)));
    copyRow(e, element, from, featureStride, e.at(e.at(t.scratch, l.q()), e.mul(r, l.dot * l.element)), l.dot);
  });
}

void MainEmitter::clearState() {
  V zero = e.splat(0), one32 = arith::ConstantOp::create(e.b, e.loc, e.b.getI32IntegerAttr(1));
  V count = e.mul(strips, l.tileRows);
  auto clear = [&](int64_t offset, int64_t rowBytes) {
    V base = e.at(t.scratch, offset);
    e.loop(e.i64(0), e.mul(count, rowBytes), e.lanes * e.bytes, [&](V at) { e.store(zero, e.at(base, at)); });
  };
  clear(l.acc(), l.valueRowBytes());
  for (unsigned n = 0; n < l.numSums; ++n)
    clear(l.sum(n), e.lanes * e.bytes);
  e.loop(e.i64(0), count, 1, [&](V r) {
    e.store(e.scalar(0), e.at(e.at(t.scratch, l.negRef()), e.mul(r, e.bytes)));
    e.store(one32, e.at(e.at(t.scratch, l.unset()), e.mul(r, 4)));
  });
  e.loop(e.i64(0), strips, 1, [&](V s) { e.store(one32, e.at(e.at(t.scratch, l.stripUnset()), e.mul(s, 4))); });
}

/// Groups of blocks by the ranges of the whole query block; blocks of a group that are not empty.
void MainEmitter::visitBlocks(V pass) {
  constexpr int64_t group = Layout::kGroupBlocks;
  V keys = t.positions;
  V blocks = e.divUnsigned(e.add(keys, l.blockKeys - 1), l.blockKeys);
  V groups = e.divUnsigned(e.add(blocks, group - 1), group);
  Box box = makeBox(first, lastRow);
  V bytes = e.at(t.scratch, l.blockStatus());
  Type i8 = e.b.getI8Type();
  RegionEmitter region = makeRegion();
  // cursor, visited, full
  SmallVector<V> init{nextUnit(box, e.i64(0), group * l.blockKeys, groups), e.i64(0), e.i64(0)};
  auto done = e.whileLoop(
      init, [&](ValueRange args) { return e.lt(args[0], groups); },
      [&](ValueRange args) {
        V from = e.mul(args[0], group), count = e.min(e.i64(group), e.sub(blocks, from));
        V base = e.mul(from, l.blockKeys);
        V hi = e.sub(e.add(base, e.mul(count, l.blockKeys)), e.i64(1));
        V may = status(box, region.make(base, 0, INT32_MAX), region.make(hi, 0, INT32_MAX), SetEmitter::kGroup).first;
        auto counted = e.choose(
            may, {e.i64Type(), e.i64Type()},
            [&] {
              classify(box, base, e.i64(0), count, l.blockKeys, SetEmitter::kBlock, bytes);
              return e.loop(e.i64(0), count, 1, args.drop_front(), [&](V n, ValueRange sums) {
                V state = arith::ExtUIOp::create(e.b, e.loc, e.i64Type(), e.load(i8, e.at(bytes, n)));
                V some = e.lt(e.i64(0), state), full = e.eq(state, e.i64(2));
                blockFirst = e.add(base, e.mul(n, l.blockKeys));
                blockPanels =
                    e.divUnsigned(e.add(e.min(e.i64(l.blockKeys), e.sub(keys, blockFirst)), l.width - 1), l.width);
                e.when(some, [&] { e.loop(e.i64(0), strips, 1, [&](V strip) { visitStrip(strip, full); }); });
                auto one = [&](V c) -> V { return arith::ExtUIOp::create(e.b, e.loc, e.i64Type(), c); };
                return SmallVector<V>{e.add(sums[0], one(some)), e.add(sums[1], one(full))};
              });
            },
            [&] { return SmallVector<V>(args.drop_front()); });
        V next = nextUnit(box, e.add(args[0], 1), group * l.blockKeys, groups);
        return SmallVector<V>{next, counted[0], counted[1]};
      });
  e.when(e.eq(pass, e.i64(0)), [&] {
    count(0, done[2]);
    count(1, e.sub(done[1], done[2]));
    count(2, e.sub(blocks, done[1]));
  });
}

/// What belongs to the rows of a strip.
void MainEmitter::enterStrip(V strip) {
  V r0 = e.mul(strip, l.tileRows);
  rowLo = e.add(first, r0);
  rowHi = e.min(e.add(rowLo, l.tileRows - 1), lastRow);
  qRow = e.at(e.at(t.scratch, l.q()), e.mul(r0, l.dot * l.element));
  negRef = e.at(e.at(t.scratch, l.negRef()), e.mul(r0, l.element));
  acc = e.at(e.at(t.scratch, l.acc()), e.mul(r0, l.valueRowBytes()));
  unset = e.at(e.at(t.scratch, l.unset()), e.mul(r0, 4));
  stripUnset = e.at(e.at(t.scratch, l.stripUnset()), e.mul(strip, 4));
  sums.clear();
  for (unsigned n = 0; n < l.numSums; ++n)
    sums.push_back(e.at(e.at(t.scratch, l.sum(n)), e.mul(r0, l.lanes * l.element)));
}

void MainEmitter::visitStrip(V strip, V blockFull) {
  enterStrip(strip);

  // Status of every panel of the block for this strip: 2 full, 1 partial, 0 empty.
  V statusAt = e.at(t.scratch, l.status());
  Type i8 = e.b.getI8Type();
  auto byte = [&](int64_t v) -> V { return arith::ConstantOp::create(e.b, e.loc, e.b.getI8IntegerAttr(v)); };
  auto bounds = e.choose(
      blockFull, {e.i64Type(), e.i64Type()},
      [&] {
        auto all = VectorType::get({l.panelsPerBlock()}, i8);
        e.store(e.splatInt(all, 2), statusAt);
        return SmallVector<V>{e.i64(0), blockPanels};
      },
      [&] {
        Box box = makeBox(rowLo, rowHi);
        V lo = blockPanels, hi = e.i64(0);
        for (const Range &r : box.ranges) {
          V a = e.i64(0), z = blockPanels;
          if (r.lo)
            a = e.min(e.divFloor(e.max(e.sub(r.lo, blockFirst), e.i64(0)), l.width), blockPanels);
          if (r.hi)
            z = e.min(e.add(e.divFloor(e.max(e.sub(r.hi, blockFirst), e.i64(-1)), l.width), 1), blockPanels);
          lo = e.min(lo, a), hi = e.max(hi, z);
        }
        classify(box, blockFirst, lo, hi, l.width, SetEmitter::kPanel, statusAt);
        return SmallVector<V>{lo, hi};
      });
  V end = bounds[1];
  auto statusOf = [&](V panel) { return e.load(i8, e.at(statusAt, panel)); };

  // Runs of panels that are not empty: weigh each, then one product with the values of the run.
  e.whileLoop(
      ValueRange{bounds[0]}, [&](ValueRange args) { return e.lt(args[0], end); },
      [&](ValueRange args) {
        V start = args[0];
        V stop = e.whileLoop(
            ValueRange{start},
            [&](ValueRange p) {
              V inside = e.lt(p[0], end);
              // The status is read only inside.
              return e.choose(
                  inside, {e.b.getI1Type()}, [&] { return SmallVector<V>{e.ne(statusOf(p[0]), byte(0))}; },
                  [&] { return SmallVector<V>{e.i1(false)}; })[0];
            },
            [&](ValueRange p) {
              weigh(p[0], statusOf(p[0]), start);
              return SmallVector<V>{e.add(p[0], 1)};
            })[0];
        V run = e.sub(stop, start);
        e.when(e.lt(e.i64(0), run), [&] {
          if (accumulateOp)
            accumulate(start, stop);
          e.when(e.invert(guarded), [&] { count(3, run); });
        });
        return SmallVector<V>{e.max(stop, e.add(start, 1))};
      });
}

LogicalResult attn::emitMainPhase(TaskEmitter &t, tile::VariantOp variant, tile::PhaseOp pack, tile::PhaseOp main,
                                  ModuleOp module, StringRef prefix) {
  return MainEmitter(t, variant, pack, main, module, prefix).run();
}
