#include "SampleEvaluator.h"

#include "attn/Dialect/Attn/Attn.h"

#include <cmath>

using namespace mlir;
using namespace attn;
using namespace attn::rules;

SampleFunction::SampleFunction(Region &region) {
  numResults = region.front().back().getNumOperands();
  usable = copy(region);
}

/// False where it is too large, or a value is used that is not there yet: dominance is verified after the rules.
bool SampleFunction::copy(Region &region) {
  // Hundreds of samples are run: a program that some tool made large is not to take long for it.
  if (std::distance(region.front().begin(), region.front().end()) > 256)
    return false;
  Type real = Float64Type::get(region.getContext());
  Location loc = region.getLoc();
  IRMapping map;
  auto addArgument = [&](Value from) {
    BlockArgument to = block.addArgument(real, loc);
    map.map(from, to);
    slots[to] = slots.size();
    return to;
  };
  for (BlockArgument arg : region.getArguments())
    addArgument(arg);
  numArgs = region.getNumArguments();
  for (Operation &op : region.front())
    for (Value v : op.getOperands())
      if (v.getParentRegion() != &region && !map.contains(v)) {
        if (!v.getType().isF32())
          return false;
        addArgument(v);
        captured.push_back(v);
      }
  for (Operation &op : region.front()) {
    if (!llvm::all_of(op.getOperands(), [&](Value v) { return map.contains(v); }))
      return false;
    if (isa<YieldOp>(op)) {
      for (Value v : op.getOperands())
        yielded.push_back(map.lookup(v));
      return true;
    }
    if (op.getNumResults() != 1 || op.getNumRegions())
      return false;
    Operation *clone = op.clone(map);
    block.push_back(clone);
    Value result = clone->getResult(0);
    slots[result] = slots.size();
    if (!result.getType().isF32())
      continue;
    result.setType(real);
    if (auto constant = dyn_cast<arith::ConstantOp>(clone)) {
      auto value = dyn_cast<FloatAttr>(constant.getValue());
      if (!value)
        return false;
      constant.setValueAttr(FloatAttr::get(real, value.getValueAsDouble()));
    }
  }
  return false;
}

/// What MLIR has no folder for; null for everything else.
static Attribute evaluateOwn(Operation *op, ArrayRef<Attribute> operands) {
  SmallVector<double> x;
  for (Attribute a : operands) {
    if (auto real = dyn_cast<FloatAttr>(a))
      x.push_back(real.getValueAsDouble());
    else if (auto integer = dyn_cast<IntegerAttr>(a); integer && integer.getValue().getBitWidth() <= 64)
      x.push_back((double)integer.getValue().getSExtValue());
    else
      return {};
  }
  auto real = [&](double value) { return FloatAttr::get(Float64Type::get(op->getContext()), value); };
  return llvm::TypeSwitch<Operation *, Attribute>(op)
      .Case([&](math::FmaOp) { return real(std::fma(x[0], x[1], x[2])); })
      .Case([&](math::RsqrtOp) { return real(1.0 / std::sqrt(x[0])); })
      .Case([&](math::CbrtOp) { return real(std::cbrt(x[0])); })
      .Case([&](math::ClampFOp) { return real(std::min(std::max(x[0], x[1]), x[2])); })
      .Case([&](math::FPowIOp) { return real(std::pow(x[0], x[1])); })
      .Default([](Operation *) { return Attribute(); });
}

SmallVector<double> SampleFunction::operator()(ArrayRef<double> args,
                                               const llvm::DenseMap<Value, double> &known) const {
  const SmallVector<double> nothing(numResults, std::nan(""));
  if (!usable || args.size() != numArgs)
    return nothing;
  SmallVector<Attribute> values(slots.size());
  Type real = yielded.empty() ? Type() : yielded.front().getType();
  for (unsigned n = 0; n < numArgs; ++n)
    values[n] = FloatAttr::get(real, args[n]);
  for (auto [n, v] : llvm::enumerate(captured)) {
    auto it = known.find(v);
    if (it == known.end())
      return nothing;
    values[numArgs + n] = FloatAttr::get(real, it->second);
  }
  auto valueOf = [&](Value v) { return values[slots.lookup(v)]; };
  SmallVector<Attribute> operands;
  SmallVector<OpFoldResult> folded;
  for (Operation &op : const_cast<Block &>(block)) {
    Attribute &result = values[slots.lookup(op.getResult(0))];
    // A folder may rewrite its op in place, and then has no result yet; the copy still means the same.
    for (unsigned tries = 0; !result && tries < 4; ++tries) {
      operands = llvm::map_to_vector(op.getOperands(), valueOf);
      folded.clear();
      if (failed(op.fold(operands, folded))) {
        result = evaluateOwn(&op, operands);
        break;
      }
      if (!folded.empty())
        result =
            isa<Attribute>(folded.front()) ? cast<Attribute>(folded.front()) : valueOf(cast<Value>(folded.front()));
    }
    if (!isa_and_present<FloatAttr, IntegerAttr>(result))
      return nothing;
  }
  SmallVector<double> results;
  for (Value v : yielded) {
    auto value = dyn_cast<FloatAttr>(valueOf(v));
    results.push_back(value ? value.getValueAsDouble() : std::nan(""));
  }
  return results;
}
