// Scores of few rows: products of a run of panels, made when they are weighed or beside the values of the run before.
#include "FewEmitter.h"

using namespace mlir;
using namespace attn;
using V = Value;

SmallVector<V> FewEmitter::dot(V panel) {
  V position = e.mul(panel, l.width);
  e.when(e.invert(isAhead(position)), [&] { multiply(position, false); });
  SmallVector<V> s = products(position);
  if (llvm::none_of(keys, [](const Source &s) { return s.part.hasFactor(); }))
    return s;
  V poison = e.splat(0);
  for (V x : s)
    poison = e.fma(x, e.splat(0), poison);
  SmallVector<Type> types(s.size(), e.vec);
  return e.choose(
      e.anyLane(e.cmpf(arith::CmpFPredicate::UNO, poison, poison)), types,
      [&] {
        multiply(position, true);
        SmallVector<V> exact = products(position);
        for (auto [x, y] : llvm::zip(s, exact)) {
          V none = e.fmul(x, e.splat(0));
          y = e.select(e.cmpf(arith::CmpFPredicate::UNO, none, none), y, x);
        }
        return exact;
      },
      [&] { return s; });
}

/// Rows that a key or a value meets together: two numbers of each, for two keys, are in registers. A strip of more has
/// some such groups, and lines that the first one met are in the first level for the next.
int64_t FewEmitter::rowsAtOnce() {
  const int64_t most = (registers() - 3) / 2;
  return llvm::divideCeil(l.tileRows, llvm::divideCeil(l.tileRows, most));
}

/// Keys that are met together. What conversions hold of each, scales and offsets, has registers of its own.
int64_t FewEmitter::keysAtOnce() {
  return l.tileRows == 1 || llvm::all_of(keys, [](const Source &s) { return s.part.isPlain(); }) ? 2 : 1;
}

/// Where sums of the keys at a position of the block, and of those met with it, lie: a run has a place for each.
V FewEmitter::productsAt(V position) {
  int64_t atOnce = keysAtOnce(), places = panelsAtOnce() * l.width / atOnce;
  V place = e.both(e.divUnsigned(e.add(blockFirst, position), atOnce), e.i64(places - 1));
  return e.at(e.at(t.scratch, l.staging()), e.mul(place, l.tileRows * e.lanes * e.bytes));
}

/// Products of a panel's keys, in the place of what was ahead: of another strip, or of keys that were not met.
void FewEmitter::multiply(V first, bool exact) {
  e.store(e.i64(0), aheadAt(1));
  e.loop(e.i64(0), e.i64(l.width), keysAtOnce(),
         [&](V key) { multiplyKeys(e.add(first, key), exact, /*inside=*/false); });
}

/// `exact`: scales multiply elements; `inside`: no key is behind the last.
void FewEmitter::multiplyKeys(V position, bool exact, bool inside) {
  for (int64_t r0 = 0; r0 < l.tileRows; r0 += rowsAtOnce())
    multiplyRows(position, r0, std::min(rowsAtOnce(), l.tileRows - r0), exact, inside);
}

// s_rj = sum_c q_rc k_jc: a key or two by some rows of the strip, an accumulator each, so that keys are met in the
// order in which they lie. Of several branches a row meets the keys of its own.
void FewEmitter::multiplyRows(V position, int64_t r0, int64_t rows, bool exact, bool inside) {
  const int64_t atOnce = keysAtOnce(), vb = e.lanes * e.bytes;
  // Sums that do not wait for each other: of fewer than four, each is one of even vectors and one of odd ones.
  const int64_t chains = rows * atOnce < 4 ? 2 : 1, count = atOnce * rows;
  const unsigned levels = llvm::Log2_64(atOnce);
  SmallVector<V> sums(chains * count, e.splat(0));
  auto join = [&] {
    for (int64_t n = 0; n < count && chains > 1; ++n) {
      sums[n] = e.fadd(sums[n], sums[count + n]);
      sums[count + n] = e.splat(0);
    }
  };
  int64_t before = 0; // vectors of earlier parts
  const int64_t parts = keys.size() / l.branches;
  for (int64_t number = 0, end = keys.size(); number < end; ++number) {
    Source &s = keys[number];
    const int64_t branch = number / parts;
    const bool scaled = !exact && s.part.hasFactor();
    before = number % parts ? before : 0;
    std::vector<Row> opened;
    for (int64_t n = 0; n < atOnce; ++n) {
      V at = e.add(position, n);
      opened.push_back(n ? openNext(s, opened.back(), at, inside) : open(s, at, inside));
      if (!r0 && (!inside || !asksByTurns()))
        fetchAhead(s, at, n);
    }
    auto step = [&](int64_t c, V base, int64_t most, MutableArrayRef<V> sums) {
      V queries = e.at(qRow, (before + c) * vb);
      if (base)
        queries = e.at(queries, e.mul(base, vb));
      SmallVector<V> ks;
      for (const Row &row : opened)
        ks.push_back(vectorOf(s, row, c, base, most, scaled));
      for (int64_t r = 0; r < rows; ++r) {
        if ((r0 + r) % l.branches != branch)
          continue;
        V x = e.load(e.vec, e.at(queries, (r0 + r) * l.dot * e.bytes));
        for (int64_t n = 0; n < atOnce; ++n) {
          V &sum = sums[c % chains * count + n * rows + r];
          sum = e.fma(x, ks[n], sum);
        }
      }
    };
    if (scaled && number)
      join();
    SmallVector<V> earlier = sums;
    if (scaled)
      sums.assign(sums.size(), e.splat(0));
    int64_t looped = s.vectors > 2 * kRun ? s.vectors / kRun * kRun : 0;
    if (looped)
      sums = e.loop(e.i64(0), e.i64(looped), kRun, sums, [&](V base, ValueRange args) {
        SmallVector<V> inner(args);
        for (int64_t c = 0; c < kRun; ++c)
          step(c, base, looped - kRun, inner);
        return inner;
      });
    for (int64_t c = looped; c < s.vectors; ++c)
      step(c, V(), 0, sums);
    if (scaled || number + 1 == end)
      join();
    for (int64_t n = 0; n < atOnce && scaled; ++n) {
      V factor = e.broadcast(s.part.factorOf(*opened[n].opened));
      for (int64_t r = 0; r < rows; ++r) {
        V &sum = sums[n * rows + r], other = earlier[n * rows + r];
        bool ofBranch = (r0 + r) % l.branches == branch;
        sum = !ofBranch ? other : number % parts ? e.fma(sum, factor, other) : e.fmul(sum, factor);
      }
    }
    before += s.vectors;
  }
  V to = productsAt(position);
  for (int64_t r = 0; r < rows; ++r) {
    SmallVector<V> own;
    for (int64_t n = 0; n < atOnce; ++n)
      own.push_back(sums[n * rows + r]);
    e.store(addLanes(own, 0, levels)[0], e.at(to, (r0 + r) * vb));
  }
}

/// The sums of a panel's keys, their lanes added, two vectors a row.
SmallVector<V> FewEmitter::products(V first) {
  const int64_t rows = l.tileRows, atOnce = keysAtOnce();
  const unsigned levels = llvm::Log2_64(atOnce), all = llvm::Log2_64(e.lanes);
  SmallVector<V> s;
  V sumsAt = productsAt(first);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t half = 0; half < 2; ++half) {
      SmallVector<V> groups;
      for (int64_t n = 0; n < e.lanes / atOnce; ++n)
        groups.push_back(e.load(e.vec, e.at(sumsAt, ((half * e.lanes / atOnce + n) * rows + r) * e.lanes * e.bytes)));
      s.push_back(addLanes(groups, levels, all)[0]);
    }
  return s;
}

/// Positions from which and to which products are there already, and of which strip: none yet.
void FewEmitter::visitBlocks(V pass) {
  e.store(e.i64(0), aheadAt(1));
  MainEmitter::visitBlocks(pass);
}

V FewEmitter::aheadAt(int64_t field) {
  return e.at(t.scratch, l.staging() + (runVectors(l) * e.lanes + field * e.lanes) * e.bytes);
}

/// A position of the block, and the strip.
V FewEmitter::stripPosition(V position) { return e.add(e.add(blockFirst, position), e.mul(rowLo, int64_t(1) << 40)); }

V FewEmitter::isAhead(V position) {
  V at = stripPosition(position);
  return e.both(e.le(e.loadI64(aheadAt(0)), at), e.lt(at, e.loadI64(aheadAt(1))));
}

/// Whether products of the run that follows are made beside the sums of this one's values: both are whole, and it is
/// likely to be met. Another strip of the block needs the room.
V FewEmitter::goesAhead(V from, V to) {
  const int64_t run = panelsAtOnce() * l.width;
  V next = e.add(blockFirst, to);
  V whole = e.both(e.eq(e.sub(to, from), e.i64(run)), e.le(e.add(next, run), e.min(t.positions, sweepEnd)));
  V after = e.divUnsigned(to, l.width), inBlock = e.lt(after, runsEnd), panel = e.select(inBlock, after, e.i64(0));
  V byte = arith::ConstantOp::create(e.b, e.loc, e.b.getI8IntegerAttr(0));
  V met = e.ne(e.load(e.b.getI8Type(), e.at(e.at(t.scratch, l.status()), panel)), byte);
  return e.both(whole,
                e.select(inBlock, met, e.both(e.both(stripFull, e.eq(next, nextFirst)), e.eq(strips, e.i64(1)))));
}

void FewEmitter::noteAhead(V to) {
  V next = stripPosition(to);
  e.store(next, aheadAt(0));
  e.store(e.add(next, panelsAtOnce() * l.width), aheadAt(1));
}
