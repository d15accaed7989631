// Both products of a microtile whose operands stay bf16 (see Bf16.h): the loops of Product.cpp and Accumulate.cpp, two
// features or two keys a step.
#include "Bf16.h"
#include "MainEmitter.h"

using namespace mlir;
using namespace attn;
using V = Value;

/// What the packed block and the queries say of tiny elements.
void MainEmitter::askForTiny() {
  if (!l.asksForTiny())
    return;
  Type i32 = e.b.getI32Type();
  V zero = arith::ConstantOp::create(e.b, e.loc, e.b.getI32IntegerAttr(0));
  V ofQueries = l.bf16Scores ? e.load(i32, e.at(t.scratch, l.tinyQueries())) : zero;
  auto tiny = e.loop(e.i64(0), blockPanels, 1, ValueRange{ofQueries, zero}, [&](V panel, ValueRange args) {
    V at = e.at(blockKeysAt, e.add(e.mul(panel, l.keyPanelBytes()), l.tinyAt()));
    return SmallVector<V>{e.either(args[0], e.load(i32, at)), e.either(args[1], e.load(i32, e.at(at, 4)))};
  });
  tinyScores = e.ne(tiny[0], zero), tinyValues = e.ne(tiny[1], zero);
}

// s_rj = sum_w q_rw k_wj, both halves of each word, the odd ones first.
SmallVector<V> MainEmitter::productOfWords(V keyPanel) {
  auto sums = [&](int64_t unroll, llvm::function_ref<V(V sum, V q, V k)> dot) {
    auto step = [&](V keys, V queries, MutableArrayRef<V> s) {
      V k0 = e.load(e.vec, keys), k1 = e.load(e.vec, e.at(keys, e.lanes * e.bytes));
      for (int64_t r = 0; r < l.tileRows; ++r) {
        V x = e.broadcast(e.load(e.real, e.at(queries, r * l.dotBytes())));
        s[2 * r] = dot(s[2 * r], x, k0);
        s[2 * r + 1] = dot(s[2 * r + 1], x, k1);
      }
    };
    SmallVector<V> s(2 * l.tileRows, e.splat(0));
    int64_t whole = l.dotWords / unroll * unroll, stepBytes = l.width * 4;
    V q = qRow;
    if (whole) {
      s.push_back(e.i64(0)); // the keys' offset, see Product.cpp
      s = e.loop(e.i64(0), e.i64(whole), unroll, s, [&](V word, ValueRange args) {
        SmallVector<V> inner(args);
        V offset = inner.pop_back_val(), keys = e.at(keyPanel, offset), queries = e.at(q, e.mul(word, 4));
        for (int64_t u = 0; u < unroll; ++u)
          step(e.at(keys, u * stepBytes), e.at(queries, u * 4), inner);
        inner.push_back(e.add(offset, unroll * stepBytes));
        return inner;
      });
      s.pop_back();
    }
    for (int64_t word = whole; word < l.dotWords; ++word)
      step(e.at(keyPanel, word * stepBytes), e.at(q, word * 4), s);
    return s;
  };
  SmallVector<Type> types(2 * l.tileRows, e.vec);
  return e.choose(
      tinyScores, types, [&] { return sums(1, [&](V s, V q, V k) { return bf16::dotExactly(e, s, q, k); }); },
      [&] { return sums(4, [&](V s, V q, V k) { return bf16::dot(e, s, q, k); }); });
}

/// One vector of the weights of a row.
void MainEmitter::keepWeight(unsigned n, V r, V panel, int64_t half, V w) {
  V at = e.at(e.at(weightsOf(n), e.mul(r, l.weightRowBytes())), e.mul(panel, l.width * l.weightBytes()));
  if (l.bf16Values) {
    auto type = VectorType::get({e.lanes}, e.b.getBF16Type());
    w = LLVM::CallIntrinsicOp::create(e.b, e.loc, type, e.b.getStringAttr("llvm.x86.avx512bf16.cvtneps2bf16.512"), w)
            .getResult(0);
  }
  e.store(w, e.at(at, half * e.lanes * l.weightBytes()));
}

// As accumulateFast: keys 2 n and 2 n + 1 are one step.
void MainEmitter::accumulateWords(unsigned n, V values, V panelBytes, V from, V to) {
  V weights = weightsOf(n), acc = accOf(n);
  int64_t wordBytes = l.width * 4;
  auto panels = [&](int64_t unroll, llvm::function_ref<V(V sum, V p, V v)> dot) {
    e.loop(e.i64(0), e.i64(l.valuePadded / l.width), 1, [&](V panel) {
      V v = e.at(values, e.mul(panel, panelBytes)), out = e.at(acc, e.mul(panel, l.width * e.bytes));
      SmallVector<V> start(2 * l.tileRows, e.splat(0));
      start.push_back(e.mul(from, wordBytes / 2)); // the rows' offset, see Accumulate.cpp
      auto sum = e.loop(from, to, 2 * unroll, start, [&](V key, ValueRange args) {
        SmallVector<V> s(args);
        V rows = e.at(v, s.back()), p = e.at(weights, e.mul(key, 2));
        s.back() = e.add(s.back(), unroll * wordBytes);
        for (int64_t u = 0; u < unroll; ++u) {
          V v0 = e.load(e.vec, e.at(rows, u * wordBytes)),
            v1 = e.load(e.vec, e.at(rows, u * wordBytes + e.lanes * e.bytes));
          for (int64_t r = 0; r < l.tileRows; ++r) {
            V x = e.broadcast(e.load(e.real, e.at(p, r * l.weightRowBytes() + u * 4)));
            s[2 * r] = dot(s[2 * r], x, v0);
            s[2 * r + 1] = dot(s[2 * r + 1], x, v1);
          }
        }
        return s;
      });
      for (int64_t r = 0; r < l.tileRows; ++r)
        for (int64_t half = 0; half < 2; ++half)
          addTo(e.at(out, r * l.valueRowBytes() + half * e.lanes * e.bytes), sum[2 * r + half]);
    });
    return SmallVector<V>{};
  };
  e.choose(
      tinyValues, {}, [&] { return panels(1, [&](V s, V p, V v) { return bf16::dotExactly(e, s, p, v); }); },
      [&] { return panels(8, [&](V s, V p, V v) { return bf16::dot(e, s, p, v); }); });
}

// As accumulateGuarded, in the order of the words: the odd key of two stands first.
void MainEmitter::accumulateWordsGuarded(unsigned n, V values, V panelBytes, V from, V to) {
  V weights = weightsOf(n), visible = visibleMasks(), acc = accOf(n);
  int64_t wordBytes = l.width * 4;
  e.loop(e.i64(0), e.i64(l.valuePadded / l.width), 1, [&](V panel) {
    V v = e.at(values, e.mul(panel, panelBytes));
    e.loop(e.i64(0), e.i64(l.tileRows), 1, [&](V r) {
      V out = e.at(e.at(acc, e.mul(r, l.valueRowBytes())), e.mul(panel, l.width * e.bytes));
      V out1 = e.at(out, e.lanes * e.bytes), row = e.at(weights, e.mul(r, l.weightRowBytes()));
      auto sum = e.loop(from, to, 2, ValueRange{e.splat(0), e.splat(0)}, [&](V key, ValueRange args) {
        V words = e.at(v, e.mul(key, wordBytes / 2));
        V p = e.broadcast(e.load(e.real, e.at(row, e.mul(key, 2))));
        SmallVector<V> s(args);
        for (int64_t at : {1, 0}) {
          auto half = [&](V x) { return at ? bf16::odd(e, x) : bf16::even(e, x); };
          s = e.choose(
              isVisible(visible, e.add(key, at), r), {e.vec, e.vec},
              [&] {
                SmallVector<V> next;
                for (int64_t n : {0, 1}) {
                  V x = half(e.load(e.vec, e.at(words, n * e.lanes * e.bytes)));
                  V sum = e.fma(half(p), x, s[n]);
                  next.push_back(e.select(tinyValues, sum, bf16::flushed(e, sum)));
                }
                return next;
              },
              [&] { return s; });
        }
        return s;
      });
      addTo(out, sum[0]);
      addTo(out1, sum[1]);
    });
  });
}
