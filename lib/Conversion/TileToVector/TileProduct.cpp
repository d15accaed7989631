// Both products on tiles (see Tiles.h), for groups of strips: a panel's product is made for all rows of a group, then
// weighed strip by strip; a run of panels meets the values for all rows again. A strip that a panel is empty for has
// weights of 0 there. The product of a run's next panel is made in parts, one before each strip is weighed: tiles and
// vectors work at the same time, and a processor looks ahead by a few hundred instructions alone.
//
// Where elements are tiny, and in a guarded pass, the same sums are made by fma in the order of the tiles: 16 words
// begin at 0, even and odd halves apart.
#include "Bf16.h"
#include "MainEmitter.h"
#include "Tiles.h"

using namespace mlir;
using namespace attn;
using V = Value;

/// Rows that are summed at once where that is done by fma: two vectors of even and two of odd halves for each.
static constexpr int64_t kRowsAtOnce = 2;

void MainEmitter::eachStrip(V count, llvm::function_ref<void()> body) {
  e.loop(e.i64(0), count, 1, [&](V n) {
    enterStrip(e.add(groupStrip, n));
    body();
  });
}

void MainEmitter::visitGroup(V strip, V blockFull) {
  groupStrip = strip;
  V count = e.min(e.i64(l.groupStrips), e.sub(strips, strip));
  if (keepsFirst() && !keepsScores && !weighOp.getSpreadTo())
    eachStrip(count, [&] { forgetMoves(); });

  // Status of every panel for each strip, then for any of them.
  V statusAt = e.at(t.scratch, l.status()), anyAt = e.at(t.scratch, l.status(l.groupStrips));
  int64_t statusBytes = l.status(1) - l.status();
  auto bounds = e.choose(
      blockFull, {e.i64Type(), e.i64Type()},
      [&] {
        for (int64_t n = 0; n <= l.groupStrips; ++n)
          fillStatus(e.at(statusAt, n * statusBytes));
        return SmallVector<V>{e.i64(0), blockPanels};
      },
      [&] {
        auto type = VectorType::get({l.panelsPerBlock()}, e.b.getI8Type());
        e.store(e.splatInt(type, 0), anyAt);
        return e.loop(e.i64(0), count, 1, ValueRange{blockPanels, e.i64(0)}, [&](V n, ValueRange args) {
          V own = e.at(statusAt, e.mul(n, statusBytes));
          e.store(e.splatInt(type, 0), own);
          enterStrip(e.add(groupStrip, n));
          auto [lo, hi] = classifyStrip(own);
          e.store(e.either(e.load(type, anyAt), e.load(type, own)), anyAt);
          return SmallVector<V>{e.min(args[0], lo), e.max(args[1], hi)};
        });
      });
  visitRuns(
      bounds[0], bounds[1], anyAt, count,
      [&](V panel, V start) {
        V next = e.add(panel, 1), goesOn = e.i1(false);
        if (l.bf16Scores) {
          e.when(e.either(e.eq(panel, start), tinyScores), [&] { multiplyGroup(panel); });
          V byte = arith::ConstantOp::create(e.b, e.loc, e.b.getI8IntegerAttr(0));
          goesOn = e.choose(
              e.both(e.lt(next, bounds[1]), e.invert(tinyScores)), {e.b.getI1Type()},
              [&] { return SmallVector<V>{e.ne(e.load(e.b.getI8Type(), e.at(anyAt, next)), byte)}; },
              [&] { return SmallVector<V>{e.i1(false)}; })[0];
        }
        return weighGroup(count, panel, start, goesOn);
      },
      [&](V start, V end) {
        if (!accumulates.empty())
          accumulateGroup(count, start, end);
      });
  groupStrip = inGroup = V();
}

/// True (i1) where no weight of any strip meets a value. `goesOn`: the next panel's product is made here.
V MainEmitter::weighGroup(V count, V panel, V runStart, V goesOn) {
  const int64_t steps = l.dotWords / kTileWords; // of the product, none of other operands
  V next = e.add(panel, 1), nextKeys = e.at(blockKeysAt, e.mul(next, l.keyPanelBytes()));
  Tiles tiles(e);
  if (steps)
    e.when(goesOn, [&] { tiles.zeroSums(); });
  // Two steps at a time, if there are so many: the second unit for fused multiply-adds of 64 bytes, where tiles
  // multiply, stays away from vectors for some 350 cycles after.
  const int64_t together = std::min<int64_t>(steps, 2);
  auto stepOf = [&](V n) { return e.mul(e.divUnsigned(e.mul(n, steps), l.groupStrips * together), together); };
  auto byte = [&](int64_t n) -> V { return arith::ConstantOp::create(e.b, e.loc, e.b.getI8IntegerAttr(n)); };
  int64_t statusBytes = l.status(1) - l.status();
  V zero = e.loop(e.i64(0), count, 1, ValueRange{e.i1(true)}, [&](V n, ValueRange zeros) {
    V strip = e.add(groupStrip, n);
    if (steps) {
      V last = e.add(n, 1), from = stepOf(n), to = e.select(e.eq(last, count), e.i64(steps), stepOf(last));
      e.when(goesOn, [&] { multiplySteps(nextKeys, from, to); });
    }
    enterStrip(strip);
    for (InlineRegion &of : inlineValues)
      hoistRows(of);
    fetchNext(strip, panel);
    // What is empty for this strip alone is masked.
    V status = e.load(e.b.getI8Type(), e.at(e.at(e.at(t.scratch, l.status()), e.mul(n, statusBytes)), panel));
    V zero = weigh(panel, e.select(e.eq(status, byte(2)), status, byte(1)), runStart);
    return SmallVector<V>{zero ? e.both(zeros[0], zero) : e.i1(false)};
  })[0];
  if (steps)
    e.when(goesOn, [&] { tiles.storeSums(productsOf(next), l.width * e.bytes); });
  return zero;
}

/// Where a panel's product goes: by turns to one of two places.
V MainEmitter::productsOf(V panel) {
  V odd = e.both(panel, e.i64(1));
  return e.at(e.at(t.scratch, l.products()), e.mul(odd, l.groupRows() * l.width * e.bytes));
}

/// Some steps of the product of the group's queries and a panel of keys.
void MainEmitter::multiplySteps(V keys, V from, V to) {
  V queries = e.at(e.at(t.scratch, l.q()), e.mul(groupStrip, l.tileRows * l.dotBytes()));
  constexpr int64_t columnsBytes = kTileWords * 2 * kTileBytes;
  e.loop(from, to, 1, e.mul(from, columnsBytes), [&](V step, ValueRange args) {
    Tiles(e).multiply(e.at(queries, e.mul(step, kTileBytes)), l.dotBytes(), e.at(keys, args[0]));
    return SmallVector<V>{e.add(args[0], columnsBytes)};
  });
}

/// Products of the group's queries and a panel of keys, to scratch.
void MainEmitter::multiplyGroup(V panel) {
  V keys = e.at(blockKeysAt, e.mul(panel, l.keyPanelBytes())), out = productsOf(panel);
  e.choose(
      tinyScores, {},
      [&] {
        multiplyGroupExactly(keys, out);
        return SmallVector<V>{};
      },
      [&] {
        Tiles tiles(e);
        tiles.zeroSums();
        multiplySteps(keys, e.i64(0), e.i64(l.dotWords / kTileWords));
        tiles.storeSums(out, l.width * e.bytes);
        return SmallVector<V>{};
      });
}

namespace {

/// Sums of `rows` rows by two vectors, a tile's words: even and odd halves apart.
struct Halves {
  Halves(Emit &e, int64_t rows) : e(e), rows(rows) {}

  /// `row(r)`: the address of a row's first word; columns: of the words of 32 columns.
  SmallVector<V> sum(llvm::function_ref<V(int64_t r)> row, V columns) {
    SmallVector<V> start(4 * rows, e.splat(0));
    return e.loop(e.i64(0), e.i64(kTileWords), 1, start, [&](V word, ValueRange args) {
      SmallVector<V> s(args);
      V at = e.at(columns, e.mul(word, 2 * e.lanes * 4));
      for (int64_t half = 0; half < 2; ++half) {
        V y = e.load(e.vec, e.at(at, half * e.lanes * 4));
        for (int64_t r = 0; r < rows; ++r) {
          V x = e.broadcast(e.load(e.real, e.at(row(r), e.mul(word, 4))));
          V &evens = s[4 * r + 2 * half], &odds = s[4 * r + 2 * half + 1];
          evens = e.fma(bf16::even(e, x), bf16::even(e, y), evens);
          odds = e.fma(bf16::odd(e, x), bf16::odd(e, y), odds);
        }
      }
      return s;
    });
  }

  Emit &e;
  int64_t rows;
};

} // namespace

void MainEmitter::multiplyGroupExactly(V keys, V out) {
  V queries = e.at(e.at(t.scratch, l.q()), e.mul(groupStrip, l.tileRows * l.dotBytes()));
  Halves halves(e, kRowsAtOnce);
  e.loop(e.i64(0), e.i64(l.groupRows()), kRowsAtOnce, [&](V first) {
    SmallVector<V> start(2 * kRowsAtOnce, e.splat(0));
    V rows = e.at(queries, e.mul(first, l.dotBytes()));
    auto sums = e.loop(e.i64(0), e.i64(l.dotWords), kTileWords, start, [&](V word, ValueRange args) {
      V from = e.at(rows, e.mul(word, 4));
      auto parts =
          halves.sum([&](int64_t r) { return e.at(from, r * l.dotBytes()); }, e.at(keys, e.mul(word, l.width * 4)));
      SmallVector<V> s;
      for (auto [n, sum] : llvm::enumerate(args))
        s.push_back(e.fadd(sum, e.fadd(parts[2 * n], parts[2 * n + 1])));
      return s;
    });
    for (auto [n, sum] : llvm::enumerate(sums))
      e.store(sum, e.at(e.at(out, e.mul(first, l.width * e.bytes)), n * e.lanes * e.bytes));
  });
}

/// Weights of bf16 meet their values for all rows together; others strip by strip.
void MainEmitter::accumulateGroup(V count, V runStart, V runEnd) {
  if (!l.bf16Values)
    return eachStrip(count, [&] { accumulate(runStart, runEnd); });
  V panelBytes = e.mul(blockPanels, l.width * l.width * l.weightBytes());
  e.choose(
      guarded, {},
      [&] {
        eachStrip(count, [&] {
          accumulateGuarded(0, blockValuesAt, panelBytes, e.mul(runStart, l.width), e.mul(runEnd, l.width));
        });
        return SmallVector<V>{};
      },
      [&] {
        e.choose(
            tinyValues, {},
            [&] {
              accumulateTilesExactly(runStart, runEnd);
              return SmallVector<V>{};
            },
            [&] {
              accumulateTiles(runStart, runEnd);
              return SmallVector<V>{};
            });
        return SmallVector<V>{};
      });
}

// What is carried is summed further, panel by panel: there is no sum of a run.
void MainEmitter::accumulateTiles(V runStart, V runEnd) {
  V sums = e.at(e.at(t.scratch, l.acc()), e.mul(groupStrip, l.tileRows * l.valueRowBytes()));
  V weights = e.at(t.scratch, l.weights());
  V panelBytes = e.mul(blockPanels, l.width * l.width * 2);
  e.loop(e.i64(0), e.i64(l.valuePadded / l.width), 1, [&](V features) {
    V values = e.at(blockValuesAt, e.mul(features, panelBytes)), out = e.at(sums, e.mul(features, l.width * e.bytes));
    Tiles tiles(e);
    tiles.loadSums(out, l.valueRowBytes());
    constexpr int64_t columnsBytes = kTileWords * 2 * kTileBytes; // of a panel's keys; carried, see Product.cpp
    e.loop(runStart, runEnd, 1, e.mul(runStart, columnsBytes), [&](V panel, ValueRange args) {
      tiles.multiply(e.at(weights, e.mul(panel, kTileBytes)), l.weightRowBytes(), e.at(values, args[0]));
      return SmallVector<V>{e.add(args[0], columnsBytes)};
    });
    tiles.storeSums(out, l.valueRowBytes());
  });
}

void MainEmitter::accumulateTilesExactly(V runStart, V runEnd) {
  V sums = e.at(e.at(t.scratch, l.acc()), e.mul(groupStrip, l.tileRows * l.valueRowBytes()));
  V weights = e.at(t.scratch, l.weights());
  V panelBytes = e.mul(blockPanels, l.width * l.width * 2);
  Halves halves(e, kRowsAtOnce);
  e.loop(e.i64(0), e.i64(l.valuePadded / l.width), 1, [&](V features) {
    V values = e.at(blockValuesAt, e.mul(features, panelBytes));
    e.loop(e.i64(0), e.i64(l.groupRows()), kRowsAtOnce, [&](V first) {
      V rows = e.at(weights, e.mul(first, l.weightRowBytes()));
      V out = e.at(e.at(sums, e.mul(first, l.valueRowBytes())), e.mul(features, l.width * e.bytes));
      e.loop(runStart, runEnd, 1, [&](V panel) {
        V from = e.at(rows, e.mul(panel, kTileBytes));
        auto parts = halves.sum([&](int64_t r) { return e.at(from, r * l.weightRowBytes()); },
                                e.at(values, e.mul(panel, kTileWords * l.width * 4)));
        for (int64_t n = 0; n < 2 * kRowsAtOnce; ++n)
          addTo(e.at(out, n / 2 * l.valueRowBytes() + n % 2 * e.lanes * e.bytes),
                e.fadd(parts[2 * n], parts[2 * n + 1]));
      });
    });
  });
}

// As accumulateGuarded: absent pairs have no product.
void MainEmitter::accumulateTilesGuarded(unsigned n, V values, V panelBytes, V from, V to) {
  V weights = weightsOf(n), visible = visibleMasks(), acc = accOf(n);
  auto rounded = [&](V x) { return e.select(tinyValues, x, bf16::flushed(e, x)); };
  e.loop(e.i64(0), e.i64(l.valuePadded / l.width), 1, [&](V features) {
    V v = e.at(values, e.mul(features, panelBytes));
    e.loop(e.i64(0), e.i64(l.tileRows), 1, [&](V r) {
      V out = e.at(e.at(acc, e.mul(r, l.valueRowBytes())), e.mul(features, l.width * e.bytes));
      V row = e.at(weights, e.mul(r, l.weightRowBytes()));
      e.loop(from, to, l.width, [&](V panelKey) {
        SmallVector<V> start(4, e.splat(0)); // as in Halves
        auto parts = e.loop(panelKey, e.add(panelKey, l.width), 2, start, [&](V key, ValueRange args) {
          V words = e.at(v, e.mul(key, l.width * 2));
          V p = e.broadcast(e.load(e.real, e.at(row, e.mul(key, 2))));
          SmallVector<V> s(args);
          for (int64_t odd : {0, 1}) {
            auto half = [&](V x) { return odd ? bf16::odd(e, x) : bf16::even(e, x); };
            auto next = e.choose(
                isVisible(visible, e.add(key, odd), r), {e.vec, e.vec},
                [&] {
                  SmallVector<V> sums;
                  for (int64_t n : {0, 1}) {
                    V x = half(e.load(e.vec, e.at(words, n * e.lanes * 4)));
                    sums.push_back(rounded(e.fma(half(p), x, s[2 * n + odd])));
                  }
                  return sums;
                },
                [&] { return SmallVector<V>{s[odd], s[2 + odd]}; });
            s[odd] = next[0], s[2 + odd] = next[1];
          }
          return s;
        });
        for (int64_t n : {0, 1}) {
          V at = e.at(out, n * e.lanes * e.bytes);
          V sum = e.fadd(rounded(e.load(e.vec, at)), rounded(e.fadd(parts[2 * n], parts[2 * n + 1])));
          e.store(rounded(sum), at);
        }
      });
    });
  });
}
