// Split keys: what a task leaves of its chunk (tile.save), and one state of every row out of those of all chunks
// (tile.merge).
//
// A state is a record a row: accumulators, vectors of lanes of each sum, reference, mode. Lanes are kept apart until
// the finish, as if one task had seen all keys: so an argmax needs no code of its own, and one chunk gives the bits of
// none. A row that met no key is its mode alone, which merges as nothing. A block's chunks follow each other.
#include "MainEmitter.h"
#include "attn-rt/attn_rt.h"
#include "attn/Schedule/Schedule.h"

using namespace mlir;
using namespace attn;
using V = Value;

/// Offset of a row's record, in which the mode comes last.
V MainEmitter::recordAt(V state, V row) { return e.at(state, e.mul(row, l.recordBytes())); }

// True if any accumulator or weighed sum of the block is not finite.
V MainEmitter::save() {
  V state = t.field(offsetof(attn_task, state), e.ptrType());
  V unset1 = mode(1);
  SmallVector<bool> weighed(l.stateSums, false);
  for (unsigned slot : weighedSlots)
    weighed[slot] = true;
  V bad = e.loop(e.i64(0), e.mul(strips, l.tileRows), 1, ValueRange{e.splat(0)}, [&](V row, ValueRange args) {
    V record = recordAt(state, row), now = e.load(e.b.getI32Type(), modeAt(row));
    e.store(now, e.at(record, l.recordMode()));
    auto poison = e.choose(
        e.ne(now, unset1), {e.vec},
        [&] {
          V p = args[0];
          for (unsigned n = 0; n < l.stateAccs; ++n) {
            V from = accRow(n, row), to = e.at(record, l.recordAcc(n));
            p = e.loop(e.i64(0), e.i64(l.valueRowBytes()), e.lanes * e.bytes, ValueRange{p},
                       [&](V at, ValueRange inner) {
                         V x = e.load(e.vec, e.at(from, at));
                         e.store(x, e.at(to, at));
                         return SmallVector<V>{e.fma(x, e.splat(0), inner[0])};
                       })[0];
          }
          for (unsigned n = 0; n < l.stateSums; ++n) {
            V x = e.load(e.vec, sumRow(n, row));
            e.store(x, e.at(record, l.recordSum(n)));
            if (weighed[n])
              p = e.fma(x, e.splat(0), p);
          }
          e.store(referenceOf(row), e.at(record, l.recordRef()));
          saveTops(record, row);
          return SmallVector<V>{p};
        },
        [&] { return SmallVector<V>{args[0]}; });
    return poison;
  })[0];
  return e.anyLane(e.cmpf(arith::CmpFPredicate::UNO, bad, bad));
}

// r = max_n ref_n over the chunks in which the row met a key; sum = sum_n gauge(ref_n - r) sum_n
void MainEmitter::merge(tile::MergeOp op) {
  V states = t.field(offsetof(attn_task, state), e.ptrType());
  V bytes = t.field(offsetof(attn_task, state_bytes), e.i64Type());
  V chunks = e.i64(op.getState().getDefiningOp<tile::PhaseOp>().getChunks().value());
  bool hasReference = (bool)op.getRef();
  Type i32 = e.b.getI32Type();
  eachRow([&](V row) {
    V record = recordAt(states, row);
    auto eachChunk = [&](ValueRange init, llvm::function_ref<SmallVector<V>(V chunk, ValueRange args)> body) {
      return e.loop(e.i64(0), chunks, 1, init, [&](V n, ValueRange args) {
        V chunk = e.at(record, e.mul(n, bytes));
        SmallVector<Type> types(args.getTypes());
        return e.choose(
            e.ne(e.load(i32, e.at(chunk, l.recordMode())), mode(1)), types, [&] { return body(chunk, args); },
            [&] { return SmallVector<V>(args); });
      });
    };
    auto refOf = [&](V chunk) { return e.load(e.real, e.at(chunk, l.recordRef())); };
    // A reference is a number or +inf.
    V r = e.scalar(-std::numeric_limits<double>::infinity());
    if (hasReference)
      r = eachChunk(ValueRange{r},
                    [&](V chunk, ValueRange best) { return SmallVector<V>{e.maxKeep(refOf(chunk), best[0])}; })[0];
    V found = eachChunk(ValueRange{e.i1(false)}, [&](V chunk, ValueRange some) {
      // The first takes the places, so that one state stays as it is.
      V isFirst = e.invert(some[0]);
      V fresh = e.broadcast(isFirst), gauge = e.splat(1);
      if (hasReference)
        gauge = e.broadcast(gaugeBetween(op.getGauge(), refOf(chunk), r));
      auto add = [&](V from, V to, bool weighed) {
        V x = e.load(e.vec, from);
        if (weighed && hasReference)
          x = e.fmul(x, gauge);
        e.store(e.select(fresh, x, e.fadd(e.load(e.vec, to), x)), to); // of the first what was there is not looked at
      };
      for (unsigned n = 0; n < l.stateAccs; ++n)
        eachVector(l.valueRowBytes(),
                   [&](V at) { add(e.at(e.at(chunk, l.recordAcc(n)), at), e.at(accRow(n, row), at), true); });
      unsigned slot = 0, top = 0;
      for (auto [phi, kind] : llvm::zip(op.getSumPhis(), op.getSumOps())) {
        V from = e.at(chunk, l.recordSum(slot)), to = sumRow(slot, row);
        if (kind == 0) {
          add(from, to, phi >= 0);
        } else if (kind == 3) {
          mergeFound(slot, chunk, row, isFirst);
          ++slot;
        } else if (kind == 4) {
          mergeTop(top++, slot, chunk, row, isFirst);
        } else {
          V x = e.load(e.vec, from), y = e.load(e.vec, to);
          V both = kind == 1 ? (V)arith::MaximumFOp::create(e.b, e.loc, x, y)
                             : (V)arith::MinimumFOp::create(e.b, e.loc, x, y);
          e.store(e.select(fresh, x, both), to);
        }
        ++slot;
      }
      return SmallVector<V>{e.i1(true)};
    })[0];
    e.choose(
        found, {},
        [&] {
          e.store(r, e.at(e.at(t.scratch, l.absRef()), e.mul(row, e.bytes)));
          e.store(mode(2), modeAt(row));
          return SmallVector<V>{};
        },
        [&] {
          clearRow(op, row);
          return SmallVector<V>{};
        });
  });
}

/// gauge(from - to), in f64 where the text's operations are there: it is the share of a whole chunk.
V MainEmitter::gaugeBetween(Region &gauge, V from, V to) {
  Block &body = gauge.front();
  bool wide = computesInF64(body) && !e.real.isF64();
  FloatType f64 = Float64Type::get(e.b.getContext());
  Emit other(e.b, e.loc, wide ? f64 : e.real, e.lanes * e.bytes);
  auto widened = [&](V v) -> V { return wide ? (V)arith::ExtFOp::create(e.b, e.loc, f64, v) : v; };
  RegionEmitter region(other, t.tensors, t.params, e.at(t.scratch, l.gather()));
  region.bind(body.getArgument(0), region.real(other.fsub(widened(from), widened(to))));
  auto g = region.emit(body.getTerminator()->getOperand(0));
  V v = succeeded(g) ? g->v : other.scalar(1);
  if (wide)
    v = arith::TruncFOp::create(e.b, e.loc, e.real, v);
  // Exactly 1 also where both are infinite.
  return e.select(e.cmpf(arith::CmpFPredicate::OEQ, from, to), e.scalar(1), v);
}

/// Lane by lane: greater, NaN where none was, or equal and of a lower key. Lanes without a key have the key -1.
void MainEmitter::mergeFound(unsigned slot, V chunk, V row, V isFirst) {
  auto integers = cast<VectorType>(e.vecOf(e.b.getIntegerType(e.bytes * 8)));
  V at = sumRow(slot, row), keysAt = sumRow(slot + 1, row);
  V x = e.load(e.vec, e.at(chunk, l.recordSum(slot))), k = e.load(integers, e.at(chunk, l.recordSum(slot + 1)));
  V before = e.load(e.vec, at), keys = e.load(integers, keysAt);
  V zero = e.splatInt(integers, 0), ones = e.splatInt(e.vecOf(e.b.getI1Type()), 1);
  V none = e.either(e.broadcast(isFirst), e.cmp(arith::CmpIPredicate::slt, keys, zero));
  V nan = e.cmpf(arith::CmpFPredicate::UNO, x, x), wasNan = e.cmpf(arith::CmpFPredicate::UNO, before, before);
  V greater = e.both(arith::XOrIOp::create(e.b, e.loc, wasNan, ones), e.cmpf(arith::CmpFPredicate::UGT, x, before));
  V same = e.either(e.cmpf(arith::CmpFPredicate::OEQ, x, before), e.both(nan, wasNan));
  V better = e.either(greater, e.both(same, e.cmp(arith::CmpIPredicate::slt, k, keys)));
  V take = e.either(none, e.both(e.cmp(arith::CmpIPredicate::sge, k, zero), better));
  e.store(e.select(take, x, before), at);
  e.store(e.select(take, k, keys), keysAt);
}

/// The state of a row that met no key.
void MainEmitter::clearRow(tile::MergeOp op, V row) {
  for (unsigned n = 0; n < l.stateAccs; ++n)
    eachVector(l.valueRowBytes(), [&](V at) { e.store(e.splat(0), e.at(accRow(n, row), at)); });
  unsigned slot = 0, top = 0;
  double inf = std::numeric_limits<double>::infinity();
  for (int64_t kind : op.getSumOps()) {
    if (kind == 4) {
      clearTop(top++, slot++, row);
      continue;
    }
    e.store(e.splat(kind == 0 ? 0 : kind == 2 ? inf : -inf), sumRow(slot++, row));
    if (kind == 3)
      e.store(e.splatInt(cast<VectorType>(e.vecOf(e.b.getIntegerType(e.bytes * 8))), -1), sumRow(slot++, row));
  }
  e.store(e.scalar(0), e.at(e.at(t.scratch, l.negRef()), e.mul(row, e.bytes)));
  e.store(mode(1), modeAt(row));
}

/// Rows of a block, whole strips, times a record.
V attn::stateBytes(TaskEmitter &t) {
  Emit &e = t.e;
  const Layout &l = t.layout;
  V rows = l.together ? t.rowsTogether() : t.extents[t.queryDim()];
  V strips = e.divUnsigned(e.add(rows, l.tileRows - 1), l.tileRows);
  return e.mul(e.min(strips, e.i64(l.blockRows / l.tileRows)), l.tileRows * l.recordBytes());
}

/// One block of queries, and a block of keys or more for every chunk. Of lengths alone: who else is in the batch, and
/// how many threads there are, may not change a row's bits.
V attn::emitSplitGuard(TaskEmitter &t, tile::PhaseOp main) {
  Emit &e = t.e;
  V oneBlock = e.le(t.extents[t.queryDim()], e.i64(main.getBlock()));
  V many = e.ge(t.extents[t.keyDim()], e.i64(*main.getChunks() * t.layout.blockKeys));
  return arith::ExtUIOp::create(e.b, e.loc, e.b.getI32Type(), e.both(oneBlock, many));
}

/// Of the number of queries alone, and where keys are split of that of the keys; no group may be a short one.
V attn::emitTogetherGuard(TaskEmitter &t, tile::PhaseOp main) {
  Emit &e = t.e;
  // Branches alone: as many queries as a block has room for of all of them.
  bool alone = t.layout.branches > 1;
  for (auto [d, share] : llvm::enumerate(t.program.getShare()))
    alone &= share == 1 || d == t.layout.branchDim;
  int64_t most = alone ? t.layout.blockRows / t.layout.branches : 0;
  V good = e.le(t.extents[t.queryDim()], e.i64(std::max(most, kTogetherQueries)));
  for (unsigned d = 0; d < t.program.getNumBatch(); ++d)
    if (int64_t share = t.program.getShare()[d]; share > 1) {
      V whole = e.mul(e.divUnsigned(t.extents[d], share), share);
      good = e.both(good, e.eq(whole, t.extents[d]));
    }
  if (main.getChunks())
    good = e.both(good, e.ge(t.extents[t.keyDim()], e.i64(*main.getChunks() * t.layout.blockKeys)));
  return arith::ExtUIOp::create(e.b, e.loc, e.b.getI32Type(), good);
}

LogicalResult attn::emitMergePhase(TaskEmitter &t, tile::VariantOp variant, tile::PhaseOp phase, ModuleOp module,
                                   StringRef prefix) {
  return MainEmitter(t, variant, tile::PhaseOp(), phase, module, prefix).runMerge();
}
