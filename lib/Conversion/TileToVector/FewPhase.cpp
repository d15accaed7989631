#include "FewEmitter.h"
#include "attn/Schedule/Schedule.h"
#include "llvm/ADT/bit.h"

using namespace mlir;
using namespace attn;
using V = Value;

/// Vectors of a part or of the values that are unrolled; beyond, runs of so many are the body of a loop.
static constexpr int64_t kRun = 8;

int64_t FewEmitter::pairsOf(OperandEmitter &part) {
  // bf16 elements are halves of words of 32 bits: the even ones need a shift, the odd ones a mask.
  bool halves = part.isPlain() ? part.element().isBF16() && e.real.isF32() : part.featureDivisor() == 2;
  return halves && part.extent % (2 * e.lanes) == 0 ? 2 : 1;
}

FewEmitter::Source FewEmitter::sourceOf(tile::PackOp op, unsigned n) {
  OperandEmitter part = partOf(t, op, n);
  int64_t pairs = pairsOf(part);
  return {part, part.extent / e.lanes, pairs};
}

/// Here addresses and strides of the task's tensors are made, ahead of all loops.
void FewEmitter::bindLists() {
  for (auto op : pack.getBody().getOps<tile::PackOp>())
    for (unsigned n = 0; n < op.getSources().size(); ++n)
      (op.getPanels().getType().getLanesKeys() ? keys : values).push_back(sourceOf(op, n));
}

/// Queries in the order of the keys' vectors.
void FewEmitter::arrangeQuery(V row) {
  int64_t vector = 0;
  for (Source &s : MutableArrayRef(keys).take_front(keys.size() / l.branches)) { // those of one branch are as of any
    for (int64_t n = 0; s.pairs == 2 && n < s.vectors; n += 2) {
      V at = e.at(row, (vector + n) * e.lanes * e.bytes), next = e.at(at, e.lanes * e.bytes);
      V x = e.load(e.vec, at), y = e.load(e.vec, next);
      SmallVector<int64_t> even, odd;
      for (int64_t lane = 0; lane < e.lanes; ++lane) {
        even.push_back(2 * lane);
        odd.push_back(2 * lane + 1);
      }
      e.store(vector::ShuffleOp::create(e.b, e.loc, x, y, even), at);
      e.store(vector::ShuffleOp::create(e.b, e.loc, x, y, odd), next);
    }
    vector += s.vectors;
  }
}

/// The token at a position of the block. Behind the last key stands the last once more, with a weight of 0.
FewEmitter::Row FewEmitter::open(Source &s, V position) {
  V last = e.sub(t.positions, e.i64(1));
  if (!s.part.isPlain())
    return {V(), s.part.open(e.min(e.add(blockFirst, position), last))};
  // Bytes instead of tokens, from the block's first: they go up by a constant from key to key.
  V bytes = e.mul(s.part.tokenStride, s.part.size());
  V offset = e.min(e.mul(position, bytes), e.mul(e.sub(last, blockFirst), bytes));
  return {e.at(s.part.row(blockFirst), offset), std::nullopt};
}

/// Vector `base` + n, in the order above; `base` is null for 0, else a multiple of kRun and `most` at most.
V FewEmitter::vectorOf(Source &s, const Row &row, int64_t n, V base, int64_t most, bool unscaled) {
  if (s.part.isPlain()) {
    V at = e.at(row.at, n / s.pairs * s.pairs * e.lanes * s.part.size());
    if (base)
      at = e.at(at, e.mul(base, e.lanes * s.part.size()));
    if (s.pairs == 1)
      return e.loadElements(s.part.element(), at);
    VectorType words = e.vecOf(e.b.getI32Type()); // which need not be aligned as such
    V both = e.bitcast(e.load(VectorType::get({2 * e.lanes}, e.b.getI16Type()), at), words);
    return e.bitcast(n % 2 ? (V)arith::AndIOp::create(e.b, e.loc, both, e.splatInt(words, 0xffff0000))
                           : (V)arith::ShLIOp::create(e.b, e.loc, both, e.splatInt(words, 16)),
                     e.vec);
  }
  FeatureLanes feature;
  for (int64_t lane = 0; lane < e.lanes; ++lane)
    feature.at.push_back(s.pairs == 2 ? (n / 2 * e.lanes + lane) * 2 + n % 2 : n * e.lanes + lane);
  if (base) {
    feature.base = e.mul(base, e.lanes);
    feature.multiple = kRun * e.lanes;
    feature.most = most * e.lanes;
  }
  return s.part.vectorAt(*row.opened, feature, unscaled);
}

/// Asks for all lines of the row of a token three quarters of a page ahead, for the second level: what fetches by
/// itself does not run far enough ahead. A whole page would be the same set of the cache as what is read now, and is
/// slower by a tenth. `n`: which of the tokens that are met together; of rows that share a line one asks.
void FewEmitter::fetchAhead(Source &s, V position, int64_t n, V base) {
  int64_t bytes = s.part.rowBytes();
  if (bytes < 64 && n * bytes % 64)
    return;
  V at = s.part.place(e.add(blockFirst, e.add(position, std::max<int64_t>(1, 3072 / bytes))));
  if (!at)
    return;
  if (base) // of a loop over runs of vectors, of which the first asks
    return e.when(e.eq(base, e.i64(0)), [&] { fetchAhead(s, position, n); });
  for (int64_t line = 0; line < bytes; line += 64)
    e.prefetch(e.at(at, line), /*locality=*/2);
}

SmallVector<V> FewEmitter::dot(V panel) {
  bool scaled = llvm::any_of(keys, [](const Source &s) { return s.part.hasFactor(); });
  SmallVector<V> s = products(panel, false);
  if (!scaled)
    return s;
  V poison = e.splat(0);
  for (V x : s)
    poison = e.fma(x, e.splat(0), poison);
  SmallVector<Type> types(s.size(), e.vec);
  return e.choose(
      e.anyLane(e.cmpf(arith::CmpFPredicate::UNO, poison, poison)), types,
      [&] {
        SmallVector<V> exact = products(panel, true);
        for (auto [x, y] : llvm::zip(s, exact)) {
          V none = e.fmul(x, e.splat(0));
          y = e.select(e.cmpf(arith::CmpFPredicate::UNO, none, none), y, x);
        }
        return exact;
      },
      [&] { return s; });
}

// s_rj = sum_c q_rc k_jc: a key or two by all rows of the strip, an accumulator each, so that keys are met in the order
// in which they lie. Of several branches a row meets the keys of its own. `exact`: scales multiply elements.
SmallVector<V> FewEmitter::products(V panel, bool exact) {
  // What conversions hold of each key, scales and offsets, has registers of its own.
  bool plain = llvm::all_of(keys, [](const Source &s) { return s.part.isPlain(); });
  int64_t rows = l.tileRows, atOnce = rows <= (plain ? 6 : 1) ? 2 : 1; // keys
  V first = e.mul(panel, l.width), sumsAt = e.at(t.scratch, l.staging());
  // One row has a sum of even and one of odd vectors, which do not wait for each other.
  const int64_t chains = rows == 1 ? 2 : 1, count = atOnce * rows;
  unsigned levels = llvm::Log2_64(atOnce), all = llvm::Log2_64(e.lanes);
  int64_t vb = e.lanes * e.bytes;
  e.loop(e.i64(0), e.i64(l.width), atOnce, [&](V key) {
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
        V position = e.add(e.add(first, key), n);
        opened.push_back(open(s, position));
        fetchAhead(s, position, n);
      }
      auto step = [&](int64_t c, V base, int64_t most, MutableArrayRef<V> sums) {
        V queries = e.at(qRow, (before + c) * vb);
        if (base)
          queries = e.at(queries, e.mul(base, vb));
        SmallVector<V> ks;
        for (const Row &row : opened)
          ks.push_back(vectorOf(s, row, c, base, most, scaled));
        for (int64_t r = branch; r < rows; r += l.branches) {
          V x = e.load(e.vec, e.at(queries, r * l.dot * e.bytes));
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
          bool ofBranch = r % l.branches == branch;
          sum = !ofBranch ? other : number % parts ? e.fma(sum, factor, other) : e.fmul(sum, factor);
        }
      }
      before += s.vectors;
    }
    V to = e.at(sumsAt, e.mul(e.divUnsigned(key, atOnce), rows * vb));
    for (int64_t r = 0; r < rows; ++r) {
      SmallVector<V> own;
      for (int64_t n = 0; n < atOnce; ++n)
        own.push_back(sums[n * rows + r]);
      e.store(addLanes(own, 0, levels)[0], e.at(to, r * vb));
    }
  });
  SmallVector<V> s;
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t half = 0; half < 2; ++half) {
      SmallVector<V> groups;
      for (int64_t n = 0; n < e.lanes / atOnce; ++n)
        groups.push_back(e.load(e.vec, e.at(sumsAt, ((half * e.lanes / atOnce + n) * rows + r) * vb)));
      s.push_back(addLanes(groups, levels, all)[0]);
    }
  return s;
}

/// Keys, then their values: two streams by turns. Of rows of four lines and more a panel is a page, and by turns of one
/// both go on side by side; shorter rows take four, or each turn would begin what fetches by itself anew.
int64_t FewEmitter::panelsAtOnce() {
  return l.tileRows > 1 || values.empty() || values[0].part.rowBytes() >= 256 ? 1 : 4;
}

/// Sums of a microtile's products, sums of values, copies of values.
int64_t FewEmitter::stagedVectors(const Layout &l) {
  int64_t vectors = l.value / l.lanes;
  return 2 * l.tileRows * l.lanes + vectors + l.width * vectors;
}

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

/// Row by row of the strip over all features: so memory is read in the order in which it lies, by the first row of the
/// strip, and what fetches ahead of the program sees one stream. To go by columns, whose sums for all rows fit in
/// registers, reads a line of every row at a time and costs half of the bandwidth. With 32 registers sums of all rows
/// are there for some vectors, and a value is loaded once. Values that need more than a conversion have it once.
void FewEmitter::accumulateFast(unsigned n, V, V, V from, V to) {
  Source &source = values[0];
  V weights = weightsOf(n), acc = accOf(n);
  int64_t all = source.vectors, vb = e.lanes * e.bytes;
  V sumsAt = e.at(t.scratch, l.staging() + 2 * l.tileRows * e.lanes * vb), copies = e.at(sumsAt, all * vb);
  bool copied = l.tileRows > 1 && !source.part.isPlain();
  bool scaled = source.part.hasFactor() && !copied;
  auto vectorAt = [&](const Row &row, int64_t c, V base, int64_t most) -> V {
    if (!copied)
      return vectorOf(source, row, c, base, most, scaled);
    V at = e.at(row.at, c * vb);
    return e.load(e.vec, base ? e.at(at, e.mul(base, vb)) : at);
  };
  auto copyOf = [&](V position) { return Row{e.at(copies, e.mul(e.sub(position, from), all * vb)), std::nullopt}; };
  if (copied)
    e.loop(from, to, 1, [&](V key) {
      Row row = open(source, key);
      fetchAhead(source, key, 0);
      V copy = copyOf(key).at;
      eachRun(kRun, [&](int64_t count, V base, int64_t first, int64_t most) {
        V at = e.at(base ? e.at(copy, e.mul(base, vb)) : copy, first * vb);
        for (int64_t c = 0; c < count; ++c)
          e.store(vectorOf(source, row, first + c, base, most), e.at(at, c * vb));
      });
    });
  const int64_t unroll = copied || isa<FloatType>(source.part.element()) ? 4 : 2; // keys
  auto step = [&](V p, V key, int64_t count, V base, int64_t first, int64_t most, ValueRange before) {
    SmallVector<V> s(before);
    for (int64_t u = 0; u < unroll; ++u) {
      V position = e.add(key, u);
      Row row = copied ? copyOf(position) : open(source, position);
      V weight = e.load(e.real, e.at(e.at(p, e.mul(key, e.bytes)), u * e.bytes));
      if (!copied && !first)
        fetchAhead(source, position, u, base);
      V x = e.broadcast(scaled ? e.fmul(weight, source.part.factorOf(*row.opened)) : weight);
      for (int64_t c = 0; c < count; ++c)
        s[c] = e.fma(x, vectorAt(row, first + c, base, most), s[c]);
    }
    return s;
  };
  if (l.tileRows > 1 && vb >= 64) {
    const int64_t rows = l.tileRows, run = std::min<int64_t>(llvm::bit_floor<uint64_t>(24 / rows), kRun);
    eachRun(run, [&](int64_t count, V base, int64_t first, int64_t most) {
      SmallVector<V> start(rows * count, e.splat(0));
      auto sums = e.loop(from, to, unroll, start, [&](V key, ValueRange before) {
        SmallVector<V> s(before);
        for (int64_t u = 0; u < unroll; ++u) {
          V position = e.add(key, u);
          Row row = copied ? copyOf(position) : open(source, position);
          if (!copied && !first)
            fetchAhead(source, position, u, base);
          SmallVector<V> weight;
          for (int64_t r = 0; r < rows; ++r)
            weight.push_back(
                e.broadcast(e.load(e.real, e.at(e.at(weights, e.mul(key, e.bytes)), (r * l.blockKeys + u) * e.bytes))));
          for (int64_t c = 0; c < count; ++c) {
            V value = vectorAt(row, first + c, base, most);
            for (int64_t r = 0; r < rows; ++r)
              s[r * count + c] = e.fma(weight[r], value, s[r * count + c]);
          }
        }
        return s;
      });
      V out = e.at(base ? e.at(acc, e.mul(base, vb)) : acc, first * vb);
      for (int64_t r = 0; r < rows; ++r)
        addRun(e.at(out, r * l.valueRowBytes()), count, ArrayRef<V>(sums).slice(r * count, count));
    });
    return;
  }
  e.loop(e.i64(0), e.i64(l.tileRows), 1, [&](V r) {
    V p = e.at(weights, e.mul(r, l.blockKeys * e.bytes)), out = e.at(acc, e.mul(r, l.valueRowBytes()));
    if (all <= kRun) {
      SmallVector<V> start(all, e.splat(0));
      auto sums =
          e.loop(from, to, unroll, start, [&](V key, ValueRange args) { return step(p, key, all, V(), 0, 0, args); });
      addRun(out, all, sums);
      return;
    }
    // More sums than registers: a few keys at a time, between whom they wait in memory.
    auto sumAt = [&](V base, int64_t c) { return e.at(base ? e.at(sumsAt, e.mul(base, vb)) : sumsAt, c * vb); };
    for (int64_t c = 0; c < all; ++c)
      e.store(e.splat(0), sumAt(V(), c));
    e.loop(from, to, unroll, [&](V key) {
      eachRun(kRun, [&](int64_t count, V base, int64_t first, int64_t most) {
        SmallVector<V> sums;
        for (int64_t c = 0; c < count; ++c)
          sums.push_back(e.load(e.vec, sumAt(base, first + c)));
        sums = step(p, key, count, base, first, most, sums);
        for (int64_t c = 0; c < count; ++c)
          e.store(sums[c], sumAt(base, first + c));
      });
    });
    eachRun(kRun, [&](int64_t count, V base, int64_t first, int64_t) {
      SmallVector<V> sums;
      for (int64_t c = 0; c < count; ++c)
        sums.push_back(e.load(e.vec, sumAt(base, first + c)));
      addRun(e.at(base ? e.at(out, e.mul(base, vb)) : out, first * vb), count, sums);
    });
  });
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

/// Few rows, of the number of queries alone; rows of features that are contiguous; no group a short one; and where keys
/// are split, many of them.
V attn::emitFewGuard(TaskEmitter &t, tile::VariantOp variant, tile::PhaseOp pack, tile::PhaseOp main) {
  Emit &e = t.e;
  V good = main.getChunks() || t.layout.together
               ? arith::TruncIOp::create(e.b, e.loc, e.b.getI1Type(),
                                         t.layout.together ? emitTogetherGuard(t, main) : emitSplitGuard(t, main))
               : e.i1(true);
  int64_t most = cast<IntegerAttr>(variant->getAttr(kFewAttr)).getInt();
  good = e.both(good, e.le(t.extents[t.queryDim()], e.i64(most)));
  for (auto op : pack.getBody().getOps<tile::PackOp>())
    for (unsigned n = 0; n < op.getSources().size(); ++n)
      if (V fast = partOf(t, op, n).isContiguous())
        good = e.both(good, fast);
  return arith::ExtUIOp::create(e.b, e.loc, e.b.getI32Type(), good);
}

int64_t attn::fewVectors(const Layout &layout) { return FewEmitter::stagedVectors(layout); }

LogicalResult attn::emitFewPhase(TaskEmitter &t, tile::VariantOp variant, tile::PhaseOp pack, tile::PhaseOp main,
                                 tile::PhaseOp twin, ModuleOp module, StringRef prefix) {
  return FewEmitter(t, variant, pack, main, module, prefix).run(twin);
}
