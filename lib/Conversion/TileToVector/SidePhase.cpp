// The main phase of a variant whose problems are small and many: `lanes` of them side by side, one to a lane, so that
// nothing is packed, no set is solved, and no lane is idle whatever the extents are.
//
//   for lanes problems:   Q, K, V to [token][feature][lane] by transposing in registers
//     for i, i + 1:       s_j = score(sum_c q_c k_j,c)   r = max_j s_j   p_j = phi(s_j - r)   l = sum_j p_j
//                         n_e = sum_j p_j v_j,e          finish(r, l, n), transposed back
//
// Past the last problem of a task the last is repeated, past the last key or query too: what is stored twice has the
// same bits. A lane depends on its own problem alone, and on nothing but that.
#include "MapPhase.h"
#include "attn-rt/attn_rt.h"

using namespace mlir;
using namespace attn;
using V = Value;
using Val = RegionEmitter::Val;

namespace {

constexpr int64_t kMostRows = 16, kMostKeys = 64, kMostPairs = 256, kMostBytes = 128 << 10;

class SideEmitter {
public:
  SideEmitter(TaskEmitter &t, tile::PhaseOp pack, tile::PhaseOp main)
      : t(t), e(t.e), e64(e.b, e.loc, Float64Type::get(e.b.getContext()), e.lanes * e.bytes), l(t.layout) {
    for (Operation &op : main.getBody().front()) {
      if (auto o = dyn_cast<tile::LoadOp>(op))
        q = side(o.getSources()[0], mapOf(o), t.queryDim(), t.dotDim(), l.dot);
      else if (auto o = dyn_cast<tile::ForOp>(op))
        forOp = o;
      else if (auto o = dyn_cast<tile::FinishOp>(op))
        finishOp = o;
    }
    auto packs = llvm::to_vector(pack.getBody().getOps<tile::PackOp>());
    k = side(packs[0].getSources()[0], mapOf(packs[0]), t.keyDim(), t.dotDim(), l.dot);
    v = side(packs[1].getSources()[0], mapOf(packs[1]), t.keyDim(), t.valueDim(), l.value);
    for (auto [n, output] : llvm::enumerate(finishOp.getOutputs()))
      outs.push_back(
          side(output, cast<AffineMapAttr>(finishOp.getMaps()[n]).getValue(), t.queryDim(), t.valueDim(), l.value));
    for (Operation &op : forOp.getBody().front()) {
      if (auto o = dyn_cast<tile::WeighOp>(op))
        weighOp = o;
      hasValues |= isa<tile::AccumulateOp>(op);
    }
    int64_t at = l.weights();
    auto place = [&](int64_t bytes) {
      int64_t from = at;
      at += llvm::alignTo(bytes, 64);
      return from;
    };
    for (Side *s : all())
      s->table = place(e.lanes * 8);
    q.rows = place(kMostRows * l.dot * vb());
    k.rows = place(kMostKeys * l.dot * vb());
    v.rows = place(kMostKeys * l.value * vb());
    scores = place(2 * kMostKeys * vb());
    sums = place(2 * l.value * vb());
    buffer = place(l.value * vb());
    end = at;
  }

  int64_t room() const { return end - l.weights(); }

  LogicalResult run() {
    V from = t.field(offsetof(attn_task, chunk), e.i64Type()), to = t.field(offsetof(attn_task, chunks), e.i64Type());
    I = t.extents[t.queryDim()], J = t.extents[t.keyDim()];
    e.loop(from, to, e.lanes, [&](V first) {
      findProblems(first, to);
      gather(q, I);
      gather(k, J);
      if (hasValues)
        gather(v, J);
      e.loop(e.i64(0), I, 2, [&](V i) { emitRows(i); });
    });
    auto count = [&](unsigned counter, V by) {
      V at = e.at(t.field(offsetof(attn_task, counters), e.ptrType()), counter * 8);
      e.store(e.add(e.loadI64(at), by), at);
    };
    V problems = e.sub(to, from);
    count(0, problems);
    count(3, e.mul(problems, e.mul(I, J)));
    return success();
  }

private:
  struct Side { // a tensor, of which every lane has a problem's part
    TensorRef *tensor;
    AffineMap map;
    Type element;
    int64_t size, features;
    unsigned token, feature;
    int64_t table = 0, rows = 0; // in scratch: where each lane's part begins; [token][feature][lane]
  };

  template <typename Op> static AffineMap mapOf(Op op) { return cast<AffineMapAttr>(op.getMaps()[0]).getValue(); }
  Side side(V tensor, AffineMap map, unsigned token, unsigned feature, int64_t features) {
    TensorRef &ref = t.tensor(cast<BlockArgument>(tensor).getArgNumber());
    Type element = ref.type.getElementType();
    return {&ref, map, element, Emit::elementBytes(element), features, token, feature};
  }
  SmallVector<Side *> all() {
    SmallVector<Side *> sides{&q, &k, &v};
    for (Side &s : outs)
      sides.push_back(&s);
    return sides;
  }
  int64_t vb() const { return e.lanes * e.bytes; }
  V scratch(int64_t at) { return e.at(t.scratch, at); }
  /// The part of lane `n`, at a token.
  V partOf(const Side &s, int64_t n, V token) {
    V base = e.load(e.ptrType(), scratch(s.table + n * 8));
    return e.at(base, e.mul(token, e.mul(t.stride(*s.tensor, s.map, s.token), s.size)));
  }

  /// Batch indices of the lanes, the last fastest, and where their parts of all tensors begin.
  void findProblems(V first, V end) {
    unsigned batch = t.program.getNumBatch();
    SmallVector<V> index(batch);
    V rest = first;
    for (unsigned d = batch; d-- > 0;) {
      V quotient = d ? (V)arith::DivUIOp::create(e.b, e.loc, rest, t.extents[d]) : V();
      index[d] = d ? e.sub(rest, e.mul(quotient, t.extents[d])) : rest;
      rest = quotient;
    }
    for (int64_t n = 0; n < e.lanes; ++n) {
      if (n > 0) {
        V moves = e.lt(e.add(first, n), end);
        for (unsigned d = batch; d-- > 0;) {
          V next = e.add(index[d], 1), wraps = e.both(moves, e.eq(next, t.extents[d]));
          index[d] = e.select(wraps, e.i64(0), e.select(moves, next, index[d]));
          moves = wraps;
        }
      }
      t.index.assign(index.begin(), index.end());
      for (Side *s : all())
        e.store(e.at(s->tensor->data, e.mul(t.baseOffset(*s->tensor, s->map), s->size)), scratch(s->table + n * 8));
    }
  }

  /// Calls `body` with the first of `lanes` features, until all were; the last ones may come twice.
  void eachBlock(int64_t features, llvm::function_ref<void(int64_t)> body) {
    for (int64_t c = 0; c < features; c += e.lanes)
      body(std::min(c, features - e.lanes));
  }
  void eitherWay(const Side &s, llvm::function_ref<void()> blocks, llvm::function_ref<void()> single) {
    if (s.features < e.lanes)
      return single();
    auto branch = [](llvm::function_ref<void()> f) {
      f();
      return SmallVector<V>{};
    };
    e.choose(
        e.eq(t.stride(*s.tensor, s.map, s.feature), e.i64(1)), {}, [&] { return branch(blocks); },
        [&] { return branch(single); });
  }

  void gather(const Side &s, V tokens) {
    V to = scratch(s.rows);
    auto placeOf = [&](int64_t n) { return e.loadI64(scratch(s.table + n * 8)); };
    V ahead = e.mul(e.sub(placeOf(1), placeOf(0)), e.lanes);
    auto lineOf = [&](V token) { return e.at(to, e.mul(token, s.features * vb())); };
    eitherWay(
        s,
        [&] {
          e.loop(e.i64(0), tokens, 1, [&](V token) {
            SmallVector<V> parts;
            for (int64_t n = 0; n < e.lanes; ++n)
              parts.push_back(partOf(s, n, token));
            V line = lineOf(token);
            eachBlock(s.features, [&](int64_t c) {
              SmallVector<V> tile;
              for (V part : parts) {
                tile.push_back(e.loadElements(s.element, e.at(part, c * s.size)));
                // Of the problems that come next, if batches lie as they are counted; a wrong address does no harm.
                if (c == 0 || c * s.size / 64 != (c - e.lanes) * s.size / 64)
                  LLVM::Prefetch::create(e.b, e.loc, e.at(part, e.add(ahead, c * s.size)), e.b.getI32IntegerAttr(0),
                                         e.b.getI32IntegerAttr(3), e.b.getI32IntegerAttr(1));
              }
              transpose(e, tile);
              for (int64_t n = 0; n < e.lanes; ++n)
                e.store(tile[n], e.at(line, (c + n) * vb()));
            });
          });
        },
        [&] {
          V stride = e.mul(t.stride(*s.tensor, s.map, s.feature), s.size);
          e.loop(e.i64(0), tokens, 1, [&](V token) {
            SmallVector<V> parts;
            for (int64_t n = 0; n < e.lanes; ++n)
              parts.push_back(partOf(s, n, token));
            V line = lineOf(token);
            e.loop(e.i64(0), e.i64(s.features), 1, [&](V c) {
              V offset = e.mul(c, stride), at = e.at(line, e.mul(c, vb()));
              for (int64_t n = 0; n < e.lanes; ++n)
                e.store(e.loadElement(s.element, e.at(parts[n], offset)), e.at(at, n * e.bytes));
            });
          });
        });
  }

  /// The row of features in `buffer`, [feature][lane], to the parts.
  void scatter(const Side &s, V token, int64_t rows) {
    V from = scratch(rows);
    eitherWay(
        s,
        [&] {
          eachBlock(s.features, [&](int64_t c) {
            SmallVector<V> tile;
            for (int64_t n = 0; n < e.lanes; ++n)
              tile.push_back(e.load(e.vec, e.at(from, (c + n) * vb())));
            transpose(e, tile);
            for (int64_t n = 0; n < e.lanes; ++n)
              e.storeElement(tile[n], s.element, e.at(partOf(s, n, token), c * s.size));
          });
        },
        [&] {
          V stride = e.mul(t.stride(*s.tensor, s.map, s.feature), s.size);
          for (int64_t n = 0; n < e.lanes; ++n) {
            V part = partOf(s, n, token);
            e.loop(e.i64(0), e.i64(s.features), 1, [&](V c) {
              V x = e.load(e.real, e.at(e.at(from, e.mul(c, vb())), n * e.bytes));
              e.storeElement(x, s.element, e.at(part, e.mul(c, stride)));
            });
          }
        });
  }

  RegionEmitter region64() { return RegionEmitter(e64, t.tensors, t.params, scratch(l.gather())); }
  RegionEmitter region() { return RegionEmitter(e, t.tensors, t.params, scratch(l.gather())); }
  V emitted(RegionEmitter &r, V x) {
    auto value = r.emit(x);
    return succeeded(value) ? r.asVector(value->v) : e.splat(0);
  }

  /// Rows i and i + 1.
  void emitRows(V first) {
    V last = e.sub(I, e.i64(1));
    V rows[] = {first, e.min(e.add(first, 1), last)};
    double inf = std::numeric_limits<double>::infinity();
    V s = scratch(scores), lastKey = e.sub(J, e.i64(1));
    auto scoreAt = [&](unsigned r, V j) { return e.at(s, e.add(e.mul(j, vb()), e.i64(r * kMostKeys * vb()))); };
    constexpr int64_t keys = 4;
    auto largest = e.loop(e.i64(0), J, keys, ValueRange{e.splat(-inf), e.splat(-inf)}, [&](V j, ValueRange max) {
      SmallVector<V> at;
      for (int64_t n = 0; n < keys; ++n)
        at.push_back(e.min(e.add(j, n), lastKey));
      SmallVector<V> x = products(rows, at), m(max);
      for (unsigned r = 0; r < 2; ++r)
        for (int64_t n = 0; n < keys; ++n) {
          V y = scoreOf(x[r * keys + n], rows[r], at[n]);
          e.store(y, scoreAt(r, at[n]));
          m[r] = e.maxKeep(y, m[r]); // a NaN drops out
        }
      return m;
    });
    // Where there is no score above -inf, no weight is: 2^(-inf - 0) = 0.
    V shift[2];
    for (unsigned r = 0; r < 2; ++r)
      shift[r] = e.select(e.cmpf(arith::CmpFPredicate::OEQ, largest[r], e.splat(-inf)), e.splat(0), largest[r]);
    auto total = e.loop(e.i64(0), J, 1, ValueRange{e.splat(0), e.splat(0)}, [&](V j, ValueRange before) {
      SmallVector<V> sum(before);
      for (unsigned r = 0; r < 2; ++r) {
        RegionEmitter phi = region();
        phi.boundedExp2 = true;
        Block &block = weighOp.getPhi().front();
        phi.bind(block.getArgument(0), Val{e.fsub(e.load(e.vec, scoreAt(r, j)), shift[r])});
        V p = emitted(phi, block.getTerminator()->getOperand(0));
        e.store(p, scoreAt(r, j));
        sum[r] = e.fadd(sum[r], p);
      }
      return sum;
    });
    if (hasValues) {
      // Once more where something is not finite: a weight of 0 meets no value (edge contract 2).
      V poison = accumulate(scoreAt, false);
      e.when(e.anyLane(e.cmpf(arith::CmpFPredicate::UNO, poison, poison)), [&] { accumulate(scoreAt, true); });
    }
    for (unsigned r = 0; r < 2; ++r)
      finish(r, rows[r], largest[r], total[r]);
  }

  /// q_r . k_j for two rows and some keys, row by row.
  SmallVector<V> products(ArrayRef<V> rows, ArrayRef<V> keys) {
    SmallVector<V> qs, ks, sums(rows.size() * keys.size(), e.splat(0));
    for (V i : rows)
      qs.push_back(e.at(scratch(q.rows), e.mul(i, l.dot * vb())));
    for (V j : keys)
      ks.push_back(e.at(scratch(k.rows), e.mul(j, l.dot * vb())));
    auto step = [&](V offset, int64_t more, MutableArrayRef<V> s) {
      SmallVector<V> xs, ys;
      for (V at : qs)
        xs.push_back(e.load(e.vec, e.at(e.at(at, offset), more)));
      for (V at : ks)
        ys.push_back(e.load(e.vec, e.at(e.at(at, offset), more)));
      for (unsigned r = 0; r < xs.size(); ++r)
        for (unsigned n = 0; n < ys.size(); ++n)
          s[r * ys.size() + n] = e.fma(xs[r], ys[n], s[r * ys.size() + n]);
    };
    constexpr int64_t unroll = 4;
    int64_t whole = l.dot / unroll * unroll;
    if (whole)
      sums = e.loop(e.i64(0), e.i64(whole * vb()), unroll * vb(), sums, [&](V offset, ValueRange args) {
        SmallVector<V> inner(args);
        for (int64_t u = 0; u < unroll; ++u)
          step(offset, u * vb(), inner);
        return inner;
      });
    for (int64_t c = whole; c < l.dot; ++c)
      step(e.i64(0), c * vb(), sums);
    return sums;
  }

  V scoreOf(V product, V i, V j) {
    RegionEmitter r = region();
    Block &block = weighOp.getScore().front();
    r.bind(block.getArgument(0), Val{product});
    r.bind(block.getArgument(1 + t.queryDim()), r.indexScalar(i, t.queryDim()));
    r.bind(block.getArgument(1 + t.keyDim()), r.indexScalar(j, t.keyDim()));
    return emitted(r, block.getTerminator()->getOperand(0));
  }

  /// n_re = sum_j p_rj v_je; the result is NaN in lanes where that is not finite.
  V accumulate(llvm::function_ref<V(unsigned, V)> weightAt, bool guarded) {
    V poison = e.splat(0);
    constexpr int64_t width = 4;
    for (int64_t from = 0; from < l.value; from += width) {
      int64_t count = std::min(width, l.value - from);
      SmallVector<V> n(2 * count, e.splat(0));
      n = e.loop(e.i64(0), J, 1, n, [&](V j, ValueRange args) {
        SmallVector<V> inner(args);
        V line = e.at(scratch(v.rows), e.mul(j, l.value * vb()));
        V p[] = {e.load(e.vec, weightAt(0, j)), e.load(e.vec, weightAt(1, j))};
        for (int64_t f = 0; f < count; ++f) {
          V x = e.load(e.vec, e.at(line, (from + f) * vb()));
          for (unsigned r = 0; r < 2; ++r) {
            V y = x;
            if (guarded)
              y = e.select(e.cmpf(arith::CmpFPredicate::OEQ, p[r], e.splat(0)), e.splat(0), x);
            inner[r * count + f] = e.fma(p[r], y, inner[r * count + f]);
          }
        }
        return inner;
      });
      for (unsigned r = 0; r < 2; ++r)
        for (int64_t f = 0; f < count; ++f) {
          e.store(n[r * count + f], scratch(sums + (r * l.value + from + f) * vb()));
          poison = e.fma(n[r * count + f], e.splat(0), poison);
        }
    }
    return poison;
  }

  void finish(unsigned r, V row, V ref, V total) {
    Block &body = finishOp.getBody().front();
    SmallVector<V> state;
    if (finishOp.getRef())
      state.push_back(finishOp.getRef());
    llvm::append_range(state, finishOp.getSums());
    unsigned firstAcc = state.size();
    BlockArgument accumulator;
    auto bound = [&](RegionEmitter of, V ref, V total) {
      for (auto [n, position] : llvm::enumerate(finishOp.getOrder())) {
        if (position >= firstAcc)
          accumulator = body.getArgument(n);
        else
          of.bind(body.getArgument(n), Val{position == 0 ? ref : total});
      }
      return of;
    };
    RegionEmitter once = bound(region(), ref, total);
    // A row with a NaN has no largest score, but is not empty.
    V empty = e.both(e.cmpf(arith::CmpFPredicate::OEQ, ref, e.splat(-std::numeric_limits<double>::infinity())),
                     e.cmpf(arith::CmpFPredicate::ORD, total, total));
    for (unsigned n = 0; n < outs.size(); ++n) {
      const Side &s = outs[n];
      double emptyValue = cast<FloatAttr>(finishOp.getEmpty()[n]).getValueAsDouble();
      V value = body.getTerminator()->getOperand(finishOp.getYields()[n]);
      bool wide = llvm::any_of(s.map.getResults(), [&](AffineExpr x) { return x.isFunctionOfDim(t.valueDim()); });
      auto overridden = [&](V x) { return std::isnan(emptyValue) ? x : e.select(empty, e.splat(emptyValue), x); };
      V wanted = LLVM::ICmpOp::create(e.b, e.loc, LLVM::ICmpPredicate::ne, s.tensor->data,
                                      LLVM::ZeroOp::create(e.b, e.loc, e.ptrType()));
      e.when(wanted, [&] {
        if (!wide) {
          // In f64, as everywhere, for what is a sum of logarithms may cancel.
          V at = scratch(buffer);
          for (int64_t lane = 0; lane < e.lanes; lane += e64.lanes) {
            auto part = [&](V x) -> V {
              SmallVector<int64_t> lanes;
              for (int64_t n = 0; n < e64.lanes; ++n)
                lanes.push_back(lane + n);
              V some = vector::ShuffleOp::create(e.b, e.loc, x, x, lanes);
              return e.real.isF64() ? some : (V)arith::ExtFOp::create(e.b, e.loc, e64.vec, some);
            };
            RegionEmitter inner = bound(region64(), part(ref), part(total));
            auto emitted = inner.emit(value);
            V x = succeeded(emitted) ? inner.asVector(emitted->v) : e64.splat(0);
            if (!e.real.isF64())
              x = arith::TruncFOp::create(e.b, e.loc, e64.vecOf(e.real), x);
            e.store(x, e.at(at, lane * e.bytes));
          }
          e.store(overridden(e.load(e.vec, at)), at);
          for (int64_t lane = 0; lane < e.lanes; ++lane)
            e.storeElement(e.load(e.real, e.at(at, lane * e.bytes)), s.element, partOf(s, lane, row));
          return;
        }
        for (int64_t f = 0; f < l.value; ++f) {
          RegionEmitter inner = once;
          if (accumulator)
            inner.bind(accumulator, Val{e.load(e.vec, scratch(sums + (r * l.value + f) * vb()))});
          e.store(overridden(emitted(inner, value)), scratch(buffer + f * vb()));
        }
        scatter(s, row, buffer);
      });
    }
  }

  TaskEmitter &t;
  Emit &e, e64;
  const Layout &l;
  tile::ForOp forOp;
  tile::WeighOp weighOp;
  tile::FinishOp finishOp;
  bool hasValues = false;
  Side q, k, v;
  SmallVector<Side> outs;
  int64_t scores, sums, buffer, end; // in scratch
  V I, J;
};

} // namespace

int64_t attn::sideRoom(TaskEmitter &t, tile::PhaseOp pack, tile::PhaseOp main) {
  return SideEmitter(t, pack, main).room();
}

LogicalResult attn::emitSidePhase(TaskEmitter &t, tile::PhaseOp pack, tile::PhaseOp main) {
  return SideEmitter(t, pack, main).run();
}

V attn::emitSideGuard(TaskEmitter &t) {
  Emit &e = t.e;
  V rows = t.extents[t.queryDim()], keys = t.extents[t.keyDim()];
  V fits = e.both(e.both(e.le(rows, e.i64(kMostRows)), e.le(keys, e.i64(kMostKeys))),
                  e.both(e.lt(e.i64(0), keys), e.le(e.mul(rows, keys), e.i64(kMostPairs))));
  // Keys and values of all lanes stay in the caches of a core.
  int64_t bytes = (t.layout.dot + t.layout.value) * t.layout.lanes * t.layout.element;
  fits = e.both(fits, e.le(e.mul(keys, bytes), e.i64(kMostBytes)));
  return arith::ExtUIOp::create(e.b, e.loc, e.b.getI32Type(), fits);
}
