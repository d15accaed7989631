// Counting operations in the text of a variant.
#include "attn/Analysis/KernelCost.h"
#include "attn/Analysis/PairParts.h"

#include "llvm/Support/Error.h"

using namespace mlir;
using namespace attn;

namespace {

/// One variant, read.
class Reader {
public:
  Reader(tile::VariantOp variant, int64_t lanes, const X86Costs &costs)
      : variant(variant), program(variant->getParentOfType<tile::ProgramOp>()), lanes(lanes), costs(costs) {}

  llvm::Expected<VariantCost> read();

private:
  double opCycles(Operation &op) const;
  double regionCycles(Region &region) const;
  double scoreCycles(tile::WeighOp weigh) const;
  double weighCycles(tile::WeighOp weigh) const;
  double setCycles(Region &set) const;
  double packCycles(tile::PackOp pack) const;
  double conversion(Type element) const;
  void readMain(tile::PhaseOp main);
  bool inRoot(Operation *op) const { return op->getParentOfType<tile::RootOp>() != nullptr; }
  unsigned queryArgument() const { return 1 + unsigned(tile::ProgramOp(program).getNumBatch()); }

  tile::VariantOp variant;
  tile::ProgramOp program;
  const int64_t lanes;
  const X86Costs &costs;
  VariantCost c;
};

/// Sweeps that a root takes until every row's bracket is narrow: what the secant needs as a rule.
constexpr double kRootSweeps = 10;

double Reader::opCycles(Operation &op) const {
  if (op.hasTrait<OpTrait::ConstantLike>() || op.hasTrait<OpTrait::IsTerminator>())
    return 0;
  if (isa<attn::LoadOp>(op))
    return costs.access;
  if (isa<RandomOp>(op))
    return costs.randomOps * costs.op;
  return llvm::TypeSwitch<Operation *, double>(&op)
      .Case<arith::DivFOp>([&](auto) { return costs.divide; })
      .Case<math::SqrtOp, math::RsqrtOp>([&](auto) { return costs.squareRoot; })
      .Case<arith::DivSIOp, arith::DivUIOp, arith::RemSIOp, arith::RemUIOp, arith::FloorDivSIOp>([&](Operation *o) {
        return o->getOperand(1).getDefiningOp<arith::ConstantOp>() ? 5 * costs.op : double(lanes) * costs.scalarLane;
      })
      .Case<math::Exp2Op>([&](auto) { return costs.exp2Ops * costs.op; })
      .Case<math::ExpOp, math::ExpM1Op>([&](auto) { return costs.expOps * costs.op; })
      .Case<math::LogOp, math::Log1pOp, math::Log2Op>([&](auto) { return costs.logOps * costs.op; })
      .Case<math::TanhOp>([&](auto) { return costs.tanhOps * costs.op; })
      .Default([&](Operation *o) {
        const bool isCheap = isa<math::FmaOp, math::AbsFOp, math::AbsIOp, math::CopySignOp, math::FloorOp, math::CeilOp,
                                 math::RoundEvenOp>(o);
        return (o->getName().getDialectNamespace() == "math" && !isCheap ? costs.otherOps : 1) * costs.op;
      });
}

double Reader::regionCycles(Region &region) const {
  double sum = 0;
  region.walk([&](Operation *op) { sum += opCycles(*op); });
  return sum;
}

/// Of a vector of scores: what depends on the score or on the pair; what is kept for a row, a key or a distance is a
/// load of each vector and, once for a block, its own operations.
double Reader::scoreCycles(tile::WeighOp weigh) const {
  if (weigh.getScore().empty())
    return costs.op; // the scale
  Block &block = weigh.getScore().front();
  PairParts parts(block, queryArgument(), queryArgument() + 1);
  double sum = 0;
  for (Operation &op : block.without_terminator()) {
    if (op.getNumResults() != 1 || op.hasTrait<OpTrait::ConstantLike>())
      continue;
    const PairUse use = parts.use(op.getResult(0));
    if (use == PairUse::None)
      continue;
    if (use != PairUse::Pair && use != PairUse::Score) {
      const double each = isa<attn::LoadOp>(op) ? double(lanes) * costs.gatherLane : opCycles(op);
      const double more = use == PairUse::Difference ? 1 + double(c.blockRows) / double(c.blockKeys) : 1;
      sum += each * more / double(c.blockRows);
      continue;
    }
    bool isRow = llvm::any_of(parts.rowLoads, [&](const PairParts::RowLoad &r) { return r.load == &op; });
    sum += isa<attn::LoadOp>(op) && !isRow ? double(lanes) * costs.gatherLane : opCycles(op);
    for (Value operand : op.getOperands())
      if (PairUse of = parts.use(operand); of == PairUse::Key || of == PairUse::Difference || of == PairUse::Query)
        sum += costs.access;
  }
  return parts.isLight ? sum : sum + 2 * costs.access;
}

/// Of a vector of scores, masks apart: reference, check, weight, store, sums.
double Reader::weighCycles(tile::WeighOp weigh) const {
  double sum = scoreCycles(weigh) + regionCycles(weigh.getPhi()) + costs.access;
  if (weigh.getRef())
    sum += 2 * costs.op; // less the reference; the largest
  for (auto [n, op] : llvm::enumerate(weigh.getSumOps())) {
    sum += op == 0 ? costs.op + costs.access : op < 3 ? 3 * costs.op : op == 3 ? 8 * costs.op : 24 * costs.op;
    if (int64_t value = weigh.getSumValues()[n]; value >= 0)
      sum += regionCycles(weigh.getValues()[size_t(value)]) + costs.op + 2 * costs.access;
    if (weigh.getSumClasses()[n] >= 0)
      sum += 2 * costs.op;
  }
  if (weigh.getSpreadTo())
    sum += regionCycles(weigh.getValues().front()) + 2 * costs.access;
  if (weigh.getWeightPhis().size() > 1)
    sum += double(weigh.getWeightPhis().size() - 1) * costs.access;
  return sum + regionCycles(weigh.getFactor()) + regionCycles(weigh.getClasses());
}

/// Of a vector of keys of a row: comparisons with what is known of row and key.
double Reader::setCycles(Region &set) const {
  double sum = costs.op; // the selection
  set.walk([&](Operation *op) {
    if (!isa<AttnDialect>(op->getDialect())) { // inside a `where`
      sum += opCycles(*op);
      return;
    }
    llvm::TypeSwitch<Operation *>(op)
        .Case<YieldOp, SetFullOp>([](auto) {})
        .Case<attn::LoadOp>([&](auto) { sum += double(lanes) * costs.gatherLane; })
        .Case<SetNeighborhoodOp, SetHaloOp, SetDiscOp>([&](auto) { sum += 24 * costs.op + 4 * costs.access; })
        .Case<SetMaskOp>([&](SetMaskOp mask) { // of keys alone: what is kept of it is loaded once for all rows
          sum += mask.getMap().isFunctionOfDim(queryArgument() - 1) ? 3 * costs.op + costs.access
                                                                    : costs.access / double(c.tileRows);
        })
        .Case<SetBitsOp>([&](auto) { sum += 3 * costs.op + costs.access; })
        .Case<SetListOp, SetCsrOp, SetRandomBlocksOp, SetDiagonalsOp, MemberOp>(
            [&](auto) { sum += double(lanes) * costs.scalarLane / 2; })
        .Default([&](Operation *) { sum += 3 * costs.op + costs.access; });
  });
  return sum;
}

double Reader::conversion(Type element) const {
  const unsigned bits = element.getIntOrFloatBitWidth();
  return bits >= 32 ? 0 : bits == 16 ? 1.5 * costs.op : bits == 8 ? 4 * costs.op : 8 * costs.op;
}

/// A vector of features of a key.
double Reader::packCycles(tile::PackOp pack) const {
  double sum = costs.packedVector;
  for (Value source : pack.getSources())
    sum += conversion(cast<RankedTensorType>(source.getType()).getElementType()) / double(pack.getSources().size());
  for (Region &producer : pack.getProducers())
    sum += regionCycles(producer);
  if (pack.getOrder())
    sum += costs.packedVector;
  return sum;
}

void Reader::readMain(tile::PhaseOp main) {
  c.chunks = int64_t(main.getChunks().value_or(1));
  const double vectors = double(c.tileRows) * double(c.tileKeys) / double(lanes);
  auto features = [&](unsigned n) { return double(program.getFeatures()[n]); };
  const double dot = features(0), value = features(1);
  double places = 0, placeBits = 0; // of keys that are read where they lie: conversions, for every strip; an element
  variant.walk([&](tile::PackOp pack) {
    for (Value source : pack.getSources()) {
      Type element = cast<RankedTensorType>(source.getType()).getElementType();
      places =
          std::max(places, element.isBF16() ? costs.op : conversion(element)); // even and odd halves: a shift, a mask
      placeBits = std::max(placeBits, double(element.getIntOrFloatBitWidth()));
    }
  });
  // Of rows by features by keys; where they lie a vector of features of one key serves all rows.
  auto product = [&](double width, StringRef bf16) {
    if (costs.tileProduct > 0 && variant->hasAttr("tiles") && variant->hasAttr(bf16))
      return double(c.tileRows) * double(c.tileKeys) * width / costs.tileProduct;
    if (c.inPlace)
      return double(c.tileRows) * double(c.tileKeys) * width / double(lanes) * costs.placeProduct +
             double(c.tileKeys) * width / double(lanes) * costs.access * placeBits / 32;
    return double(c.tileRows) * double(c.tileKeys) * width / double(lanes) / costs.fmaPerCycle / costs.product;
  };
  main.walk([&](tile::WeighOp weigh) {
    const double times = inRoot(weigh) ? kRootSweeps : 1;
    const double elements = weigh.getProduct().empty()
                                ? product(dot, "bf16_scores")
                                : vectors * dot * (regionCycles(weigh.getProduct()) + costs.access);
    c.products += times * elements;
    c.weights += times * (costs.tile + vectors * weighCycles(weigh));
    if (c.inPlace) {
      c.weights += times * vectors * costs.acrossLanes;
      c.products += times * double(c.tileKeys) * dot / double(lanes) * places;
    }
  });
  main.walk([&](tile::AccumulateOp accumulate) {
    c.products += (inRoot(accumulate) ? kRootSweeps : 1) * product(value, "bf16_values");
    if (c.inPlace)
      c.products += double(c.tileKeys) * value / double(lanes) * places;
    else // the accumulators, once for a strip and a block
      c.strip += double(c.tileRows) * value / double(lanes) * 2 * costs.access;
  });
  double sweeps = 0;
  main.walk([&](tile::ForOp loop) {
    const double times = inRoot(loop) ? kRootSweeps : 1, set = loop.getSet().empty() ? 0 : setCycles(loop.getSet());
    c.mask += times * vectors * set;
    c.question += times * costs.questions * set;
    sweeps += times;
  });
  c.block = sweeps * costs.block;
  if (!c.inPlace) // panels, that of one sweep are what the next one reads too
    c.panels = sweeps * c.packedBytes * double(c.blockKeys);
  c.strip = sweeps * (costs.strip + c.strip);
  double finish = 0;
  variant.walk([&](tile::FinishOp op) { finish += regionCycles(op.getBody()); });
  c.row = costs.row + finish + costs.rowVector * (dot + value) / double(lanes);
  if (c.chunks > 1)
    c.state = costs.row + costs.stateVector * (value / double(lanes) + 3);
}

llvm::Expected<VariantCost> Reader::read() {
  auto number = [&](StringRef name, int64_t otherwise) {
    auto attr = variant->getAttrOfType<IntegerAttr>(name);
    return attr ? attr.getInt() : otherwise;
  };
  c.tileRows = int64_t(variant.getTileRows()), c.tileKeys = int64_t(variant.getTileKeys());
  c.blockRows = c.taskRows = int64_t(variant.getBlockRows());
  c.blockKeys = int64_t(variant.getBlockKeys());
  c.together = variant->hasAttr("together");
  c.task = costs.task, c.phase = costs.phase, c.call = costs.call;
  c.panelBytes = costs.panelBytes, c.unhidden = costs.unhidden;
  if (variant->hasAttr("side"))
    return llvm::createStringError(std::errc::not_supported,
                                   "its problems stand side by side, which the model does not count");
  bool lists = false;
  variant.walk([&](tile::ListsOp) { lists = true; });
  c.inPlace = number("few", 0) > 0 || lists;
  tile::PhaseOp main;
  for (auto phase : variant.getOps<tile::PhaseOp>()) {
    if (phase.getKind() == "main")
      main = phase;
    if (phase.getKind() == "pack" && !c.inPlace)
      for (auto pack : phase.getBody().getOps<tile::PackOp>()) {
        auto panels = pack.getPanels().getType();
        const double width = double(panels.getFeatures());
        c.packedKey += packCycles(pack) * width / double(lanes);
        c.packedBytes += width * double(panels.getElement().getIntOrFloatBitWidth()) / 8;
      }
    if (phase.getKind() == "order" && phase.getInTasks())
      c.packsByTasks = true;
    c.phases += phase.getKind() == "main" || !phase.getInTasks();
  }
  if (!main)
    return llvm::createStringError(std::errc::not_supported, "it has no main phase");
  c.taskRows = int64_t(main.getBlock());
  readMain(main);
  return c;
}

} // namespace

llvm::Expected<VariantCost> attn::costOf(tile::VariantOp variant, int64_t lanes, const X86Costs &costs) {
  return Reader(variant, lanes, costs).read();
}

Prediction attn::predict(const VariantCost &c, const CallCounts &n, const MachineRates &rates) {
  Prediction p;
  const double area = double(c.tileRows) * double(c.tileKeys);
  // Microtiles of blocks that are not full are asked about; those of which pairs are hidden, half of them as a rule,
  // are masked.
  const double queries = c.together ? n.rows / std::max(1.0, n.units) : n.queries; // that go by blocks together
  const double rowsOfBlock =
      std::min(double(c.blockRows), std::ceil(queries / double(c.tileRows)) * double(c.tileRows));
  const double keysOfBlock = std::min(double(c.blockKeys), std::ceil(n.keys / double(c.tileKeys)) * double(c.tileKeys));
  const double tilesOfBlock = rowsOfBlock * keysOfBlock / area;
  const double asked = std::max(0.0, n.tiles - n.blocksFull * tilesOfBlock);
  const double masked = std::min(asked, 2 * std::max(0.0, n.tiles * area - n.visible) / area);
  const double stripsOfBlock = std::ceil(rowsOfBlock / double(c.tileRows));
  const double blocks = n.blocksFull + n.blocksPartial;
  const double queryBlocks = n.rows / std::max(1.0, queries) * std::ceil(queries / double(c.taskRows));
  const double tasks = queryBlocks * double(c.chunks);
  // Threads take tasks from a list, the large ones first: the last one is half a task late on average.
  const double threads = std::min(double(n.threads), std::max(1.0, tasks));
  const double share = (1 + (threads - 1) / (2 * std::max(tasks, 1.0))) / threads / rates.cyclesPerSecond;
  p.products = n.tiles * c.products * share;
  p.weights = n.tiles * c.weights * share;
  p.masks = (masked * c.mask + n.blocksPartial * tilesOfBlock * c.question) * share;
  p.packing = (c.packsByTasks ? queryBlocks : n.units) * n.keys * c.packedKey * share;
  p.rows = n.rows * (c.row + c.state * (c.chunks > 1 ? double(c.chunks) : 0)) * share;
  // Panels of a unit that no cache holds come from memory for each block of queries.
  const double panelRate = n.cacheBytes > 0 && n.keys * c.packedBytes > n.cacheBytes / 2 && rates.bytesPerSecond > 0
                               ? rates.bytesPerSecond / double(n.threads) / rates.cyclesPerSecond / c.unhidden
                               : c.panelBytes;
  p.blocks = blocks * (c.block + stripsOfBlock * c.strip + c.panels / std::min(c.panelBytes, panelRate)) * share;
  p.tasks = (c.call + double(c.phases) * c.phase) / rates.cyclesPerSecond + tasks * c.task * share;
  if (rates.bytesPerSecond <= 0)
    return p;
  // Packing reads all keys; where they lie, those of the blocks that are visited are read, once by a block of queries.
  const double visited = std::min(1.0, blocks * keysOfBlock / std::max(1.0, queryBlocks * n.keys));
  const double bytes = n.tensorBytes * (c.inPlace ? visited : 1) + n.units * n.keys * c.packedBytes;
  const double read = bytes / rates.bytesPerSecond;
  // Keys that are read where they lie are on their way while others are used; packing waits for them.
  p.memory = read;
  if (const double rest = p.seconds() - read; c.inPlace)
    p.memory = std::max(rest, read) + c.unhidden * std::min(rest, read) - rest;
  return p;
}
