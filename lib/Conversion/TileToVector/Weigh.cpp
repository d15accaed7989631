// One microtile: scores in registers, reference, weights, sums (tile.weigh).
#include "Bf16.h"
#include "MainEmitter.h"
#include "attn/Conversion/FmaOnce.h"
#include "llvm/ADT/bit.h"

using namespace mlir;
using namespace attn;
using V = Value;

/// Registers are numbered row * 2 + half.
void MainEmitter::storeTile(ArrayRef<V> s) {
  V at = e.at(t.scratch, l.tile());
  for (auto [n, v] : llvm::enumerate(s))
    e.store(v, e.at(at, n * e.lanes * e.bytes));
}

/// Products, for scores before a reference is subtracted.
void MainEmitter::storeScores(ArrayRef<V> s) {
  V at = e.at(t.scratch, l.scores());
  for (auto [n, v] : llvm::enumerate(s))
    e.store(v, e.at(at, n * e.lanes * e.bytes));
}

/// A vector of scores in the kernel's units; a score region stored them itself.
V MainEmitter::keptScore(V rowOffset, int64_t half) {
  V x = e.load(e.vec, e.at(e.at(e.at(t.scratch, l.scores()), rowOffset), half * e.lanes * e.bytes));
  return hasScore ? x : e.fmul(x, factor);
}

SmallVector<V> MainEmitter::loadTile() { return loadRows(e.at(t.scratch, l.tile())); }

SmallVector<V> MainEmitter::loadRows(V at) {
  SmallVector<V> s;
  for (int64_t n = 0; n < 2 * l.tileRows; ++n)
    s.push_back(e.load(e.vec, e.at(at, n * e.lanes * e.bytes)));
  return s;
}

/// For the guarded path: which pairs have a weight at all. Absent scores are -inf; a visible score of -inf hides its
/// value too.
void MainEmitter::noteVisible(V panel, ArrayRef<V> scores) {
  V at = e.at(visibleMasks(), e.mul(panel, scores.size() * e.maskBytes()));
  V absent = e.splat(-std::numeric_limits<double>::infinity());
  for (auto [n, s] : llvm::enumerate(scores))
    e.store(e.laneBits(e.cmpf(arith::CmpFPredicate::UNE, s, absent)), e.at(at, n * e.maskBytes()));
}

/// Absent scores become -inf in registers; their weight is exactly 0.
SmallVector<V> MainEmitter::maskInline(SmallVector<V> s, V partial, V panel) {
  SmallVector<Type> types(s.size(), e.vec);
  return e.choose(
      partial, types,
      [&] {
        SmallVector<V> masked;
        V keyLo = keyAt(panel), last = lastRow;
        V absent = e.splat(-std::numeric_limits<double>::infinity());
        for (int64_t r = 0; r < l.tileRows; ++r) {
          RegionEmitter region = makeRegion();
          V row = e.min(e.add(rowLo, r), last);
          for (unsigned half = 0; half < 2; ++half) {
            masked.push_back(e.select(laneMask(region, row, keyLo, half).visible, s[2 * r + half], absent));
          }
        }
        return masked;
      },
      [&] { return s; });
}

/// The first bad index of the call is kept; the pair is absent.
void MainEmitter::report(ArrayRef<RegionEmitter::BoundsCheck> checks, V visible) {
  for (const RegionEmitter::BoundsCheck &check : checks) {
    V ok = isa<VectorType>(check.ok.getType()) ? check.ok : e.broadcast(check.ok);
    V ones = e.splatInt(e.vecOf(e.b.getI1Type()), 1);
    V bad = e.both(visible, arith::XOrIOp::create(e.b, e.loc, ok, ones));
    e.when(e.anyLane(bad), [&] {
      V index = check.index;
      if (auto type = dyn_cast<VectorType>(index.getType())) {
        // The first bad lane's index.
        V found = e.i64(0);
        for (int64_t lane = e.lanes - 1; lane >= 0; --lane)
          found = e.select(vector::ExtractOp::create(e.b, e.loc, bad, ArrayRef<int64_t>{lane}),
                           vector::ExtractOp::create(e.b, e.loc, index, ArrayRef<int64_t>{lane}), found);
        index = found;
      }
      t.reportIndex(e.i1(true), check.argument, check.axis, index);
    });
  }
}

/// factor * product - reference, rounded once: the difference is small beside both. Where later passes take the
/// reference off too they have the score, which is rounded itself; so it is here (see PassForm.h).
V MainEmitter::takenOff(V product, V factor, V negative) {
  return weighOp.getExact() ? e.fadd(e.fmul(product, factor), negative) : fmaOnce(e, product, factor, negative);
}

/// score - reference; a last multiplication (by log2 e) and the subtraction are one step.
V MainEmitter::scoreRelative(RegionEmitter &region, V result, V r) {
  auto emitted = [&](V v) {
    auto x = region.emit(v);
    return succeeded(x) ? region.asVector(x->v) : e.splat(0);
  };
  if (!hasRef)
    return emitted(result);
  V reference = e.broadcast(e.load(e.real, e.at(negRef, e.mul(r, e.bytes))));
  if (auto product = result.getDefiningOp<arith::MulFOp>(); product && !region.isBound(result))
    return takenOff(emitted(product.getLhs()), emitted(product.getRhs()), reference);
  return e.fadd(emitted(result), reference);
}

void MainEmitter::modifyRow(V r, V partial, V panel, ScoreFrom from) {
  V keyLo = keyAt(panel);
  V row = e.min(e.add(rowLo, r), lastRow);
  TaskEmitter::Row own(t, row);
  V rowAt = e.at(e.at(t.scratch, l.tile()), e.mul(r, l.width * e.bytes));
  V ones = e.splatInt(e.vecOf(e.b.getI1Type()), 1);
  for (unsigned half = 0; half < 2; ++half) {
    V at = e.at(rowAt, half * e.lanes * e.bytes);
    V s = e.load(e.vec, at);
    RegionEmitter region = makeRegion();
    if (from != ScoreFrom::None) {
      region.contracts = region.ofScores = true;
      // t = score(s; indices), then relative to the reference
      Block &block = weighOp.getScore().front();
      region.bind(block.getArgument(0), region.real(s));
      for (unsigned d = 0; d < t.program.getNumBatch(); ++d)
        region.bind(block.getArgument(1 + d), region.indexScalar(t.index[d], d));
      region.bind(block.getArgument(1 + t.queryDim()), queryIndex(region, row));
      SetEmitter set = makeSet(region);
      region.bind(block.getArgument(1 + t.keyDim()), bindKey(region, set, e.add(keyLo, half * e.lanes)));
      if (from == ScoreFrom::Parts)
        bindParts(region, panel, r, half);
      V score = block.getTerminator()->getOperand(0);
      s = scoreRelative(region, score, r);
      if (keepsScores) {
        auto whole = region.emit(score);
        V scoresAt = e.at(e.at(t.scratch, l.scores()), e.mul(r, l.width * e.bytes));
        e.store(succeeded(whole) ? region.asVector(whole->v) : s, e.at(scoresAt, half * e.lanes * e.bytes));
      }
    }
    auto inSet = [&] {
      RegionEmitter conditions = makeRegion();
      LaneMask mask = laneMask(conditions, row, keyLo, half);
      if (mask.unknown)
        report(conditions.checks, mask.unknown);
      return mask.visible;
    };
    V absent = e.splat(-std::numeric_limits<double>::infinity());
    if (region.checks.empty()) { // scores are chosen rather than bits, which would have to be widened again
      auto masked = [&] { return SmallVector<V>{e.select(inSet(), s, absent)}; };
      s = from == ScoreFrom::None ? masked()[0]
                                  : e.choose(partial, {e.vec}, masked, [&] { return SmallVector<V>{s}; })[0];
      e.store(s, at);
      continue;
    }
    V visible = e.choose(
        partial, {ones.getType()}, [&] { return SmallVector<V>{inSet()}; }, [&] { return SmallVector<V>{ones}; })[0];
    report(region.checks, visible);
    for (const RegionEmitter::BoundsCheck &check : region.checks)
      visible = e.both(visible, region.asVector(check.ok));
    e.store(e.select(visible, s, absent), at);
  }
}

/// Scores through L1, one row at a time: the code of a score region or of a general condition is emitted once.
SmallVector<V> MainEmitter::modifyRows(SmallVector<V> s, V partial, V panel, ScoreFrom from) {
  auto through = [&] {
    storeTile(s);
    e.loop(e.i64(0), e.i64(l.tileRows), 1, [&](V r) { modifyRow(r, partial, panel, from); });
    return loadTile();
  };
  if (from != ScoreFrom::None)
    return through();
  SmallVector<Type> types(s.size(), e.vec);
  return e.choose(partial, types, through, [&] { return s; });
}

/// What a weight is multiplied by before it meets the value: dropout.
V MainEmitter::valueFactor(V r, V panel, unsigned half) {
  Block &block = weighOp.getFactor().front();
  TaskEmitter::Row own(t, e.min(e.add(rowLo, r), lastRow));
  RegionEmitter region = makeRegion();
  SetEmitter set = makeSet(region);
  for (unsigned d = 0; d < t.program.getNumBatch(); ++d)
    region.bind(block.getArgument(d), region.indexScalar(t.index[d], d));
  region.bind(block.getArgument(t.queryDim()), queryIndex(region, e.min(e.add(rowLo, r), lastRow)));
  V keyLo = e.add(keyAt(panel), half * e.lanes);
  region.bind(block.getArgument(t.keyDim()), bindKey(region, set, keyLo));
  auto factor = region.emit(block.getTerminator()->getOperand(0));
  return succeeded(factor) ? region.asVector(factor->v) : e.splat(0);
}

/// Numbers of the rows, from argument `first` on.
void MainEmitter::bindGiven(RegionEmitter &region, Block &block, unsigned first, ValueRange given, V row) {
  for (auto [n, tile] : llvm::enumerate(given))
    if (BlockArgument arg = block.getArgument(first + n); !arg.use_empty())
      region.bind(arg, region.real(loadRow(tile, row)));
}

SmallVector<V> MainEmitter::phiOf(V x, V r, SmallVectorImpl<V> *bounded) {
  Block &phi = weighOp.getPhi().front();
  RegionEmitter region = makeRegion();
  region.bounded = bounded;
  region.boundedExp2 = plainPhi, region.coarseExp2 = l.coarseWeights;
  region.bind(phi.getArgument(0), region.real(x));
  V row = e.add(e.sub(rowLo, first), r);
  if (weighOp.getUsesRef())
    region.bind(phi.getArgument(1), region.real(referenceOf(row)));
  bindGiven(region, phi, weighOp.getUsesRef() ? 2 : 1, weighOp.getGiven(), row);
  SmallVector<V> weights;
  V absent = e.splat(-std::numeric_limits<double>::infinity());
  for (V yielded : phi.getTerminator()->getOperands()) {
    auto weight = region.emit(yielded);
    V w = succeeded(weight) ? region.asVector(weight->v) : x;
    if (!plainPhi && !bounded) {
      // A score of +inf makes its row NaN, whatever the weight is (edge contract 3); s - r is NaN there by itself.
      if (!hasRef)
        w = e.fma(x, e.splat(0), w);
      w = e.select(e.cmpf(arith::CmpFPredicate::OEQ, x, absent), e.splat(0), w);
    }
    weights.push_back(w);
  }
  return weights;
}

/// The pattern of the largest |x|, which a NaN exceeds; `largest` may be null.
V MainEmitter::largestOf(V largest, V x) {
  VectorType words = e.vecOf(e.b.getI32Type());
  V size = arith::AndIOp::create(e.b, e.loc, e.bitcast(x, words), e.splatInt(words, 0x7fffffff));
  return largest ? e.max(largest, size) : size;
}

/// Whether that is at most the limit in every lane.
V MainEmitter::isTame(V largest, double limit) {
  V most = e.splatInt(e.vecOf(e.b.getI32Type()), llvm::bit_cast<int32_t>((float)limit));
  return e.invert(e.anyLane(e.cmp(arith::CmpIPredicate::sgt, largest, most)));
}

/// Whether a logistic function's argument is bounded for finite scores alone: it is made of the score by operations
/// that take what is not finite to what is not finite.
static bool showsScore(V z, V score) {
  if (z == score)
    return true;
  Operation *op = z.getDefiningOp();
  return op && isa<arith::AddFOp, arith::SubFOp, arith::MulFOp, arith::NegFOp>(op) &&
         llvm::any_of(op->getOperands(), [&](V v) { return showsScore(v, score); });
}

static bool showsScores(Block &phi) {
  return llvm::any_of(phi, [&](Operation &op) {
    V z = RegionEmitter::logisticArgument(&op);
    return z && showsScore(z, phi.getArgument(0));
  });
}

/// p = phi(s - r), kept for the product with the values, and added to the row's lanes of each sum.
///
/// Without a reference any score counts, also +-inf. Most microtiles have finite scores alone, and neither absent pairs
/// nor infinite ones need code there: what is stored for them is replaced where they are met after all.
V MainEmitter::storeWeights(ArrayRef<V> s, V panel) {
  auto careful = [&](ArrayRef<V> s) {
    return storeWeights(s, panel, [&](int64_t r) {
      return SmallVector<V>{phiOf(s[2 * r], e.i64(r))[0], phiOf(s[2 * r + 1], e.i64(r))[0]};
    });
  };
  if (hasRef || !e.real.isF32())
    return careful(s);
  storeTile(s);
  Block &phi = weighOp.getPhi().front();
  bool shows = showsScores(phi);
  // A logistic function is never 0 within its bound.
  bool noZero = RegionEmitter::logisticArgument(phi.getTerminator()->getOperand(0).getDefiningOp()) &&
                weighOp.getFactor().empty();
  SmallVector<V> p, bounded, held = sums;
  V largest, largestArgument;
  sums.clear(); // not before it is known what is added
  V zero = storeWeights(
      s, panel,
      [&](int64_t r) {
        for (unsigned half = 0; half < 2; ++half) {
          V x = s[2 * r + half];
          p.push_back(phiOf(x, e.i64(r), &bounded)[0]);
          if (!shows)
            largest = largestOf(largest, x);
          for (V z : bounded)
            largestArgument = largestOf(largestArgument, z);
          bounded.clear();
        }
        return SmallVector<V>{p[2 * r], p[2 * r + 1]};
      },
      noZero);
  sums = held;
  V tame = largest ? isTame(largest, std::numeric_limits<float>::max()) : V();
  if (largestArgument) {
    V inside = isTame(largestArgument, Emit::kLogisticBound);
    tame = tame ? e.both(tame, inside) : inside;
  }
  if (!zero)
    zero = e.i1(false);
  zero = e.choose(
      tame, {e.b.getI1Type()},
      [&] {
        for (int64_t r = 0; r < l.tileRows; ++r)
          addToSums(r, p[2 * r], p[2 * r + 1]);
        V none = arith::ConstantOp::create(e.b, e.loc, e.b.getI32IntegerAttr(0));
        e.when(e.ne(e.load(e.b.getI32Type(), stripUnset), none), [&] { noteSeen(loadTile()); });
        return SmallVector<V>{zero};
      },
      [&] {
        SmallVector<V> again = loadTile();
        V zero = careful(again);
        noteSeen(again);
        return SmallVector<V>{zero ? zero : e.i1(false)};
      })[0];
  return accumulates.empty() ? V() : zero;
}

void MainEmitter::addToSums(int64_t r, V p0, V p1) {
  for (V sum : sums) {
    V at = e.at(sum, r * e.lanes * e.bytes);
    e.store(e.fadd(e.load(e.vec, at), e.fadd(p0, p1)), at);
  }
}

/// Null: no weight is 0 (`noZero`), or any may be and costs nothing.
V MainEmitter::storeWeights(ArrayRef<V> s, V panel, llvm::function_ref<SmallVector<V>(int64_t r)> weightsOfRow,
                            bool noZero) {
  V weights = e.at(weightsOf(0), e.mul(panel, l.width * l.weightBytes()));
  Type words = e.vecOf(e.b.getIntegerType(e.bytes * 8));
  V some; // the patterns of all weights together
  for (int64_t r = 0; r < l.tileRows; ++r) {
    SmallVector<V> p = weightsOfRow(r);
    addToSums(r, p[0], p[1]);
    V kept[2];
    for (unsigned half = 0; half < 2 && !accumulates.empty(); ++half) {
      V w = weighOp.getFactor().empty() ? p[half] : e.fmul(p[half], valueFactor(e.i64(r), panel, half));
      kept[half] = w;
      if (!l.bf16Values)
        e.store(w, e.at(weights, (r * l.blockKeys + half * e.lanes) * e.bytes));
      if (plainPhi || noZero)
        continue;
      V pattern = e.bitcast(w, words);
      some = some ? e.either(some, pattern) : pattern;
    }
    if (l.bf16Values && !accumulates.empty())
      e.store(bf16::pack(e, kept[0], kept[1]), e.at(weights, r * l.weightRowBytes()));
  }
  if (!hasRef && e.real.isF64())
    noteSeen(s);
  // All are +0 or -0 where together they are.
  return some ? e.invert(e.anyLane(e.cmpf(arith::CmpFPredicate::UNE, e.bitcast(some, e.vec), e.splat(0)))) : V();
}

/// Without a reference nothing else tells an empty row from one whose weights are all zero.
void MainEmitter::noteSeen(ArrayRef<V> s) {
  Type i32 = e.b.getI32Type();
  V zero = arith::ConstantOp::create(e.b, e.loc, e.b.getI32IntegerAttr(0)), left = zero;
  V absent = e.splat(-std::numeric_limits<double>::infinity());
  for (int64_t r = 0; r < l.tileRows; ++r) {
    V seen = e.either(e.cmpf(arith::CmpFPredicate::UNE, s[2 * r], absent),
                      e.cmpf(arith::CmpFPredicate::UNE, s[2 * r + 1], absent));
    V at = e.at(unset, r * 4), now = e.select(e.anyLane(seen), zero, e.load(i32, at));
    e.store(now, at);
    left = e.either(left, now);
  }
  e.store(left, stripUnset);
}

V MainEmitter::weigh(V panel, V status, V runStart) {
  V partial = e.eq(status, arith::ConstantOp::create(e.b, e.loc, e.b.getI8IntegerAttr(1)));
  auto scores = [&] {
    SmallVector<V> s = dot(panel);
    if (keepsScores && !hasScore)
      storeScores(s);
    else if (keepsFirst())
      e.when(expectsRaise(), [&] { storeScores(s); });
    // factor * s - r
    if (!hasScore)
      for (int64_t r = 0; r < l.tileRows; ++r) {
        V reference = hasRef ? e.broadcast(e.load(e.real, e.at(negRef, r * e.bytes))) : e.splat(0);
        for (int64_t half = 0; half < 2; ++half)
          s[2 * r + half] = takenOff(s[2 * r + half], factor, reference);
      }
    return hasScore ? scoresOf(s, partial, panel) : masked(s, partial, panel);
  };
  auto done = [&](ArrayRef<V> s) {
    if (plainPhi && !accumulates.empty())
      e.when(guarded, [&] { noteVisible(panel, s); });
    return simple ? storeWeights(s, panel) : inlineSums ? reduceInline(s, panel) : reduceRows(s, panel);
  };
  if (weighOp.getSpreadTo()) {
    spreadRows(scores(), panel);
    return V();
  }
  if (!hasRef)
    return done(scores());
  // Computed once, as a rule; once more after a reference moved, so that a score is always rounded once, against the
  // reference it is weighed with.
  V r0 = e.sub(rowLo, first);
  V scale = hasScore ? e.scalar(1) : (V)vector::ExtractOp::create(e.b, e.loc, factor, ArrayRef<int64_t>{0});
  SmallVector<V> s = e.repeat(SmallVector<Type>(2 * l.tileRows, e.vec), [&](SmallVector<V> &s) {
    s = scores();
    SmallVector<Type> types(s.size(), e.vec);
    types.push_back(e.b.getI1Type());
    auto moved = e.choose(
        needsRaise(s), types,
        [&] {
          // Through memory, so that the hot path keeps nothing alive for it.
          storeTile(s);
          V again = LLVM::CallOp::create(e.b, e.loc, TypeRange{e.b.getI1Type()}, raiseName,
                                         ValueRange{t.scratch, r0, panel, runStart, scale})
                        .getResult();
          SmallVector<V> r = loadTile();
          r.push_back(again);
          return r;
        },
        [&] {
          SmallVector<V> r = s;
          r.push_back(e.i1(false));
          return r;
        });
    V again = moved.pop_back_val();
    s = moved;
    return again;
  });
  return done(s);
}
