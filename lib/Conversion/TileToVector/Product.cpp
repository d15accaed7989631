// What a microtile's scores begin as: sum_c q_rc k_jc, or sum_c of what the product region of tile.weigh says.
#include "MainEmitter.h"

using namespace mlir;
using namespace attn;
using V = Value;
using Val = RegionEmitter::Val;

SmallVector<V> MainEmitter::dot(V panel) {
  V keyPanel = keyPanelAt(panel);
  if (branchAt)
    keyPanel = e.at(keyPanel, branchAt);
  if (l.bf16Scores && l.tiles) // made for the group before
    return loadRows(e.at(productsOf(panel), e.mul(inGroup, l.tileRows * l.width * e.bytes)));
  if (l.bf16Scores)
    return productOfWords(keyPanel);
  return weighOp.getProduct().empty() ? product(keyPanel) : contraction(keyPanel);
}

// s_rj = sum_c q_rc k_cj, two vectors of keys and one broadcast query element a step: the FMA loop.
SmallVector<V> MainEmitter::product(V keyPanel) {
  SmallVector<V> start(2 * l.tileRows, e.splat(0));
  V q = qRow;
  auto step = [&](V keys, V queries, int64_t c, MutableArrayRef<V> s) {
    V k0 = e.load(e.vec, e.at(keys, c * l.width * e.bytes)),
      k1 = e.load(e.vec, e.at(keys, (c * l.width + e.lanes) * e.bytes));
    for (int64_t r = 0; r < l.tileRows; ++r) {
      V x = e.broadcast(e.load(e.real, e.at(queries, (r * l.dot + c) * e.bytes)));
      s[2 * r] = e.fma(x, k0, s[2 * r]);
      s[2 * r + 1] = e.fma(x, k1, s[2 * r + 1]);
    }
  };
  // Without fused multiply-adds two products are added before their sum is: a sum is rounded half as often, at no cost.
  auto twoSteps = [&](V keys, V queries, int64_t c, MutableArrayRef<V> s) {
    for (int64_t r = 0; r < l.tileRows; ++r) {
      V x[2];
      for (int64_t n : {0, 1})
        x[n] = e.broadcast(e.load(e.real, e.at(queries, (r * l.dot + c + n) * e.bytes)));
      for (int64_t half = 0; half < 2; ++half) {
        V product[2];
        for (int64_t n : {0, 1})
          product[n] = e.fmul(x[n], e.load(e.vec, e.at(keys, ((c + n) * l.width + half * e.lanes) * e.bytes)));
        s[2 * r + half] = e.fadd(e.fadd(product[0], product[1]), s[2 * r + half]);
      }
    }
  };
  constexpr int64_t unroll = 4;
  int64_t whole = l.dot / unroll * unroll;
  SmallVector<V> s = start;
  if (whole) {
    // The keys' offset is carried: LLVM would multiply in every step where registers are short.
    start.push_back(e.i64(0));
    s = e.loop(e.i64(0), e.i64(whole), unroll, start, [&](V c, ValueRange args) {
      SmallVector<V> inner(args);
      V offset = inner.pop_back_val(), keys = e.at(keyPanel, offset), queries = e.at(q, e.mul(c, e.bytes));
      for (int64_t u = 0; u < unroll; u += l.fusesAdd() ? 1 : 2)
        l.fusesAdd() ? step(keys, queries, u, inner) : twoSteps(keys, queries, u, inner);
      inner.push_back(e.add(offset, unroll * l.width * e.bytes));
      return inner;
    });
    s.pop_back();
  }
  for (int64_t c = whole; c < l.dot; ++c)
    step(keyPanel, q, c, s);
  return s;
}

/// Of the tree that makes one vector of what the lanes of `lanes` vectors come to, the levels `from` to `to`, each with
/// half as many vectors as the one before. Neighbors are combined, first inside units of 16 bytes, then whole units:
/// two shuffles and one `combine` for every two vectors.
SmallVector<V> MainEmitter::reduceLanes(SmallVector<V> vectors, unsigned from, unsigned to,
                                        llvm::function_ref<V(V, V)> combine) {
  int64_t unit = 16 / e.bytes;
  for (unsigned level = from; level < to; ++level) {
    bool inside = (int64_t(1) << level) < unit;
    int64_t size = inside ? 1 : unit, group = inside ? unit : e.lanes;
    // Even and odd pieces of `size` lanes of both, group by group.
    SmallVector<int64_t> even, odd;
    for (int64_t g = 0; g < e.lanes; g += group)
      for (int64_t side : {g, e.lanes + g})
        for (int64_t piece = 0; piece < group; piece += 2 * size)
          for (int64_t n = 0; n < size; ++n) {
            even.push_back(side + piece + n);
            odd.push_back(side + piece + size + n);
          }
    SmallVector<V> sums;
    for (size_t n = 0; n < vectors.size(); n += 2) {
      V x = vector::ShuffleOp::create(e.b, e.loc, vectors[n], vectors[n + 1], even);
      V y = vector::ShuffleOp::create(e.b, e.loc, vectors[n], vectors[n + 1], odd);
      sums.push_back(combine(x, y));
    }
    vectors = sums;
  }
  return vectors;
}

SmallVector<V> MainEmitter::addLanes(SmallVector<V> vectors, unsigned from, unsigned to) {
  return reduceLanes(std::move(vectors), from, to, [&](V x, V y) { return e.fadd(x, y); });
}

Contraction::Contraction(Emit &e, tile::WeighOp weigh) : e(e), block(weigh.getProduct().front()) {
  // Which arguments an op depends on: 1 the query's element, 2 the key's.
  DenseMap<V, unsigned> from{{block.getArgument(0), 1}, {block.getArgument(1), 2}};
  DenseMap<V, Operation *> lastUse;
  for (Operation &op : block) {
    unsigned of = 0;
    for (V operand : op.getOperands()) {
      of |= from.lookup(operand);
      lastUse[operand] = &op;
    }
    for (V result : op.getResults())
      from[result] = of;
    if (!isa<tile::YieldOp>(op))
      ops[of].push_back(&op);
  }
  // Vectors that are alive at once beside accumulators and keys: the query's element, what the region holds, and what
  // an expansion of a function needs. A constant comes from memory.
  unsigned now = 1;
  DenseSet<V> alive;
  for (Operation &op : block.without_terminator()) {
    if (isa<arith::ConstantOp>(op))
      continue;
    for (V operand : op.getOperands())
      if (lastUse[operand] == &op && alive.erase(operand))
        --now;
    bool function = op.getDialect()->getNamespace() == "math" &&
                    !isa<math::AbsFOp, math::SqrtOp, math::FmaOp, math::FloorOp, math::CeilOp, math::CopySignOp>(op);
    temporaries = std::max(temporaries, now + (function ? 8 : 1));
    for (V result : op.getResults())
      if (alive.insert(result).second)
        ++now;
    temporaries = std::max(temporaries, now);
  }
}

int64_t Contraction::rowsAtOnce(int64_t tileRows) const {
  int64_t registers = e.lanes * e.bytes >= 64 ? 32 : 16, rows = (registers - 2 - temporaries) / 2;
  rows = std::clamp<int64_t>(rows, 1, tileRows);
  while (tileRows % rows)
    --rows;
  return rows;
}

RegionEmitter Contraction::with(const RegionEmitter &base, unsigned of, V element) {
  RegionEmitter region = base;
  if (of)
    region.bind(block.getArgument(of - 1), Val{element});
  for (Operation *op : ops[of])
    for (V result : op->getResults())
      (void)region.emit(result);
  if (!bad && !region.checks.empty())
    bad = region.checks.front();
  return region;
}

V Contraction::add(const RegionEmitter &ofQuery, const RegionEmitter &ofKey, V sum) {
  RegionEmitter region = ofKey;
  region.bindAll(ofQuery);
  auto vectorOf = [&](V v) {
    auto emitted = region.emit(v);
    return succeeded(emitted) ? region.asVector(emitted->v) : sum;
  };
  V result = block.getTerminator()->getOperand(0);
  auto negated = result.getDefiningOp<arith::NegFOp>();
  if (auto factors = (negated ? negated.getOperand() : result).getDefiningOp<arith::MulFOp>()) {
    V x = vectorOf(factors.getLhs()), y = vectorOf(factors.getRhs());
    sum = e.fma(negated ? (V)arith::NegFOp::create(e.b, e.loc, x) : x, y, sum);
  } else {
    sum = e.fadd(sum, vectorOf(result));
  }
  if (!bad && !region.checks.empty())
    bad = region.checks.front();
  return sum;
}

void Contraction::refuse(Operation *op) const {
  if (!bad)
    return;
  auto program = op->getParentOfType<tile::ProgramOp>();
  op->emitError("[unsupported_dot] the dot region reads '")
      << cast<StringAttr>(program.getArgNames()[bad->argument]).getValue() << "' by an index of axis " << bad->axis
      << " that may be out of bounds, and is run for every feature of every pair, where a check would cost more than "
         "the sum; index by batch dimensions and the feature alone, or by what stays inside a static extent (e.g. "
         "arith.remui by a constant), or read it in the region of q or k, where every element is checked once";
}

RegionEmitter MainEmitter::atFeature(Block &block, V c) {
  RegionEmitter region = makeRegion();
  for (unsigned d = 0; d < t.program.getNumBatch(); ++d)
    region.bind(block.getArgument(2 + d), region.indexScalar(t.index[d], d));
  Val feature = isa<VectorType>(c.getType()) ? Val{c} : region.indexScalar(c, t.dotDim());
  feature.lo = 0, feature.hi = l.dot - 1, feature.plainDim = t.dotDim();
  region.provesBounds = true;
  region.bind(block.getArgument(2 + t.program.getNumBatch()), feature);
  return region;
}

// s_rj = sum_c dot(q_rc, k_jc): as the product, but only so many rows at a time that what the region holds stays in
// registers beside their sums.
SmallVector<V> MainEmitter::contraction(V keyPanel) {
  Contraction region(e, weighOp);
  int64_t rows = region.rowsAtOnce(l.tileRows);
  // A step of few instructions is worth more of them in a turn of the loop.
  int64_t unroll = region.isLight() ? 4 : 1, whole = l.dot / unroll * unroll;
  auto sumsOf = [&](V queries) {
    auto step = [&](V keysAt, V queriesAt, V feature, MutableArrayRef<V> s) {
      RegionEmitter common = region.with(atFeature(weighOp.getProduct().front(), feature), Contraction::Common);
      SmallVector<RegionEmitter> keys;
      for (int64_t half = 0; half < 2; ++half)
        keys.push_back(region.with(common, Contraction::Key, e.load(e.vec, e.at(keysAt, half * e.lanes * e.bytes))));
      for (int64_t r = 0; r < rows; ++r) {
        V element = e.broadcast(e.load(e.real, e.at(queriesAt, r * l.dot * e.bytes)));
        RegionEmitter query = region.with(common, Contraction::Query, element);
        for (int64_t half = 0; half < 2; ++half)
          s[2 * r + half] = region.add(query, keys[half], s[2 * r + half]);
      }
    };
    SmallVector<V> s(2 * rows, e.splat(0));
    s.push_back(e.i64(0));
    if (whole)
      s = e.loop(e.i64(0), e.i64(whole), unroll, s, [&](V c, ValueRange args) {
        SmallVector<V> inner(args);
        V offset = inner.pop_back_val();
        for (int64_t u = 0; u < unroll; ++u)
          step(e.at(e.at(keyPanel, offset), u * l.width * e.bytes), e.at(e.at(queries, e.mul(c, e.bytes)), u * e.bytes),
               e.add(c, u), inner);
        inner.push_back(e.add(offset, unroll * l.width * e.bytes));
        return inner;
      });
    s.pop_back();
    for (int64_t c = whole; c < l.dot; ++c)
      step(e.at(keyPanel, c * l.width * e.bytes), e.at(queries, c * e.bytes), e.i64(c), s);
    return s;
  };
  SmallVector<V> result;
  if (rows == l.tileRows) {
    result = sumsOf(qRow);
  } else {
    V query = qRow, out = e.at(t.scratch, l.tile());
    e.loop(e.i64(0), e.i64(l.tileRows), rows, [&](V r) {
      for (auto [n, v] : llvm::enumerate(sumsOf(e.at(query, e.mul(r, l.dot * e.bytes)))))
        e.store(v, e.at(e.at(out, e.mul(r, l.width * e.bytes)), n * e.lanes * e.bytes));
    });
    result = loadTile();
  }
  region.refuse(weighOp);
  return result;
}
