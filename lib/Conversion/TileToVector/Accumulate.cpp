// acc_re += sum_j p_rj v_je over a run of panels (tile.accumulate).
#include "MainEmitter.h"

using namespace mlir;
using namespace attn;
using V = Value;

void MainEmitter::addTo(V at, V sum) { e.store(e.fadd(e.load(e.vec, at), sum), at); }

void MainEmitter::accumulate(V runStart, V runEnd) {
  V values = blockValuesAt;
  V panelBytes = e.mul(blockPanels, l.width * l.width * l.weightBytes()); // of a block whose panels lie side by side
  V from = e.mul(runStart, l.width), to = e.mul(runEnd, l.width);
  e.choose(
      guarded, {},
      [&] {
        for (unsigned n = 0; n < accumulates.size(); ++n)
          accumulateGuarded(n, values, panelBytes, from, to);
        return SmallVector<V>{};
      },
      [&] {
        for (unsigned n = 0; n < accumulates.size(); ++n)
          accumulateFast(n, values, panelBytes, from, to);
        return SmallVector<V>{};
      });
}

// Panels of value features; in each the strip's accumulators stay in registers over all keys of the run. They start at
// zero and are added to what is carried once a run: sums of at most a block of keys inside sums of blocks, whose
// rounding error grows with sqrt(block) + sqrt(blocks), not with sqrt(keys).
void MainEmitter::accumulateFast(unsigned n, V values, V panelBytes, V from, V to) {
  if (l.bf16Values)
    return accumulateWords(n, values, panelBytes, from, to);
  V weights = weightsOf(n), acc = accOf(n);
  // Runs are whole panels; where a listed one is, is looked up once.
  const int64_t unroll = std::min<int64_t>(listed ? 16 : 8, l.width);
  e.loop(e.i64(0), e.i64(l.valuePadded / l.width), 1, [&](V panel) {
    V v = listed ? V() : e.at(values, e.mul(panel, panelBytes)), out = e.at(acc, e.mul(panel, l.width * e.bytes));
    SmallVector<V> start;
    for (int64_t n = 0; n < 2 * l.tileRows; ++n)
      start.push_back(e.splat(0));
    // The rows' offset is carried: LLVM would multiply in every step where registers are short.
    start.push_back(e.mul(from, l.width * e.bytes));
    auto sum = e.loop(from, to, unroll, start, [&](V key, ValueRange args) {
      SmallVector<V> s(args);
      V rows = listed ? listedValues(panel, key, unroll == l.width) : e.at(v, s.back()),
        p = e.at(weights, e.mul(key, e.bytes));
      s.back() = e.add(s.back(), unroll * l.width * e.bytes);
      for (int64_t u = 0; u < unroll && !l.fusesAdd(); u += 2) // two products first, see Product.cpp
        for (int64_t r = 0; r < l.tileRows; ++r) {
          V x[2];
          for (int64_t n : {0, 1})
            x[n] = e.broadcast(e.load(e.real, e.at(p, (r * l.blockKeys + u + n) * e.bytes)));
          for (int64_t half = 0; half < 2; ++half) {
            V product[2];
            for (int64_t n : {0, 1})
              product[n] = e.fmul(x[n], e.load(e.vec, e.at(rows, ((u + n) * l.width + half * e.lanes) * e.bytes)));
            s[2 * r + half] = e.fadd(e.fadd(product[0], product[1]), s[2 * r + half]);
          }
        }
      for (int64_t u = 0; u < unroll && l.fusesAdd(); ++u) {
        V v0 = e.load(e.vec, e.at(rows, u * l.width * e.bytes)),
          v1 = e.load(e.vec, e.at(rows, (u * l.width + e.lanes) * e.bytes));
        for (int64_t r = 0; r < l.tileRows; ++r) {
          V x = e.broadcast(e.load(e.real, e.at(p, (r * l.blockKeys + u) * e.bytes)));
          s[2 * r] = e.fma(x, v0, s[2 * r]);
          s[2 * r + 1] = e.fma(x, v1, s[2 * r + 1]);
        }
      }
      return s;
    });
    for (int64_t r = 0; r < l.tileRows; ++r)
      for (int64_t half = 0; half < 2; ++half)
        addTo(e.at(out, r * l.valueRowBytes() + half * e.lanes * e.bytes), sum[2 * r + half]);
  });
}

/// Whether a pair of the block has a weight at all.
V MainEmitter::isVisible(V visible, V key, V r) {
  V keyPanel = e.divUnsigned(key, l.width);
  V inPanel = e.sub(key, e.mul(keyPanel, l.width));
  V half = e.divUnsigned(inPanel, e.lanes);
  V lane = e.sub(inPanel, e.mul(half, e.lanes));
  V maskAt = e.mul(e.add(e.mul(e.add(e.mul(keyPanel, l.tileRows), r), 2), half), e.maskBytes());
  V bits = arith::ExtUIOp::create(e.b, e.loc, e.i64Type(), e.load(e.maskType(), e.at(visible, maskAt)));
  V bit = arith::AndIOp::create(e.b, e.loc, arith::ShRUIOp::create(e.b, e.loc, bits, lane), e.i64(1));
  return e.ne(bit, e.i64(0));
}

// The same sums in the same order, but an absent pair's product is not taken: 0 * NaN never happens. Bits equal the
// fast path's where that is finite. Where weights may be 0 by themselves, a pair of weight 0 has no product either: its
// panel may have been skipped.
void MainEmitter::accumulateGuarded(unsigned n, V values, V panelBytes, V from, V to) {
  if (l.bf16Values && l.tiles)
    return accumulateTilesGuarded(n, values, panelBytes, from, to);
  if (l.bf16Values)
    return accumulateWordsGuarded(n, values, panelBytes, from, to);
  V weights = weightsOf(n), visible = visibleMasks(), acc = accOf(n);
  e.loop(e.i64(0), e.i64(l.valuePadded / l.width), 1, [&](V panel) {
    V v = listed ? V() : e.at(values, e.mul(panel, panelBytes));
    e.loop(e.i64(0), e.i64(l.tileRows), 1, [&](V r) {
      V out = e.at(e.at(acc, e.mul(r, l.valueRowBytes())), e.mul(panel, l.width * e.bytes));
      V out1 = e.at(out, e.lanes * e.bytes);
      SmallVector<V> start{e.splat(0), e.splat(0)};
      // The product of a pair that has one, else the sum or 0.
      auto product = [&](V key, ValueRange args) {
        V weight = e.load(e.real, e.at(weights, e.mul(e.add(e.mul(r, l.blockKeys), key), e.bytes)));
        V meets = plainPhi ? isVisible(visible, key, r) : e.cmpf(arith::CmpFPredicate::UNE, weight, e.scalar(0));
        return e.choose(
            meets, {e.vec, e.vec},
            [&] {
              V row = listed ? listedValues(panel, key) : e.at(v, e.mul(key, l.width * e.bytes));
              V x = e.broadcast(weight);
              V v0 = e.load(e.vec, row), v1 = e.load(e.vec, e.at(row, e.lanes * e.bytes));
              if (!l.fusesAdd())
                return SmallVector<V>{e.fmul(x, v0), e.fmul(x, v1)};
              return SmallVector<V>{e.fma(x, v0, args[0]), e.fma(x, v1, args[1])};
            },
            [&] { return SmallVector<V>(args); });
      };
      auto sum = e.loop(from, to, l.fusesAdd() ? 1 : 2, start, [&](V key, ValueRange args) {
        if (l.fusesAdd())
          return product(key, args);
        SmallVector<V> a = product(key, start), b = product(e.add(key, 1), start);
        return SmallVector<V>{e.fadd(e.fadd(a[0], b[0]), args[0]), e.fadd(e.fadd(a[1], b[1]), args[1])};
      });
      addTo(out, sum[0]);
      addTo(out1, sum[1]);
    });
  });
}
