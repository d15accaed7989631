// Rules of attn.normalizer, attn.pass, attn.root, attn.finish.
#include "Rules.h"

#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace attn;

/// f32 stands for the accumulation type, so no other float may occur.
static LogicalResult verifyFormula(Region &region, StringRef label) {
  return rules::verifyScalarRegion(region, label, /*loads=*/false, [](Type t) {
    return t.isF32() || t.isIndex() || t.isSignlessInteger(1) || t.isSignlessInteger(32) || t.isSignlessInteger(64);
  });
}

static LogicalResult yieldsFloats(Operation *op, StringRef label, Region &region, unsigned args, unsigned results,
                                  StringRef what) {
  if (region.getNumArguments() != args || llvm::any_of(region.getArgumentTypes(), [](Type t) { return !t.isF32(); }))
    return op->emitOpError("[") << label << "] " << what << " takes " << args << " f32 argument"
                                << (args == 1 ? "" : "s");
  auto yield = dyn_cast<YieldOp>(region.front().back());
  if (!yield || yield.getNumOperands() != results ||
      llvm::any_of(yield.getOperandTypes(), [](Type t) { return !t.isF32(); }))
    return op->emitOpError("[") << label << "] " << what << " yields " << results << " f32 value"
                                << (results == 1 ? "" : "s");
  return success();
}

/// One class or weight for every sum, where they are given.
static LogicalResult verifySums(PassOp op) { // pass_c3
  unsigned n = op.getSumNames().size();
  if (n != op.getSumKinds().size() || (op.getSumWeights() && n != op.getSumWeights()->size()) ||
      (op.getSumClasses() && n != op.getSumClasses()->size()))
    return op.emitOpError("[pass_c3] one kind, weight and class for every sum");
  auto yield = dyn_cast<YieldOp>(op.getPhi().front().back());
  int64_t weights = yield ? yield.getNumOperands() : 0;
  llvm::StringSet<> seen;
  llvm::DenseSet<std::pair<unsigned, int64_t>> values;
  for (unsigned k = 0; k < n; ++k) {
    Attribute name = op.getSumNames()[k];
    if (!rules::isIdentifier(cast<StringAttr>(name).getValue()))
      return op.emitOpError("[pass_c3] ") << name << " is no identifier; name sums with letters, digits and _";
    if (!seen.insert(cast<StringAttr>(name).getValue()).second)
      return op.emitOpError("[pass_c3] the sum ") << name << " is listed twice";
    if (!symbolizeSumKind((uint32_t)cast<IntegerAttr>(op.getSumKinds()[k]).getInt()))
      return op.emitOpError("[pass_c3] a sum is of `one`, of `value` or of `count`");
    int64_t weight = op.getSumWeights() ? (*op.getSumWeights())[k] : 0;
    if (weight < 0 || weight >= weights)
      return op.emitOpError("[pass_c3] the sum ")
             << name << " is of weight " << weight << ", and phi yields " << weights << "; the first is 0";
    if (op.classOf(k) < -1 || op.classOf(k) > 15)
      return op.emitOpError("[pass_c3] the sum ")
             << name << " is over class " << op.classOf(k) << "; classes are 0 to 15";
    if (op.kindOf(k) == SumKind::Value && !values.insert({op.weightOf(k), op.classOf(k)}).second)
      return op.emitOpError("[pass_c3] at most one sum of `value` for each weight and class");
  }
  return success();
}

LogicalResult PassOp::verifyRegions() {
  bool max = hasRef();
  if (max == getGauge().empty())
    return emitOpError(
        max ? "[pass_c1] a pass with a reference needs a gauge(%r0, %r1): how weights change when the reference moves"
            : "[pass_c1] a pass without reference has no gauge");
  if (max && failed(yieldsFloats(*this, "pass_c2", getGauge(), 2, 1, "gauge")))
    return failure();
  unsigned weights = std::max<unsigned>(1, getPhi().front().back().getNumOperands());
  if (failed(yieldsFloats(*this, "pass_c2", getPhi(), max ? 2 : 1, weights, "phi")) || failed(verifySums(*this)))
    return failure();
  if (getMore().size() != 0 && getMore().size() != 2)
    return emitOpError("[pass_c6] behind gauge and phi a pass has two regions, for a seed and stat, or none");
  if (Region *seed = seedRegion()) {
    if (!max)
      return emitOpError(
          "[pass_c6] a seed is merged by the gauge, and a pass without reference has none; add it in the finish");
    if (failed(yieldsFloats(*this, "pass_c6", *seed, 0, 1 + numSums(),
                            "a seed, with one for the reference and one for each sum,")))
      return failure();
  }
  unsigned plain = 0;
  for (unsigned k = 0; k < numSums(); ++k)
    plain += kindOf(k) != SumKind::Value;
  if (Region *stat = statRegion()) {
    if (failed(
            yieldsFloats(*this, "pass_c7", *stat, plain + (max ? 1 : 0), getNumResults(),
                         "stat, with one for the reference, if there is one, and for each sum but those of values,")))
      return failure();
  } else if (getNumResults()) {
    return emitOpError("[pass_c7] the results of a pass are what its stat yields, and it has none");
  }
  for (Region *region : {&getGauge(), &getPhi(), seedRegion(), statRegion()})
    if (region && failed(verifyFormula(*region, "pass_c4")))
      return failure();
  return success();
}

LogicalResult RootOp::verifyRegions() {
  if (failed(yieldsFloats(*this, "root_c1", getPhi(), 2, 1, "phi")) ||
      failed(yieldsFloats(*this, "root_c1", getTo(), 0, 3, "`to`, with the target, lo and hi,")) ||
      failed(verifyFormula(getPhi(), "root_c2")) || failed(verifyFormula(getTo(), "root_c2")))
    return failure();
  if ((int64_t)getAtMost() < 1 || (int64_t)getAtMost() > 200)
    return emitOpError("[root_c3] a root is found in at most 1 to 200 sweeps, not ") << (int64_t)getAtMost();
  return success();
}

LogicalResult FinishOp::verifyRegions() {
  if (getOutNames().size() != getEmpty().size())
    return emitOpError("[finish_c1] one empty value for every output");
  if (failed(
          yieldsFloats(*this, "finish_c1", getBody(), getBody().getNumArguments(), getOutNames().size(), "the finish")))
    return failure();
  llvm::StringSet<> seen;
  for (Attribute name : getOutNames()) {
    if (!rules::isIdentifier(cast<StringAttr>(name).getValue()))
      return emitOpError("[finish_c2] ") << name << " is no identifier; name outputs with letters, digits and _";
    if (!seen.insert(cast<StringAttr>(name).getValue()).second)
      return emitOpError("[finish_c2] the output ") << name << " is listed twice";
  }
  for (Attribute value : getEmpty())
    if (cast<FloatAttr>(value).getValue().isNaN())
      return emitOpError("[finish_c4] an empty value is a number, inf or neg_inf");
  return verifyFormula(getBody(), "finish_c3");
}

LogicalResult NormalizerOp::verifyRegions() {
  Block &block = getBody().front();
  if (llvm::any_of(block.getArgumentTypes(), [](Type t) { return !t.isF32(); }))
    return emitOpError("[normalizer_c1] parameters of a normalizer are f32");
  if (block.empty() || !isa<FinishOp>(block.back()))
    return emitOpError("[normalizer_c1] a normalizer ends with attn.finish");
  Operation *last = nullptr;
  for (Operation &op : llvm::drop_end(block)) {
    if (!isa<PassOp, RootOp, SelectOp>(op))
      return op.emitOpError(
          "[normalizer_c1] a normalizer holds attn.pass, attn.root and attn.select, then one attn.finish");
    if (isa_and_present<SelectOp>(last))
      return op.emitOpError("[normalizer_c1] a selection is the last step; the finish follows");
    auto pass = dyn_cast_or_null<PassOp>(last);
    for (unsigned k = 0; pass && k < pass.numSums(); ++k)
      if (pass.kindOf(k) == SumKind::Value)
        return pass.emitOpError("[pass_c5] only the last pass sums values");
    last = &op;
  }
  if (!last)
    return emitOpError("[normalizer_c1] a normalizer has at least one attn.pass");
  if (isa<RootOp>(last))
    return last->emitOpError("[normalizer_c1] a root gives a statistic; an attn.pass that uses it follows");
  auto pass = dyn_cast<PassOp>(last);
  unsigned expected = pass ? pass.numSums() + (pass.hasRef() ? 1 : 0) : 2;
  if (finish().getBody().getNumArguments() != expected)
    return emitOpError("[normalizer_c2] the finish takes ")
           << expected
           << (pass ? " arguments: the reference if there is one, then the sums of the last pass"
                    : " arguments: the selected score and its value");
  return (*this)->hasAttr(kExportsState) ? success() : rules::verifyLaws(*this);
}

llvm::DenseSet<Value> NormalizerOp::perFeature() {
  llvm::DenseSet<Value> found;
  Block &body = finish().getBody().front();
  if (auto pass = dyn_cast<PassOp>(lastStep())) {
    for (unsigned k = 0; k < pass.numSums(); ++k)
      if (pass.kindOf(k) == SumKind::Value)
        found.insert(body.getArgument(k + (pass.hasRef() ? 1 : 0)));
  } else {
    found.insert(body.getArgument(1));
  }
  for (Operation &inner : body)
    if (llvm::any_of(inner.getOperands(), [&](Value v) { return found.contains(v); }))
      found.insert(inner.result_begin(), inner.result_end());
  return found;
}
