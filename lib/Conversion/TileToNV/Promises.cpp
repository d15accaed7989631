// What the text promises of a tensor's elements, looked at by the threads of all CTAs together: lengths, an order, a
// range. Who breaks one is reported (attn_gpu.h); nothing that is emitted relies on them to stay inside of a tensor.
#include "CtaEmitter.h"
#include "attn-rt/attn_rt.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace attn;
using V = Value;

void KernelEmitter::checkPromises(int64_t threads) {
  sets::Facts promised = argumentFactsOf(program);
  for (BlockArgument arg : program.getBody().getArguments()) {
    auto found = tensors.find(arg);
    if (found == tensors.end() || !isa<IntegerType>(found->second.type.getElementType()))
      continue;
    TensorRef &t = found->second;
    unsigned number = arg.getArgNumber();
    auto range = promised.range.find(number);
    bool isRange = range != promised.range.end(), isSorted = promised.sorted.count(number);
    int64_t lengthOf = t.fact.lengthOf;
    if (!isRange && !isSorted && lengthOf < 0)
      continue;
    V count = e.i64(1);
    for (V extent : t.extents)
      count = e.mul(count, extent);
    V ctas = arith::ExtUIOp::create(e.b, e.loc, e.i64Type(), NVVM::GridDimXOp::create(e.b, e.loc, e.b.getI32Type()));
    Type type = t.type.getElementType();
    // A step that the launch gives is no constant: scf.for takes it, Emit's loop does not.
    e.whileLoop(
        ValueRange{e.add(e.mul(cta, threads), thread)}, [&](ValueRange args) { return e.lt(args[0], count); },
        [&](ValueRange args) {
          V rest = args[0], offset = e.i64(0), last;
          for (int64_t axis = t.type.getRank() - 1; axis >= 0; --axis) {
            V outer = arith::DivUIOp::create(e.b, e.loc, rest, t.extents[axis]);
            V i = e.sub(rest, e.mul(outer, t.extents[axis]));
            offset = e.add(offset, e.mul(i, t.strides[axis]));
            rest = outer;
            last = last ? last : i;
          }
          auto elementAt = [&](V at) { return e.loadInteger(type, e.at(t.data, e.mul(at, Emit::elementBytes(type)))); };
          V x = elementAt(offset);
          V none = e.i64(-1), self = e.i64(t.argument);
          if (lengthOf >= 0)
            report(e.either(e.lt(x, e.i64(0)), e.lt(extents[lengthOf], x)), self, none, x, ATTN_E_LENGTH);
          if (isRange)
            report(e.either(e.lt(x, e.i64(range->second.first)), e.lt(e.i64(range->second.second), x)), self, none, x,
                   ATTN_E_FACT);
          if (isSorted && last) {
            V before = e.choose(
                e.lt(e.i64(0), last), {e.i64Type()},
                [&] { return SmallVector<V>{elementAt(e.sub(offset, t.strides.back()))}; },
                [&] { return SmallVector<V>{x}; })[0];
            report(e.lt(x, before), self, e.i64(t.type.getRank() - 1), x, ATTN_E_FACT);
          }
          return SmallVector<V>{e.add(args[0], e.mul(ctas, threads))};
        });
  }
}
