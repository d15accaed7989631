// Static extents, and the tensors that the named sets of an attend capture: rules attend_c6 and attend_c11.
#include "AttendRules.h"

using namespace mlir;
using namespace attn;
using namespace attn::rules;

void Extents::written() {
  if (auto extents = op.getFeatureExtents())
    for (auto [n, extent] : llvm::enumerate(*extents))
      if (extent > 0)
        known[op.dotDim() + n] = extent;
}

LogicalResult Extents::constant(StringRef what, int64_t index, int64_t extent) {
  if (ShapedType::isDynamic(extent) || index < extent)
    return success();
  return op.emitOpError("[attend_c6] constant index ") << index << " of " << what << " is outside extent " << extent;
}

LogicalResult Extents::agree(StringRef what, unsigned dim, int64_t extent) {
  if (ShapedType::isDynamic(extent))
    return success();
  int64_t &before = known[dim];
  if (!ShapedType::isDynamic(before) && before != extent)
    return op.emitOpError("[attend_c6] dimension '")
           << op.dimName(dim) << "' has extent " << before << " elsewhere and " << extent << " in " << what;
  before = extent;
  return success();
}

LogicalResult Extents::quotient(StringRef what, unsigned dim, int64_t divisor, int64_t extent) {
  if (ShapedType::isDynamic(extent) || ShapedType::isDynamic(known[dim]))
    return success();
  int64_t expected = llvm::divideCeil(known[dim], divisor);
  if (extent == expected)
    return success();
  return op.emitOpError("[attend_c6] an axis of ")
         << what << " has extent " << extent << " where dimension '" << op.dimName(dim) << "' of extent " << known[dim]
         << " floordiv " << divisor << " needs " << expected;
}

LogicalResult Extents::leading(StringRef what, RankedTensorType type, AffineMap map) {
  for (auto [axis, e] : llvm::enumerate(map.getResults())) {
    Axis a = *classify(e);
    int64_t extent = type.getDimSize(axis);
    if (failed(a.dim < 0        ? constant(what, a.constant, extent)
               : a.divisor == 1 ? agree(what, a.dim, extent)
                                : quotient(what, a.dim, a.divisor, extent)))
      return failure();
  }
  return success();
}

LogicalResult Extents::grids() {
  const std::optional<ArrayRef<int64_t>> grids[] = {op.getQueryGrid(), op.getKeyGrid()};
  if (op.getFirst())
    return success();
  int64_t first = op.getFirstValue().value_or(0);
  for (unsigned n = 0; n < 2; ++n) {
    if (!grids[n] || llvm::any_of(*grids[n], ShapedType::isDynamic))
      continue;
    int64_t tokens = llvm::product_of(*grids[n]);
    if (failed(agree(first ? "its grid behind `first`" : "its grid", op.queryDim() + n, first + tokens)))
      return failure();
  }
  return success();
}

namespace {

class Captured {
public:
  Captured(AttendOp op, Extents &extents) : op(op), extents(extents) {}

  LogicalResult verify(Operation *inner) {
    unsigned i = op.queryDim(), j = op.keyDim();
    if (op->hasAttr(kExchanged))
      std::swap(i, j);
    auto lengths = [&](Value q, Value k) {
      return failure(failed(perBatch(q, "the query lengths")) || failed(perBatch(k, "the key lengths")));
    };
    return llvm::TypeSwitch<Operation *, LogicalResult>(inner)
        .Case<SetCausalOp, SetWindowOp, SetDilatedOp, SetNotSelfOp, SetBlockCausalOp>(
            [&](auto o) { return lengths(o.getQLengths(), o.getKLengths()); })
        .Case([&](SetLengthsOp o) { return lengths(o.getQ(), o.getK()); })
        .Case([&](SetPrefixOp o) { return perBatch(o.getLength(), "the prefix"); })
        .Case([&](SetGlobalOp o) { return perBatch(o.getLength(), "the count of global tokens"); })
        .Case([&](SetSinksOp o) { return perBatch(o.getLength(), "the count of sinks"); })
        .Case<SetSegmentOp, SetSharedPrefixOp>([&](auto o) {
          return failure(failed(perToken(o.getQ(), i, "the query segments")) ||
                         failed(perToken(o.getK(), j, "the key segments")));
        })
        .Case([&](SetMaskOp o) { return extents.leading("the mask", typeOf(o.getMask()), o.getMap()); })
        .Case([&](SetListOp o) { return extents.leading("the list", typeOf(o.getList()), o.getMap()); })
        .Case([&](SetDiagonalsOp o) {
          return failure(failed(extents.leading("the diagonals", typeOf(o.getList()), o.getMap())) ||
                         failed(lengths(o.getQLengths(), o.getKLengths())));
        })
        .Case([&](SetCsrOp o) {
          return failure(failed(extents.leading("the offsets", typeOf(o.getOffsets()), o.getMap())) ||
                         failed(extents.leading("the columns", typeOf(o.getColumns()), o.getMap())) ||
                         failed(rowOffsets(typeOf(o.getOffsets()))));
        })
        .Case([&](SetBitsOp o) {
          RankedTensorType type = typeOf(o.getWords());
          return failure(
              failed(extents.leading("the bits", type, o.getMap())) ||
              failed(extents.quotient("the bits", j, type.getElementTypeBitWidth(), type.getShape().back())));
        })
        .Case([&](SetRandomBlocksOp o) {
          auto list = dyn_cast<RankedTensorType>(o.getProbability().getType());
          return list ? extents.constant("the probabilities", 0, list.getDimSize(0)) : success();
        })
        .Default([](Operation *) { return success(); });
  }

private:
  static RankedTensorType typeOf(Value v) { return cast<RankedTensorType>(v.getType()); }

  /// Axis 0 of a tensor goes by the first batch dimension.
  LogicalResult perBatch(Value v, StringRef what) {
    auto type = v ? dyn_cast<RankedTensorType>(v.getType()) : RankedTensorType();
    if (!type)
      return success();
    if (op.numBatch() == 0)
      return op.emitOpError("[attend_c11] ")
             << what << " go by the first batch dimension, and dims(..) has none; add one of extent 1";
    return extents.agree(what, 0, type.getDimSize(0));
  }

  LogicalResult perToken(Value v, unsigned dim, StringRef what) {
    RankedTensorType type = typeOf(v);
    if (type.getRank() == 2 && failed(perBatch(v, what)))
      return failure();
    return extents.agree(what, dim, type.getShape().back());
  }

  /// One offset for each query and one behind the last.
  LogicalResult rowOffsets(RankedTensorType type) {
    int64_t extent = type.getShape().back();
    if (ShapedType::isDynamic(extent))
      return success();
    if (extent == 0)
      return op.emitOpError("[attend_c6] the offsets of a csr have one element more than there are queries, not none");
    return extents.agree("the rows of the offsets (their last extent less 1)", op.queryDim(), extent - 1);
  }

  AttendOp op;
  Extents &extents;
};

} // namespace

LogicalResult attn::rules::verifyCaptured(AttendOp op, Operation *inner, Extents &extents) {
  return Captured(op, extents).verify(inner);
}
