// --tile-place: says where the tiles of a variant for GPUs are held, by its sizes (Schedule/GpuTiles.h).
//
//   queries   in shared memory; of a sweep that has room for them also in fragments of the left operand
//   keys      a block in shared memory, two stages where the next one is on its way while one is used
//   values    the same
//   weights   what phi makes of accumulators, in fragments of the left operand, rounded to 16 bits or in three planes
//   sums      in accumulators from the first block to the last
//
// Where products go element by element no tile is a fragment of an operand. Shared memory bounds a block of one plane
// of queries (docs/gpu-model.md), so such queries stay in registers where nothing else of the sweep takes them: one sum
// of values, and neither scores nor sets that load something. Variants of CPUs are left alone.
#include "attn/Conversion/Passes.h"
#include "attn/Conversion/ProgramFacts.h"
#include "attn/Schedule/GpuTiles.h"
#include "attn/Schedule/Schedule.h"

using namespace mlir;
using namespace attn;

namespace {

struct TilePlace : PassWrapper<TilePlace, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(TilePlace)

  StringRef getArgument() const final { return "tile-place"; }
  StringRef getDescription() const final {
    return "say where tiles are held on a GPU: shared memory, fragments of products";
  }

  void runOnOperation() final {
    getOperation().walk([](tile::VariantOp variant) {
      if (!variant->hasAttr(kGpuAttr))
        return;
      bool isPlaced = variant.walk([](tile::PlaceOp) { return WalkResult::interrupt(); }).wasInterrupted();
      if (isPlaced)
        return;
      GpuTiles t = GpuTiles::fromAttr(variant->getAttr(kGpuAttr));
      for (auto phase : variant.getBody().getOps<tile::PhaseOp>())
        for (auto load : llvm::make_early_inc_range(phase.getBody().getOps<tile::LoadOp>()))
          placeAll(phase, load, t);
    });
  }

  static void placeAll(tile::PhaseOp phase, tile::LoadOp load, const GpuTiles &t) {
    OpBuilder b(load);
    layout::SharedMap map = t.shared();
    Type element = t.tf32 ? (Type)b.getF32Type() : t.f16 ? (Type)b.getF16Type() : (Type)b.getBF16Type();
    auto rows = [&](const layout::SharedOperand &o) -> Attribute {
      return tile::SharedAttr::get(b.getContext(), element, o.rows.rows, o.rows.features, o.rows.rowBytes, o.planes,
                                   o.stages, o.stageBytes, o.first);
    };
    auto fragment = [&](tile::FragmentRole role, Type type, int64_t columns, int64_t planes) -> Attribute {
      return tile::FragmentAttr::get(b.getContext(), role, type, columns, planes);
    };
    auto place = [&](Value value, Attribute where) -> Value {
      return tile::PlaceOp::create(b, value.getLoc(), value.getType(), value, where);
    };
    b.setInsertionPointAfter(load);
    Value queries = place(load.getResult(), rows(map.q));
    load.getResult().replaceAllUsesExcept(queries, queries.getDefiningOp());
    phase.walk([&](tile::ForOp loop) {
      Block &body = loop.getBody().front();
      auto weigh = *body.getOps<tile::WeighOp>().begin();
      b.setInsertionPoint(loop);
      if (t.whole && t.keepsQueries() && hasRoom(loop, weigh))
        weigh.getQueriesMutable().assign(
            place(weigh.getQueries(), fragment(tile::FragmentRole::Left, element, GpuTiles::pad(t.dot), 1)));
      for (Value acc : weigh.getRescaled())
        if (auto carried = dyn_cast<BlockArgument>(acc)) {
          OpOperand &init = loop.getInitMutable()[carried.getArgNumber()];
          init.set(
              place(init.get(), fragment(tile::FragmentRole::Accumulator, b.getF32Type(), GpuTiles::pad(t.value), 1)));
        }
      b.setInsertionPoint(weigh);
      weigh.getKeysMutable().assign(place(weigh.getKeys(), rows(map.k)));
      b.setInsertionPointAfter(weigh);
      llvm::SmallDenseMap<Value, Value> placed;
      auto once = [&](OpOperand &operand, Attribute where) {
        Value &to = placed[operand.get()];
        if (!to)
          to = place(operand.get(), where);
        operand.set(to);
      };
      for (auto sum : body.getOps<tile::AccumulateOp>()) {
        once(sum.getValuesMutable(), rows(map.v));
        if (t.whole)
          once(sum.getWeightsMutable(), fragment(tile::FragmentRole::Left, element, t.keys, t.planesP));
      }
    });
  }

  /// Of queries that stay in fragments.
  static bool hasRoom(tile::ForOp loop, tile::WeighOp weigh) {
    SetPredicate set = pairPredicate(loop);
    bool loads = !set.opaques.empty() || !set.answerables.empty();
    weigh.getScore().walk(
        [&](Operation *op) { loads |= llvm::any_of(op->getOperandTypes(), llvm::IsaPred<RankedTensorType>); });
    return !loads && !weigh.getSpreadTo() && weigh.getRescaled().size() <= 1;
  }
};

} // namespace

std::unique_ptr<Pass> attn::createTilePlacePass() { return std::make_unique<TilePlace>(); }
