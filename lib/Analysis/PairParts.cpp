#include "attn/Analysis/PairParts.h"

using namespace mlir;
using namespace attn;

/// More code than that for every pair is left in a loop over rows.
static constexpr unsigned kMostOps = 24;

PairParts::PairParts(Block &block, unsigned query, unsigned key) : block(block), key(key) {
  uses[block.getArgument(0)] = PairUse::Score;
  uses[block.getArgument(query)] = PairUse::Query;
  uses[block.getArgument(key)] = PairUse::Key;
  affine[block.getArgument(query)] = {1, 0, Value()};
  affine[block.getArgument(key)] = {0, 1, Value()};
  for (Operation &op : block.without_terminator()) {
    PairUse use = useOf(&op);
    if (auto form =
            op.getNumResults() == 1 && use != PairUse::None && use != PairUse::Score ? affineOf(&op) : std::nullopt) {
      affine[op.getResult(0)] = *form;
      if (use == PairUse::Pair && form->query == -form->key)
        use = PairUse::Difference;
    }
    for (Value result : op.getResults())
      uses[result] = use;
  }
  findParts();
  findSlope();
}

PairUse PairParts::use(Value v) const {
  auto it = uses.find(v);
  return it == uses.end() ? PairUse::None : it->second;
}

static bool isFunction(Operation *op) {
  StringRef dialect = op->getName().getDialectNamespace();
  return op->getNumRegions() == 0 && (dialect == "arith" || dialect == "math" || isa<attn::LoadOp>(op));
}

PairUse PairParts::useOf(Operation *op) const {
  PairUse all = PairUse::None;
  for (Value operand : op->getOperands()) {
    PairUse one = use(operand);
    if (all == PairUse::None || all == one)
      all = one;
    else if (one != PairUse::None)
      all = all == PairUse::Score || one == PairUse::Score ? PairUse::Score : PairUse::Pair;
  }
  return isFunction(op) || all == PairUse::Score ? all : PairUse::Pair;
}

/// How the op depends on i and j, where that is linear. Integers wrap in their own width, in which sums and products
/// are exact; a float stands for the number that it rounds.
std::optional<PairParts::Affine> PairParts::affineOf(Operation *op) const {
  auto of = [&](unsigned n) -> std::optional<Affine> {
    Value v = op->getOperand(n);
    if (auto it = affine.find(v); it != affine.end())
      return it->second;
    if (use(v) == PairUse::None)
      return Affine{0, 0, Value(), true, v.getDefiningOp<arith::ConstantOp>() != nullptr};
    return std::nullopt;
  };
  constexpr int64_t limit = int64_t(1) << 30;
  auto inLimit = [&](Affine form) -> std::optional<Affine> {
    if (std::abs(form.query) > limit || std::abs(form.key) > limit)
      return std::nullopt;
    return form;
  };
  auto isNone = [](const Affine &x) { return x.query == 0 && x.key == 0; };
  auto x = of(0);
  if (!x)
    return std::nullopt;
  if (isa<arith::NegFOp>(op))
    return Affine{-x->query, -x->key, x->factor};
  if (isa<arith::ExtFOp, arith::TruncFOp>(op)) // floats have one type in a kernel
    return x;
  if (isa<arith::SIToFPOp>(op))
    return x->query == -x->key || (x->exact && x->small) ? x : std::nullopt;
  if (isa<arith::IndexCastOp, arith::ExtSIOp, arith::TruncIOp>(op)) {
    auto width = [](Type t) { return t.isIndex() ? 64 : t.getIntOrFloatBitWidth(); };
    unsigned from = width(op->getOperand(0).getType()), to = width(op->getResult(0).getType());
    if (to > from && !x->exact)
      return std::nullopt;
    bool isToken = x->query + x->key == 1 && (x->query == 0 || x->key == 0) && x->exact;
    x->exact = to >= 32 && (x->exact && (to >= from || (isToken && isa<BlockArgument>(op->getOperand(0)))));
    return x;
  }
  if (op->getNumOperands() != 2)
    return std::nullopt;
  auto y = of(1);
  if (!y)
    return std::nullopt;
  if (isa<arith::AddIOp, arith::SubIOp, arith::AddFOp, arith::SubFOp>(op)) {
    if (!isNone(*x) && !isNone(*y) && x->factor != y->factor)
      return std::nullopt;
    int64_t sign = isa<arith::SubIOp, arith::SubFOp>(op) ? -1 : 1;
    Type type = op->getResult(0).getType();
    bool wide = type.isIndex() || type.isInteger(64);
    return inLimit({x->query + sign * y->query, x->key + sign * y->key, isNone(*x) ? y->factor : x->factor,
                    wide && x->exact && y->exact, x->small && y->small});
  }
  if (isa<arith::MulIOp>(op)) {
    APInt by;
    unsigned n = matchPattern(op->getOperand(1), m_ConstantInt(&by)) ? 1 : 0;
    if (!matchPattern(op->getOperand(n), m_ConstantInt(&by)) || by.getSignificantBits() > 31)
      return std::nullopt;
    Affine form = n ? *x : *y;
    int64_t factor = by.getSExtValue();
    Type type = op->getResult(0).getType();
    bool wide = type.isIndex() || type.isInteger(64);
    return inLimit({form.query * factor, form.key * factor, form.factor, wide && form.exact, form.small});
  }
  if (isa<arith::MulFOp>(op)) {
    if (isNone(*x) == isNone(*y))
      return std::nullopt;
    Affine form = isNone(*x) ? *y : *x;
    if (form.factor)
      return std::nullopt;
    form.factor = op->getOperand(isNone(*x) ? 0 : 1);
    return form;
  }
  return std::nullopt;
}

/// Operations that a vector of pairs can afford in the place of a load.
static bool isCheap(Operation *op) {
  if (isa<math::AbsFOp, math::FmaOp, math::CopySignOp>(op))
    return true;
  return op->getDialect()->getNamespace() == "arith" &&
         !isa<arith::DivSIOp, arith::DivUIOp, arith::RemSIOp, arith::RemUIOp, arith::FloorDivSIOp, arith::CeilDivSIOp,
              arith::CeilDivUIOp, arith::RemFOp>(op);
}

/// One cheap operation on a number of the key or the difference is as good as a load of its result.
bool PairParts::isWorthKeeping(Value v) const {
  Operation *op = v.getDefiningOp();
  if (!op || isa<arith::ConstantOp>(op) || v.getType().isInteger(1))
    return false;
  PairUse of = use(v);
  if (of == PairUse::None || of == PairUse::Query)
    return true;
  if (of != PairUse::Key && of != PairUse::Difference)
    return false;
  auto isLeaf = [&](Value operand) {
    Operation *by = operand.getDefiningOp();
    return !by || isa<arith::ConstantOp>(by) || (of == PairUse::Key && use(operand) == PairUse::None);
  };
  return !isCheap(op) || !llvm::all_of(op->getOperands(), isLeaf);
}

/// From what is yielded back: ops of pairs, and ops on less that are not worth keeping, are computed for every pair;
/// what they take and is worth it is a part.
void PairParts::findParts() {
  DenseSet<Value> needed;
  auto need = [&](Operation &op) {
    for (Value operand : op.getOperands())
      needed.insert(operand);
  };
  need(*block.getTerminator());
  unsigned ops = 0;
  for (Operation &op : llvm::reverse(block.without_terminator())) {
    if (llvm::none_of(op.getResults(), [&](Value v) { return needed.contains(v); }))
      continue;
    if (op.getNumResults() == 1 && isWorthKeeping(op.getResult(0))) {
      parts.push_back(op.getResult(0));
      continue;
    }
    if (isa<arith::ConstantOp>(op))
      continue;
    ++ops;
    if (isRowLoad(&op))
      continue;
    need(op);
    // A tanh that bounds scores is a short series as a rule (Emit::tanh32).
    isLight &= isCheap(&op) || (isa<math::TanhOp>(op) && op.getResult(0).getType().isF32());
  }
  std::reverse(parts.begin(), parts.end());
  isLight &= ops <= kMostOps;
}

void PairParts::findSlope() {
  SmallVector<Slope> terms;
  auto walk = [&](auto &self, Value v, int64_t sign) -> void {
    if (auto it = affine.find(v); it != affine.end()) {
      if (it->second.key != 0)
        terms.push_back({sign * it->second.key, it->second.factor});
      return;
    }
    Operation *op = v.getDefiningOp();
    if (!op || !isa<arith::AddFOp, arith::SubFOp, arith::NegFOp, arith::MulFOp>(op))
      return;
    if (isa<arith::MulFOp>(op)) {
      APFloat by(0.0);
      for (unsigned n : {0u, 1u})
        if (matchPattern(op->getOperand(n), m_ConstantFloat(&by)) && by.isFiniteNonZero())
          return self(self, op->getOperand(1 - n), by.isNegative() ? -sign : sign);
      return;
    }
    for (auto [n, operand] : llvm::enumerate(op->getOperands()))
      self(self, operand, isa<arith::NegFOp>(op) || (n == 1 && isa<arith::SubFOp>(op)) ? -sign : sign);
  };
  walk(walk, block.getTerminator()->getOperand(0), 1);
  if (terms.size() == 1)
    slope = terms[0];
}

bool PairParts::isRowLoad(Operation *op) {
  auto load = dyn_cast<attn::LoadOp>(op);
  if (!load || use(load) != PairUse::Pair)
    return false;
  std::optional<unsigned> along;
  for (auto [axis, index] : llvm::enumerate(load.getIndices())) {
    PairUse by = use(index);
    if (by == PairUse::None || by == PairUse::Query)
      continue;
    auto form = affine.find(index);
    if (along || form == affine.end() || form->second.key != 1 || !form->second.exact)
      return false;
    along = axis;
  }
  if (!along)
    return false;
  rowLoads.push_back({load, *along, load.getIndices()[*along] == block.getArgument(key)});
  return true;
}

namespace {
struct PrintPairParts : PassWrapper<PrintPairParts, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(PrintPairParts)
  StringRef getArgument() const final { return "attn-print-pair-parts"; }
  StringRef getDescription() const final {
    return "remarks on what score regions compute less often than for each pair";
  }

  void runOnOperation() final {
    getOperation().walk([](AttendOp attend) {
      if (attend.getScore().empty())
        return;
      PairParts of(attend.getScore().front(), 1 + attend.numBatch(), 2 + attend.numBatch());
      for (Value v : of.parts) {
        PairUse use = of.use(v);
        v.getDefiningOp()->emitRemark() << "once for each "
                                        << (use == PairUse::None    ? "head"
                                            : use == PairUse::Query ? "query"
                                            : use == PairUse::Key   ? "key"
                                                                    : "difference");
      }
      for (const PairParts::RowLoad &row : of.rowLoads)
        row.load->emitRemark() << "rows along axis " << row.axis;
      if (of.slope)
        attend.emitRemark() << "a score has a slope along the keys, " << of.slope->key
                            << (of.slope->factor ? " times a number of the head" : "");
      attend.emitRemark() << (of.isLight ? "a pair's score is light" : "a pair's score is not light");
    });
  }
};
} // namespace

std::unique_ptr<Pass> attn::createAttnPrintPairPartsPass() { return std::make_unique<PrintPairParts>(); }
