// Where the outputs of an attend come from, and the normalizer's arguments.
#include "attn/Dialect/Attn/Attn.h"

using namespace mlir;
using namespace attn;

static AttendOp::NormArg normArgOf(ArrayAttr values, OperandRange operands, unsigned n) {
  AttendOp::NormArg arg;
  unsigned operand = 0;
  for (unsigned k = 0; k <= n; ++k) {
    Attribute value = values[k];
    if (auto constant = dyn_cast<FloatAttr>(value)) {
      arg = AttendOp::NormArg{constant.getValueAsDouble(), Value(), AffineMap()};
    } else {
      auto map = dyn_cast<AffineMapAttr>(value);
      arg = AttendOp::NormArg{0, operand < operands.size() ? operands[operand] : Value(),
                              map ? map.getValue() : AffineMap()};
      ++operand;
    }
  }
  return arg;
}

int AttendOp::dimOf(BlockArgument arg) {
  Region *region = arg.getOwner()->getParent();
  int n = arg.getArgNumber();
  if (isa<SetWhereOp>(region->getParentOp()))
    return n;
  if (region->getParentOp() != getOperation())
    return -1;
  if (region == classRegion())
    return n;
  if (region == epilogueRegion()) {
    n -= getEpilogueArgs() ? getEpilogueArgs()->size() : 0;
    return n < 0 ? -1 : (int)epilogueDims()[n];
  }
  for (unsigned k = 0; k < numColumns(); ++k)
    if (region == columnRegion(k))
      return std::max(n - 2, -1);
  if (region == &getScore())
    return n - 1;
  // Regions of operands stand behind those of the columns.
  unsigned at = region - &getMore().front(), base = 2 + numReductions() + numColumns(), batch = numBatch();
  if (at < base)
    return n - 1; // behind a score
  unsigned which = at - base;
  if (which >= 4 + getParts().size())
    return -1;
  if (which == 3)
    return n < 2 ? -1 : n - 2 < (int)batch ? n - 2 : n - 2 == (int)batch ? (int)dotDim() : -1;
  Operand x = which == 0   ? qPart(0)
              : which == 1 ? kPart(0)
              : which == 2 ? vPart()
              : which % 2  ? kPart((which - 2) / 2)
                           : qPart((which - 2) / 2);
  if (n <= (int)batch)
    return n - 1;
  return n == (int)batch + 1 ? (int)x.token : n == (int)batch + 2 ? (int)x.feature : -1;
}

AttendOp::NormArg AttendOp::normArg(unsigned n) { return normArgOf(*getNormValues(), getNormArgs(), n); }
AttendOp::NormArg MergeOp::normArg(unsigned n) { return normArgOf(*getNormValues(), getNormArgs(), n); }

static std::optional<unsigned> indexOf(std::optional<ArrayAttr> names, StringRef name) {
  if (names)
    for (auto [n, a] : llvm::enumerate(*names))
      if (cast<StringAttr>(a).getValue() == name)
        return n;
  return std::nullopt;
}

/// A result of the finish.
static std::optional<OutputSource> ofFinish(NormalizerOp normalizer, StringRef name) {
  FinishOp finish = normalizer.finish();
  auto n = indexOf(finish.getOutNames(), name);
  if (!n)
    return std::nullopt;
  bool wide = normalizer.perFeature().contains(finish.getBody().front().back().getOperand(*n));
  return OutputSource{OutputSource::Finish, *n, wide, wide, cast<FloatAttr>(finish.getEmpty()[*n]).getValueAsDouble()};
}

/// Whether a value depends on a block argument for which `holds`.
static bool dependsOn(Value root, llvm::function_ref<bool(BlockArgument)> holds) {
  SmallVector<Value> work{root};
  llvm::DenseSet<Value> seen;
  while (!work.empty()) {
    Value v = work.pop_back_val();
    if (!seen.insert(v).second)
      continue;
    if (auto arg = dyn_cast<BlockArgument>(v)) {
      if (holds(arg))
        return true;
      continue;
    }
    llvm::append_range(work, v.getDefiningOp()->getOperands());
  }
  return false;
}

std::optional<OutputSource> attn::findOutput(AttendOp attend, NormalizerOp normalizer, StringRef name) {
  auto own = [&](std::optional<ArrayAttr> names, OutputSource::Kind kind, bool wide) -> std::optional<OutputSource> {
    if (auto n = indexOf(names, name))
      return OutputSource{kind, *n, wide, false};
    return std::nullopt;
  };
  if (auto n = indexOf(attend.getEpilogueOuts(), name)) {
    Block &block = attend.epilogueRegion()->front();
    Value root = block.back().getOperand(*n);
    unsigned numbers = attend.getEpilogueArgs() ? attend.getEpilogueArgs()->size() : 0;
    auto source = [&](BlockArgument arg) -> std::optional<OutputSource> {
      if (arg.getArgNumber() >= numbers)
        return std::nullopt;
      StringRef from = cast<StringAttr>((*attend.getEpilogueArgs())[arg.getArgNumber()]).getValue();
      if (auto r = indexOf(attend.getReduceNames(), from))
        return OutputSource{OutputSource::Reduction, *r, false, false};
      return ofFinish(normalizer, from);
    };
    bool needs = dependsOn(root, [&](BlockArgument arg) {
      auto from = source(arg);
      return from && from->needsValues;
    });
    bool wide = dependsOn(root, [&](BlockArgument arg) {
      if (arg.getOwner() != &block)
        return false;
      auto from = source(arg);
      return (from && from->perFeature) || arg.getArgNumber() + 1 == block.getNumArguments();
    });
    return OutputSource{OutputSource::Epilogue, *n, wide, needs};
  }
  if (auto found = own(attend.getReduceNames(), OutputSource::Reduction, false))
    return found;
  if (auto found = own(attend.getColumnNames(), OutputSource::Column, false))
    return found;
  if (auto found = own(attend.getAggregateNames(), OutputSource::Aggregate, true))
    return found;
  if (auto found = ofFinish(normalizer, name))
    return found;
  if (name == "p")
    if (auto o = ofFinish(normalizer, "o"); o && o->perFeature && !isa<SelectOp>(normalizer.lastStep()))
      return OutputSource{OutputSource::Weights, o->index, false, false};
  if (name == "lse")
    return OutputSource{OutputSource::LogSumExp, 0, false, false, -std::numeric_limits<double>::infinity()};
  return std::nullopt;
}

std::optional<unsigned> attn::topkOf(AttendOp attend, StringRef output) {
  auto n = indexOf(attend.getReduceNames(), output);
  if (!n || indexOf(attend.getEpilogueOuts(), output) || !attend.getReduceKinds() ||
      *n >= attend.getReduceKinds()->size() || attend.reductionKind(*n) != ReduceKind::TopK)
    return std::nullopt;
  return n;
}

SmallVector<OutputSource> attn::outputSources(AttendOp attend) {
  SmallVector<OutputSource> sources;
  NormalizerOp normalizer = lookupNormalizer(attend);
  for (unsigned r = 0; r < attend.getNumResults(); ++r)
    sources.push_back(*findOutput(attend, normalizer, attend.outName(r)));
  return sources;
}
