// --attn-expand-lse: an output lse of a normalizer that has none of its own.
//
// The attend gets a copy of its normalizer with a pass in front of the others, whose statistic r + log sum e^(s - r) is
// one more result of the finish. What the others do stays as it is. A seed that is a score (see LseSeed.cpp) is that of
// the pass too.
#include "attn/Dialect/Attn/Attn.h"

using namespace mlir;
using namespace attn;

static const char kPass[] = R"mlir(
attn.normalizer @lse {
  %t = attn.pass ref = max
    gauge(%r0, %r1) {
      %d = arith.subf %r0, %r1 : f32
      %g = math.exp %d : f32
      attn.yield %g : f32
    }
    phi(%s, %r) {
      %d = arith.subf %s, %r : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    }
    sums(l = one)
    stat(%r, %l) {
      %g = math.log %l : f32
      %t = arith.addf %r, %g : f32
      attn.yield %t : f32
    }
  attn.pass ref = none phi(%s) {
    attn.yield %s : f32
  } sums(n = value)
  attn.finish(%n) {
    attn.yield %n, %t : f32, f32
  } outputs(o, lse) empty(0.0, neg_inf)
}
)mlir";

/// The copy, made at its first use.
static NormalizerOp withLse(ModuleOp module, NormalizerOp normalizer) {
  std::string name = (normalizer.getSymName() + "_with_lse").str();
  while (Operation *other = module.lookupSymbol(name)) {
    if (auto made = dyn_cast<NormalizerOp>(other); made && made->hasAttr("attn.with_lse"))
      return made;
    name += "_";
  }
  ParserConfig config(module.getContext(), /*verifyAfterParse=*/false);
  OwningOpRef<ModuleOp> parsed = parseSourceString<ModuleOp>(kPass, config, "lse");
  if (!parsed)
    return {};
  auto pass = *(*parsed->getOps<NormalizerOp>().begin()).getBody().front().getOps<PassOp>().begin();
  OpBuilder b(normalizer);
  b.setInsertionPointAfter(normalizer);
  auto copy = cast<NormalizerOp>(b.clone(*normalizer));
  copy.setSymName(name);
  copy->setAttr("attn.with_lse", b.getUnitAttr());
  b.setInsertionPointToStart(&copy.getBody().front());
  auto added = cast<PassOp>(b.clone(*pass));
  Value lse = added->getResult(0);
  if (LseSeed seed = lseSeedOf(normalizer); seed.kind == LseSeed::Score) {
    IRMapping map; // of the original's parameters
    map.map(normalizer.getBody().getArguments(), copy.getBody().getArguments());
    Region &own = added.getMore()[0];
    seed.pass.seedRegion()->cloneInto(&own, map);
    Operation *numbers = own.front().getTerminator();
    numbers->setOperands({numbers->getOperand(0), numbers->getOperand(1 + seed.sum)});
  }
  FinishOp finish = copy.finish();
  Operation *yield = finish.getBody().front().getTerminator();
  yield->insertOperands(yield->getNumOperands(), lse);
  SmallVector<Attribute> names(finish.getOutNames().getValue()), empty(finish.getEmpty().getValue());
  names.push_back(b.getStringAttr("lse"));
  empty.push_back(b.getFloatAttr(cast<FloatAttr>(empty.front()).getType(), -std::numeric_limits<double>::infinity()));
  finish.setOutNamesAttr(b.getArrayAttr(names));
  finish.setEmptyAttr(b.getArrayAttr(empty));
  return copy;
}

namespace {
struct ExpandLse : PassWrapper<ExpandLse, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ExpandLse)
  StringRef getArgument() const final { return "attn-expand-lse"; }
  StringRef getDescription() const final { return "give normalizers without an lse one where it is asked for"; }
  void runOnOperation() final {
    ModuleOp module = getOperation();
    SmallVector<AttendOp> attends;
    module.walk([&](AttendOp op) { attends.push_back(op); });
    for (AttendOp attend : attends) {
      NormalizerOp normalizer = lookupNormalizer(attend);
      if (!normalizer || !asksForLse(attend, normalizer))
        continue;
      NormalizerOp made = withLse(module, normalizer);
      if (!made)
        return signalPassFailure();
      attend.setNormalizer(made.getSymName());
    }
  }
};
} // namespace

std::unique_ptr<Pass> attn::createAttnExpandLsePass() { return std::make_unique<ExpandLse>(); }
