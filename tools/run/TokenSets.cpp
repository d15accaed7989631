// Rows of the sets of positions, blocks, first tokens and segments.
#include "Visibility.h"

using namespace attn;
using namespace attn::run;

/// j congruent to i + s modulo the step.
Ranges Visibility::dilated(SetDilatedOp op) const {
  const int64_t step = op.getStep(), corner = aligned(op.getAlignment(), op.getQLengths(), op.getKLengths());
  if (step == 1)
    return clip(0, problem.keys());
  Ranges keys;
  for (int64_t j = (corner % step + step) % step; j < problem.keys(); j += step)
    keys.emplace_back(j, j + 1);
  return keys;
}

Ranges Visibility::sharedPrefix(SetSharedPrefixOp op) {
  const Tensor *k = problem.tensorOf(op.getK());
  const int64_t id = segmentAt(problem.tensorOf(op.getQ()), query);
  if (op.getAll() && id == number(op.getAll()))
    return clip(0, problem.keys());
  return unite(keysOfSegment(op, k, id), keysOfSegment(op, k, number(op.getShared())));
}

Visibility::Bounds Visibility::evaluateNamed(mlir::Operation *op) {
  const int64_t keys = problem.keys();
  auto prefix = [&](auto o) {
    auto length = count(o.getLength());
    return length ? exactly(clip(0, *length)) : unknown();
  };
  return llvm::TypeSwitch<mlir::Operation *, Bounds>(op)
      .Case<SetCausalOp>([&](SetCausalOp o) {
        return exactly(window(o.getAlignment(), {}, {}, o.getQLengths(), o.getKLengths(), true));
      })
      .Case<SetWindowOp>([&](SetWindowOp o) {
        if (!isKnown(o.getLeft()) || !isKnown(o.getRight()))
          return unknown();
        return exactly(window(o.getAlignment(), o.getLeft(), o.getRight(), o.getQLengths(), o.getKLengths(), false));
      })
      .Case<SetDilatedOp>([&](SetDilatedOp o) { return exactly(dilated(o)); })
      .Case<SetNotSelfOp>([&](SetNotSelfOp o) {
        const int64_t corner = aligned(o.getAlignment(), o.getQLengths(), o.getKLengths());
        return exactly(complement(clip(corner, corner + 1), keys));
      })
      .Case<SetBlockCausalOp>([&](SetBlockCausalOp o) {
        const int64_t corner = aligned(o.getAlignment(), o.getQLengths(), o.getKLengths()), block = o.getBlock();
        return exactly(clip(0, (llvm::divideFloorSigned(corner, block) + 1) * block));
      })
      .Case<SetPrefixOp, SetSinksOp>(prefix)
      .Case<SetGlobalOp>([&](SetGlobalOp o) {
        auto length = count(o.getLength());
        if (!length)
          return unknown();
        return exactly(clip(0, query < *length ? keys : *length));
      })
      .Case<SetLengthsOp>([&](SetLengthsOp o) {
        if (o.getQ() && query >= lengthAt(o.getQ()))
          return exactly({});
        return exactly(clip(0, o.getK() ? lengthAt(o.getK()) : keys));
      })
      .Case<SetSegmentOp>([&](SetSegmentOp o) {
        return exactly(keysOfSegment(o, problem.tensorOf(o.getK()), segmentAt(problem.tensorOf(o.getQ()), query)));
      })
      .Case<SetSharedPrefixOp>([&](SetSharedPrefixOp o) {
        return isKnown(o.getShared()) && isKnown(o.getAll()) ? exactly(sharedPrefix(o)) : unknown();
      })
      .Case<SetMaskOp>([&](SetMaskOp o) { return exactly(masked(o)); })
      .Default([&](mlir::Operation *) { return unknown(); });
}
