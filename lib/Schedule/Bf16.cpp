// Which products of an attend take bf16 operands as they are, where the target multiplies such, on tiles or not.
#include "attn/Schedule/Lists.h"
#include "attn/Schedule/Schedule.h"

using namespace mlir;
using namespace attn;

/// An element for each token and feature, which no region changes.
static std::string whyNotBf16(const AttendOp::Operand &x, StringRef name) {
  Type element = cast<RankedTensorType>(x.tensor.getType()).getElementType();
  if (x.region)
    return ("elements of " + name + " pass through a region").str();
  if (!element.isBF16()) {
    std::string text;
    llvm::raw_string_ostream(text) << name << " is " << element;
    return text;
  }
  bool token = false, feature = false;
  for (AffineExpr e : x.map.getResults()) {
    auto compound = dyn_cast<AffineBinaryOpExpr>(e);
    bool whole = !compound || compound.getKind() == AffineExprKind::Add;
    token |= whole && e.isFunctionOfDim(x.token);
    feature |= whole && e.isFunctionOfDim(x.feature);
  }
  return token && feature ? "" : ("several tokens or features share an element of " + name).str();
}

std::string attn::whyNotBf16Scores(AttendOp op) {
  if (op.dotRegion())
    return "q and k are contracted by a dot region";
  if (op.getBilinear())
    return "the score is bilinear";
  if (!op.accumulationType().isF32())
    return "scores are f64";
  for (unsigned n = 0; n < op.numParts(); ++n)
    for (auto [part, name] : {std::pair(op.qPart(n), "q"), {op.kPart(n), "k"}})
      if (std::string why = whyNotBf16(part, name); !why.empty())
        return why;
  return "";
}

std::string attn::whyNotBf16Values(AttendOp op) {
  NormalizerOp normalizer = lookupNormalizer(op);
  if (op.getValueless() || !normalizer)
    return "there are no values";
  if (!op.accumulationType().isF32())
    return "sums are f64";
  if (std::string why = whyNotBf16(op.vPart(), "v"); !why.empty())
    return why;
  // Weights are positive, one for each pair, and at most 2^threshold: a bf16 of it is as exact as one of its share.
  auto pass = dyn_cast<PassOp>(normalizer.lastStep());
  unsigned values = 0;
  for (unsigned n = 0; pass && n < pass.numSums(); ++n)
    if (pass.kindOf(n) == SumKind::Value)
      values += pass.classOf(n) < 0 ? 1 : 2;
  if (values != 1)
    return ("@" + op.normalizerName() + " does not end in one sum of values").str();
  Block &phi = pass.getPhi().front();
  Operation *yield = phi.getTerminator();
  auto exp = yield->getNumOperands() == 1 ? yield->getOperand(0).getDefiningOp<math::ExpOp>() : math::ExpOp();
  auto distance = exp && pass.hasRef() ? exp.getOperand().getDefiningOp<arith::SubFOp>() : arith::SubFOp();
  if (!distance || distance.getLhs() != phi.getArgument(0) || distance.getRhs() != phi.getArgument(1))
    return ("weights of @" + op.normalizerName() + " are not exponentials of scores beside the largest").str();
  if (pass.statRegion() && !pass.statRegion()->front().getArgument(0).use_empty())
    return ("a statistic of @" + op.normalizerName() + " shows the reference, which every row then follows").str();
  for (unsigned r = 0; r < op.getNumResults(); ++r) {
    auto source = findOutput(op, normalizer, op.outName(r));
    if (!source || !source->needsValues)
      continue;
    Type element = cast<RankedTensorType>(op.getResult(r).getType()).getElementType();
    if (!element.isBF16()) { // which a weight of 8 bits would be too coarse for
      std::string text;
      llvm::raw_string_ostream(text) << "the output " << op.outName(r) << " is " << element;
      return text;
    }
  }
  return "";
}

std::string attn::whyNotTiles(AttendOp op) {
  if (!whyNotBf16Scores(op).empty() && !whyNotBf16Values(op).empty())
    return "no product has bf16 operands";
  // Keys of several heads lie side by side there, and rows that share a product would be of several.
  if (branchOf(op))
    return "scores of several heads share values";
  return "";
}
