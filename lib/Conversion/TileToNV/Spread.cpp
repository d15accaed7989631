// Weights of pairs, stored themselves (tile.weigh with spread_to): 0 everywhere first, then what is visible.
#include "CtaEmitter.h"
#include "attn/Dialect/Attn/PassForm.h"

using namespace mlir;
using namespace attn;
using V = Value;
using Val = RegionEmitter::Val;

/// The address of the weight of a query, which has the batch indices of the CTA, and a key.
V CtaEmitter::spreadAt(V row, V j) {
  return KernelEmitter::addressOf(tensorOf(weighOp.getSpreadTo()), *weighOp.getSpreadMap(),
                                  [&](unsigned dim) { return dim == queryDim() ? row : j; });
}

void CtaEmitter::spread(tile::ForOp op) {
  assert(!together && "a block of rows is one of queries");
  (void)matchSweep(op);
  TensorRef &out = tensorOf(weighOp.getSpreadTo());
  V null = LLVM::ZeroOp::create(e.b, e.loc, e.ptrType());
  V wanted = LLVM::ICmpOp::create(e.b, e.loc, LLVM::ICmpPredicate::ne, out.data, null);
  if (t.slices > 1)
    wanted = e.both(wanted, e.eq(slice, e.i64(0)));
  e.when(wanted, [&] {
    V keys = extents[keyDim()], rows = e.add(e.sub(lastRow, firstRow), 1);
    auto clear = [&](V row, V j) { e.storeElement(e.scalar(0), out.type.getElementType(), spreadAt(row, j)); };
    if (again[0]) { // rows of the thread, which alone knows whether they are done again
      for (unsigned r = 0; r < 2; ++r)
        e.when(live[r], [&] { e.loop(e.both(lane, e.i64(3)), keys, 4, [&](V j) { clear(rowAt[r], j); }); });
    } else {
      e.loop(e.i64(0), rows, 1,
             [&](V row) { e.loop(thread, keys, t.threads(), [&](V j) { clear(e.add(firstRow, row), j); }); });
    }
    nv::BarrierOp::create(e.b, e.loc);
    solveSet();
    queries.clear();
    State none;
    eachBlock(none, [&](V first, V, State &) {
      blockFirst = first;
      stageKeys(first);
      SmallVector<V> products = scores();
      for (unsigned n = 0; n < products.size(); ++n)
        spreadPair(products[n], halfOf(n), key(first, n));
    });
  });
}

void CtaEmitter::spreadPair(V product, unsigned r, V j) {
  TensorRef &out = tensorOf(weighOp.getSpreadTo());
  Block &score = weighOp.getScore().front();
  RegionEmitter region = makeRegion();
  region.contracts = true;
  region.bind(score.getArgument(0), region.real(product));
  bindPair(region, score, 1, r, j);
  V yielded = score.getTerminator()->getOperand(0);
  auto emitted = region.emit(yielded);
  V s = succeeded(emitted) ? emitted->v : e.scalar(0);
  V present = report(region.checks, visible(r, j));
  present = e.both(present, e.cmpf(arith::CmpFPredicate::UNE, s, inf()));
  V x = s;
  if (V tile = weighOp.getRef()) {
    reference[r] = rowNumber(tile, r);
    auto shift = [&](V to) { return e.select(e.cmpf(arith::CmpFPredicate::OEQ, to, inf()), e.scalar(0), to); };
    double factor = weighOp.getExact() ? 0 : scoreFactor(weighOp);
    x = e.fsub(s, shift(reference[r]));
    if (factor != 0) { // as the sweep before has it
      V unit = region.emit(yielded.getDefiningOp<arith::MulFOp>().getLhs())->v;
      if (unitReference[r]) {
        x = e.fmul(e.fsub(unit, shift(unitReference[r])), e.scalar(factor));
      } else {
        V size = math::AbsFOp::create(e.b, e.loc, reference[r]);
        V near = e.cmpf(arith::CmpFPredicate::OLT, size, e.scalar(largeReference(e.real)));
        x = e.select(near, e.fma(unit, e.scalar(factor), e.fsub(e.scalar(0), shift(reference[r]))), x);
      }
    }
  }
  SmallVector<V> weights = phi(x, r);
  Val label;
  if (!weighOp.getClasses().empty())
    regionOfPair(weighOp.getClasses(), V(), r, j, present, &label);
  Block &body = weighOp.getValues().front().front();
  RegionEmitter of = makeRegion();
  unsigned n = 0;
  for (auto [number, cls] : llvm::zip(weighOp.getWeightPhis(), weighOp.getWeightClasses())) {
    V w = weights[number];
    if (cls >= 0)
      w = e.select(of.compare(arith::CmpIPredicate::eq, label, of.constantInt(cls)), w, e.scalar(0));
    of.bind(body.getArgument(n++), of.real(w));
  }
  for (V tile : weighOp.getSpreadState())
    if (BlockArgument arg = body.getArgument(n++); !arg.use_empty())
      of.bind(arg, of.real(rowNumber(tile, r)));
  auto p = of.emit(body.getTerminator()->getOperand(0));
  present = report(of.checks, present);
  e.when(present,
         [&] { e.storeElement(succeeded(p) ? p->v : e.scalar(0), out.type.getElementType(), spreadAt(rowAt[r], j)); });
}
