#include "attn/Schedule/Lists.h"

#include <numeric>

using namespace mlir;
using namespace attn;

/// The first part of the set that every visible pair is in and that is what is sought.
static Operation *necessary(Value set, llvm::function_ref<bool(Operation *)> sought) {
  Operation *op = set.getDefiningOp();
  if (auto both = dyn_cast<SetAndOp>(op)) {
    Operation *found = necessary(both.getLhs(), sought);
    return found ? found : necessary(both.getRhs(), sought);
  }
  if (auto minus = dyn_cast<SetMinusOp>(op))
    return necessary(minus.getLhs(), sought);
  return sought(op) ? op : nullptr;
}

static Operation *necessary(AttendOp attend, llvm::function_ref<bool(Operation *)> sought) {
  if (attend.getSet().empty())
    return nullptr;
  return necessary(attend.getSet().front().getTerminator()->getOperand(0), sought);
}

SetListOp attn::gatherable(AttendOp attend) {
  return dyn_cast_or_null<SetListOp>(necessary(attend, [&](Operation *op) {
    auto list = dyn_cast<SetListOp>(op);
    return list && !list.getMap().isFunctionOfDim(attend.queryDim());
  }));
}

Operation *attn::ownLists(AttendOp attend) {
  return necessary(attend, [&](Operation *op) {
    auto list = dyn_cast<SetListOp>(op);
    if (!list)
      return isa<SetCsrOp>(op);
    unsigned bare = 0, others = 0;
    for (AffineExpr e : list.getMap().getResults())
      if (e.isFunctionOfDim(attend.queryDim()))
        ++(isa<AffineDimExpr>(e) ? bare : others);
    return bare == 1 && others == 0;
  });
}

bool attn::isReadInPlace(AttendOp attend) {
  auto isPlain = [](const AttendOp::Operand &x) {
    // Each feature and the token once, the first perhaps from a constant on.
    auto isOf = [](unsigned dim) {
      return [dim](AffineExpr e) {
        auto sum = dyn_cast<AffineBinaryOpExpr>(e);
        return e.isFunctionOfDim(dim) && (!sum || sum.getKind() == AffineExprKind::Add);
      };
    };
    return !x.region && isa<FloatType>(cast<RankedTensorType>(x.tensor.getType()).getElementType()) &&
           llvm::any_of(x.map.getResults(), isOf(x.token)) && llvm::any_of(x.map.getResults(), isOf(x.feature));
  };
  return attend.numParts() == 1 && isPlain(attend.kPart(0)) && isPlain(attend.vPart()) && !attend.qPart(0).region;
}

/// How many consecutive indices of batch dimension `dim` share keys and values, as the lowering has it: the divisor of
/// their maps, 0 where it does not occur. None where a region divides it.
static std::optional<int64_t> sharedBy(AttendOp attend, unsigned dim) {
  int64_t share = 0;
  auto use = [&](int64_t divisor) { share = std::gcd(share, divisor); };
  SmallVector<AttendOp::Operand> parts{attend.vPart()};
  for (unsigned n = 0; n < attend.numParts(); ++n)
    parts.push_back(attend.kPart(n));
  for (const AttendOp::Operand &part : parts) {
    for (AffineExpr e : part.map.getResults())
      if (e.isFunctionOfDim(dim))
        use(isa<AffineDimExpr>(e) ? 1 : cast<AffineConstantExpr>(cast<AffineBinaryOpExpr>(e).getRHS()).getValue());
    if (!part.region)
      continue;
    for (Operation *user : part.region->front().getArgument(1 + dim).getUsers()) {
      if (isa<arith::FloorDivSIOp, arith::DivSIOp, arith::DivUIOp>(user))
        return std::nullopt;
      use(1);
    }
  }
  return share;
}

/// Whether vectors of `lanes` features are whole, and products nothing but products.
static bool hasWholeVectors(AttendOp attend, int64_t lanes) {
  bool whole = attend.vPart().extent % lanes == 0;
  for (unsigned n = 0; n < attend.numParts(); ++n)
    whole &= attend.kPart(n).extent % lanes == 0;
  return whole && !attend.dotRegion();
}

int64_t attn::fewRows(AttendOp attend, int64_t lanes) {
  if (!hasWholeVectors(attend, lanes))
    return 0;
  int64_t rows = 1;
  for (unsigned d = 0; d < attend.numBatch(); ++d) {
    auto own = sharedBy(attend, d);
    if (!own || *own == 0 || *own > 8)
      return 0;
    rows *= *own;
  }
  return rows == 1 || (rows <= 8 && mayStandTogether(attend)) ? rows : 0;
}

bool attn::mayStandTogether(AttendOp attend) {
  SmallVector<int64_t> share;
  for (unsigned d = 0; d < attend.numBatch(); ++d) {
    auto own = sharedBy(attend, d);
    if (!own)
      return false;
    share.push_back(*own);
    // The region of products has no row of its own.
    if (Region *dot = attend.dotRegion(); dot && *own != 1 && !dot->front().getArgument(2 + d).use_empty())
      return false;
  }
  if (llvm::all_of(share, [](int64_t n) { return n == 1; }) || attend->hasAttr(kExchanged) || attend.getQueryGrid() ||
      attend.getKeyGrid())
    return false;
  auto isSame = [&](AffineMap map) { // for all heads that share
    return llvm::none_of(llvm::seq<unsigned>(0, attend.numBatch()),
                         [&](unsigned d) { return share[d] != 1 && map.isFunctionOfDim(d); });
  };
  WalkResult parts = attend.getSet().walk([&](Operation *op) {
    bool own =
        llvm::TypeSwitch<Operation *, bool>(op)
            .Case<SetFullOp, SetEmptyOp, SetAndOp, SetOrOp, SetMinusOp, SetNotOp, YieldOp>([](auto) { return true; })
            // Tensors of these go by the first batch dimension.
            .Case<SetCausalOp, SetWindowOp, SetDilatedOp, SetNotSelfOp, SetBlockCausalOp, SetPrefixOp, SetSinksOp,
                  SetGlobalOp, SetLengthsOp, SetSegmentOp, SetSharedPrefixOp>([&](auto o) {
              return share[0] == 1 ||
                     llvm::none_of(o->getOperandTypes(), [](Type t) { return isa<RankedTensorType>(t); });
            })
            .Case([&](SetMaskOp mask) { return isSame(mask.getMap()); })
            .Case([&](SetListOp list) { return list == gatherable(attend) && isSame(list.getMap()); })
            .Default([](Operation *o) { return o->getDialect()->getNamespace() == "arith"; });
    return own ? WalkResult::advance() : WalkResult::interrupt();
  });
  if (parts.wasInterrupted())
    return false;
  NormalizerOp normalizer = lookupNormalizer(attend);
  for (unsigned r = 0; normalizer && r < attend.getNumResults(); ++r)
    if (auto source = findOutput(attend, normalizer, attend.outName(r));
        source && source->kind == OutputSource::Weights)
      return false;
  return true;
}

int64_t attn::rowsPerList(AttendOp attend) {
  int64_t rows = 0;
  attend.getSet().walk([&](Operation *op) {
    if (isa<SetCsrOp>(op))
      rows = 1;
    if (auto random = dyn_cast<SetRandomBlocksOp>(op))
      rows = std::gcd(rows, random.getBlock()[0]);
    if (auto list = dyn_cast<SetListOp>(op))
      for (AffineExpr e : list.getMap().getResults()) {
        if (auto dim = dyn_cast<AffineDimExpr>(e); dim && dim.getPosition() == attend.queryDim())
          rows = 1;
        if (auto binary = dyn_cast<AffineBinaryOpExpr>(e); binary && binary.getLHS().isFunctionOfDim(attend.queryDim()))
          rows = std::gcd(rows, cast<AffineConstantExpr>(binary.getRHS()).getValue());
      }
  });
  return rows;
}
