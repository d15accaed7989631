// Weights of few rows times values.
#include "FewEmitter.h"

using namespace mlir;
using namespace attn;
using V = Value;

void FewEmitter::eachRun(int64_t run, llvm::function_ref<void(int64_t, V, int64_t, int64_t)> body) {
  int64_t all = values[0].vectors, looped = all > 2 * kRun ? all / kRun * kRun : 0;
  if (looped)
    e.loop(e.i64(0), e.i64(looped), kRun, [&](V base) {
      for (int64_t n = 0; n < kRun; n += run)
        body(run, base, n, looped - kRun);
    });
  for (int64_t n = looped; n < all; n += run)
    body(std::min(run, all - n), V(), n, 0);
}

/// Sums of a row that begin with an even vector where there are pairs, to what is carried.
void FewEmitter::addRun(V out, int64_t count, ArrayRef<V> sums) {
  SmallVector<V> inOrder(sums);
  for (int64_t n = 0; values[0].pairs == 2 && n < count; n += 2) {
    SmallVector<int64_t> low, high;
    for (int64_t lane = 0; lane < e.lanes; ++lane) {
      low.push_back(lane / 2 + lane % 2 * e.lanes);
      high.push_back(e.lanes / 2 + lane / 2 + lane % 2 * e.lanes);
    }
    inOrder[n] = vector::ShuffleOp::create(e.b, e.loc, sums[n], sums[n + 1], low);
    inOrder[n + 1] = vector::ShuffleOp::create(e.b, e.loc, sums[n], sums[n + 1], high);
  }
  for (int64_t n = 0; n < count; ++n)
    addTo(e.at(out, n * e.lanes * e.bytes), inOrder[n]);
}

void FewEmitter::accumulateFast(unsigned n, V, V, V from, V to) {
  auto add = [&](bool beside) {
    if (l.tileRows == 1)
      addValuesOfOne(n, from, to, beside);
    else
      addValuesOfAll(n, from, to, beside);
    if (beside)
      noteAhead(to);
    return SmallVector<V>{};
  };
  e.choose(goesAhead(from, to), {}, [&] { return add(true); }, [&] { return add(false); });
}

V FewEmitter::sumAt(int64_t row, V base, int64_t vector) {
  const int64_t vb = e.lanes * e.bytes;
  V at = e.at(aheadAt(2), (row * values[0].vectors + vector) * vb);
  return base ? e.at(at, e.mul(base, vb)) : at;
}

/// One row: a few keys at a time over all features. `beside`: by turns with the products of as many keys of the next
/// run, so that two streams of memory go on at once.
void FewEmitter::addValuesOfOne(unsigned n, V from, V to, bool beside) {
  Source &source = values[0];
  V weights = weightsOf(n), out = accOf(n);
  const int64_t all = source.vectors;
  const bool scaled = source.part.hasFactor();
  // Keys; at least as many as products are made of at once, since they go by turns.
  const int64_t unroll = std::max<int64_t>(isa<FloatType>(source.part.element()) ? 4 : 2, keysAtOnce());
  auto step = [&](V key, int64_t count, V base, int64_t first, int64_t most, ValueRange before) {
    SmallVector<V> s(before);
    std::vector<Row> opened;
    for (int64_t u = 0; u < unroll; ++u) {
      V position = e.add(key, u);
      opened.push_back(u ? openNext(source, opened.back(), position, beside) : open(source, position, beside));
      const Row &row = opened.back();
      V weight = e.load(e.real, e.at(e.at(weights, e.mul(key, e.bytes)), u * e.bytes));
      if (!first)
        fetchAhead(source, row, position, u, base);
      V x = e.broadcast(scaled ? e.fmul(weight, source.part.factorOf(*row.opened)) : weight);
      for (int64_t c = 0; c < count; ++c)
        s[c] = e.fma(x, vectorOf(source, row, first + c, base, most, scaled), s[c]);
    }
    return s;
  };
  auto multiplyNext = [&](V key) {
    for (int64_t u = 0; u < unroll && beside; u += keysAtOnce())
      multiplyKeys(e.add(e.add(to, e.sub(key, from)), u), /*exact=*/false, /*inside=*/true);
  };
  if (all <= kRun) {
    SmallVector<V> start(all, e.splat(0));
    auto sums = e.loop(from, to, unroll, start, [&](V key, ValueRange args) {
      multiplyNext(key);
      return step(key, all, V(), 0, 0, args);
    });
    addRun(out, all, sums);
    return;
  }
  // More sums than registers: between a few keys and the next they wait in memory.
  for (int64_t c = 0; c < all; ++c)
    e.store(e.splat(0), sumAt(0, V(), c));
  e.loop(from, to, unroll, [&](V key) {
    multiplyNext(key);
    eachRun(kRun, [&](int64_t count, V base, int64_t first, int64_t most) {
      changeSums(0, 1, count, base, first, [&](ArrayRef<V> sums) { return step(key, count, base, first, most, sums); });
    });
  });
  addSums(n);
}

/// Sums in memory of some rows and vectors, as `change` makes them.
void FewEmitter::changeSums(int64_t row, int64_t rows, int64_t count, V base, int64_t first,
                            llvm::function_ref<SmallVector<V>(ArrayRef<V>)> change) {
  SmallVector<V> sums;
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < count; ++c)
      sums.push_back(e.load(e.vec, sumAt(row + r, base, first + c)));
  sums = change(sums);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < count; ++c)
      e.store(sums[r * count + c], sumAt(row + r, base, first + c));
}

/// Sums of the run to what is carried.
void FewEmitter::addSums(unsigned n) {
  const int64_t vb = e.lanes * e.bytes;
  for (int64_t r = 0; r < l.tileRows; ++r) {
    V out = e.at(accOf(n), r * l.valueRowBytes());
    eachRun(kRun, [&](int64_t count, V base, int64_t first, int64_t) {
      SmallVector<V> sums;
      for (int64_t c = 0; c < count; ++c)
        sums.push_back(e.load(e.vec, sumAt(r, base, first + c)));
      addRun(e.at(base ? e.at(out, e.mul(base, vb)) : out, first * vb), count, sums);
    });
  }
}

/// Several rows: a panel of keys at a time, products of the next run's first. Of the values all rows meet some vectors,
/// as many as there are registers for sums: those of a panel stay in the first level. Values that need more than a
/// conversion have it once, as a copy.
void FewEmitter::addValuesOfAll(unsigned n, V from, V to, bool beside) {
  Source &source = values[0];
  V weights = weightsOf(n);
  const int64_t all = source.vectors, vb = e.lanes * e.bytes, registers = vb >= 64 ? 24 : 12;
  const int64_t atOnce = std::min<int64_t>(l.tileRows, registers / 2);
  const int64_t run = std::min<int64_t>(llvm::bit_floor<uint64_t>(registers / atOnce), kRun);
  const bool copied = !source.part.isPlain();
  V copies = sumAt(l.tileRows, V(), 0);
  for (int64_t c = 0; c < l.tileRows * all; ++c)
    e.store(e.splat(0), sumAt(0, V(), c));
  e.loop(from, to, l.width, [&](V panel) {
    if (beside)
      e.loop(e.i64(0), e.i64(l.width), keysAtOnce(),
             [&](V key) { multiplyKeys(e.add(e.add(to, e.sub(panel, from)), key), /*exact=*/false, /*inside=*/true); });
    if (copied)
      e.loop(e.i64(0), e.i64(l.width), 1, [&](V key) {
        V position = e.add(panel, key), copy = e.at(copies, e.mul(key, all * vb));
        Row row = open(source, position);
        fetchAhead(source, row, position, 0);
        eachRun(kRun, [&](int64_t count, V base, int64_t first, int64_t most) {
          V at = e.at(base ? e.at(copy, e.mul(base, vb)) : copy, first * vb);
          for (int64_t c = 0; c < count; ++c)
            e.store(vectorOf(source, row, first + c, base, most), e.at(at, c * vb));
        });
      });
    auto addKey = [&](V key, int64_t r0, int64_t rows, int64_t count, V base, int64_t first, int64_t most,
                      SmallVector<V> s) {
      V position = e.add(panel, key), at = e.at(weights, e.mul(position, e.bytes));
      SmallVector<V> weight, value;
      for (int64_t r = r0; r < r0 + rows; ++r)
        weight.push_back(e.broadcast(e.load(e.real, e.at(at, r * l.blockKeys * e.bytes))));
      if (copied) {
        V copy = e.at(e.at(copies, e.mul(key, all * vb)), first * vb);
        for (int64_t c = 0; c < count; ++c)
          value.push_back(e.load(e.vec, e.at(base ? e.at(copy, e.mul(base, vb)) : copy, c * vb)));
      } else {
        Row row = open(source, position, beside);
        if (!first && !r0)
          fetchAhead(source, row, position, 0, base);
        for (int64_t c = 0; c < count; ++c)
          value.push_back(vectorOf(source, row, first + c, base, most));
      }
      for (int64_t r = 0; r < rows; ++r)
        for (int64_t c = 0; c < count; ++c)
          s[r * count + c] = e.fma(weight[r], value[c], s[r * count + c]);
      return s;
    };
    for (int64_t r0 = 0; r0 < l.tileRows; r0 += atOnce) {
      const int64_t rows = std::min(atOnce, l.tileRows - r0);
      eachRun(run, [&](int64_t count, V base, int64_t first, int64_t most) {
        changeSums(r0, rows, count, base, first, [&](ArrayRef<V> sums) {
          return e.loop(e.i64(0), e.i64(l.width), 1, sums, [&](V key, ValueRange args) {
            return addKey(key, r0, rows, count, base, first, most, SmallVector<V>(args));
          });
        });
      });
    }
  });
  addSums(n);
}

/// The same sums in the same order, but an absent pair's product is not taken.
void FewEmitter::accumulateGuarded(unsigned n, V, V, V from, V to) {
  V weights = weightsOf(n), visible = e.at(t.scratch, l.visible()), acc = accOf(n);
  int64_t vb = e.lanes * e.bytes;
  eachRun(kRun, [&](int64_t count, V base, int64_t constant, int64_t most) {
    e.loop(e.i64(0), e.i64(l.tileRows), 1, [&](V r) {
      SmallVector<V> start(count, e.splat(0));
      auto sums = e.loop(from, to, 1, start, [&](V key, ValueRange args) {
        V weight = e.load(e.real, e.at(weights, e.mul(e.add(e.mul(r, l.blockKeys), key), e.bytes)));
        V meets = plainPhi ? isVisible(visible, key, r) : e.cmpf(arith::CmpFPredicate::UNE, weight, e.scalar(0));
        return e.choose(
            meets, ValueRange(start).getTypes(),
            [&] {
              Row row = open(values[0], key);
              auto add = [&](V weight, bool unscaled) {
                V x = e.broadcast(weight);
                SmallVector<V> s(args);
                for (int64_t c = 0; c < count; ++c)
                  s[c] = e.fma(x, vectorOf(values[0], row, constant + c, base, most, unscaled), s[c]);
                return s;
              };
              if (l.tileRows > 1 || !values[0].part.hasFactor())
                return add(weight, false);
              V scaled = e.fmul(weight, values[0].part.factorOf(*row.opened)), none = e.fmul(scaled, e.scalar(0));
              return e.choose(
                  e.cmpf(arith::CmpFPredicate::OEQ, none, e.scalar(0)), ValueRange(start).getTypes(),
                  [&] { return add(scaled, true); }, [&] { return add(weight, false); });
            },
            [&] { return SmallVector<V>(args); });
      });
      V out = e.at(base ? e.at(acc, e.mul(base, vb)) : acc, constant * vb);
      addRun(e.at(out, e.mul(r, l.valueRowBytes())), count, sums);
    });
  });
}
