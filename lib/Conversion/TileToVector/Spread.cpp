// Weights of pairs, stored themselves (tile.weigh with spread_to): 0 everywhere first, then what is visible.
#include "MainEmitter.h"

using namespace mlir;
using namespace attn;
using V = Value;

/// The address of the weights of a row of the block, key 0.
V MainEmitter::spreadRow(V row) {
  TensorRef &out = t.tensor(cast<BlockArgument>(weighOp.getSpreadTo()).getArgNumber());
  AffineMap map = *weighOp.getSpreadMap();
  V query = t.queryAt(e.min(e.add(first, row), lastRow));
  V offset = e.add(t.baseOffset(out, map), e.mul(query, t.stride(out, map, t.queryDim())));
  return e.at(out.data, e.mul(offset, Emit::elementBytes(out.type.getElementType())));
}

static V isWanted(Emit &e, V data) {
  return LLVM::ICmpOp::create(e.b, e.loc, LLVM::ICmpPredicate::ne, data, LLVM::ZeroOp::create(e.b, e.loc, e.ptrType()));
}

void MainEmitter::clearSpread() {
  TensorRef &out = t.tensor(cast<BlockArgument>(weighOp.getSpreadTo()).getArgNumber());
  Type element = out.type.getElementType();
  V stride = e.mul(t.stride(out, *weighOp.getSpreadMap(), t.keyDim()), Emit::elementBytes(element));
  e.when(isWanted(e, out.data), [&] {
    e.loop(e.i64(0), rows, 1, [&](V row) {
      V at = spreadRow(row);
      e.loop(e.i64(0), t.extents[t.keyDim()], 1,
             [&](V j) { e.storeElement(e.scalar(0), element, e.at(at, e.mul(j, stride))); });
    });
  });
}

void MainEmitter::spreadRows(ArrayRef<V> s, V panel) {
  TensorRef &out = t.tensor(cast<BlockArgument>(weighOp.getSpreadTo()).getArgNumber());
  Type element = out.type.getElementType();
  int64_t size = Emit::elementBytes(element);
  V stride = t.stride(out, *weighOp.getSpreadMap(), t.keyDim());
  Block &body = weighOp.getValues().front().front();
  V absent = e.splat(-std::numeric_limits<double>::infinity());
  storeTile(s);
  auto store = [&](V r) {
    V row = e.add(e.sub(rowLo, first), r), to = spreadRow(row);
    V rowAt = e.at(e.at(t.scratch, l.tile()), e.mul(r, l.width * e.bytes));
    // Scores of a row in absolute mode have nothing subtracted yet (see Raise.cpp).
    V shift = e.scalar(0);
    if (hasRef) {
      V mode = e.load(e.b.getI32Type(), e.at(e.at(t.scratch, l.unset()), e.mul(row, 4)));
      V isAbsolute = e.eq(mode, arith::ConstantOp::create(e.b, e.loc, e.b.getI32IntegerAttr(2)));
      V neg = e.load(e.real, e.at(e.at(t.scratch, l.negRef()), e.mul(row, e.bytes)));
      // A seed may have moved the reference: what is subtracted already is -neg.
      shift = e.select(isAbsolute, e.fadd(referenceOf(row), neg), e.scalar(0));
    }
    for (unsigned half = 0; half < 2; ++half) {
      V x = e.load(e.vec, e.at(rowAt, half * e.lanes * e.bytes));
      V present = e.cmpf(arith::CmpFPredicate::UNE, x, absent);
      if (hasRef)
        x = e.select(present, e.fsub(x, e.broadcast(shift)), absent);
      V keyLo = e.add(keyAt(panel), half * e.lanes);
      SmallVector<V> weights = phiOf(x, r);
      RegionEmitter region = makeRegion();
      SetEmitter set = makeSet(region);
      RegionEmitter::Val key = bindKey(region, set, keyLo), label;
      if (!weighOp.getClasses().empty()) {
        Block &block = weighOp.getClasses().front();
        bindIndices(region, set, block, 0, r, keyLo);
        auto emitted = region.emit(block.getTerminator()->getOperand(0));
        label = succeeded(emitted) ? *emitted : region.constantInt(-1);
      }
      unsigned n = 0;
      for (auto [phi, cls] : llvm::zip(weighOp.getWeightPhis(), weighOp.getWeightClasses())) {
        V w = weights[phi];
        if (cls >= 0)
          w = e.select(region.asVector(region.compare(arith::CmpIPredicate::eq, label, region.constantInt(cls))), w,
                       e.splat(0));
        region.bind(body.getArgument(n++), region.real(w));
      }
      for (V tile : weighOp.getSpreadState()) {
        if (BlockArgument arg = body.getArgument(n++); !arg.use_empty()) {
          Place place = places.lookup(tile);
          region.bind(arg, region.real(place.kind == Place::Ref   ? referenceOf(row)
                                       : place.kind == Place::Sum ? sumOf(place, row)
                                                                  : loadRow(tile, row)));
        }
      }
      auto emitted = region.emit(body.getTerminator()->getOperand(0));
      V p = succeeded(emitted) ? region.asVector(emitted->v) : e.splat(0);
      for (const RegionEmitter::BoundsCheck &check : region.checks)
        present = e.both(present, region.asVector(check.ok));
      V keys = region.asVector(region.wide(key));
      for (int64_t lane = 0; lane < e.lanes; ++lane) {
        auto extract = [&](V v) -> V { return vector::ExtractOp::create(e.b, e.loc, v, ArrayRef<int64_t>{lane}); };
        e.when(extract(present),
               [&] { e.storeElement(extract(p), element, e.at(to, e.mul(e.mul(extract(keys), stride), size))); });
      }
    }
  };
  e.when(isWanted(e, out.data), [&] {
    V last = e.sub(lastRow, rowLo);
    e.loop(e.i64(0), e.i64(l.tileRows), 1, [&](V r) { e.when(e.le(r, last), [&] { store(r); }); });
  });
}
