// --attn-to-tile: one attend becomes, for every variant of its schedule, a pack phase and a main phase.
//
//   pack   K and V of one key/value head into panels; summaries of per-key captured integers that the set compares
//          (absent where every query goes by a list of its own: there keys are read where they lie)
//   main   for strips of queries x ranges of keys: weigh (scores, weights, sums), accumulate (values); then finish
#include "NormalizerForm.h"
#include "StepsToTile.h"
#include "attn/Analysis/ArgumentFacts.h"
#include "attn/Analysis/SetPredicate.h"
#include "attn/Conversion/Passes.h"
#include "attn/Dialect/Tile/Tile.h"
#include "attn/Schedule/Lists.h"
#include "attn/Schedule/Schedule.h"

using namespace mlir;
using namespace attn;

namespace {

constexpr double kLog2e = 1.44269504088896340736;

class Lowering {
public:
  Lowering(KernelOp kernel, AttendOp attend, NormalizerForm form, ArrayRef<ArgumentFact> facts)
      : kernel(kernel), attend(attend), form(form), facts(facts), b(kernel), loc(attend.getLoc()),
        real(attend.accumulationType()) {}

  LogicalResult run() {
    auto schedule = attend->getAttrOfType<ArrayAttr>(kScheduleAttr);
    if (!schedule || schedule.empty())
      return attend.emitError("[unsupported_schedule] the attend has no schedule; run --attn-schedule first");
    if (failed(mapOutputs()) || failed(checkShare()))
      return failure();

    SmallVector<Type> types(kernel.getArgumentTypes());
    llvm::append_range(types, kernel.getResultTypes());
    SmallVector<Attribute> names(kernel.getArgNames().begin(), kernel.getArgNames().end());
    names.append(kernel.getResNames().begin(), kernel.getResNames().end());
    SmallVector<Attribute> packed;
    for (const ArgumentFact &fact : facts)
      packed.push_back(b.getDenseI64ArrayAttr(fact.pack()));
    int64_t c = attend.featureExtent(attend.dotDim()), e = attend.featureExtent(attend.valueDim());

    auto program =
        tile::ProgramOp::create(b, kernel.getLoc(), kernel.getSymName(), b.getArrayAttr(names),
                                kernel.getResultTypes().size(), attend.getDimNames(), attend.getNumBatch(), share,
                                ArrayRef<int64_t>{c, e}, b.getArrayAttr(packed), kernel.getArgAttrsAttr());
    SymbolTable::setSymbolVisibility(program, SymbolTable::getSymbolVisibility(kernel));
    Block *body = b.createBlock(&program.getBody(), {}, types, SmallVector<Location>(types.size(), kernel.getLoc()));
    for (auto [from, to] :
         llvm::zip(kernel.getBody().getArguments(), body->getArguments().take_front(kernel.getArgumentTypes().size())))
      args.map(from, to);
    outputs = body->getArguments().drop_front(kernel.getArgumentTypes().size());
    for (Attribute variant : schedule)
      if (failed(lowerVariant(cast<DictionaryAttr>(variant), body)))
        return failure();
    kernel.erase();
    return success();
  }

private:
  /// Which results of the finish each output takes.
  LogicalResult mapOutputs() {
    for (unsigned r = 0; r < attend.getNumResults(); ++r) {
      auto names = form.finish.getOutNames();
      auto it = llvm::find(names, cast<Attribute>(attend.getOutNames()[r]));
      if (it == names.end())
        return attend.emitError("[attend_c10] @")
               << attend.normalizerName() << " has no output '" << attend.outName(r) << "'";
      finishOutputs.push_back(it - names.begin());
    }
    return success();
  }

  /// How many consecutive indices of each batch dimension share keys and values: the divisor of its map, 0 where it
  /// does not occur.
  LogicalResult checkShare() {
    for (unsigned d = 0; d < attend.numBatch(); ++d) {
      auto divisor = [&](AffineMap map) -> int64_t {
        for (AffineExpr e : map.getResults()) {
          if (auto dim = dyn_cast<AffineDimExpr>(e); dim && dim.getPosition() == d)
            return 1;
          if (auto binary = dyn_cast<AffineBinaryOpExpr>(e);
              binary && cast<AffineDimExpr>(binary.getLHS()).getPosition() == d)
            return cast<AffineConstantExpr>(binary.getRHS()).getValue();
        }
        return 0;
      };
      int64_t k = divisor(attend.getKMap()), v = divisor(attend.getVMap());
      k = k == 0 ? v : v == 0 ? k : std::gcd(k, v);
      // Heads that gather other keys share none.
      if (SetListOp gathered = attn::gatherable(attend); gathered && isGathered()) {
        int64_t l = divisor(gathered.getMap());
        k = k == 0 ? l : l == 0 ? k : std::gcd(k, l);
      }
      share.push_back(k);
    }
    // Summaries of per-key tensors are per first batch index: it may not be shared where they exist.
    return success();
  }

  bool isGathered() {
    return llvm::any_of(attend->getAttrOfType<ArrayAttr>(kScheduleAttr),
                        [](Attribute v) { return cast<DictionaryAttr>(v).contains(kGatherAttr); });
  }

  LogicalResult lowerVariant(DictionaryAttr v, Block *body) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(body);
    auto integer = [&](StringRef name) { return v.getAs<IntegerAttr>(name).getInt(); };
    int64_t rows = integer("block_rows"), keys = integer("block_keys"), tileRows = integer("tile_rows"),
            tileKeys = integer("tile_keys");
    double threshold = v.getAs<FloatAttr>("threshold").getValueAsDouble();
    auto variant = tile::VariantOp::create(b, loc, v.getAs<StringAttr>("name"), b.getI64IntegerAttr(rows),
                                           b.getI64IntegerAttr(keys), b.getI64IntegerAttr(tileRows),
                                           b.getI64IntegerAttr(tileKeys), b.getF64FloatAttr(threshold));
    b.createBlock(&variant.getBody());

    int64_t c = attend.featureExtent(attend.dotDim()), e = attend.featureExtent(attend.valueDim());
    if (v.contains(kRowsAttr))
      return lowerMain(v, TileKeys());
    // pack
    SmallVector<Value> packed;
    Type kType = tile::PanelsType::get(b.getContext(), c, tileKeys, keys, true, real);
    Type vType = tile::PanelsType::get(b.getContext(), e, tileKeys, keys, false, real);
    Type sType = tile::SummaryType::get(b.getContext(), tileKeys);
    SetListOp gathered = v.contains(kGatherAttr) ? attn::gatherable(attend) : SetListOp();
    Value keyOrder;
    auto boxes = v.getAs<DictionaryAttr>(kBoxesAttr);
    if (gathered || boxes) {
      auto phase = tile::PhaseOp::create(b, loc, TypeRange{tile::OrderType::get(b.getContext())},
                                         b.getStringAttr("order"), b.getI64IntegerAttr(0), UnitAttr());
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
    SmallVector<std::pair<Value, AffineMap>> summaries =
        keyOrder ? SmallVector<std::pair<Value, AffineMap>>() : keySummaries();
    SmallVector<Type> packTypes{kType, vType};
    packTypes.append(summaries.size(), sType);
    auto pack =
        tile::PhaseOp::create(b, loc, packTypes, b.getStringAttr("pack"), b.getI64IntegerAttr(keys), UnitAttr());
    {
      OpBuilder::InsertionGuard inner(b);
      b.createBlock(&pack.getBody());
      packed.push_back(tile::PackOp::create(b, loc, kType, args.lookup(attend.getK()), keyOrder, attend.getKMapAttr()));
      packed.push_back(tile::PackOp::create(b, loc, vType, args.lookup(attend.getV()), keyOrder, attend.getVMapAttr()));
      for (auto [source, map] : summaries)
        packed.push_back(tile::SummaryOp::create(b, loc, sType, source, AffineMapAttr::get(map)));
      tile::YieldOp::create(b, loc, packed);
    }
    return lowerMain(v, {pack.getResult(0), pack.getResult(1), keyOrder, gathered, (bool)boxes});
  }

  /// What a main phase reads: keys, values, their order, and the set that the order stands for. Null: rows and lists.
  struct TileKeys {
    Value keys, values, order;
    Operation *stands = nullptr;
    bool boxes = false;
  };

  TileKeys ownKeys() {
    TileKeys r;
    r.stands = attn::ownLists(attend);
    auto csr = dyn_cast<SetCsrOp>(r.stands);
    auto list = dyn_cast<SetListOp>(r.stands);
    MLIRContext *context = b.getContext();
    r.order = tile::ListsOp::create(
        b, loc, tile::ListsType::get(context), args.lookup(csr ? csr.getColumns() : list.getList()),
        csr ? args.lookup(csr.getOffsets()) : Value(), csr ? csr.getMapAttr() : list.getMapAttr(),
        csr ? b.getI64IntegerAttr(1) : list.getBlockAttr());
    auto rows = [&](Value source, AffineMapAttr map, unsigned feature) {
      Type type = tile::RowsType::get(context, attend.featureExtent(feature), real);
      return tile::RowsOp::create(b, loc, type, args.lookup(source), map);
    };
    r.keys = rows(attend.getK(), attend.getKMapAttr(), attend.dotDim());
    r.values = rows(attend.getV(), attend.getVMapAttr(), attend.valueDim());
    return r;
  }

  /// The rest of a variant; `from` without keys: every query goes by a list of its own.
  LogicalResult lowerMain(DictionaryAttr v, TileKeys from) {
    auto integer = [&](StringRef name) { return v.getAs<IntegerAttr>(name).getInt(); };
    int64_t rows = integer("block_rows"), keys = integer("block_keys"), tileRows = integer("tile_rows");
    int64_t c = attend.featureExtent(attend.dotDim()), e = attend.featureExtent(attend.valueDim());
    // Blocks of a triangle: the longest first. Queries with lists go head by head, whose keys so stay in the caches.
    auto main =
        tile::PhaseOp::create(b, loc, TypeRange{}, b.getStringAttr("main"), b.getI64IntegerAttr(integer("task_rows")),
                              from.keys ? b.getUnitAttr() : UnitAttr());
    b.createBlock(&main.getBody());
    if (!from.keys)
      from = ownKeys();
    auto tileOf = [&](ArrayRef<int64_t> shape) { return tile::TileType::get(b.getContext(), shape, real); };
    Value q = tile::LoadOp::create(b, loc, tileOf({rows, c}), args.lookup(attend.getQ()), attend.getQMapAttr());

    SmallVector<Value> init;
    auto fill = [&](double value, Type type) {
      init.push_back(tile::FillOp::create(b, loc, type, b.getF64FloatAttr(value)));
    };
    if (form.hasRef)
      fill(-std::numeric_limits<double>::infinity(), tileOf({rows}));
    unsigned numSums = 0, valueSums = 0;
    for (Attribute kind : form.pass.getSumKinds())
      (cast<IntegerAttr>(kind).getInt() == (int64_t)SumKind::One ? numSums : valueSums)++;
    for (unsigned n = 0; n < numSums; ++n)
      fill(0, tileOf({rows}));
    if (valueSums)
      fill(0, tileOf({rows, e}));

    SmallVector<Type> carried;
    for (Value t : init)
      carried.push_back(t.getType());
    auto loop = tile::ForOp::create(b, loc, carried, init, from.order,
                                    attend.getFirst() ? args.lookup(attend.getFirst()) : Value(),
                                    attend.getFirstValueAttr(), attend.getQueryGridAttr(), attend.getKeyGridAttr(),
                                    from.boxes ? b.getUnitAttr() : UnitAttr());
    if (!attend.getSet().empty()) {
      IRMapping copied = args; // one for every clone: another variant has regions and arguments of its own
      attend.getSet().cloneInto(&loop.getSet(), copied);
      if (from.stands)
        copied.lookup(from.stands->getResult(0)).getDefiningOp()->setAttr(kGatheredAttr, b.getUnitAttr());
    }
    {
      OpBuilder::InsertionGuard inner(b);
      Block *strip = b.createBlock(&loop.getBody(), {}, carried, SmallVector<Location>(carried.size(), loc));
      SmallVector<Value> state(strip->getArguments());
      unsigned at = 0;
      Value ref = form.hasRef ? state[at++] : Value();
      ValueRange sums = ValueRange(state).slice(at, numSums);
      ValueRange accs = ValueRange(state).drop_front(at + numSums);
      SmallVector<Type> results{tileOf({tileRows, keys})};
      if (ref)
        results.push_back(ref.getType());
      llvm::append_range(results, sums.getTypes());
      llvm::append_range(results, accs.getTypes());
      auto weigh = tile::WeighOp::create(b, loc, results[0], ref ? ref.getType() : Type(), sums.getTypes(),
                                         accs.getTypes(), q, from.keys, ref, sums, accs);
      buildScore(weigh.getScore());
      form.buildGauge(b, weigh.getGauge(), real);
      form.buildPhi(b, weigh.getPhi(), real);
      if (attend.hasDropout())
        buildDropout(weigh.getFactor());
      SmallVector<Value> next(weigh->getResults().drop_front());
      if (valueSums)
        next.back() =
            tile::AccumulateOp::create(b, loc, next.back().getType(), weigh.getWeights(), from.values, next.back());
      tile::YieldOp::create(b, loc, next);
    }

    // finish: its arguments in the order of the text, as positions in (ref, sums.., acc).
    SmallVector<int64_t> order, yields;
    unsigned position = 0, one = form.hasRef ? 1 : 0;
    if (form.hasRef)
      order.push_back(position++);
    for (Attribute kind : form.pass.getSumKinds())
      order.push_back(cast<IntegerAttr>(kind).getInt() == (int64_t)SumKind::One ? one++
                                                                                : (form.hasRef ? 1 : 0) + numSums);
    SmallVector<double> empty;
    SmallVector<Attribute> maps;
    for (unsigned r = 0; r < attend.getNumResults(); ++r) {
      empty.push_back(cast<FloatAttr>(form.finish.getEmpty()[finishOutputs[r]]).getValueAsDouble());
      maps.push_back(AffineMapAttr::get(attend.outMap(r)));
      yields.push_back(r);
    }
    unsigned at = 0;
    Value ref = form.hasRef ? loop.getResult(at++) : Value();
    ValueRange sums = loop.getResults().slice(at, numSums);
    Value acc = valueSums ? loop.getResults().back() : Value();
    auto finish =
        tile::FinishOp::create(b, loc, ref, sums, acc, outputs, b.getArrayAttr(maps), b.getDenseI64ArrayAttr(yields),
                               b.getF64ArrayAttr(empty), b.getDenseI64ArrayAttr(order));
    form.buildFinish(b, finish.getBody(), real, finishOutputs);
    tile::YieldOp::create(b, loc, ValueRange{});
    return success();
  }

  Value boxOrder(DictionaryAttr boxes) {
    auto sides = [&](StringRef name) { return boxes.getAs<DenseI64ArrayAttr>(name); };
    return tile::BoxesOp::create(
        b, loc, tile::OrderType::get(b.getContext()), attend.getFirst() ? args.lookup(attend.getFirst()) : Value(),
        b.getI64IntegerAttr(attend.getFirstValue().value_or(0)), attend.getQueryGridAttr(), attend.getKeyGridAttr(),
        sides("query_outer"), sides("query_inner"), sides("key_outer"), sides("key_inner"));
  }

  /// keep / (1 - p), keep = random(seed; batch, i, j) >= p
  void buildDropout(Region &region) {
    OpBuilder::InsertionGuard guard(b);
    SmallVector<Type> types(attend.numBatch() + 2, b.getIndexType());
    Block *block = b.createBlock(&region, {}, types, SmallVector<Location>(types.size(), loc));
    Type f32 = b.getF32Type();
    auto constant = [&](Type type, double x) -> Value {
      return arith::ConstantOp::create(b, loc, b.getFloatAttr(type, x));
    };
    Value seed = attend.getDropSeed()
                     ? args.lookup(attend.getDropSeed())
                     : arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(*attend.getDropSeedValue()));
    Value p = attend.getDropProbability() ? args.lookup(attend.getDropProbability())
                                          : constant(f32, attend.getDropProbabilityValue()->convertToDouble());
    Value u = attn::RandomOp::create(b, loc, f32, seed, block->getArguments());
    Value keep = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGE, u, p);
    auto wide = [&](Value x) -> Value { return real.isF32() ? x : arith::ExtFOp::create(b, loc, real, x).getResult(); };
    Value inverse =
        arith::DivFOp::create(b, loc, constant(real, 1), arith::SubFOp::create(b, loc, constant(real, 1), wide(p)));
    tile::YieldOp::create(b, loc, arith::SelectOp::create(b, loc, keep, inverse, constant(real, 0)).getResult());
  }

  /// A run-time scale in the accumulation type.
  Value scaleValue() {
    Value v = args.lookup(attend.getScale());
    unsigned from = v.getType().getIntOrFloatBitWidth(), to = real.getWidth();
    if (from < to)
      return arith::ExtFOp::create(b, loc, real, v);
    return from > to ? arith::TruncFOp::create(b, loc, real, v).getResult() : v;
  }

  double scale() {
    if (attend.getScale())
      return 1.0;
    if (attend.getScaleValue())
      return attend.getScaleValue()->convertToDouble();
    return 1.0 / std::sqrt((double)attend.featureExtent(attend.dotDim()));
  }

  /// From the bare product q.k to the score: the scale, rounded once as the text says; the text's region; log2 e where
  /// weights are powers of 2. Queries are not scaled themselves: that would round every element once more.
  void buildScore(Region &region) {
    OpBuilder::InsertionGuard guard(b);
    auto constant = [&](double v) -> Value { return arith::ConstantOp::create(b, loc, b.getFloatAttr(real, v)); };
    double unit = form.base2 ? kLog2e : 1.0;
    if (attend.getScore().empty()) {
      SmallVector<Type> types(attend.numBatch() + 3, b.getIndexType());
      types[0] = real;
      Block *block = b.createBlock(&region, {}, types, SmallVector<Location>(types.size(), loc));
      Value factor = attend.getScale() ? arith::MulFOp::create(b, loc, scaleValue(), constant(unit)).getResult()
                                       : constant(scale() * unit);
      tile::YieldOp::create(b, loc, arith::MulFOp::create(b, loc, block->getArgument(0), factor).getResult());
      return;
    }
    IRMapping copied = args;
    attend.getScore().cloneInto(&region, copied);
    Value dot = region.getArgument(0);
    if (attend.getScale() || scale() != 1.0) {
      b.setInsertionPointToStart(&region.front());
      Value factor = attend.getScale() ? scaleValue() : constant(scale());
      auto scaled = arith::MulFOp::create(b, loc, dot, factor);
      dot.replaceAllUsesExcept(scaled, scaled);
    }
    Operation *yield = region.front().getTerminator();
    b.setInsertionPoint(yield);
    Value result = yield->getOperand(0);
    if (form.base2)
      result = arith::MulFOp::create(b, loc, result, constant(unit));
    tile::YieldOp::create(b, loc, result);
    yield->erase();
  }

  /// Per-key integer tensors that the set compares at the key index: (argument, map from dims). Those that ascend along
  /// the keys need none: keys are found by bisection, and the extremes of a range are the elements at its ends.
  SmallVector<std::pair<Value, AffineMap>> keySummaries() {
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

  bool isSorted(Value source) {
    ArrayAttr all = kernel.getArgAttrsAttr();
    return all && cast<DictionaryAttr>(all[cast<BlockArgument>(source).getArgNumber()]).contains("attn.sorted");
  }

  KernelOp kernel;
  AttendOp attend;
  NormalizerForm form;
  ArrayRef<ArgumentFact> facts;
  OpBuilder b;
  Location loc;
  FloatType real;
  IRMapping args;
  ValueRange outputs;
  SmallVector<unsigned> finishOutputs;
  SmallVector<int64_t> share;
};

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
      auto form = analyzeNormalizer(attend);
      auto facts = argumentFacts(kernel, attend);
      if (failed(form) || failed(facts) || failed(Lowering(kernel, attend, *form, *facts).run()))
        return signalPassFailure();
    }
    for (NormalizerOp normalizer : llvm::make_early_inc_range(getOperation().getOps<NormalizerOp>()))
      normalizer.erase();
  }
};

} // namespace

std::unique_ptr<Pass> attn::createAttnToTilePass() { return std::make_unique<AttnToTile>(); }
