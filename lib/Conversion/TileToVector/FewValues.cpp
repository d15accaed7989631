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
    addValues(n, from, to, beside);
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

/// Keys of a turn, at least as many as products are made of at once: a KiB of one row's values, of several rows as many
/// keys as there are registers for their weights. Turns of two KiB leave memory idle while the other stream is added.
int64_t FewEmitter::valuesAtOnce() {
  const OperandEmitter &part = values[0].part;
  int64_t most = l.tileRows == 1 && part.isPlain() ? 4 : 2;
  return std::max(std::clamp<int64_t>(1024 / part.rowBytes(), 1, most), keysAtOnce());
}

/// While keys are multiplied, values are on their way, and while these are added, the next turn's keys: so memory does
/// not wait for arithmetic. Elements that are converted need more arithmetic than time to be read; what stands between
/// that of a turn and the next then costs more than it gains. CPUs of wide vectors read both far ahead (fetchAhead).
bool FewEmitter::asksByTurns() {
  auto isPlain = [](const Source &s) { return s.part.isPlain(); };
  return !isWide() && llvm::all_of(keys, isPlain) && llvm::all_of(values, isPlain);
}

/// Products of a turn's keys, from `next`, before the values from `key` are added. LLVM's scheduler would make a heap
/// behind the products of all that is asked for.
void FewEmitter::multiplyBeside(V next, V key) {
  const int64_t count = valuesAtOnce();
  auto ask = [&](std::vector<Source> &sources, V first) {
    if (!asksByTurns())
      return;
    e.keepOrder();
    for (Source &s : sources)
      for (int64_t n = 0; n < count; ++n)
        fetch(s, e.add(first, n), n);
    e.keepOrder();
  };
  ask(values, key);
  for (int64_t n = 0; n < count; n += keysAtOnce())
    multiplyKeys(e.add(next, n), /*exact=*/false, /*inside=*/true);
  ask(keys, e.add(next, count));
}

/// A few keys at a time over all features: values are read in the order in which they lie. One row's sums of eight
/// vectors are in registers meanwhile; of several rows it is the weights that are, and sums go through the first level.
/// `beside`: by turns with the products of as many keys of the next run, so that two streams of memory go on at once.
void FewEmitter::addValues(unsigned n, V from, V to, bool beside) {
  Source &source = values[0];
  V weights = weightsOf(n), out = accOf(n);
  const int64_t all = source.vectors, atOnce = valuesAtOnce();
  const bool scaled = l.tileRows == 1 && source.part.hasFactor();
  std::vector<Row> opened;
  SmallVector<V> factors; // of a key some rows'
  auto openKeys = [&](V key) {
    if (beside)
      multiplyBeside(e.add(to, e.sub(key, from)), key);
    opened.clear();
    for (int64_t u = 0; u < atOnce; ++u) {
      V position = e.add(key, u);
      opened.push_back(u ? openNext(source, opened.back(), position, beside) : open(source, position, beside));
      if (!beside || !asksByTurns())
        fetchAhead(source, position, u);
    }
  };
  auto loadFactors = [&](V key, int64_t r0, int64_t rows) {
    factors.clear();
    for (int64_t u = 0; u < atOnce; ++u)
      for (int64_t r = r0; r < r0 + rows; ++r) {
        V weight = e.load(e.real, e.at(e.at(weights, e.mul(key, e.bytes)), (r * l.blockKeys + u) * e.bytes));
        factors.push_back(e.broadcast(scaled ? e.fmul(weight, source.part.factorOf(*opened[u].opened)) : weight));
      }
  };
  auto addKeys = [&](MutableArrayRef<V> sums, int64_t rows, int64_t count, V base, int64_t first, int64_t most) {
    for (int64_t u = 0; u < atOnce; ++u)
      for (int64_t c = 0; c < count; ++c) {
        V value = vectorOf(source, opened[u], first + c, base, most, scaled);
        for (int64_t r = 0; r < rows; ++r)
          sums[r * count + c] = e.fma(factors[u * rows + r], value, sums[r * count + c]);
      }
  };
  if (l.tileRows * all <= kRun) {
    SmallVector<V> start(l.tileRows * all, e.splat(0));
    auto sums = e.loop(from, to, atOnce, start, [&](V key, ValueRange args) {
      SmallVector<V> s(args);
      openKeys(key);
      loadFactors(key, 0, l.tileRows);
      addKeys(s, l.tileRows, all, V(), 0, 0);
      return s;
    });
    for (int64_t r = 0; r < l.tileRows; ++r)
      addRun(e.at(out, r * l.valueRowBytes()), all, ArrayRef(sums).slice(r * all, all));
    return;
  }
  // More sums than registers: between a few keys and the next they wait in memory.
  for (int64_t c = 0; c < l.tileRows * all; ++c)
    e.store(e.splat(0), sumAt(0, V(), c));
  e.loop(from, to, atOnce, [&](V key) {
    openKeys(key);
    for (int64_t r0 = 0; r0 < l.tileRows; r0 += rowsAtOnce()) {
      const int64_t rows = std::min(rowsAtOnce(), l.tileRows - r0);
      loadFactors(key, r0, rows);
      eachRun(l.tileRows == 1 ? kRun : 1, [&](int64_t count, V base, int64_t first, int64_t most) {
        changeSums(r0, rows, count, base, first,
                   [&](MutableArrayRef<V> sums) { addKeys(sums, rows, count, base, first, most); });
      });
    }
  });
  addSums(n);
}

/// Sums in memory of some rows and vectors, as `change` makes them.
void FewEmitter::changeSums(int64_t r0, int64_t rows, int64_t count, V base, int64_t first,
                            llvm::function_ref<void(MutableArrayRef<V>)> change) {
  SmallVector<V> sums;
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < count; ++c)
      sums.push_back(e.load(e.vec, sumAt(r0 + r, base, first + c)));
  change(sums);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < count; ++c)
      e.store(sums[r * count + c], sumAt(r0 + r, base, first + c));
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
