// Outputs of one number a row (tile.finish), as an lse: of a vector of rows at once.
//
// They are computed in f64: with a reference that lags behind, r and log l are large and cancel. A logarithm is a chain
// of some thirty operations, which row by row would take as long as the row's features. What they are made of is kept
// in scratch while rows are finished one by one, in the place of the weights, which nothing needs any more:
//
//   number n of row r        n is an argument of the body, then whether the row is empty, then an output
#include "MainEmitter.h"

using namespace mlir;
using namespace attn;
using V = Value;

bool attn::isNumber(tile::FinishOp op, unsigned output, unsigned valueDim) {
  AffineMap map = cast<AffineMapAttr>(op.getMaps()[output]).getValue();
  return llvm::none_of(map.getResults(), [&](AffineExpr x) { return x.isFunctionOfDim(valueDim); });
}

/// The arguments of the body that a value is made of, by operations that lanes can do.
static bool argumentsOf(V v, llvm::SetVector<BlockArgument> &into) {
  if (auto arg = dyn_cast<BlockArgument>(v)) {
    into.insert(arg);
    return arg.getType().isF32();
  }
  Operation *op = v.getDefiningOp();
  bool known = op->getNumRegions() == 0 &&
               (op->getName().getDialectNamespace() == "arith" || isa<math::LogOp, math::SqrtOp, math::AbsFOp>(op));
  return known && isa<FloatType>(v.getType()) &&
         llvm::all_of(op->getOperands(), [&](V x) { return isa<FloatType>(x.getType()) && argumentsOf(x, into); });
}

/// Which outputs are made so, and of what.
void MainEmitter::matchNumbers() {
  numbers.clear();
  numberArgs.clear();
  if (finishOp.getIndexed() || !e.real.isF32())
    return;
  Block &body = finishOp.getBody().front();
  for (unsigned k = 0; k < finishOp.getOutputs().size(); ++k) {
    llvm::SetVector<BlockArgument> of;
    Type element = t.tensor(cast<BlockArgument>(finishOp.getOutputs()[k]).getArgNumber()).type.getElementType();
    if (!isNumber(finishOp, k, t.valueDim()) || !isa<FloatType>(element) ||
        !argumentsOf(body.getTerminator()->getOperand(finishOp.getYields()[k]), of) ||
        !llvm::all_of(of, [&](BlockArgument arg) { return arg.getOwner() == &body; }))
      continue;
    numbers.push_back(k);
    numberArgs.insert(of.begin(), of.end());
  }
  int64_t count = numberArgs.size() + 1 + numbers.size();
  if (count * numberBytes() > l.tile() - l.weights())
    numbers.clear(), numberArgs.clear();
}

int64_t MainEmitter::numberBytes() { return llvm::alignTo(l.blockRows * l.element, 64); }

V MainEmitter::numberAt(int64_t n, V row) {
  return e.at(e.at(t.scratch, l.weights() + n * numberBytes()), e.mul(row, e.bytes));
}

/// What the numbers of a row are made of.
void MainEmitter::keepNumber(BlockArgument arg, V x, V row) {
  if (auto it = llvm::find(numberArgs, arg); it != numberArgs.end())
    e.store(x, numberAt(it - numberArgs.begin(), row));
}

void MainEmitter::keepEmpty(V empty, V row) {
  if (!numbers.empty())
    e.store(arith::ExtSIOp::create(e.b, e.loc, e.b.getI32Type(), empty), numberAt(numberArgs.size(), row));
}

void MainEmitter::finishNumbers() {
  Block &body = finishOp.getBody().front();
  Emit e64(e.b, e.loc, Float64Type::get(e.b.getContext()), e.lanes * e.bytes);
  auto singles = VectorType::get({e64.lanes}, e.real);
  auto words = VectorType::get({e64.lanes}, e.b.getI32Type());
  for (unsigned n = 0; n < numbers.size(); ++n) {
    const unsigned k = numbers[n];
    TensorRef &out = t.tensor(cast<BlockArgument>(finishOp.getOutputs()[k]).getArgNumber());
    AffineMap map = cast<AffineMapAttr>(finishOp.getMaps()[k]).getValue();
    Type element = out.type.getElementType();
    double emptyValue = cast<FloatAttr>(finishOp.getEmpty()[k]).getValueAsDouble();
    int64_t at = numberArgs.size() + 1 + n;
    V null = LLVM::ZeroOp::create(e.b, e.loc, e.ptrType());
    e.when(LLVM::ICmpOp::create(e.b, e.loc, LLVM::ICmpPredicate::ne, out.data, null), [&] {
      e.loop(e.i64(0), rows, e64.lanes, [&](V row) {
        RegionEmitter region(e64, t.tensors, t.params, e.at(t.scratch, l.gather()));
        for (auto [a, arg] : llvm::enumerate(numberArgs))
          region.bind(arg, region.real(arith::ExtFOp::create(e.b, e.loc, e64.vec, e.load(singles, numberAt(a, row)))));
        auto x = region.emit(body.getTerminator()->getOperand(finishOp.getYields()[k]));
        if (failed(x))
          return;
        V v = arith::TruncFOp::create(e.b, e.loc, singles, region.asVector(x->v));
        if (!std::isnan(emptyValue)) {
          V empty =
              e.cmp(arith::CmpIPredicate::slt, e.load(words, numberAt(numberArgs.size(), row)), e.splatInt(words, 0));
          V instead = arith::ConstantOp::create(e.b, e.loc,
                                                DenseElementsAttr::get(singles, FloatAttr::get(e.real, emptyValue)));
          v = e.select(empty, instead, v);
        }
        e.store(v, numberAt(at, row));
      });
      e.loop(e.i64(0), rows, 1, [&](V row) {
        V position = e.add(first, row);
        TaskEmitter::Row own(t, position);
        V offset = e.add(t.baseOffset(out, map), e.mul(t.queryAt(position), t.stride(out, map, t.queryDim())));
        e.storeElement(e.load(e.real, numberAt(at, row)), element,
                       e.at(out.data, e.mul(offset, Emit::elementBytes(element))));
      });
    });
  }
}
