// --attn-to-tile: one attend becomes, for every variant of its schedule, a pack phase and a main phase.
//
//   pack   K and V of one key/value head into panels; summaries of per-key captured integers that the set compares
//          (absent where every query goes by a list of its own: there keys are read where they lie)
//   main   for strips of queries x ranges of keys: weigh (scores, weights, sums), accumulate (values); then finish
//   merge  where the keys are split: what the main phase's tasks left of their chunks becomes one state; then finish
#include "Lowering.h"
#include "StepsToTile.h"
#include "attn-rt/attn_rt.h"
#include "attn/Analysis/OperandBounds.h"
#include "attn/Conversion/Passes.h"
#include "attn/Schedule/Lists.h"
#include "attn/Schedule/Schedule.h"

using namespace mlir;
using namespace attn;

LogicalResult Lowering::run() {
  auto schedule = attend->getAttrOfType<ArrayAttr>(kScheduleAttr);
  if (!schedule || schedule.empty())
    return attend.emitError("[unsupported_schedule] the attend has no schedule; run --attn-schedule first");
  if (attend.numDims() > ATTN_MAX_DIMS)
    return attend.emitError("[unsupported_dims] a kernel has at most ")
           << ATTN_MAX_DIMS << " dimensions, with a feature for each part, not " << attend.numDims()
           << "; join parts in one tensor, or batch dimensions";
  if (failed(checkOutputs()) || failed(checkShare()))
    return failure();

  SmallVector<Type> types(kernel.getArgumentTypes());
  llvm::append_range(types, kernel.getResultTypes());
  SmallVector<Attribute> names(kernel.getArgNames().begin(), kernel.getArgNames().end());
  names.append(kernel.getResNames().begin(), kernel.getResNames().end());
  SmallVector<Attribute> packed;
  for (const ArgumentFact &fact : facts)
    packed.push_back(b.getDenseI64ArrayAttr(fact.pack()));
  int64_t c = attend.dotExtent(), e = attend.vPart().extent;

  auto program =
      tile::ProgramOp::create(b, kernel.getLoc(), kernel.getSymName(), b.getArrayAttr(names),
                              kernel.getResultTypes().size(), attend.getDimNames(), attend.getNumBatch(), share,
                              ArrayRef<int64_t>{c, e}, b.getArrayAttr(packed), kernel.getArgAttrsAttr());
  SymbolTable::setSymbolVisibility(program, SymbolTable::getSymbolVisibility(kernel));
  if (branch)
    program->setAttr(kBranchAttr, branch);
  Block *body = b.createBlock(&program.getBody(), {}, types, SmallVector<Location>(types.size(), kernel.getLoc()));
  for (auto [from, to] :
       llvm::zip(kernel.getBody().getArguments(), body->getArguments().take_front(kernel.getArgumentTypes().size())))
    args.map(from, to);
  outputs = body->getArguments().drop_front(kernel.getArgumentTypes().size());
  bool absentQueries = false;
  for (unsigned n = 0; n < attend.numParts(); ++n)
    absentQueries |= mayBeAbsent(attend.qPart(n));
  for (Attribute attr : schedule) {
    auto variant = cast<DictionaryAttr>(attr);
    // Which queries are absent is kept by query, on GPUs by row, and rows that stand together are of several heads.
    if (absentQueries && !variant.contains(kGpuAttr) && (variant.contains(kTogetherAttr) || variant.contains(kFewAttr)))
      continue;
    if (failed(lowerVariant(variant, body)))
      return failure();
  }
  kernel.erase();
  return success();
}

/// How many consecutive indices of each batch dimension share keys and values: the divisor of its map, 0 where it
/// does not occur.
LogicalResult Lowering::checkShare() {
  for (unsigned d = 0; d < attend.numBatch(); ++d) {
    int64_t k = 0;
    auto use = [&](int64_t divisor) { k = k == 0 ? divisor : divisor == 0 ? k : std::gcd(k, divisor); };
    for (const AttendOp::Operand &part : keyParts())
      if (!branch || branch[0] != d)
        use(batchShare(part, d));
    use(batchShare(attend.vPart(), d));
    // Heads that gather other keys share none.
    if (SetListOp gathered = attn::gatherable(attend); gathered && isGathered())
      use(batchShare({Value(), gathered.getMap()}, d));
    share.push_back(k);
  }
  // Summaries of per-key tensors are per first batch index: it may not be shared where they exist.
  return success();
}

bool Lowering::isGathered() {
  return llvm::any_of(attend->getAttrOfType<ArrayAttr>(kScheduleAttr),
                      [](Attribute v) { return cast<DictionaryAttr>(v).contains(kGatherAttr); });
}

LogicalResult Lowering::lowerVariant(DictionaryAttr v, Block *body) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToEnd(body);
  auto integer = [&](StringRef name) { return v.getAs<IntegerAttr>(name).getInt(); };
  int64_t rows = integer("block_rows"), keys = integer("block_keys"), tileRows = integer("tile_rows"),
          tileKeys = integer("tile_keys");
  double threshold = v.getAs<FloatAttr>("threshold").getValueAsDouble();
  auto variant = tile::VariantOp::create(b, loc, v.getAs<StringAttr>("name"), b.getI64IntegerAttr(rows),
                                         b.getI64IntegerAttr(keys), b.getI64IntegerAttr(tileRows),
                                         b.getI64IntegerAttr(tileKeys), b.getF64FloatAttr(threshold));
  if (v.contains(kSideAttr))
    variant->setAttr(kSideAttr, b.getUnitAttr());
  if (v.contains(kGpuAttr))
    variant->setAttr(kGpuAttr, v.get(kGpuAttr));
  if (v.contains(kFewAttr))
    variant->setAttr(kFewAttr, v.get(kFewAttr));
  for (StringRef name : {kTogetherAttr, kBf16ScoresAttr, kBf16ValuesAttr, kCoarseWeightsAttr, kTilesAttr})
    if (v.contains(name))
      variant->setAttr(name, b.getUnitAttr());
  b.createBlock(&variant.getBody());

  int64_t c = attend.dotExtent(), e = attend.vPart().extent;
  if (v.contains(kRowsAttr))
    return lowerMain(v, TileKeys());
  // pack
  SmallVector<Value> packed;
  Type kType = tile::PanelsType::get(b.getContext(), c * (branch ? branch[1] : 1), tileKeys, keys, true, real);
  Type vType = tile::PanelsType::get(b.getContext(), e, tileKeys, keys, false, real);
  Type sType = tile::SummaryType::get(b.getContext(), tileKeys);
  const bool byTasks = v.contains(kGatherTasksAttr);
  SetListOp gathered = byTasks                   ? attn::listOfBlocks(attend)
                       : v.contains(kGatherAttr) ? attn::gatherable(attend)
                                                 : SetListOp();
  Value keyOrder;
  auto boxes = v.getAs<DictionaryAttr>(kBoxesAttr);
  if (gathered || boxes) {
    auto phase = tile::PhaseOp::create(b, loc, TypeRange{tile::OrderType::get(b.getContext())},
                                       b.getStringAttr("order"), b.getI64IntegerAttr(0), UnitAttr(), IntegerAttr(),
                                       byTasks ? b.getUnitAttr() : UnitAttr());
    OpBuilder::InsertionGuard inner(b);
    b.createBlock(&phase.getBody());
    Value made =
        gathered ? (Value)tile::OrderOp::create(b, loc, phase.getResult(0).getType(), args.lookup(gathered.getList()),
                                                gathered.getMapAttr(), gathered.getBlockAttr())
                 : boxOrder(boxes);
    tile::YieldOp::create(b, loc, made);
    keyOrder = phase.getResult(0);
  }
  // A summary is of keys in their own order.
  SmallVector<std::pair<Value, AffineMap>> summaries = keyOrder || attend->hasAttr(kExchanged) || v.contains(kGpuAttr)
                                                           ? SmallVector<std::pair<Value, AffineMap>>()
                                                           : keySummaries();
  SmallVector<Type> packTypes{kType, vType};
  packTypes.append(summaries.size(), sType);
  // Split keys are met by one task each where no heads share them: packed there, they never leave the cache.
  // Which keys are absent is known before the sweep that asks for it.
  bool once = v.contains(kChunksAttr) && summaries.empty() && !keysMayBeAbsent() &&
              (v.contains(kTogetherAttr) || llvm::all_of(share, [](int64_t n) { return n == 1; }));
  once |= byTasks;
  once |= v.contains(kGpuAttr);  // staged block by block
  once |= v.contains(kSideAttr); // not packed at all
  once |= v.contains(kFewAttr) && summaries.empty() && !keysMayBeAbsent();
  auto pack = tile::PhaseOp::create(b, loc, packTypes, b.getStringAttr("pack"), b.getI64IntegerAttr(keys), UnitAttr(),
                                    IntegerAttr(), once ? b.getUnitAttr() : UnitAttr());
  if (gathered && !once && !keysMayBeAbsent() && llvm::all_of(share, [](int64_t n) { return n == 1; }))
    pack->setAttr(kAloneAttr, b.getUnitAttr());
  {
    OpBuilder::InsertionGuard inner(b);
    b.createBlock(&pack.getBody());
    packed.push_back(packOf(packedKeys(), kType, keyOrder));
    packed.push_back(packOf({attend.vPart()}, vType, keyOrder));
    for (auto [source, map] : summaries)
      packed.push_back(tile::SummaryOp::create(b, loc, sType, source, AffineMapAttr::get(map)));
    tile::YieldOp::create(b, loc, packed);
  }
  return lowerMain(v, {pack.getResult(0), pack.getResult(1), keyOrder, gathered, (bool)boxes, byTasks});
}

Lowering::TileKeys Lowering::ownKeys() {
  TileKeys r;
  r.stands = attn::ownLists(attend);
  auto csr = dyn_cast<SetCsrOp>(r.stands);
  auto list = dyn_cast<SetListOp>(r.stands);
  MLIRContext *context = b.getContext();
  r.order =
      tile::ListsOp::create(b, loc, tile::ListsType::get(context), args.lookup(csr ? csr.getColumns() : list.getList()),
                            csr ? args.lookup(csr.getOffsets()) : Value(), csr ? csr.getMapAttr() : list.getMapAttr(),
                            csr ? b.getI64IntegerAttr(1) : list.getBlockAttr());
  auto rows = [&](const AttendOp::Operand &x) {
    Type type = tile::RowsType::get(context, x.extent, real);
    return tile::RowsOp::create(b, loc, type, args.lookup(x.tensor), AffineMapAttr::get(x.map));
  };
  r.keys = rows(attend.kPart(0));
  r.values = rows(attend.vPart());
  return r;
}

Value Lowering::boxOrder(DictionaryAttr boxes) {
  auto sides = [&](StringRef name) { return boxes.getAs<DenseI64ArrayAttr>(name); };
  return tile::BoxesOp::create(
      b, loc, tile::OrderType::get(b.getContext()), attend.getFirst() ? args.lookup(attend.getFirst()) : Value(),
      b.getI64IntegerAttr(attend.getFirstValue().value_or(0)), attend.getQueryGridAttr(), attend.getKeyGridAttr(),
      sides("query_outer"), sides("query_inner"), sides("key_outer"), sides("key_inner"));
}

/// Per-key integer tensors that the set compares at the key index: (argument, map from dims). Those that ascend along
/// the keys need none: keys are found by bisection, and the extremes of a range are the elements at its ends.
SmallVector<std::pair<Value, AffineMap>> Lowering::keySummaries() {
  SmallVector<std::pair<Value, AffineMap>> found;
  MLIRContext *context = b.getContext();
  unsigned n = attend.numDims();
  auto add = [&](Value source, AffineMap map) {
    if (isSorted(source) && map.getResults().back() == getAffineDimExpr(attend.keyDim(), context))
      return;
    std::pair<Value, AffineMap> entry(args.lookup(source), map);
    if (!llvm::is_contained(found, entry))
      found.push_back(entry);
  };
  AffineExpr b0 = getAffineDimExpr(0, context), j = getAffineDimExpr(attend.keyDim(), context);
  attend.getSet().walk([&](Operation *op) {
    if (auto segment = dyn_cast<SetSegmentOp>(op)) {
      bool perBatch = cast<RankedTensorType>(segment.getK().getType()).getRank() == 2;
      add(segment.getK(),
          AffineMap::get(n, 0, perBatch ? ArrayRef<AffineExpr>{b0, j} : ArrayRef<AffineExpr>{j}, context));
    } else if (auto load = dyn_cast<attn::LoadOp>(op)) {
      if (!load.getType().isInteger(64) && !load.getType().isInteger(32) && !load.getType().isInteger(8))
        return;
      // Only loads by plain indices of which the key is one and the others are what keys are shared by.
      SmallVector<AffineExpr> exprs;
      bool key = false;
      for (Value index : load.getIndices()) {
        auto arg = dyn_cast<BlockArgument>(index);
        if (!arg || !isa<SetWhereOp>(arg.getOwner()->getParentOp()))
          return;
        unsigned d = arg.getArgNumber();
        if (d == attend.queryDim() || (d < attend.numBatch() && share[d] != 1))
          return;
        key |= d == attend.keyDim();
        exprs.push_back(getAffineDimExpr(d, context));
      }
      if (key)
        add(load.getTensor(), AffineMap::get(n, 0, exprs, context));
    }
  });
  // A summary over a batch index that members of a unit do not share cannot live in the unit's slot.
  llvm::erase_if(found, [&](auto &entry) {
    return llvm::any_of(llvm::seq<unsigned>(0, attend.numBatch()),
                        [&](unsigned d) { return share[d] != 1 && entry.second.isFunctionOfDim(d); });
  });
  return found;
}

bool Lowering::isSorted(Value source) {
  ArrayAttr all = kernel.getArgAttrsAttr();
  return all && cast<DictionaryAttr>(all[cast<BlockArgument>(source).getArgNumber()]).contains("attn.sorted");
}

namespace {

struct AttnToTile : PassWrapper<AttnToTile, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(AttnToTile)
  StringRef getArgument() const final { return "attn-to-tile"; }
  StringRef getDescription() const final { return "lower every attn.kernel to a tile.program by its schedule"; }
  void getDependentDialects(DialectRegistry &registry) const final { registry.insert<tile::TileDialect>(); }

  void runOnOperation() final {
    SmallVector<KernelOp> kernels(getOperation().getOps<KernelOp>());
    for (KernelOp kernel : kernels) {
      bool done = false;
      if (failed(lowerStepKernel(kernel, done)))
        return signalPassFailure();
      if (done)
        continue;
      AttendOp attend = getSingleAttend(kernel);
      if (!attend)
        return signalPassFailure();
      auto facts = argumentFacts(kernel, attend);
      if (failed(facts) || failed(Lowering(kernel, attend, *facts).run()))
        return signalPassFailure();
    }
    for (NormalizerOp normalizer : llvm::make_early_inc_range(getOperation().getOps<NormalizerOp>()))
      normalizer.erase();
  }
};

} // namespace

std::unique_ptr<Pass> attn::createAttnToTilePass() { return std::make_unique<AttnToTile>(); }
