#include "attn/Schedule/Lists.h"
#include "attn/Schedule/Schedule.h"

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

SetListOp attn::listOfBlocks(AttendOp attend) {
  return dyn_cast_or_null<SetListOp>(necessary(attend, [&](Operation *op) {
    auto list = dyn_cast<SetListOp>(op);
    unsigned bare = 0, divided = 0;
    for (AffineExpr e : list ? list.getMap().getResults() : ArrayRef<AffineExpr>())
      if (e.isFunctionOfDim(attend.queryDim()))
        ++(isa<AffineDimExpr>(e) ? bare : divided);
    return bare == 0 && divided == 1;
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

std::optional<Branch> attn::branchOf(AttendOp attend) {
  if (attend->hasAttr(kExchanged) || attend.getValueless() || gatherable(attend) || ownLists(attend) ||
      attend.getQueryGrid() || attend.getKeyGrid())
    return std::nullopt;
  AttendOp::Operand v = attend.vPart();
  for (unsigned d = 0; d < attend.numBatch(); ++d) {
    if (v.map.isFunctionOfDim(d) || (v.region && !v.region->front().getArgument(1 + d).use_empty()))
      continue;
    int64_t extent = 0;
    auto isIndexed = [&](const AttendOp::Operand &part) {
      int64_t own = 0;
      for (auto [axis, e] : llvm::enumerate(part.map.getResults()))
        if (e.isFunctionOfDim(d))
          own = isa<AffineDimExpr>(e) ? cast<RankedTensorType>(part.tensor.getType()).getDimSize(axis) : -1;
      bool agrees = extent == 0 || extent == own;
      extent = own;
      return !part.region && agrees && own >= 2 && own <= 4;
    };
    bool all = true;
    for (unsigned n = 0; n < attend.numParts(); ++n)
      all = all && isIndexed(attend.kPart(n));
    if (all)
      return Branch{d, extent};
  }
  return std::nullopt;
}

/// How many consecutive indices of a batch dimension share keys and values, as the lowering has it: the divisor under
/// which their maps and regions have it, 0 where it does not occur.
static int64_t sharedBy(AttendOp attend, unsigned dim) {
  int64_t share = batchShare(attend.vPart(), dim);
  for (unsigned n = 0; n < attend.numParts(); ++n)
    share = std::gcd(share, batchShare(attend.kPart(n), dim));
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
  auto branch = attend->getAttrOfType<DenseI64ArrayAttr>(kBranchAttr);
  for (unsigned d = 0; d < attend.numBatch(); ++d) {
    int64_t own = branch && branch[0] == d ? branch[1] : sharedBy(attend, d);
    if (own == 0 || own > 8)
      return 0;
    rows *= own;
  }
  return rows == 1 || (rows <= 8 && mayStandTogether(attend)) ? rows : 0;
}

std::optional<std::string> attn::whyApart(AttendOp attend, bool onGpu) {
  SmallVector<int64_t> share;
  std::string why;
  auto because = [&](const Twine &reason) {
    if (why.empty())
      why = reason.str();
  };
  auto branch = attend->getAttrOfType<DenseI64ArrayAttr>(kBranchAttr);
  for (unsigned d = 0; d < attend.numBatch(); ++d) {
    share.push_back(branch && branch[0] == d ? 0 : sharedBy(attend, d));
    if (Region *dot = attend.dotRegion(); dot && share.back() != 1 && !dot->front().getArgument(2 + d).use_empty())
      because("the region of products has no row of its own and takes the index " + attend.dimName(d));
  }
  if (llvm::all_of(share, [](int64_t n) { return n == 1; }))
    return std::nullopt;
  if (attend->hasAttr(kExchanged))
    because("queries and keys have exchanged their roles");
  if (!onGpu && (attend.getQueryGrid() || attend.getKeyGrid())) // which orders tokens
    because("tokens have a grid");
  auto areSame = [&](llvm::function_ref<bool(unsigned)> takes) { // for all heads that share
    return llvm::none_of(llvm::seq<unsigned>(0, attend.numBatch()),
                         [&](unsigned d) { return share[d] != 1 && takes(d); });
  };
  auto isSame = [&](AffineMap map) { return areSame([&](unsigned d) { return map.isFunctionOfDim(d); }); };
  attend.getSet().walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (auto where = dyn_cast<SetWhereOp>(op); where && onGpu)
      if (areSame([&](unsigned d) { return !where.getBody().getArgument(d).use_empty(); }))
        return WalkResult::skip();
    // Tensors of these go by the first batch dimension.
    auto goesByFirst = [&](ValueRange tensors) {
      return share[0] == 1 || llvm::none_of(tensors.getTypes(), llvm::IsaPred<RankedTensorType>);
    };
    bool own =
        llvm::TypeSwitch<Operation *, bool>(op)
            .Case<SetFullOp, SetEmptyOp, SetAndOp, SetOrOp, SetMinusOp, SetNotOp, YieldOp>([](auto) { return true; })
            .Case<SetCausalOp, SetWindowOp, SetDilatedOp, SetNotSelfOp, SetBlockCausalOp, SetPrefixOp, SetSinksOp,
                  SetGlobalOp, SetLengthsOp, SetSegmentOp, SetSharedPrefixOp>(
                [&](auto o) { return goesByFirst(o->getOperands()); })
            .Case([&](SetMaskOp mask) { return isSame(mask.getMap()); })
            .Case([&](SetListOp list) { return (onGpu || list == gatherable(attend)) && isSame(list.getMap()); })
            // On GPUs nothing is made of these before the rows ask.
            .Case<SetCsrOp, SetBitsOp>([&](auto o) { return onGpu && isSame(o.getMap()); })
            .Case<SetNeighborhoodOp, SetHaloOp, SetDiscOp>([&](auto) { return onGpu; })
            .Default([](Operation *o) { return o->getDialect()->getNamespace() == "arith"; });
    if (!own)
      because("the set may depend on which of the heads it is, by " + op->getName().getStringRef());
    return WalkResult::advance();
  });
  NormalizerOp normalizer = lookupNormalizer(attend);
  for (unsigned r = 0; normalizer && r < attend.getNumResults(); ++r)
    if (auto source = findOutput(attend, normalizer, attend.outName(r));
        source && source->kind == OutputSource::Weights)
      because("the weights themselves are asked for");
  return why;
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
