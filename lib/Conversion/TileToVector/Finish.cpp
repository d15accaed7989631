// Reference, sums and numbers of every row to its outputs (tile.finish).
#include "MainEmitter.h"

using namespace mlir;
using namespace attn;
using V = Value;

void MainEmitter::eachVector(int64_t bytes, V &carried, llvm::function_ref<V(V offset, V carried)> body) {
  const int64_t vector = e.lanes * e.bytes, vectors = bytes / vector, atOnce = vectorsAtOnce(vectors);
  auto some = [&](V at, V x) {
    for (int64_t n = 0; n < atOnce; ++n)
      x = body(n ? e.add(at, n * vector) : at, x);
    return x;
  };
  if (atOnce == vectors)
    carried = some(e.i64(0), carried);
  else if (carried)
    carried = e.loop(e.i64(0), e.i64(bytes), atOnce * vector, ValueRange{carried},
                     [&](V at, ValueRange x) { return SmallVector<V>{some(at, x[0])}; })[0];
  else
    e.loop(e.i64(0), e.i64(bytes), atOnce * vector, [&](V at) { some(at, V()); });
}

void MainEmitter::eachVector(int64_t bytes, llvm::function_ref<void(V offset)> body) {
  V none;
  eachVector(bytes, none, [&](V at, V) { return body(at), V(); });
}

/// True if any accumulator of the block is not finite.
V MainEmitter::finish() {
  matchNumbers();
  V bad = e.loop(e.i64(0), rows, 1, ValueRange{e.splat(0)},
                 [&](V r, ValueRange args) { return SmallVector<V>{finishRow(r, args[0])}; })[0];
  finishNumbers();
  return e.anyLane(e.cmpf(arith::CmpFPredicate::UNO, bad, bad));
}

/// `poison`: 0 * x is 0 for every finite x, else NaN.
V MainEmitter::finishRow(V r, V poison) {
  TaskEmitter::Row own(t, e.add(first, r));
  Block &body = finishOp.getBody().front();
  SmallVector<V> state;
  if (finishOp.getRef())
    state.push_back(finishOp.getRef());
  llvm::append_range(state, finishOp.getSums());
  llvm::append_range(state, finishOp.getAccs());
  llvm::append_range(state, finishOp.getGiven());
  V empty = isEmpty(r);
  keepEmpty(empty, r);
  VectorType words = e.vecOf(e.b.getIntegerType(e.bytes * 8));
  V emptyWord = e.broadcast(arith::ExtSIOp::create(e.b, e.loc, words.getElementType(), empty)); // lanes select by signs
  V ofRow = e.splat(0); // the row's part, so that no row waits for the one before
  RegionEmitter region = makeRegion();
  // Outputs of one number a row are computed in f64: with a reference that lags behind, r and log l of an lse are
  // large and cancel.
  Emit e64(e.b, e.loc, Float64Type::get(e.b.getContext()), e.lanes * e.bytes);
  RegionEmitter region64(e64, t.tensors, t.params, e.at(t.scratch, l.gather()));

  SmallVector<std::pair<BlockArgument, V>> features; // arguments that are rows of accumulators
  unsigned n = 0;
  auto bindInt = [&](BlockArgument arg, const Val &v) {
    region.bind(arg, v);
    region64.bind(arg, v);
  };
  for (int64_t position : finishOp.getOrder()) {
    BlockArgument arg = body.getArgument(n++);
    Place place = places.lookup(state[position]);
    if (place.kind == Place::Acc) {
      V row = e.at(e.at(t.scratch, l.acc(place.slot)), e.mul(r, l.valueRowBytes()));
      features.push_back({arg, row});
      eachVector(l.valueRowBytes(), ofRow,
                 [&](V at, V p) { return e.fma(e.load(e.vec, e.at(row, at)), e.splat(0), p); });
      continue;
    }
    if (place.kind == Place::Sum && place.op == 3) {
      bindInt(arg, region.make(foundOf(place, r).second, -1, INT32_MAX));
      continue;
    }
    V v = place.kind == Place::Ref   ? referenceOf(r)
          : place.kind == Place::Sum ? sumOf(place, r)
                                     : loadRow(state[position], r);
    if (place.kind == Place::Sum && place.op == 0 && place.weighed)
      ofRow = e.fma(e.broadcast(v), e.splat(0), ofRow);
    keepNumber(arg, v, r);
    region.bind(arg, region.real(v));
    region64.bind(arg, region64.real(e.real.isF64() ? v : (V)arith::ExtFOp::create(e.b, e.loc, e64.real, v)));
  }
  BlockArgument featureIndex;
  if (finishOp.getIndexed()) {
    bindInt(body.getArgument(n++), Val{empty, 0, 1});
    for (unsigned d = 0; d < t.program.getNumBatch(); ++d)
      bindInt(body.getArgument(n++), region.indexScalar(t.index[d], d));
    bindInt(body.getArgument(n++), queryIndex(region, e.add(first, r)));
    featureIndex = body.getArgument(n++);
  }
  // What depends on a feature is computed for each vector of them, the rest once a row.
  llvm::DenseSet<V> perFeature;
  for (auto [arg, row] : features)
    perFeature.insert(arg);
  if (featureIndex)
    perFeature.insert(featureIndex);
  for (Operation &op : body.without_terminator())
    if (llvm::any_of(op.getOperands(), [&](V v) { return perFeature.contains(v); }))
      perFeature.insert(op.result_begin(), op.result_end());
  for (Operation &op : body.without_terminator())
    for (V result : op.getResults())
      if (!perFeature.contains(result) && llvm::any_of(result.getUsers(), [&](Operation *user) {
            return llvm::any_of(user->getResults(), [&](V v) { return perFeature.contains(v); });
          }))
        (void)region.emit(result);
  V ones = e.splatInt(e.vecOf(e.b.getI1Type()), 1);
  report(region.checks, ones);
  region.checks.clear();

  for (auto [k, output] : llvm::enumerate(finishOp.getOutputs())) {
    if (llvm::is_contained(numbers, k))
      continue;
    TensorRef &out = t.tensor(cast<BlockArgument>(output).getArgNumber());
    AffineMap map = cast<AffineMapAttr>(finishOp.getMaps()[k]).getValue();
    Type element = out.type.getElementType();
    double emptyValue = cast<FloatAttr>(finishOp.getEmpty()[k]).getValueAsDouble();
    bool overrides = !std::isnan(emptyValue);
    V value = body.getTerminator()->getOperand(finishOp.getYields()[k]);
    bool number = isNumber(finishOp, k, t.valueDim());
    V null = LLVM::ZeroOp::create(e.b, e.loc, e.ptrType());
    V wanted = LLVM::ICmpOp::create(e.b, e.loc, LLVM::ICmpPredicate::ne, out.data, null);
    e.when(wanted, [&] {
      V offset = e.add(t.baseOffset(out, map), e.mul(t.queryAt(e.add(first, r)), t.stride(out, map, t.queryDim())));
      V to = e.at(out.data, e.mul(offset, Emit::elementBytes(element)));
      if (number) {
        RegionEmitter inner = region64;
        auto v = inner.emit(value);
        if (failed(v))
          return;
        report(inner.checks, ones);
        if (isa<IntegerType>(element)) { // a key
          V key = inner.wide(*v);
          e.store(element.isInteger(64) ? key : (V)arith::TruncIOp::create(e.b, e.loc, element, key), to);
          return;
        }
        V x = e.real.isF64() ? v->v : (V)arith::TruncFOp::create(e.b, e.loc, e.real, v->v);
        e.storeElement(overrides ? e.select(empty, e.scalar(emptyValue), x) : x, element, to);
        return;
      }
      V row = e.at(t.scratch, l.row());
      eachVector(l.valueRowBytes(), [&](V at) {
        RegionEmitter inner = region;
        for (auto [arg, from] : features)
          inner.bind(arg, inner.real(e.load(e.vec, e.at(from, at))));
        V feature = e.divUnsigned(at, e.bytes);
        if (featureIndex)
          inner.bind(featureIndex, inner.indexLanes(feature, t.valueDim()));
        auto v = inner.emit(value);
        V x = succeeded(v) ? inner.asVector(v->v) : e.splat(0);
        if (!inner.checks.empty())
          report(inner.checks, e.cmp(arith::CmpIPredicate::slt, e.add(e.broadcast(feature), e.iota(e.i64Type())),
                                     e.splatInt(e.vecOf(e.i64Type()), l.value)));
        if (overrides)
          x = e.select(e.cmp(arith::CmpIPredicate::slt, emptyWord, e.splatInt(words, 0)), e.splat(emptyValue), x);
        e.store(x, e.at(row, at));
      });
      storeRow(e, element, row, to, t.stride(out, map, t.valueDim()), l.value);
    });
  }
  return e.fadd(poison, ofRow);
}
