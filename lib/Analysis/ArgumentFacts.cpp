#include "attn/Analysis/ArgumentFacts.h"

using namespace mlir;
using namespace attn;

SmallVector<int64_t> ArgumentFact::pack() const {
  SmallVector<int64_t> words;
  if (axes.empty())
    return words;
  words.push_back(lengthOf);
  for (const AxisFact &a : axes)
    words.append({a.dim, a.also, a.divisor, a.offset, a.extent, a.free});
  return words;
}

ArgumentFact ArgumentFact::unpack(ArrayRef<int64_t> words) {
  ArgumentFact fact;
  if (words.empty())
    return fact;
  fact.lengthOf = words[0];
  for (size_t n = 1; n + AxisFact::kWords <= words.size() + 0; n += AxisFact::kWords)
    fact.axes.push_back({words[n], words[n + 1], words[n + 2], words[n + 3], words[n + 4], words[n + 5]});
  return fact;
}

ArgumentFact ArgumentFact::ofType(Type type) {
  ArgumentFact fact;
  if (auto tensor = dyn_cast<RankedTensorType>(type))
    for (int64_t extent : tensor.getShape()) {
      AxisFact axis;
      axis.extent = ShapedType::isDynamic(extent) ? -1 : extent;
      fact.axes.push_back(axis);
    }
  return fact;
}

AxisFact AxisFact::ofIndex(AffineExpr index) {
  AxisFact use;
  use.free = 0;
  if (auto dim = dyn_cast<AffineDimExpr>(index)) {
    use.dim = dim.getPosition();
  } else if (auto constant = dyn_cast<AffineConstantExpr>(index)) {
    use.offset = constant.getValue();
  } else {
    auto binary = cast<AffineBinaryOpExpr>(index);
    use.dim = cast<AffineDimExpr>(binary.getLHS()).getPosition();
    int64_t by = cast<AffineConstantExpr>(binary.getRHS()).getValue();
    (binary.getKind() == AffineExprKind::Add ? use.offset : use.divisor) = by;
  }
  return use;
}

bool AxisFact::merge(const AxisFact &use) {
  if (free) {
    int64_t known = extent;
    *this = use;
    extent = known;
    return true;
  }
  if (dim == use.dim && divisor == use.divisor) {
    offset = std::max(offset, use.offset);
    return true;
  }
  if (dim >= 0 && use.dim >= 0 && divisor == 1 && use.divisor == 1 && (also < 0 || also == use.dim)) {
    also = use.dim;
    return true;
  }
  return false;
}

namespace {

class Collector {
public:
  Collector(KernelOp kernel, AttendOp attend) : kernel(kernel), attend(attend) {
    for (Type t : llvm::concat<const Type>(kernel.getArgumentTypes(), kernel.getResultTypes()))
      facts.push_back(ArgumentFact::ofType(t));
  }

  LogicalResult run() {
    SmallVector<AttendOp::Operand> operands{attend.vPart()};
    for (unsigned n = 0; n < attend.numParts(); ++n)
      operands.append({attend.qPart(n), attend.kPart(n)});
    for (const AttendOp::Operand &x : operands)
      if (failed(map(x.tensor, x.map)))
        return failure();
    if (attend.getBilinear() && failed(map(attend.getBilinear(), *attend.getBilinearMap())))
      return failure();
    for (unsigned r = 0; r < attend.getNumResults(); ++r)
      if (failed(mapFact(facts[kernel.getArgumentTypes().size() + r], attend.outMap(r), "result")))
        return failure();
    for (unsigned n = 0; n < attend.numNormArgs(); ++n)
      if (AttendOp::NormArg arg = attend.normArg(n); arg.value && isa<RankedTensorType>(arg.value.getType()))
        if (failed(map(arg.value, arg.map)))
          return failure();
    for (auto [value, m] :
         llvm::zip(attend.getAggregated(),
                   attend.getAggregateMapsAttr() ? attend.getAggregateMapsAttr().getValue() : ArrayRef<Attribute>()))
      if (failed(map(value, cast<AffineMapAttr>(m).getValue())))
        return failure();
    WalkResult result = attend->walk(
        [&](Operation *op) { return failed(captured(op)) ? WalkResult::interrupt() : WalkResult::advance(); });
    if (result.wasInterrupted())
      return failure();
    grids();
    return success();
  }

  SmallVector<ArgumentFact> facts;

private:
  /// A static grid behind a constant `first` is the static extent of its axis in every tensor.
  void grids() {
    const std::optional<ArrayRef<int64_t>> grids[] = {attend.getQueryGrid(), attend.getKeyGrid()};
    for (unsigned n = 0; n < 2; ++n) {
      if (!grids[n] || attend.getFirst() || llvm::any_of(*grids[n], ShapedType::isDynamic))
        continue;
      int64_t tokens = llvm::product_of(*grids[n]) + attend.getFirstValue().value_or(0), dim = attend.queryDim() + n;
      for (ArgumentFact &fact : facts)
        for (AxisFact &axis : fact.axes)
          if (!axis.free && axis.dim == dim && axis.divisor == 1 && axis.offset == 0)
            axis.extent = tokens;
    }
  }

  ArgumentFact *factOf(Value v) {
    auto arg = dyn_cast<BlockArgument>(v);
    return arg && arg.getOwner() == &kernel.getBody().front() ? &facts[arg.getArgNumber()] : nullptr;
  }

  LogicalResult map(Value v, AffineMap m) {
    ArgumentFact *fact = factOf(v);
    if (!fact)
      return attend.emitError("[unsupported_operand] operands of an attend are arguments of the kernel");
    return mapFact(*fact, m, "operand");
  }

  LogicalResult mapFact(ArgumentFact &fact, AffineMap m, StringRef what) {
    for (auto [n, e] : llvm::enumerate(m.getResults())) {
      if (isa<AffineSymbolExpr>(e))
        continue; // a rank: any, of its type's extent
      AxisFact use = AxisFact::ofIndex(e);
      if (what == "result" && writtenExtent(use.dim) > 0) // has that extent, not more
        fact.axes[n].extent = writtenExtent(use.dim);
      else
        use = ofWritten(use);
      if (failed(merge(fact.axes[n], use, n)))
        return failure();
    }
    return success();
  }

  /// The extent that dims writes for a feature; 0: none.
  int64_t writtenExtent(int64_t dim) {
    auto extents = attend.getFeatureExtents();
    return extents && dim >= attend.dotDim() ? (*extents)[dim - attend.dotDim()] : 0;
  }

  /// A feature whose extent is written is an index like any constant: its axis may be longer.
  AxisFact ofWritten(AxisFact use) {
    if (int64_t extent = writtenExtent(use.dim))
      use.offset += (extent - 1) / use.divisor, use.dim = -1, use.divisor = 1;
    return use;
  }

  LogicalResult merge(AxisFact &axis, const AxisFact &use, unsigned n) {
    if (axis.merge(use))
      return success();
    return attend.emitError("[unsupported_axis] axis ")
           << n << " of one tensor is indexed in ways that contradict each other; pass it as two arguments";
  }

  ArgumentFact *capturedFact(Value tensor) {
    ArgumentFact *fact = factOf(tensor);
    if (!fact)
      attend.emitError("[unsupported_operand] captured tensors are arguments of the kernel");
    return fact;
  }

  static AxisFact indexedBy(int64_t dim, int64_t divisor = 1, int64_t offset = 0) {
    AxisFact use;
    use.free = 0;
    use.dim = dim;
    use.divisor = divisor;
    use.offset = offset;
    return use;
  }

  LogicalResult tokens(Value tensor, unsigned dim) {
    ArgumentFact *fact = capturedFact(tensor);
    if (!fact)
      return failure();
    unsigned last = fact->axes.size() - 1;
    if (last == 1 && failed(merge(fact->axes[0], indexedBy(0), 0)))
      return failure();
    return merge(fact->axes[last], indexedBy(dim), last);
  }

  LogicalResult lengths(Value tensor, int64_t of) {
    if (!tensor || !isa<RankedTensorType>(tensor.getType()))
      return success();
    ArgumentFact *fact = capturedFact(tensor);
    if (!fact)
      return failure();
    if (attend.numBatch() == 0)
      return attend.emitError("[unsupported_lengths] lengths are over the first batch dimension, and there is none");
    fact->lengthOf = of;
    return merge(fact->axes[0], indexedBy(0), 0);
  }

  /// The axes that the map names; the last is free unless `last` says how it is indexed.
  LogicalResult leading(Value tensor, AffineMap m, std::optional<AxisFact> last = std::nullopt) {
    ArgumentFact *fact = capturedFact(tensor);
    if (!fact || failed(mapFact(*fact, m, "list")))
      return failure();
    unsigned axis = fact->axes.size() - 1;
    return last ? merge(fact->axes[axis], *last, axis) : success();
  }

  LogicalResult captured(Operation *op) {
    unsigned i = attend.queryDim(), j = attend.keyDim();
    if (attend->hasAttr(kExchanged))
      std::swap(i, j);
    return llvm::TypeSwitch<Operation *, LogicalResult>(op)
        .Case<SetCausalOp, SetWindowOp, SetDilatedOp, SetNotSelfOp, SetBlockCausalOp>(
            [&](auto o) { return failure(failed(lengths(o.getQLengths(), i)) || failed(lengths(o.getKLengths(), j))); })
        .Case<SetLengthsOp>(
            [&](SetLengthsOp o) { return failure(failed(lengths(o.getQ(), i)) || failed(lengths(o.getK(), j))); })
        .Case<SetPrefixOp, SetGlobalOp, SetSinksOp>([&](auto o) { return lengths(o.getLength(), j); })
        .Case<SetSegmentOp, SetSharedPrefixOp>(
            [&](auto o) { return failure(failed(tokens(o.getQ(), i)) || failed(tokens(o.getK(), j))); })
        .Case<SetMaskOp>([&](SetMaskOp o) { return map(o.getMask(), o.getMap()); })
        .Case<SetListOp>([&](SetListOp o) { return leading(o.getList(), o.getMap()); })
        .Case<SetDiagonalsOp>([&](SetDiagonalsOp o) {
          return failure(failed(leading(o.getList(), o.getMap())) || failed(lengths(o.getQLengths(), i)) ||
                         failed(lengths(o.getKLengths(), j)));
        })
        .Case<SetCsrOp>([&](SetCsrOp o) {
          // Offset 1: the row of the last query ends where one more would begin.
          return failure(failed(leading(o.getOffsets(), o.getMap(), indexedBy(i, 1, 1))) ||
                         failed(leading(o.getColumns(), o.getMap())));
        })
        .Case<SetBitsOp>([&](SetBitsOp o) {
          int64_t bits = cast<RankedTensorType>(o.getWords().getType()).getElementTypeBitWidth();
          return leading(o.getWords(), o.getMap(), indexedBy(j, bits));
        })
        .Case<SetRandomBlocksOp>([&](SetRandomBlocksOp o) {
          if (!isa<RankedTensorType>(o.getProbability().getType()))
            return success();
          // Index 0: where the list ends its last element counts, so there is one.
          ArgumentFact *fact = capturedFact(o.getProbability());
          return fact ? merge(fact->axes[0], indexedBy(-1), 0) : failure();
        })
        .Case<LoadOp>([&](LoadOp o) { return bareIndices(o.getTensor(), o.getIndices()); })
        .Case<MemberOp>([&](MemberOp o) { return bareIndices(o.getList(), o.getIndices()); })
        .Default([](Operation *) { return success(); });
  }

  /// A plain index ties its axis to that dimension; any other leaves it free, and is checked where it is used.
  LogicalResult bareIndices(Value tensor, ValueRange indices) {
    ArgumentFact *fact = capturedFact(tensor);
    if (!fact)
      return failure();
    for (auto [n, index] : llvm::enumerate(indices)) {
      auto arg = dyn_cast<BlockArgument>(index);
      int dim = arg ? attend.dimOf(arg) : -1;
      if (dim >= 0 && failed(merge(fact->axes[n], ofWritten(indexedBy(dim)), n)))
        return failure();
    }
    return success();
  }

  KernelOp kernel;
  AttendOp attend;
};

} // namespace

FailureOr<SmallVector<ArgumentFact>> attn::argumentFacts(KernelOp kernel, AttendOp attend) {
  Collector collector(kernel, attend);
  if (failed(collector.run()))
    return failure();
  return collector.facts;
}
