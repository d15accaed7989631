#include "Placed.h"

using namespace mlir;
using namespace attn;
using namespace attn::tile;

/// The first place of that kind among those that lead to a value, from the value backwards.
template <typename Where> static Where placeOf(Value value) {
  while (auto place = value.getDefiningOp<PlaceOp>()) {
    if (auto where = dyn_cast<Where>(place.getWhere()))
      return where;
    value = place.getValue();
  }
  return {};
}

static layout::SharedOperand operandOf(SharedAttr a) {
  layout::SharedOperand operand;
  operand.rows = {a.getRows(), a.getFeatures(), a.getElement().getIntOrFloatBitWidth() / 8, a.getRowBytes()};
  operand.planes = a.getPlanes(), operand.stages = a.getStages();
  operand.first = a.getAt(), operand.stageBytes = a.getStageBytes();
  return operand;
}

bool Placed::keepsQueries(WeighOp weigh) {
  auto place = weigh.getQueries().getDefiningOp<PlaceOp>();
  auto fragment = place ? dyn_cast<FragmentAttr>(place.getWhere()) : FragmentAttr();
  return fragment && fragment.getRole() == FragmentRole::Left;
}

FailureOr<Placed> Placed::read(PhaseOp main, const GpuTiles &t) {
  Placed placed(t);
  SharedAttr q, k, v; // one of each for all sweeps
  auto shared = [&](Operation *op, Value value, StringRef what, SharedAttr &known, int64_t rows,
                    int64_t features) -> LogicalResult {
    auto where = placeOf<SharedAttr>(value);
    if (!where)
      return op->emitError("[gpu_unplaced] ") << what << " are not placed in shared memory; --tile-place does it";
    if (known && known != where)
      return op->emitError("[gpu_unplaced] ") << what << " are placed as " << known << " and as " << where;
    if (where.getRows() != rows || where.getFeatures() != features ||
        where.getElement().getIntOrFloatBitWidth() != 8 * t.elementBytes() ||
        where.getElement() != (q ? q : where).getElement())
      return op->emitError("[gpu_unplaced] ")
             << what << " are placed as " << where << ", and a product takes " << rows << " rows of " << features
             << " features of one type of " << 8 * t.elementBytes() << " bits";
    known = where;
    return success();
  };
  // Whether a fragment is one of that role.
  auto fragment = [&](Operation *op, Value value, StringRef what, FragmentRole role,
                      int64_t columns) -> FailureOr<FragmentAttr> {
    auto where = placeOf<FragmentAttr>(value);
    if (where && where.getRole() == role && where.getColumns() == columns)
      return where;
    InFlightDiagnostic error = op->emitError("[gpu_unplaced] ");
    error << what << " are not placed in fragments (" << stringifyFragmentRole(role) << ", " << columns << " columns)";
    if (where)
      error << " but as " << where;
    return failure();
  };
  WalkResult done = main.walk([&](ForOp loop) {
    auto weigh = *loop.getBody().front().getOps<WeighOp>().begin();
    if (failed(shared(weigh, weigh.getQueries(), "queries", q, t.rows, t.dot)) ||
        failed(shared(weigh, weigh.getKeys(), "keys", k, t.keys, t.dot)))
      return WalkResult::interrupt();
    if (keepsQueries(weigh) && (failed(fragment(weigh, weigh.getQueries(), "queries", FragmentRole::Left,
                                                layout::SharedRows::padded(t.dot))) ||
                                q.getPlanes() != 1 || !t.whole)) {
      weigh.emitError("[gpu_unplaced] queries are kept in fragments where they have one plane and products are made on "
                      "tensor cores");
      return WalkResult::interrupt();
    }
    for (auto sum : loop.getBody().getOps<AccumulateOp>()) {
      if (failed(shared(sum, sum.getValues(), "values", v, t.keys, t.value)))
        return WalkResult::interrupt();
      if (t.whole) { // else weights go through shared memory as f32
        auto weights = fragment(sum, sum.getWeights(), "weights", FragmentRole::Left, t.keys);
        if (failed(weights))
          return WalkResult::interrupt();
        placed.planesP = weights->getPlanes();
      }
    }
    for (Value acc : weigh.getRescaled()) {
      auto carried = dyn_cast<BlockArgument>(acc);
      Value start = carried ? loop.getInit()[carried.getArgNumber()] : acc;
      auto where =
          fragment(weigh, start, "sums of values", FragmentRole::Accumulator, layout::SharedRows::padded(t.value));
      if (failed(where))
        return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  if (done.wasInterrupted())
    return failure();
  if (!q)
    return main.emitError("[gpu_unplaced] there is no sweep whose tiles are placed");
  placed.q = operandOf(q), placed.k = operandOf(k);
  if (v)
    placed.v = operandOf(v);
  placed.f16 = q.getElement().isF16(), placed.tf32 = q.getElement().isF32();
  placed.valueColumns = layout::SharedRows::padded(t.value);
  std::vector<layout::Region> regions = layout::regionsOf("queries", placed.q);
  for (auto &region : layout::regionsOf("keys", placed.k))
    regions.push_back(region);
  if (v)
    for (auto &region : layout::regionsOf("values", placed.v))
      regions.push_back(region);
  for (auto &region : placed.map.regions())
    if (region.begin >= placed.map.weights)
      regions.push_back(region);
  if (auto pair = layout::firstOverlap(regions))
    return main.emitError("[gpu_overlap] ")
           << regions[pair->first].name << " and " << regions[pair->second].name << " share bytes of shared memory";
  for (auto &region : regions)
    if (region.end > placed.map.bytes)
      return main.emitError("[gpu_overlap] ")
             << region.name << " end at byte " << region.end << " of " << placed.map.bytes;
  return placed;
}
