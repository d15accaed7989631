// Keys and queries that are absent for an index in a region of theirs: outside of its axis, or -1, which is padding.
//
// Packing and loading note why (OperandEmitter.h); the set of pairs is then cut down by two tables like any other: 0,
// or -1 for what is absent, with a summary for the keys, so that blocks without an absent key stay full. A bad index is
// reported if the text's set has a pair with it: that is asked for, pair by pair, only where there is a bad one.
#include "MainEmitter.h"

using namespace mlir;
using namespace attn;
using V = Value;

/// Zeros, of a panel's tables: whole vectors.
static void fill(Emit &e, V from, V bytes) {
  e.loop(e.i64(0), bytes, e.lanes * e.bytes, [&](V at) { e.store(e.splat(0), e.at(from, at)); });
}

void attn::clearAbsentKeys(TaskEmitter &t, V first, V count) {
  Emit &e = t.e;
  V padded = e.mul(e.divUnsigned(e.add(count, t.layout.width - 1), t.layout.width), t.layout.width);
  fill(e, e.at(t.keyReason(), e.mul(first, 16)), e.mul(padded, 16));
}

void attn::summarizeAbsentKeys(TaskEmitter &t, V first, V count) {
  Emit &e = t.e;
  const Layout &l = t.layout;
  V panels = e.divUnsigned(e.add(count, l.width - 1), l.width), all = t.panels();
  V blocks = e.divUnsigned(e.add(t.positions, l.blockKeys - 1), l.blockKeys);
  V block = e.divUnsigned(first, l.blockKeys), panel0 = e.divUnsigned(first, l.width);
  V least = t.keyAbsentSummary(), greatest = e.at(least, e.mul(all, 8));
  V leastBlock = e.at(least, e.mul(all, 16)), greatestBlock = e.at(leastBlock, e.mul(blocks, 8));
  V table = e.at(t.keyAbsent(), e.mul(first, 4)), reasons = e.at(t.keyReason(), e.mul(first, 16));
  SmallVector<V> none{e.i64(0), e.i64(-1), e.i64(0)}; // least, greatest, whether any is bad
  auto allPresent = [&] {
    fill(e, table, e.mul(panels, 4 * l.width));
    e.loop(e.i64(0), panels, 1, [&](V panel) {
      V at = e.mul(e.add(panel0, panel), 8);
      e.store(e.i64(0), e.at(least, at));
      e.store(e.i64(0), e.at(greatest, at));
    });
    return SmallVector<V>(3, e.i64(0));
  };
  auto oneByOne = [&] {
    return e.loop(e.i64(0), panels, 1, none, [&](V panel, ValueRange args) {
      auto found = e.loop(e.i64(0), e.i64(l.width), 1, {none[0], none[1], args[2]}, [&](V lane, ValueRange inner) {
        V key = e.add(e.mul(panel, l.width), lane);
        V code = e.loadI64(e.at(reasons, e.mul(key, 16)));
        V absent = e.select(e.eq(code, e.i64(0)), e.i64(0), e.i64(-1));
        e.store(arith::TruncIOp::create(e.b, e.loc, e.b.getI32Type(), absent), e.at(table, e.mul(key, 4)));
        return SmallVector<V>{e.min(inner[0], absent), e.max(inner[1], absent), e.max(inner[2], code)};
      });
      V at = e.mul(e.add(panel0, panel), 8);
      e.store(found[0], e.at(least, at));
      e.store(found[1], e.at(greatest, at));
      return SmallVector<V>{e.min(args[0], found[0]), e.max(args[1], found[1]), found[2]};
    });
  };
  // Mostly none is: words of 0.
  VectorType words = VectorType::get({e.lanes * e.bytes / 4}, e.b.getI32Type());
  V some = e.loop(e.i64(0), e.mul(panels, 16 * l.width), e.lanes * e.bytes, ValueRange{e.splatInt(words, 0)},
                  [&](V at, ValueRange args) {
                    V word = e.load(words, e.at(reasons, at));
                    return SmallVector<V>{arith::OrIOp::create(e.b, e.loc, args[0], word)};
                  })[0];
  some = vector::ReductionOp::create(e.b, e.loc, vector::CombiningKind::OR, some);
  V absent = e.ne(some, arith::ConstantOp::create(e.b, e.loc, e.b.getI32IntegerAttr(0)));
  auto ofBlock = e.choose(absent, SmallVector<Type>(3, e.i64Type()), oneByOne, allPresent);
  V at = e.mul(block, 8);
  e.store(ofBlock[0], e.at(leastBlock, at));
  e.store(ofBlock[1], e.at(greatestBlock, at));
  e.store(ofBlock[2], e.at(t.blockReason(), at));
}

/// The tables, for questions about boxes and for lanes.
void MainEmitter::bindAbsent() {
  unsigned i = t.queryDim(), j = t.keyDim();
  if (t.absentKeys) {
    V panels = t.panels(), blocks = e.divUnsigned(e.add(t.positions, l.blockKeys - 1), l.blockKeys);
    bindTable(kKeyAbsent, t.keyAbsent(), e.mul(panels, l.width), j, {-1, 0});
    AffineMap ofKeys = AffineMap::get(i + 2, 0, getAffineDimExpr(j, e.b.getContext()));
    summaries.push_back({kKeyAbsent, ofKeys, t.keyAbsentSummary(), panels, blocks, V(), l.width, l.blockKeys,
                         l.blockKeys * Layout::kGroupBlocks});
  }
  if (l.absentQueries) {
    V table = e.at(e.at(t.scratch, l.queryAbsent()), e.mul(t.block, -4));
    bindTable(kQueryAbsent, table, t.extents[i], i, {-1, 0});
  }
}

void MainEmitter::noteQuery(V row, const OperandEmitter::Absence &absence) {
  V absent = e.select(e.eq(absence.code, e.i64(0)), e.i64(0), e.i64(-1));
  e.store(arith::TruncIOp::create(e.b, e.loc, e.b.getI32Type(), absent),
          e.at(e.at(t.scratch, l.queryAbsent()), e.mul(row, 4)));
  V at = e.at(e.at(t.scratch, l.queryReason()), e.mul(row, 16));
  e.store(absence.code, at);
  e.store(absence.index, e.at(at, 8));
}

/// Bad indices of keys and queries that the text's set pairs.
void MainEmitter::reportAbsent() {
  if (!t.absentKeys && !l.absentQueries)
    return;
  TokenAxes axes = tokenAxes(forOp);
  axes.absentKeys = axes.absentQueries = false;
  SetPredicate whole = buildSetPredicate(forOp.getSet(), axes);
  sets::Solution ofWhole = sets::solve(
      whole.pred, t.keyDim(), {{t.queryDim(), sets::Interval{sets::Expr::var(kRowLo), sets::Expr::var(kRowHi)}}}, 16,
      argumentFactsOf(t.program));
  std::swap(predicate, whole);
  std::swap(solution, ofWhole);

  V queryReasons = e.at(t.scratch, l.queryReason());
  V badQuery = e.i1(false);
  if (l.absentQueries)
    badQuery = e.loop(e.i64(0), rows, 1, ValueRange{e.i1(false)}, [&](V r, ValueRange args) {
      return SmallVector<V>{e.either(args[0], e.lt(e.i64(0), e.loadI64(e.at(queryReasons, e.mul(r, 16)))))};
    })[0];
  V blocks = e.divUnsigned(e.add(t.positions, l.blockKeys - 1), l.blockKeys), panels = t.panels();
  auto visit = [&](V panel) {
    V keyLo = e.mul(panel, l.width);
    e.loop(e.i64(0), rows, 1, [&](V r) {
      V ofQuery = e.i64(0), queryIndex = e.i64(0);
      if (l.absentQueries) {
        V at = e.at(queryReasons, e.mul(r, 16));
        ofQuery = e.loadI64(at), queryIndex = e.loadI64(at, 8);
      }
      for (unsigned half = 0; half < 2; ++half) {
        RegionEmitter region = makeRegion();
        V visible = e.laneBits(laneMask(region, e.add(first, r), keyLo, half).visible);
        visible = arith::ExtUIOp::create(e.b, e.loc, e.i64Type(), visible);
        e.loop(e.i64(0), e.i64(e.lanes), 1, [&](V lane) {
          V bit = e.both(arith::ShRUIOp::create(e.b, e.loc, visible, lane), e.i64(1));
          V ofKey = e.i64(0), keyIndex = e.i64(0);
          if (t.absentKeys) {
            V at = e.at(t.keyReason(), e.mul(e.add(e.add(keyLo, half * e.lanes), lane), 16));
            ofKey = e.loadI64(at), keyIndex = e.loadI64(at, 8);
          }
          V present = e.both(e.ge(ofKey, e.i64(0)), e.ge(ofQuery, e.i64(0))); // neither is padding
          V ofPair = e.select(e.lt(e.i64(0), ofKey), ofKey, ofQuery);
          V bad = e.both(e.both(e.ne(bit, e.i64(0)), present), e.lt(e.i64(0), ofPair));
          V code = e.sub(ofPair, e.i64(1)); // see OperandEmitter::reason
          V argument = e.divUnsigned(code, 8);
          t.reportIndex(bad, argument, e.sub(code, e.mul(argument, 8)),
                        e.select(e.lt(e.i64(0), ofKey), keyIndex, queryIndex));
        });
      }
    });
  };
  e.loop(e.i64(0), blocks, 1, [&](V block) {
    V bad = badQuery;
    if (t.absentKeys)
      bad = e.either(bad, e.lt(e.i64(0), e.loadI64(e.at(t.blockReason(), e.mul(block, 8)))));
    e.when(bad, [&] {
      V from = e.mul(block, l.blockKeys / l.width);
      e.loop(from, e.min(panels, e.add(from, l.blockKeys / l.width)), 1, visit);
    });
  });
  std::swap(predicate, whole);
  std::swap(solution, ofWhole);
}
