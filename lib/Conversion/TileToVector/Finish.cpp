// Reference and sums of every row to its outputs (tile.finish).
#include "MainEmitter.h"

using namespace mlir;
using namespace attn;
using V = Value;

/// True if any accumulator of the block is not finite.
V MainEmitter::finish() {
  Block &body = finishOp.getBody().front();
  ArrayRef<int64_t> order = finishOp.getOrder();
  unsigned accPosition = (hasRef ? 1 : 0) + l.numSums;
  BlockArgument accArg;
  for (auto [n, position] : llvm::enumerate(order))
    if (position == (int64_t)accPosition)
      accArg = body.getArgument(n);
  // What depends on the value sum is computed for each vector of features, the rest once a row.
  llvm::DenseSet<V> perFeature;
  if (accArg)
    perFeature.insert(accArg);
  for (Operation &op : body.without_terminator())
    if (llvm::any_of(op.getOperands(), [&](V v) { return perFeature.contains(v); }))
      perFeature.insert(op.result_begin(), op.result_end());

  V bad = e.loop(e.i64(0), rows, 1, ValueRange{e.splat(0)}, [&](V r, ValueRange args) {
    V mode = e.load(e.b.getI32Type(), e.at(e.at(t.scratch, l.unset()), e.mul(r, 4)));
    V empty = e.eq(mode, arith::ConstantOp::create(e.b, e.loc, e.b.getI32IntegerAttr(1)));
    V accRow = e.at(e.at(t.scratch, l.acc()), e.mul(r, l.valueRowBytes()));
    V poison = args[0]; // 0 * x is 0 for every finite x, else NaN
    RegionEmitter region = makeRegion();
    // Outputs of one number a row are computed in f64: with a reference that lags behind, r and log l of an lse are
    // large and cancel.
    Emit e64(e.b, e.loc, Float64Type::get(e.b.getContext()), e.lanes * e.bytes);
    RegionEmitter region64(e64, t.tensors, t.params, V());
    for (auto [n, position] : llvm::enumerate(order)) {
      if (position == (int64_t)accPosition)
        continue;
      V v;
      if (hasRef && position == 0) {
        // In absolute mode (see Raise.cpp) the reference is kept apart.
        V offset = e.mul(r, e.bytes);
        V isAbsolute = e.eq(mode, arith::ConstantOp::create(e.b, e.loc, e.b.getI32IntegerAttr(2)));
        v = e.select(isAbsolute, e.load(e.real, e.at(e.at(t.scratch, l.absRef()), offset)),
                     e.fsub(e.scalar(0), e.load(e.real, e.at(e.at(t.scratch, l.negRef()), offset))));
      } else {
        V lanesOfSum =
            e.load(e.vec, e.at(e.at(t.scratch, l.sum(position - (hasRef ? 1 : 0))), e.mul(r, l.lanes * l.element)));
        v = vector::ReductionOp::create(e.b, e.loc, vector::CombiningKind::ADD, lanesOfSum,
                                        arith::FastMathFlags::reassoc);
        poison = e.fma(lanesOfSum, e.splat(0), poison);
      }
      region.bind(body.getArgument(n), region.real(v));
      region64.bind(body.getArgument(n),
                    region64.real(e.real.isF64() ? v : (V)arith::ExtFOp::create(e.b, e.loc, e64.real, v)));
    }
    // What all features share is computed once a row.
    for (Operation &op : body.without_terminator())
      for (V result : op.getResults())
        if (!perFeature.contains(result) && llvm::any_of(result.getUsers(), [&](Operation *user) {
              return llvm::any_of(user->getResults(), [&](V v) { return perFeature.contains(v); });
            }))
          (void)region.emit(result);
    poison = e.loop(e.i64(0), e.i64(l.valueRowBytes()), e.lanes * e.bytes, ValueRange{poison}, [&](V at, ValueRange p) {
      return SmallVector<V>{e.fma(e.load(e.vec, e.at(accRow, at)), e.splat(0), p[0])};
    })[0];

    for (auto [n, output] : llvm::enumerate(finishOp.getOutputs())) {
      TensorRef &out = t.tensor(cast<BlockArgument>(output).getArgNumber());
      AffineMap map = cast<AffineMapAttr>(finishOp.getMaps()[n]).getValue();
      Type element = out.type.getElementType();
      double emptyValue = cast<FloatAttr>(finishOp.getEmpty()[n]).getValueAsDouble();
      V value = body.getTerminator()->getOperand(finishOp.getYields()[n]);
      bool wide = llvm::any_of(map.getResults(), [&](AffineExpr x) { return x.isFunctionOfDim(t.valueDim()); });
      V null = LLVM::ZeroOp::create(e.b, e.loc, e.ptrType());
      V wanted = LLVM::ICmpOp::create(e.b, e.loc, LLVM::ICmpPredicate::ne, out.data, null);
      e.when(wanted, [&] {
        V offset = e.add(t.baseOffset(out, map), e.mul(t.queryAt(e.add(first, r)), t.stride(out, map, t.queryDim())));
        V to = e.at(out.data, e.mul(offset, Emit::elementBytes(element)));
        if (!wide) {
          auto v = region64.emit(value);
          if (failed(v))
            return;
          V x = e.real.isF64() ? v->v : (V)arith::TruncFOp::create(e.b, e.loc, e.real, v->v);
          e.storeElement(e.select(empty, e.scalar(emptyValue), x), element, to);
          return;
        }
        V row = e.at(t.scratch, l.row());
        e.loop(e.i64(0), e.i64(l.valueRowBytes()), e.lanes * e.bytes, [&](V at) {
          RegionEmitter inner = region;
          if (accArg)
            inner.bind(accArg, inner.real(e.load(e.vec, e.at(accRow, at))));
          auto v = inner.emit(value);
          V x = succeeded(v) ? inner.asVector(v->v) : e.splat(0);
          e.store(e.select(e.broadcast(empty), e.splat(emptyValue), x), e.at(row, at));
        });
        storeRow(e, element, row, to, t.stride(out, map, t.valueDim()), l.value);
      });
    }
    return SmallVector<V>{poison};
  })[0];
  return e.anyLane(e.cmpf(arith::CmpFPredicate::UNO, bad, bad));
}
