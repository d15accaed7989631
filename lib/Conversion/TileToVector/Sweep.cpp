// One sweep over the keys (tile.for): blocks, strips, runs of microtiles.
#include "MainEmitter.h"
#include "attn-rt/attn_rt.h"

using namespace mlir;
using namespace attn;
using V = Value;

/// i1: blocks of keys are visited from the last one on, because the score has a part that rises with the key (a bias by
/// the distance): a row's reference is then near its largest score after one block, where else every block would raise
/// it again. A matter of the head and the text, so a row's sums have one order wherever it is computed. Null: never.
V MainEmitter::descends(const Box &box) {
  bool sumsAlone =
      llvm::all_of(weighOp.getSumOps(), [](int64_t op) { return op == 0; }); // others say which key was first
  bool lists = llvm::any_of(box.ranges, [](const Range &r) { return r.leader.has_value(); });
  if (!hasRef || !scoreParts || !scoreParts->slope || !sumsAlone || lists || l.together || t.keysAreAnywhere())
    return V();
  auto [key, factor] = *scoreParts->slope;
  if (!factor)
    return key > 0 ? e.i1(true) : V();
  Block &block = weighOp.getScore().front();
  RegionEmitter region = makeRegion();
  for (unsigned d = 0; d < t.program.getNumBatch(); ++d)
    region.bind(block.getArgument(1 + d), region.indexScalar(t.index[d], d));
  auto x = region.emit(factor);
  if (failed(x) || !isa<FloatType>(x->v.getType()))
    return V();
  V zero = arith::ConstantOp::create(e.b, e.loc, e.b.getFloatAttr(x->v.getType(), 0));
  return e.cmpf(key > 0 ? arith::CmpFPredicate::OGT : arith::CmpFPredicate::OLT, x->v, zero);
}

/// Groups of blocks by the ranges of the whole query block; blocks of a group that are not empty.
void MainEmitter::visitBlocks(V pass) {
  constexpr int64_t group = Layout::kGroupBlocks;
  V keys = t.positions;
  V blocks = e.divUnsigned(e.add(keys, l.blockKeys - 1), l.blockKeys);
  V from0 = e.i64(0), all = blocks; // of the task: all blocks, or those of its chunk
  if (main.getChunks()) {
    V chunk = t.field(offsetof(attn_task, chunk), e.i64Type()),
      chunks = t.field(offsetof(attn_task, chunks), e.i64Type());
    from0 = arith::DivUIOp::create(e.b, e.loc, e.mul(chunk, all), chunks);
    blocks = arith::DivUIOp::create(e.b, e.loc, e.mul(e.add(chunk, 1), all), chunks);
  }
  sweepEnd = e.mul(blocks, l.blockKeys);
  V groups = e.divUnsigned(e.add(blocks, group - 1), group);
  Box box = makeBox(first, lastRow);
  listed = l.listsPanels && llvm::all_of(box.ranges, [](const Range &r) { return r.leader.has_value(); }) &&
           llvm::none_of(heldParts, [](const HeldPart &part) { return part.use == PairUse::Difference; });
  if (listed)
    e.store(e.i64(0), e.at(t.scratch, l.listed()));
  V bytes = e.at(t.scratch, l.blockStatus());
  Type i8 = e.b.getI8Type();
  RegionEmitter region = makeRegion();
  keepRowParts();
  fetchFirst();
  // cursor, visited, full
  V firstGroup = main.getChunks() ? e.divUnsigned(from0, group) : from0;
  V down = descends(box), mirror; // of groups: the last and the first one, or -1
  if (down)
    mirror = e.select(down, e.sub(e.add(groups, firstGroup), e.i64(1)), e.i64(-1));
  SmallVector<V> init{nextUnit(box, firstGroup, group * l.blockKeys, groups, mirror), e.i64(0), e.i64(0)};
  auto done = e.whileLoop(
      init, [&](ValueRange args) { return e.lt(args[0], groups); },
      [&](ValueRange args) {
        V at = down ? e.select(down, e.sub(mirror, args[0]), args[0]) : args[0];
        V from = e.mul(at, group), count = e.min(e.i64(group), e.sub(blocks, from));
        V base = e.mul(from, l.blockKeys);
        V hi = e.sub(e.add(base, e.mul(count, l.blockKeys)), e.i64(1));
        V may = status(box, region.make(base, 0, INT32_MAX), region.make(hi, 0, INT32_MAX), SetEmitter::kGroup).first;
        auto counted = e.choose(
            may, {e.i64Type(), e.i64Type()},
            [&] {
              V n0 = main.getChunks() ? e.max(e.sub(from0, from), e.i64(0)) : e.i64(0);
              classify(box, base, n0, count, l.blockKeys, SetEmitter::kBlock, bytes);
              auto counts = e.loop(n0, count, 1, args.drop_front(), [&](V n, ValueRange sums) {
                if (down)
                  n = e.select(down, e.sub(e.add(n0, count), e.add(n, 1)), n);
                V state = arith::ExtUIOp::create(e.b, e.loc, e.i64Type(), e.load(i8, e.at(bytes, n)));
                V some = e.lt(e.i64(0), state), full = e.eq(state, e.i64(2));
                blockFirst = e.add(base, e.mul(n, l.blockKeys));
                blockPanels =
                    e.divUnsigned(e.add(e.min(e.i64(l.blockKeys), e.sub(keys, blockFirst)), l.width - 1), l.width);
                e.when(some, [&] {
                  if (listed)
                    return listPanels(box, full);
                  blockKeysAt = t.keysOf(blockFirst), blockValuesAt = t.valuesOf(blockFirst);
                  // The next one, as a rule; a task's last block is followed by another task's first.
                  V next = e.add(blockFirst, l.blockKeys);
                  if (down)
                    next = e.max(e.select(down, e.sub(blockFirst, e.i64(l.blockKeys)), next), e.i64(0));
                  next = e.select(e.lt(next, keys), next, e.i64(0));
                  nextFirst = next, nextKeysAt = t.keysOf(next), nextValuesAt = t.valuesOf(next);
                  packBlock();
                  askForTiny();
                  keepBlockParts();
                  keepKeyConditions();
                  if (l.tiles)
                    e.loop(e.i64(0), strips, l.groupStrips, [&](V strip) { visitGroup(strip, full); });
                  else
                    e.loop(e.i64(0), strips, 1, [&](V strip) { visitStrip(strip, full); });
                });
                auto one = [&](V c) -> V { return arith::ExtUIOp::create(e.b, e.loc, e.i64Type(), c); };
                return SmallVector<V>{e.add(sums[0], one(some)), e.add(sums[1], one(full))};
              });
              if (l.nested() && !listed)
                endGroup(/*last=*/false);
              return counts;
            },
            [&] { return SmallVector<V>(args.drop_front()); });
        V next = nextUnit(box, e.add(args[0], 1), group * l.blockKeys, groups, mirror);
        return SmallVector<V>{next, counted[0], counted[1]};
      });
  if (listed)
    visitListed();
  if (l.nested())
    endGroup(/*last=*/true);
  if (!counting)
    return;
  e.when(e.eq(pass, e.i64(0)), [&] {
    count(0, done[2]);
    count(1, e.sub(done[1], done[2]));
    count(2, e.sub(main.getChunks() ? e.sub(blocks, from0) : blocks, done[1]));
  });
}

/// What a group of blocks has summed of values goes to the sums of groups, and in the end those back. Groups are the
/// same for every row, so that a row's bits do not depend on others; what it has nothing of adds 0.
void MainEmitter::endGroup(bool last) {
  for (unsigned n = 0; n < accumulates.size(); ++n) {
    V inner = e.at(t.scratch, l.acc(n)), outer = e.at(t.scratch, l.outer(n));
    e.loop(e.i64(0), e.mul(strips, l.tileRows * l.valueRowBytes()), e.lanes * e.bytes, [&](V at) {
      V from = e.at(inner, at), to = e.at(outer, at);
      if (last)
        e.store(e.load(e.vec, to), from);
      else
        addTo(to, e.load(e.vec, from)), e.store(e.splat(0), from);
    });
  }
}

/// Every microtile asks for its share of the next block's lines, so that the first strip need not wait for them.
void MainEmitter::fetchNext(V strip, V panel) {
  if (l.inPlace) // nothing is packed
    return;
  if (listed)
    return fetchListed(strip, panel);
  if (!gathered.empty())
    e.when(t.packsHere, [&] { fetchGathered(strip, panel); });
  V tile = e.add(e.mul(strip, l.panelsPerBlock()), panel);
  auto fetch = [&](V block, int64_t panelBytes) {
    // Of few strips not all: that would take longer than it saves.
    int64_t lines = llvm::divideCeil(panelBytes, 64 * std::max<int64_t>(l.blockRows / l.tileRows, 12));
    V at = e.at(block, e.mul(tile, lines * 64));
    for (int64_t n = 0; n < lines; ++n)
      e.prefetch(e.at(at, n * 64), /*locality=*/2);
  };
  fetch(nextKeysAt, l.keyPanelBytes());
  if (!accumulates.empty())
    fetch(nextValuesAt, l.width * l.packedRowBytes());
}

/// What belongs to the rows of a strip.
void MainEmitter::enterStrip(V strip) {
  V r0 = e.mul(strip, l.tileRows);
  if (groupStrip)
    inGroup = e.sub(strip, groupStrip);
  rowLo = e.add(first, r0);
  rowHi = e.min(e.add(rowLo, l.tileRows - 1), lastRow);
  qRow = e.at(e.at(t.scratch, l.q()), e.mul(r0, l.dotBytes()));
  if (l.branches > 1) { // all rows of a strip are of one
    TaskEmitter::Row own(t, rowLo);
    branchAt = e.mul(t.index[l.branchDim], l.dotBytes() * l.width);
  }
  negRef = e.at(e.at(t.scratch, l.negRef()), e.mul(r0, l.element));
  acc = e.at(e.at(t.scratch, l.acc()), e.mul(r0, l.valueRowBytes()));
  unset = e.at(e.at(t.scratch, l.unset()), e.mul(r0, 4));
  stripUnset = e.at(e.at(t.scratch, l.stripUnset()), e.mul(strip, 4));
  sums.clear();
  for (unsigned slot : sumSlots)
    sums.push_back(e.at(e.at(t.scratch, l.sum(slot)), e.mul(r0, l.lanes * l.element)));
}

/// The status of every panel of a full block.
V MainEmitter::fillStatus(V at) {
  V full = e.splatInt(VectorType::get({l.panelsPerBlock()}, e.b.getI8Type()), 2);
  e.store(full, at);
  return full;
}

/// Status of the panels of the block for the strip, and the first and the end of those that are not known to be empty:
/// outside nothing is written.
std::pair<V, V> MainEmitter::classifyStrip(V at) {
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
  classify(box, blockFirst, lo, hi, l.width, SetEmitter::kPanel, at);
  return {lo, hi};
}

void MainEmitter::visitStrip(V strip, V blockFull) {
  enterStrip(strip);
  if (keepsFirst() && !keepsScores && !weighOp.getSpreadTo())
    forgetMoves();
  for (InlineRegion &of : inlineValues)
    hoistRows(of);

  V statusAt = e.at(t.scratch, l.status());
  auto bounds = e.choose(
      blockFull, {e.i64Type(), e.i64Type()},
      [&] {
        fillStatus(statusAt);
        return SmallVector<V>{e.i64(0), blockPanels};
      },
      [&] {
        if (listed)
          return SmallVector<V>{e.i64(0), fillListed(statusAt)};
        auto [lo, hi] = classifyStrip(statusAt);
        return SmallVector<V>{lo, hi};
      });
  stripFull = blockFull, runsEnd = bounds[1];
  visitRuns(
      bounds[0], bounds[1], statusAt, e.i64(1),
      [&](V panel, V start) {
        fetchNext(strip, panel);
        return weigh(panel, e.load(e.b.getI8Type(), e.at(statusAt, panel)), start);
      },
      [&](V start, V end) {
        if (!accumulates.empty())
          accumulate(start, end);
      });
}

/// Runs of panels that are not empty: weigh each, then one product with the values of the run. A panel whose weights
/// are all zero ends a run and has no part in it.
void MainEmitter::visitRuns(V from, V end, V statusAt, V stripsAtOnce, llvm::function_ref<V(V, V)> weighPanel,
                            llvm::function_ref<void(V, V)> accumulateRun) {
  V empty = arith::ConstantOp::create(e.b, e.loc, e.b.getI8IntegerAttr(0));
  e.whileLoop(
      ValueRange{from}, [&](ValueRange args) { return e.lt(args[0], end); },
      [&](ValueRange args) {
        V start = args[0];
        auto walked = e.whileLoop(
            ValueRange{start, e.i64(0)},
            [&](ValueRange p) {
              V inside = e.both(e.lt(p[0], end), e.eq(p[1], e.i64(0)));
              if (int64_t most = panelsAtOnce())
                inside = e.both(inside, e.lt(e.sub(p[0], start), e.i64(most)));
              // The status is read only inside.
              return e.choose(
                  inside, {e.b.getI1Type()},
                  [&] { return SmallVector<V>{e.ne(e.load(e.b.getI8Type(), e.at(statusAt, p[0])), empty)}; },
                  [&] { return SmallVector<V>{e.i1(false)}; })[0];
            },
            [&](ValueRange p) {
              V zero = weighPanel(p[0], start);
              V dropped = zero ? (V)arith::ExtUIOp::create(e.b, e.loc, e.i64Type(), zero) : e.i64(0);
              return SmallVector<V>{e.add(p[0], 1), dropped};
            });
        V stop = walked[0], run = e.sub(stop, start), kept = e.sub(run, walked[1]);
        e.when(e.lt(e.i64(0), kept), [&] { accumulateRun(start, e.sub(stop, walked[1])); });
        if (counting)
          e.when(e.both(e.lt(e.i64(0), run), e.invert(guarded)), [&] { count(3, e.mul(run, stripsAtOnce)); });
        return SmallVector<V>{e.max(stop, e.add(start, 1))};
      });
}
