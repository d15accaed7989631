#include "Bf16.h"
#include "MapPhase.h"
#include "PackRows.h"

using namespace mlir;
using namespace attn;
using namespace attn::bf16;

static V call(Emit &e, Type type, StringRef name, ValueRange in) {
  return LLVM::CallIntrinsicOp::create(e.b, e.loc, type, e.b.getStringAttr(name), in).getResult(0);
}

static VectorType halvesType(Emit &e) { return VectorType::get({2 * e.lanes}, e.b.getIntegerType(16)); }
static V asBf16(Emit &e, V x) { return e.bitcast(x, VectorType::get({2 * e.lanes}, e.b.getBF16Type())); }

VectorType attn::bf16::wordsType(Emit &e) { return e.vecOf(e.b.getI32Type()); }

// A bf16 is the upper half of an f32.
V attn::bf16::even(Emit &e, V words) {
  VectorType type = wordsType(e);
  return e.bitcast(arith::ShLIOp::create(e.b, e.loc, e.bitcast(words, type), e.splatInt(type, 16)), e.vec);
}

V attn::bf16::odd(Emit &e, V words) {
  VectorType type = wordsType(e);
  return e.bitcast(e.both(e.bitcast(words, type), e.splatInt(type, 0xffff0000)), e.vec);
}

V attn::bf16::dot(Emit &e, V sums, V x, V y) {
  return call(e, e.vec, "llvm.x86.avx512bf16.dpbf16ps.512", {sums, asBf16(e, x), asBf16(e, y)});
}

V attn::bf16::dotExactly(Emit &e, V sums, V x, V y) {
  return e.fma(even(e, x), even(e, y), e.fma(odd(e, x), odd(e, y), sums));
}

V attn::bf16::flushed(Emit &e, V x) {
  V tiny = e.cmpf(arith::CmpFPredicate::OLT, math::AbsFOp::create(e.b, e.loc, x), e.splat(0x1p-126));
  return e.select(tiny, math::CopySignOp::create(e.b, e.loc, e.splat(0), x), x);
}

V attn::bf16::pack(Emit &e, V first, V second) {
  VectorType type = VectorType::get({2 * e.lanes}, e.b.getBF16Type());
  return call(e, type, "llvm.x86.avx512bf16.cvtne2ps2bf16.512", {second, first});
}

V attn::bf16::packHalves(Emit &e, V evens, V odds) {
  SmallVector<int64_t> order;
  for (int64_t n = 0; n < e.lanes; ++n)
    order.append({n, e.lanes + n});
  V x = e.bitcast(pack(e, evens, odds), halvesType(e));
  return vector::ShuffleOp::create(e.b, e.loc, x, x, order);
}

/// The pattern of 2^-56.
static constexpr int64_t kTiny = (127 - 56) << 7;

V attn::bf16::anyTiny(Emit &e, V words) {
  VectorType type = halvesType(e);
  V size = e.both(e.bitcast(words, type), e.splatInt(type, 0x7fff));
  V tiny = e.cmp(arith::CmpIPredicate::ult, e.sub(size, e.splatInt(type, 1)), e.splatInt(type, kTiny - 1));
  V bits = vector::BitCastOp::create(e.b, e.loc, VectorType::get({1}, e.b.getI32Type()), tiny);
  return vector::ExtractOp::create(e.b, e.loc, bits, ArrayRef<int64_t>{0});
}

namespace {

/// Elements of a part's rows as words.
struct Words {
  Words(Emit &e, OperandEmitter &part, V tinyAt) : e(e), part(part), tinyAt(tinyAt) {}

  V constant(int32_t n) { return arith::ConstantOp::create(e.b, e.loc, e.b.getI32IntegerAttr(n)); }
  void note(V tiny) {
    V i32 = e.load(e.b.getI32Type(), tinyAt);
    e.store(e.either(i32, tiny), tinyAt);
  }
  V half(V row, V feature) {
    V bits = e.load(e.b.getIntegerType(16), e.at(row, e.mul(e.mul(feature, part.featureStride), 2)));
    return arith::ExtUIOp::create(e.b, e.loc, e.b.getI32Type(), bits);
  }
  /// Features 2 n and 2 n + 1, of which there may be one.
  V word(V row, V n, bool alone) {
    V low = half(row, e.mul(n, 2)), all = low;
    V tiny = isTiny(low);
    if (!alone) {
      V high = half(row, e.add(e.mul(n, 2), 1));
      tiny = e.either(tiny, isTiny(high));
      all = e.either(low, (V)arith::ShLIOp::create(e.b, e.loc, high, constant(16)));
    }
    note(arith::ExtUIOp::create(e.b, e.loc, e.b.getI32Type(), tiny));
    return all;
  }
  /// Words from `from` on, one by one; `store` gets each and its number.
  void scalars(V row, int64_t from, llvm::function_ref<void(V n, V word)> store) {
    e.loop(e.i64(from), e.i64(part.extent / 2), 1, [&](V n) { store(n, word(row, n, false)); });
    if (part.extent % 2)
      store(e.i64(part.extent / 2), word(row, e.i64(part.extent / 2), true));
  }
  /// 2 * lanes contiguous features from `feature` on.
  V vector(V row, V feature) {
    V x = e.load(halvesType(e), e.at(row, e.mul(feature, 2)));
    return e.bitcast(x, wordsType(e));
  }
  int64_t wholeWords() const { return part.extent / (2 * e.lanes) * e.lanes; }

  Emit &e;
  OperandEmitter &part;
  V tinyAt;

private:
  V isTiny(V half) {
    V size = e.both(half, constant(0x7fff));
    return e.cmp(arith::CmpIPredicate::ult, e.sub(size, constant(1)), constant(kTiny - 1));
  }
};

} // namespace

void attn::bf16::copyRow(TaskEmitter &t, OperandEmitter &part, V token, V to, V tinyAt) {
  Emit &e = t.e;
  Words words(e, part, tinyAt);
  V row = part.row(token);
  auto scalars = [&](int64_t from) {
    words.scalars(row, from, [&](V n, V word) { e.store(word, e.at(to, e.mul(n, 4))); });
    return SmallVector<V>{};
  };
  e.choose(
      e.eq(part.featureStride, e.i64(1)), {},
      [&] {
        e.loop(e.i64(0), e.i64(words.wholeWords()), e.lanes, [&](V n) {
          V x = words.vector(row, e.mul(n, 2));
          words.note(anyTiny(e, x));
          e.store(x, e.at(to, e.mul(n, 4)));
        });
        return scalars(words.wholeWords());
      },
      [&] { return scalars(0); });
}

static V tinyOf(TaskEmitter &t, V first, V key) {
  const Layout &l = t.layout;
  return t.e.at(t.keysOf(first), t.e.add(t.e.mul(t.e.divUnsigned(key, l.width), l.keyPanelBytes()), l.tinyAt()));
}

void attn::bf16::clearTiny(TaskEmitter &t, V first, V count) {
  t.e.loop(t.e.i64(0), count, t.layout.width, [&](V key) { t.e.store(t.e.i64(0), tinyOf(t, first, key)); });
}

// Groups of `lanes` keys with contiguous features are words that are transposed in registers.
void attn::bf16::packKeys(TaskEmitter &t, OperandEmitter &part, int64_t feature, V first, V count) {
  Emit &e = t.e;
  const Layout &l = t.layout;
  PackRows rows(t, part, first);
  KeyPanels out(t, first, feature);
  int64_t all = (part.extent + 1) / 2, rowBytes = l.width * 4;
  auto scalars = [&](V key, int64_t from) {
    Words words(e, part, tinyOf(t, first, key));
    rows.at(
        key,
        [&](V token) {
          V to = out.at(key);
          words.scalars(rows.row(token), from, [&](V n, V word) { e.store(word, e.at(to, e.mul(n, rowBytes))); });
        },
        [&] { out.clear(key, from, all); });
  };
  auto transposed = [&](V key, ArrayRef<V> tokens) {
    Words words(e, part, tinyOf(t, first, key));
    V to = e.opaque(out.at(key));
    SmallVector<V> from;
    for (V token : tokens)
      from.push_back(e.opaque(rows.row(token)));
    int64_t whole = words.wholeWords();
    e.loop(e.i64(0), e.i64(whole), e.lanes, [&](V n) {
      SmallVector<V> tile;
      V tiny;
      for (V row : from) {
        tile.push_back(words.vector(row, e.mul(n, 2)));
        V own = anyTiny(e, tile.back());
        tiny = tiny ? e.either(tiny, own) : own;
      }
      words.note(tiny);
      transpose(e, tile);
      V at = e.at(to, e.mul(n, rowBytes));
      for (int64_t w = 0; w < e.lanes; ++w) {
        e.prefetch(e.at(at, l.keyPanelBytes() + w * rowBytes));
        e.store(tile[w], e.at(at, w * rowBytes));
      }
    });
    if (whole < all)
      e.loop(e.i64(0), e.i64(e.lanes), 1, [&](V n) { scalars(e.add(key, n), whole); });
  };
  V grouped = e.select(e.eq(part.featureStride, e.i64(1)), e.mul(e.divUnsigned(count, e.lanes), e.lanes), e.i64(0));
  rows.eachGroup(grouped, count, transposed, [&](V key) { scalars(key, 0); });
}

// Two keys at a time: a panel's features of both are interleaved.
void attn::bf16::packValues(TaskEmitter &t, OperandEmitter &part, V first, V count) {
  Emit &e = t.e;
  const Layout &l = t.layout;
  PackRows rows(t, part, first);
  V out = t.valuesOf(first), staging = e.at(t.scratch, l.staging());
  V padded = e.mul(e.divUnsigned(e.add(count, l.width - 1), l.width), l.width);
  V panelBytes = e.mul(padded, l.width * 2);
  int64_t wordBytes = l.width * 4, whole = l.value / l.width, rest = l.value % l.width;
  auto halves = halvesType(e);
  V zero = e.splatInt(halves, 0);
  auto rowOf = [&](V key, V panel) {
    return e.at(out, e.add(e.mul(panel, panelBytes), e.mul(e.divUnsigned(key, 2), wordBytes)));
  };
  auto byOne = [&](V row, V panel, int64_t features) -> V {
    e.store(zero, staging);
    e.loop(e.i64(0), e.i64(features), 1, [&](V n) {
      V feature = e.add(e.mul(panel, l.width), n);
      V x = e.load(e.b.getIntegerType(16), e.at(row, e.mul(e.mul(feature, part.featureStride), 2)));
      e.store(x, e.at(staging, e.mul(n, 2)));
    });
    return e.load(halves, staging);
  };
  SmallVector<int64_t> low, high;
  for (int64_t n = 0; n < e.lanes; ++n) {
    low.append({n, 2 * e.lanes + n});
    high.append({e.lanes + n, 3 * e.lanes + n});
  }
  constexpr int64_t kAhead = 8;
  // `second`: there is a key behind this one.
  auto two = [&](V key, bool second, bool contiguous) {
    Words words(e, part, e.at(tinyOf(t, first, key), 4));
    SmallVector<V> tokens{rows.token(key)};
    if (second)
      tokens.push_back(rows.token(e.add(key, 1)));
    auto place = [&](V panel, int64_t features) {
      SmallVector<V> x;
      for (V token : tokens) {
        auto read = [&] {
          V row = part.row(token), from = e.at(row, e.mul(panel, l.width * 2));
          if (contiguous && !t.ordered())
            e.prefetch(e.at(from, e.mul(part.tokenStride, 2 * kAhead)));
          return contiguous && features == l.width ? e.load(halves, from) : byOne(row, panel, features);
        };
        x.push_back(t.ordered() ? e.choose(
                                      e.ge(token, e.i64(0)), {halves}, [&] { return SmallVector<V>{read()}; },
                                      [&] { return SmallVector<V>{zero}; })[0]
                                : read());
        words.note(anyTiny(e, x.back()));
      }
      if (!second)
        x.push_back(zero);
      V to = rowOf(key, panel);
      e.prefetch(e.at(to, kAhead / 2 * wordBytes));
      e.store(vector::ShuffleOp::create(e.b, e.loc, x[0], x[1], low), to);
      e.store(vector::ShuffleOp::create(e.b, e.loc, x[0], x[1], high), e.at(to, wordBytes / 2));
    };
    e.loop(e.i64(0), e.i64(whole), 1, [&](V panel) { place(panel, l.width); });
    if (rest)
      place(e.i64(whole), rest);
  };
  V even = e.mul(e.divUnsigned(count, 2), 2);
  auto all = [&](bool contiguous) {
    e.loop(e.i64(0), even, 2, [&](V key) { two(key, true, contiguous); });
    e.when(e.lt(even, count), [&] { two(even, false, contiguous); });
    return SmallVector<V>{};
  };
  e.choose(e.eq(part.featureStride, e.i64(1)), {}, [&] { return all(true); }, [&] { return all(false); });
  V from = e.mul(e.divUnsigned(e.add(count, 1), 2), 2);
  e.loop(from, padded, 2, [&](V key) {
    e.loop(e.i64(0), e.i64(l.valuePadded / l.width), 1, [&](V panel) {
      V to = rowOf(key, panel);
      e.store(zero, to);
      e.store(zero, e.at(to, wordBytes / 2));
    });
  });
}
