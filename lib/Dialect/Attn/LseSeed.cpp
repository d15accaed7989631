// What a seed is to an lse that the normalizer has no output for (edge contract 5: of the visible scores and the sink).
//
// Where weights are e^(s - r), a seed of reference r and number l in a sum of them is one more score, r + log l. Where
// a score equal to the reference has no weight, as softpick's |e^s - 1| at 0, the seed only says where sums begin.
#include "SampleEvaluator.h"
#include "attn/Dialect/Attn/Attn.h"

using namespace mlir;
using namespace attn;

/// Whether result `n` of phi(s, r) is e^(s - r).
static bool isPlainExponential(PassOp pass, unsigned n) {
  Block &phi = pass.getPhi().front();
  auto exp = phi.getTerminator()->getOperand(n).getDefiningOp<math::ExpOp>();
  auto distance = exp ? exp.getOperand().getDefiningOp<arith::SubFOp>() : arith::SubFOp();
  return distance && distance.getLhs() == phi.getArgument(0) && distance.getRhs() == phi.getArgument(1);
}

/// Whether phi's result `n` is 0 for a score equal to the seed's reference, a constant.
static bool vanishesAtSeed(PassOp pass, unsigned n) {
  FloatAttr reference;
  if (!matchPattern(pass.seedRegion()->front().getTerminator()->getOperand(0), m_Constant(&reference)))
    return false;
  double r = reference.getValueAsDouble();
  return rules::SampleFunction(pass.getPhi())({r, r}, DenseMap<Value, double>())[n] == 0;
}

static LseSeed ofPass(PassOp pass) {
  LseSeed seed;
  // What it reads of the text's other steps is not there in front of them.
  bool early = true;
  pass.seedRegion()->walk([&](Operation *op) {
    for (Value v : op->getOperands())
      early &= !isa_and_nonnull<PassOp, RootOp>(v.getDefiningOp());
  });
  bool weighs = false;
  for (unsigned n = 0; n < pass.numSums(); ++n) {
    Value number = pass.seedRegion()->front().getTerminator()->getOperand(1 + n);
    if (pass.kindOf(n) != SumKind::One || matchPattern(number, m_AnyZeroFloat()))
      continue;
    if (!isPlainExponential(pass, pass.weightOf(n))) {
      weighs |= !vanishesAtSeed(pass, pass.weightOf(n));
    } else if (pass.classOf(n) < 0 && early) {
      if (seed.kind == LseSeed::None)
        seed = {LseSeed::Score, pass, n};
    } else {
      weighs = true;
    }
  }
  if (seed.kind == LseSeed::None && weighs)
    seed.kind = LseSeed::Unknown;
  return seed;
}

/// It may not be verified yet; where it is malformed its own rules speak.
static bool isWellFormed(PassOp pass) {
  auto yields = [](Region &r, unsigned least) {
    return !r.empty() && !r.front().empty() && isa<YieldOp>(r.front().back()) &&
           r.front().back().getNumOperands() >= least;
  };
  unsigned weights = 1;
  for (unsigned n = 0; n < pass.numSums(); ++n)
    weights = std::max(weights, pass.weightOf(n) + 1);
  return pass.hasRef() && yields(pass.getPhi(), weights) && pass.getPhi().getNumArguments() == 2 &&
         yields(*pass.seedRegion(), 1 + pass.numSums());
}

LseSeed attn::lseSeedOf(NormalizerOp normalizer) {
  LseSeed all;
  for (auto pass : normalizer.getBody().front().getOps<PassOp>()) {
    LseSeed seed = pass.seedRegion() && isWellFormed(pass) ? ofPass(pass) : LseSeed();
    if (seed.kind == LseSeed::None)
      continue;
    if (all.kind == LseSeed::None) {
      all = seed;
      continue;
    }
    bool same = all.kind == LseSeed::Score && seed.kind == LseSeed::Score && all.sum == seed.sum &&
                OperationEquivalence::isRegionEquivalentTo(all.pass.seedRegion(), seed.pass.seedRegion(),
                                                           OperationEquivalence::IgnoreLocations);
    if (!same)
      all.kind = LseSeed::Unknown;
  }
  return all;
}

bool attn::asksForLse(AttendOp attend, NormalizerOp normalizer) {
  for (unsigned r = 0; r < attend.getNumResults(); ++r)
    if (auto source = findOutput(attend, normalizer, attend.outName(r));
        source && source->kind == OutputSource::LogSumExp)
      return true;
  auto lse = StringAttr::get(attend.getContext(), "lse");
  if (!attend.getEpilogueArgs() || llvm::is_contained(normalizer.finish().getOutNames(), lse))
    return false;
  return llvm::is_contained(*attend.getEpilogueArgs(), lse) &&
         !(attend.getReduceNames() && llvm::is_contained(*attend.getReduceNames(), lse));
}
