// Scores whose region has parts that are the same for many pairs (PairParts.h). Such a part is computed once and kept
// in scratch:
//
//   of the head         in a register of the task
//   of each query       one number a row of the query block, when a sweep begins
//   of each key         one a key of the key block, before the block is visited
//   of each difference  one for each j - i between a row of the query block and a key of the key block, then too; the
//                       keys of a row are a run of them
//
// What is left is a few operations on the microtile's registers. An index that is bad, or a row that is not contiguous,
// sends a microtile to the rows of Weigh.cpp, where the text is computed pair by pair.
#include "MainEmitter.h"

using namespace mlir;
using namespace attn;
using V = Value;

/// A kept number is at most so wide.
static constexpr int64_t kPartBytes = 8;

static int64_t roomOf(PairUse use, const Layout &l) {
  int64_t count = use == PairUse::Query        ? l.blockRows
                  : use == PairUse::Key        ? l.blockKeys
                  : use == PairUse::Difference ? l.blockKeys + l.blockRows
                                               : 0;
  return llvm::alignTo((count + l.lanes) * kPartBytes, 64);
}

void attn::countParts(tile::PhaseOp phase, unsigned queryDim, Layout &l) {
  phase.walk([&](tile::WeighOp weigh) {
    PairParts of(weigh.getScore().front(), 1 + queryDim, 2 + queryDim);
    int64_t bytes = 0;
    for (V part : of.parts) // a number of the head is one of each row where rows are of several heads
      bytes += roomOf(of.use(part) == PairUse::None ? PairUse::Query : of.use(part), l);
    bytes += 2 * of.rowLoads.size() * roomOf(PairUse::Query, l);
    l.partBytes = std::max(l.partBytes, bytes);
  });
}

MainEmitter::HeldPart *MainEmitter::heldPart(V value) {
  for (HeldPart &part : heldParts)
    if (part.value == value)
      return &part;
  return nullptr;
}

/// Whether the region's value depends on a batch dimension that is not the same for all rows of the task.
static bool usesShared(V v, Block &block, tile::ProgramOp program) {
  if (auto arg = dyn_cast<BlockArgument>(v))
    return arg.getOwner() == &block && arg.getArgNumber() >= 1 && arg.getArgNumber() <= program.getNumBatch() &&
           program.getShare()[arg.getArgNumber() - 1] != 1;
  return llvm::any_of(v.getDefiningOp()->getOperands(), [&](V of) { return usesShared(of, block, program); });
}

/// Which parts of the score this sweep keeps, and where.
void MainEmitter::matchParts() {
  scoreParts.reset();
  heldParts.clear(), heldRows.clear();
  rowPartsGood = keyPartsGood = goodFrom = goodTo = V();
  if (!hasScore || t.lists)
    return;
  Block &block = weighOp.getScore().front();
  scoreParts.emplace(block, 1 + t.queryDim(), 1 + t.keyDim());
  int64_t at = l.parts();
  auto take = [&](PairUse use) {
    int64_t mine = at;
    at += roomOf(use, l);
    return mine;
  };
  bool keepsAll = true;
  for (V value : scoreParts->parts) {
    PairUse use = scoreParts->use(value);
    if (use == PairUse::None && l.together)
      use = PairUse::Query;
    // Differences follow the rows of one head; a column is one of all rows.
    if ((use == PairUse::Difference && (l.together || t.keysAreAnywhere())) ||
        (use == PairUse::Key && l.together && usesShared(value, block, t.program))) {
      keepsAll = false;
      continue;
    }
    heldParts.push_back({value, use, use == PairUse::None ? 0 : take(use), Val()});
  }
  for (const PairParts::RowLoad &load : scoreParts->rowLoads)
    if (!t.keysAreAnywhere()) {
      int64_t start = take(PairUse::Query), index = take(PairUse::Query);
      heldRows.push_back({load, start, index, V()});
    }
  scoreParts->isLight &= keepsAll && heldRows.size() == scoreParts->rowLoads.size();
  if (heldParts.empty() && !scoreParts->isLight)
    scoreParts.reset();
  assert(at <= l.parts() + l.partBytes && "countParts has counted all");
}

/// i1: every check of a region of one row holds; null: it has none.
static V allHold(Emit &e, ArrayRef<RegionEmitter::BoundsCheck> checks, V all = V()) {
  for (const RegionEmitter::BoundsCheck &check : checks)
    all = all ? e.both(all, check.ok) : check.ok;
  return all;
}

/// Numbers of the head and of the rows, when a sweep begins.
void MainEmitter::keepRowParts() {
  if (!scoreParts)
    return;
  Block &block = weighOp.getScore().front();
  auto bindBatch = [&](RegionEmitter &region) {
    for (unsigned d = 0; d < t.program.getNumBatch(); ++d)
      region.bind(block.getArgument(1 + d), region.indexScalar(t.index[d], d));
  };
  RegionEmitter ofHead = makeRegion();
  bindBatch(ofHead);
  bool ofRows = !heldRows.empty();
  for (HeldPart &part : heldParts) {
    ofRows |= part.use == PairUse::Query;
    if (part.use == PairUse::None)
      if (auto x = ofHead.emit(part.value); succeeded(x))
        part.like = *x;
  }
  rowPartsGood = allHold(e, ofHead.checks);
  for (HeldRow &row : heldRows) {
    TensorRef &tensor = t.tensors.find(row.load.load.getTensor())->second;
    row.unit = e.eq(tensor.strides[row.load.axis], e.i64(1));
    rowPartsGood = rowPartsGood ? e.both(rowPartsGood, row.unit) : row.unit;
  }
  if (!ofRows)
    return;
  bool checked = false;
  V start = rowPartsGood ? rowPartsGood : e.i1(true);
  V good = e.loop(e.i64(0), e.mul(strips, l.tileRows), 1, ValueRange{start}, [&](V r, ValueRange good) {
    V position = e.min(e.add(first, r), lastRow);
    TaskEmitter::Row own(t, position);
    RegionEmitter region = makeRegion();
    bindBatch(region);
    region.bind(block.getArgument(1 + t.queryDim()), queryIndex(region, position));
    for (HeldPart &part : heldParts)
      if (part.use == PairUse::Query)
        if (auto x = region.emit(part.value); succeeded(x)) {
          part.like = *x;
          int64_t bytes = Emit::elementBytes(x->v.getType());
          e.store(x->v, e.at(e.at(t.scratch, part.offset), e.mul(r, bytes)));
        }
    // Row loads: at key 0, which need not be inside.
    RegionEmitter atZero = region;
    atZero.checks.clear();
    atZero.bind(block.getArgument(1 + t.keyDim()), atZero.constantInt(0));
    for (HeldRow &row : heldRows) {
      attn::LoadOp load = row.load.load;
      TensorRef &tensor = t.tensors.find(load.getTensor())->second;
      V offset = e.i64(0);
      for (auto [axis, index] : llvm::enumerate(load.getIndices())) {
        auto x = (axis == row.load.axis ? atZero : region).emit(index);
        if (failed(x))
          return SmallVector<V>(good);
        if (axis == row.load.axis) {
          V key0 = atZero.wide(*x);
          e.store(key0, e.at(e.at(t.scratch, row.index), e.mul(r, 8)));
          offset = e.add(offset, key0);
        } else {
          offset = e.add(offset, e.mul(region.axisIndex(tensor, axis, *x), tensor.strides[axis]));
        }
      }
      e.store(offset, e.at(e.at(t.scratch, row.start), e.mul(r, 8)));
    }
    checked = !region.checks.empty() || !atZero.checks.empty();
    return SmallVector<V>{allHold(e, atZero.checks, allHold(e, region.checks, good[0]))};
  })[0];
  if (checked)
    rowPartsGood = good;
}

/// Before the strips of a key block.
void MainEmitter::keepBlockParts() {
  if (!scoreParts)
    return;
  keepKeyParts();
  keepDifferences();
}

void MainEmitter::keepKeyParts() {
  auto ofKeys = llvm::make_filter_range(heldParts, [](HeldPart &part) { return part.use == PairUse::Key; });
  if (ofKeys.empty())
    return;
  Block &block = weighOp.getScore().front();
  bool checked = false;
  V good = e.loop(e.i64(0), e.mul(blockPanels, l.width), e.lanes, ValueRange{e.i1(true)}, [&](V key, ValueRange good) {
    RegionEmitter region = makeRegion();
    SetEmitter set = makeSet(region);
    for (unsigned d = 0; d < t.program.getNumBatch(); ++d)
      region.bind(block.getArgument(1 + d), region.indexScalar(t.index[d], d));
    V inPanel = e.divUnsigned(key, l.width), first = e.add(keyAt(inPanel), e.sub(key, e.mul(inPanel, l.width)));
    region.bind(block.getArgument(1 + t.keyDim()), bindKey(region, set, first));
    for (HeldPart &part : ofKeys)
      if (auto x = region.emit(part.value); succeeded(x)) {
        part.like = *x;
        part.like.v = region.asVector(x->v);
        int64_t bytes = Emit::elementBytes(getElementTypeOrSelf(part.like.v.getType()));
        e.store(part.like.v, e.at(e.at(t.scratch, part.offset), e.mul(key, bytes)));
      }
    checked = !region.checks.empty();
    if (!checked)
      return SmallVector<V>(good);
    // Positions behind the last hold no key.
    Type i32 = e.b.getI32Type();
    V left = arith::TruncIOp::create(e.b, e.loc, i32, e.min(e.sub(t.positions, first), e.i64(e.lanes)));
    V all = e.ge(e.iota(i32), e.broadcast(left));
    V ok;
    for (const RegionEmitter::BoundsCheck &check : region.checks) {
      V lanes = e.either(all, region.asVector(check.ok));
      ok = ok ? e.both(ok, lanes) : lanes;
    }
    V ones = e.splatInt(e.vecOf(e.b.getI1Type()), 1);
    return SmallVector<V>{e.both(good[0], e.invert(e.anyLane(arith::XOrIOp::create(e.b, e.loc, ok, ones))))};
  })[0];
  keyPartsGood = checked ? good : V();
}

/// All differences of the query block and the key block, from j - i of the block's first key and the row behind its
/// last strip on. The region is evaluated at i = 0 and j = the difference.
void MainEmitter::keepDifferences() {
  auto ofBoth = llvm::make_filter_range(heldParts, [](HeldPart &part) { return part.use == PairUse::Difference; });
  if (ofBoth.empty())
    return;
  Block &block = weighOp.getScore().front();
  V below = e.sub(e.add(e.mul(strips, l.tileRows), first), e.i64(1)); // the last row that a strip may touch
  V count = e.add(e.mul(blockPanels, l.width), e.mul(strips, l.tileRows));
  V least = e.sub(blockFirst, below);
  bool checked = false;
  // The first and the last good one, and how many there are.
  SmallVector<V> none{count, e.i64(-1), e.i64(0)};
  auto good = e.loop(e.i64(0), count, e.lanes, none, [&](V n, ValueRange state) {
    RegionEmitter region = makeRegion();
    for (unsigned d = 0; d < t.program.getNumBatch(); ++d)
      region.bind(block.getArgument(1 + d), region.indexScalar(t.index[d], d));
    region.bind(block.getArgument(1 + t.queryDim()), region.constantInt(0));
    Val difference = region.indexLanes(e.add(least, n), ~0u);
    difference.lo = -INT32_MAX;
    region.bind(block.getArgument(1 + t.keyDim()), difference);
    for (HeldPart &part : ofBoth)
      if (auto x = region.emit(part.value); succeeded(x)) {
        part.like = *x;
        part.like.v = region.asVector(x->v);
        int64_t bytes = Emit::elementBytes(getElementTypeOrSelf(part.like.v.getType()));
        e.store(part.like.v, e.at(e.at(t.scratch, part.offset), e.mul(n, bytes)));
      }
    checked = !region.checks.empty();
    if (!checked)
      return SmallVector<V>(state);
    V ok;
    for (const RegionEmitter::BoundsCheck &check : region.checks)
      ok = ok ? e.both(ok, region.asVector(check.ok)) : region.asVector(check.ok);
    V bits = arith::ExtUIOp::create(e.b, e.loc, e.i64Type(), e.laneBits(ok));
    bits = e.both(bits, e.i64((int64_t(1) << e.lanes) - 1));
    V some = e.ne(bits, e.i64(0));
    V low = math::CountTrailingZerosOp::create(e.b, e.loc, bits);
    V high = e.sub(e.i64(63), math::CountLeadingZerosOp::create(e.b, e.loc, bits));
    return SmallVector<V>{e.min(state[0], e.select(some, e.add(n, low), count)),
                          e.max(state[1], e.select(some, e.add(n, high), e.i64(-1))),
                          e.add(state[2], math::CtPopOp::create(e.b, e.loc, bits))};
  });
  goodFrom = goodTo = V();
  if (!checked)
    return;
  // Where bad ones stand between good ones, none is taken for good.
  V whole = e.eq(e.add(good[0], good[2]), e.add(good[1], 1));
  goodFrom = e.select(whole, good[0], count), goodTo = good[1];
}

/// Which of the kept differences is that of the strip's first row and the panel's first key.
V MainEmitter::differenceAt(V panel) {
  V below = e.sub(e.add(e.mul(strips, l.tileRows), first), e.i64(1));
  return e.add(e.mul(panel, l.width), e.sub(below, rowLo));
}

/// i1: nothing that the microtile's pairs are made of was computed at a bad index; null: nothing can be.
V MainEmitter::partsHold(V panel) {
  V all;
  auto also = [&](V with) {
    if (with)
      all = all ? e.both(all, with) : with;
  };
  also(rowPartsGood);
  also(keyPartsGood);
  V keyLo = keyAt(panel);
  if (goodFrom) {
    V at = differenceAt(panel);
    also(e.le(goodFrom, e.sub(at, e.sub(rowHi, rowLo))));
    also(e.le(e.add(at, e.min(e.i64(l.width - 1), e.sub(e.sub(t.positions, e.i64(1)), keyLo))), goodTo));
  }
  if (!scoreParts->isLight)
    return all;
  for (HeldRow &row : heldRows) {
    V extent = t.tensors.find(row.load.load.getTensor())->second.extents[row.load.axis];
    if (row.load.isBare) {
      also(e.le(e.add(keyLo, l.width), extent));
      continue;
    }
    V least, most;
    for (int64_t r = 0; r < l.tileRows; ++r) {
      V index = e.loadI64(e.at(e.at(t.scratch, row.index), e.mul(e.sub(rowLo, first), 8)), r * 8);
      least = r ? e.min(least, index) : index, most = r ? e.max(most, index) : index;
    }
    also(e.ge(e.add(least, keyLo), e.i64(0)));
    also(e.le(e.add(most, e.add(keyLo, l.width)), extent));
  }
  return all;
}

/// Row `r` of the strip, vector `half` of the panel.
void MainEmitter::bindParts(RegionEmitter &region, V panel, V r, int64_t half) {
  for (HeldPart &part : heldParts) {
    Val x = part.like;
    if (part.use != PairUse::None) {
      Type type = x.v.getType();
      int64_t bytes = Emit::elementBytes(getElementTypeOrSelf(type));
      V at = e.at(t.scratch, part.offset);
      if (part.use == PairUse::Query)
        at = e.at(at, e.mul(e.add(e.sub(rowLo, first), r), bytes));
      else if (part.use == PairUse::Key)
        at = e.at(e.at(at, e.mul(e.mul(panel, l.width), bytes)), half * e.lanes * bytes);
      else
        at = e.at(e.at(e.at(at, e.mul(differenceAt(panel), bytes)), e.mul(r, -bytes)), half * e.lanes * bytes);
      x.v = e.load(type, at);
    }
    region.bind(part.value, x);
  }
}

void MainEmitter::bindRowLoads(RegionEmitter &region, V panel, int64_t r, int64_t half) {
  V keyLo = keyAt(panel);
  for (HeldRow &row : heldRows) {
    TensorRef &tensor = t.tensors.find(row.load.load.getTensor())->second;
    Type element = tensor.type.getElementType();
    int64_t bytes = Emit::elementBytes(element);
    V start = e.loadI64(e.at(e.at(t.scratch, row.start), e.mul(e.sub(rowLo, first), 8)), r * 8);
    V at = e.at(tensor.data, e.mul(e.add(start, keyLo), bytes));
    region.bind(row.load.load, region.loaded(tensor, e.loadElements(element, e.at(at, half * e.lanes * bytes))));
  }
}

/// Of the next panel: a row of a block is a few lines, too short for the machine to fetch them ahead by itself.
void MainEmitter::fetchRowLoads(V panel) {
  V keyLo = keyAt(e.add(panel, 1));
  for (HeldRow &row : heldRows) {
    TensorRef &tensor = t.tensors.find(row.load.load.getTensor())->second;
    int64_t bytes = Emit::elementBytes(tensor.type.getElementType());
    for (int64_t r = 0; r < l.tileRows; ++r) {
      V start = e.loadI64(e.at(e.at(t.scratch, row.start), e.mul(e.sub(rowLo, first), 8)), r * 8);
      V at = e.at(tensor.data, e.mul(e.add(start, keyLo), bytes));
      LLVM::Prefetch::create(e.b, e.loc, at, /*rw=*/0, /*hint=*/3, /*cache=*/1);
    }
  }
}

SmallVector<V> MainEmitter::masked(SmallVector<V> s, V partial, V panel) {
  return masksAreBounds() ? maskInline(s, partial, panel) : modifyRows(s, partial, panel, ScoreFrom::None);
}

/// Products become scores, relative to the reference; absent ones -inf.
SmallVector<V> MainEmitter::scoresOf(SmallVector<V> s, V partial, V panel) {
  auto text = [&] { return modifyRows(s, partial, panel, ScoreFrom::Text); };
  if (!scoreParts)
    return text();
  auto fromParts = [&] {
    return scoreParts->isLight ? masked(scoresInline(s, panel), partial, panel)
                               : modifyRows(s, partial, panel, ScoreFrom::Parts);
  };
  V hold = partsHold(panel);
  return hold ? e.choose(hold, SmallVector<Type>(s.size(), e.vec), fromParts, text) : fromParts();
}

SmallVector<V> MainEmitter::scoresInline(ArrayRef<V> s, V panel) {
  Block &block = weighOp.getScore().front();
  V keyLo = keyAt(panel);
  V score = block.getTerminator()->getOperand(0);
  SmallVector<V> scores(s.size());
  fetchRowLoads(panel);
  for (int64_t half = 0; half < 2; ++half)
    for (int64_t r = 0; r < l.tileRows; ++r) {
      RegionEmitter region = makeRegion();
      region.contracts = region.ofScores = true;
      V position = e.min(e.add(rowLo, r), lastRow);
      TaskEmitter::Row own(t, position);
      region.bind(block.getArgument(0), region.real(s[2 * r + half]));
      for (unsigned d = 0; d < t.program.getNumBatch(); ++d)
        if (BlockArgument arg = block.getArgument(1 + d); !arg.use_empty())
          region.bind(arg, region.indexScalar(t.index[d], d));
      if (BlockArgument arg = block.getArgument(1 + t.queryDim()); !arg.use_empty())
        region.bind(arg, queryIndex(region, position));
      SetEmitter set = makeSet(region);
      if (BlockArgument arg = block.getArgument(1 + t.keyDim()); !arg.use_empty())
        region.bind(arg, bindKey(region, set, e.add(keyLo, half * e.lanes)));
      bindParts(region, panel, e.i64(r), half);
      bindRowLoads(region, panel, r, half);
      scores[2 * r + half] = scoreRelative(region, score, e.i64(r));
      if (keepsScores) {
        auto whole = region.emit(score);
        V to = e.at(e.at(t.scratch, l.scores()), (r * l.width + half * e.lanes) * e.bytes);
        e.store(succeeded(whole) ? region.asVector(whole->v) : s[2 * r + half], to);
      }
      assert(region.checks.empty() && "what is left of a light score has no index that may be bad");
    }
  return scores;
}
