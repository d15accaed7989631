// --tile-to-vector: each phase of each variant becomes a function of one task; tiles get buffers in the task's slot and
// scratch, or registers.
#include "MapPhase.h"
#include "OperandEmitter.h"
#include "Tiles.h"
#include "attn-rt/attn_rt.h"
#include "attn/Conversion/Passes.h"
#include "attn/Schedule/Schedule.h"

using namespace mlir;
using namespace attn;
using V = Value;

KernelVariant EmittedVariant::describe() const {
  const Layout &l = layout;
  return {name,
          sizes,
          guard,
          phases,
          (l.inPlace && !l.numSummaries) || l.ordersInTasks
              ? 0
              : 128, // loads of lanes may reach past the last entry of a summary
          l.packsInTasks ? 0 : l.panelBytes(),
          l.width,
          l.scratchBytes(),
          l.tileRows,
          l.width,
          l.blockRows,
          l.blockKeys};
}

namespace {

struct Phases {
  explicit Phases(tile::VariantOp variant) {
    for (auto phase : variant.getBody().getOps<tile::PhaseOp>())
      (phase.getKind() == "pack"    ? pack
       : phase.getKind() == "order" ? order
       : phase.getKind() == "merge" ? merge
                                    : main) = phase;
  }
  tile::PhaseOp order, pack, main, merge;
};

/// Whether a variant does the same as a split one until its sweep is over: then one function is the main phase of both.
bool isTwin(tile::VariantOp split, tile::VariantOp other, const Layout &layout) {
  auto sizes = [](tile::VariantOp v) {
    return std::make_tuple(v.getBlockRows(), v.getBlockKeys(), v.getTileRows(), v.getTileKeys(),
                           v.getThreshold().convertToDouble(), v->hasAttr(kTogetherAttr), v->getAttr(kFewAttr),
                           v->hasAttr(kBf16ScoresAttr), v->hasAttr(kBf16ValuesAttr), v->hasAttr(kTilesAttr));
  };
  Phases a(split), b(other);
  if (!a.merge || b.merge || a.order || b.order || !a.pack || !b.pack || !b.main || sizes(split) != sizes(other) ||
      a.main.getBlock() != b.main.getBlock() || a.main.getDescending() != b.main.getDescending() ||
      mayListPanels(b.main, layout)) // which chunks do not
    return false;
  DenseMap<Value, Value> same;
  auto equal = [&](Operation *x, Operation *y) {
    return OperationEquivalence::isEquivalentTo(
        x, y, [&](Value v, Value w) { return success(v == w || same.lookup(w) == v); },
        [&](Value v, Value w) { same[w] = v; }, OperationEquivalence::IgnoreLocations);
  };
  for (auto [x, y] : llvm::zip(a.pack.getBody().front(), b.pack.getBody().front()))
    if (!equal(&x, &y))
      return false;
  for (auto [v, w] : llvm::zip_equal(a.pack.getResults(), b.pack.getResults()))
    same[w] = v;
  for (auto [x, y] : llvm::zip(a.main.getBody().front(), b.main.getBody().front())) {
    if (!equal(&x, &y))
      return false;
    if (isa<tile::ForOp>(x))
      return !b.main.getBody().getOps<tile::FinishOp>().empty();
  }
  return false;
}

struct TileToVector : PassWrapper<TileToVector, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(TileToVector)
  TileToVector(int64_t vectorBytes, int64_t isaLevel) : vectorBytes(vectorBytes), isaLevel(isaLevel) {}

  StringRef getArgument() const final { return "tile-to-vector"; }
  StringRef getDescription() const final { return "lower tile.program to native vectors, loops and the C ABI"; }
  void getDependentDialects(DialectRegistry &registry) const final {
    registry
        .insert<arith::ArithDialect, math::MathDialect, scf::SCFDialect, vector::VectorDialect, LLVM::LLVMDialect>();
  }

  void runOnOperation() final {
    ModuleOp module = getOperation();
    steps.clear();
    // Errors inside region emission are diagnostics; they fail the pass here.
    unsigned errors = 0;
    ScopedDiagnosticHandler handler(&getContext(), [&](Diagnostic &d) {
      errors += d.getSeverity() == DiagnosticSeverity::Error;
      return failure(); // pass on
    });
    for (tile::ProgramOp program : llvm::make_early_inc_range(module.getOps<tile::ProgramOp>())) {
      tile::MapOp map = mapOf(program);
      std::vector<EmittedVariant> emitted;
      if (failed(map ? lowerMap(module, program, map, emitted) : lower(module, program, emitted)) || errors)
        return signalPassFailure();
      std::vector<KernelVariant> described;
      for (const EmittedVariant &variant : emitted)
        described.push_back(variant.describe());
      emitKernelInfo(module, program, described, isaLevel);
      steps.push_back({program.getSymName().str(), !map, std::move(described)});
      program.erase();
    }
    for (tile::SequenceOp sequence : llvm::make_early_inc_range(module.getOps<tile::SequenceOp>())) {
      emitSequenceInfo(module, sequence, steps, isaLevel);
      sequence.erase();
    }
  }

  /// So many bytes of scratch in the place of weights.
  static void reserve(Layout &l, int64_t bytes) {
    l.numWeights = llvm::divideCeil(bytes, llvm::alignTo(l.tileRows * l.blockKeys * l.element, 64)) + 1;
  }

  /// A function of the module: `body` at the end of its first block; void unless it gives an i32. All arguments are
  /// pointers, but the second of four: a number.
  LogicalResult makeFunction(ModuleOp module, Location loc, const std::string &name, unsigned arguments,
                             llvm::function_ref<FailureOr<V>(OpBuilder &, Block *)> body, bool returns = false) {
    OpBuilder b(module.getBodyRegion());
    b.setInsertionPointToEnd(module.getBody());
    SmallVector<Type> types(arguments, LLVM::LLVMPointerType::get(&getContext()));
    if (arguments == 4)
      types[1] = b.getI64Type();
    Type returned = returns ? (Type)b.getI32Type() : LLVM::LLVMVoidType::get(&getContext());
    auto type = LLVM::LLVMFunctionType::get(returned, types);
    auto func = LLVM::LLVMFuncOp::create(b, loc, name, type, LLVM::Linkage::Internal);
    Block *entry = func.addEntryBlock(b);
    b.setInsertionPointToEnd(entry);
    auto result = body(b, entry);
    if (failed(result))
      return failure();
    b.setInsertionPointToEnd(entry);
    LLVM::ReturnOp::create(b, loc, returns ? ValueRange(*result) : ValueRange());
    return success();
  }

  /// An elementwise program: one phase, and how many tasks it has.
  LogicalResult lowerMap(ModuleOp module, tile::ProgramOp program, tile::MapOp map,
                         std::vector<EmittedVariant> &emitted) {
    FloatType real = Float32Type::get(&getContext());
    for (V input : map.getInputs())
      if (cast<RankedTensorType>(input.getType()).getElementType().isF64())
        real = Float64Type::get(&getContext());
    auto variant = map->getParentOfType<tile::VariantOp>();
    EmittedVariant e;
    e.name = variant.getName().str();
    Layout &l = e.layout;
    l = {};
    l.element = real.getWidth() / 8;
    l.lanes = vectorBytes / l.element;
    l.width = l.blockKeys = l.lanes; // a vector of elements at a time
    l.tileRows = l.blockRows = l.taskRows = 1;
    l.inPlace = true;
    std::string prefix = "attn_" + program.getSymName().str() + "_v0";
    e.phases.push_back({prefix + "_map", ATTN_PHASE_MAIN, false, 1});
    e.sizes = prefix + "_sizes";
    Location loc = map.getLoc();
    auto emitter = [&](llvm::function_ref<LogicalResult(TaskEmitter &, Block *)> body) {
      return [&, body](OpBuilder &b, Block *entry) -> FailureOr<V> {
        Emit emit(b, loc, real, vectorBytes);
        TaskEmitter task(emit, program, l, nullptr, entry->getArgument(0));
        if (failed(body(task, entry)))
          return failure();
        return V();
      };
    };
    if (failed(makeFunction(module, loc, prefix + "_map", 1, emitter([&](TaskEmitter &task, Block *) {
                              reserve(l, mapRoom(task, map));
                              return emitMapPhase(task, map);
                            }))) ||
        failed(makeFunction(module, loc, prefix + "_sizes", 2, emitter([&](TaskEmitter &task, Block *entry) {
                              return emitMapSizes(task, map, entry->getArgument(1));
                            }))))
      return failure();
    emitted.push_back(e);
    return success();
  }

  static bool isWhole(int64_t all, int64_t part) { return part > 0 && all % part == 0; }

  /// Which operands stay bf16.
  LogicalResult layOutBf16(tile::VariantOp variant, tile::PhaseOp pack, Layout &l) {
    l.bf16Scores = variant->hasAttr(kBf16ScoresAttr), l.bf16Values = variant->hasAttr(kBf16ValuesAttr);
    l.tiles = variant->hasAttr(kTilesAttr), l.coarseWeights = variant->hasAttr(kCoarseWeightsAttr);
    if (l.tiles && (!l.asksForTiny() || l.branches > 1 || !isWhole(kTileGroupRows, l.tileRows)))
      return variant.emitError("[unsupported_tiles] tiles multiply bf16 operands, of one branch, for strips of which a "
                               "few are 32 rows; leave tiles out");
    if (!l.asksForTiny())
      return success();
    if (!pack || l.inPlace)
      return variant.emitError("[unsupported_bf16] operands that stay bf16 are packed, which this variant does not do; "
                               "leave bf16_scores and bf16_values out");
    for (auto op : pack.getBody().getOps<tile::PackOp>()) {
      bool isKeys = op.getPanels().getType().getLanesKeys();
      if (isKeys ? !l.bf16Scores : !l.bf16Values)
        continue;
      auto program = variant->getParentOfType<tile::ProgramOp>();
      for (auto [n, source] : llvm::enumerate(op.getSources())) {
        auto type = cast<RankedTensorType>(source.getType());
        Region *producer = op.getProducers().empty() ? nullptr : &op.getProducers()[n];
        if (!type.getElementType().isBF16() ||
            !OperandEmitter::isPlain(type, cast<AffineMapAttr>(op.getMaps()[n]).getValue(), producer, program.keyDim(),
                                     program.keyDim()))
          return op.emitError(
              "[unsupported_bf16] an operand that stays bf16 is a bf16 tensor, read element by element");
        if (isKeys)
          l.dotWords +=
              Layout::wordsOf(op.getExtents() ? (*op.getExtents())[n] : op.getPanels().getType().getFeatures());
      }
    }
    if (vectorBytes != 64 || l.element != 4)
      return variant.emitError("[unsupported_bf16] bf16 operands are multiplied by vectors of 64 bytes, and added in "
                               "f32; leave bf16_scores and bf16_values out");
    l.dotWords /= l.branches;
    if (l.tiles) {
      l.dotWords = llvm::alignTo(l.dotWords, kTileWords);
      l.groupStrips = kTileGroupRows / l.tileRows;
      l.blockRows = llvm::alignTo(l.blockRows, kTileGroupRows);
    }
    l.staged = std::max<int64_t>(l.staged, 1); // room for a panel's row of values
    return success();
  }

  LogicalResult lower(ModuleOp module, tile::ProgramOp program, std::vector<EmittedVariant> &emitted) {
    unsigned v = 0, variants = llvm::range_size(program.getBody().getOps<tile::VariantOp>());
    bool shared = false;     // the last variant's code serves this one too
    std::string packsBlocks; // the function by which tasks of the last variant pack
    for (tile::VariantOp variant : program.getBody().getOps<tile::VariantOp>()) {
      Phases phases(variant);
      tile::PhaseOp order = phases.order, pack = phases.pack, main = phases.main, merge = phases.merge, twin;
      tile::ListsOp lists;
      if (main)
        for (auto op : main.getBody().getOps<tile::ListsOp>())
          lists = op;
      if (!main || (pack ? (bool)lists : !lists || order) || main.getChunks().has_value() != (bool)merge)
        return variant.emitError(
            "[unsupported_variant] a variant is one pack phase and one main phase, after an order "
            "phase if there is one and with a merge phase behind if the main phase has chunks, or a "
            "main phase alone whose queries go by lists");
      Operation *orderOp = order ? order.getBody().front().getTerminator()->getOperand(0).getDefiningOp() : nullptr;
      FloatType real;
      if (pack)
        real = cast<FloatType>(cast<tile::PanelsType>(pack.getResult(0).getType()).getElement());
      for (auto rows : main.getBody().getOps<tile::RowsOp>())
        real = cast<FloatType>(rows.getRows().getType().getElement());
      if (!real)
        return main.emitError("[unsupported_main] queries that go by lists read rows");

      EmittedVariant e;
      e.name = variant.getName().str();
      Layout &l = e.layout;
      l.element = real.getWidth() / 8;
      l.lanes = vectorBytes / l.element;
      l.width = variant.getTileKeys();
      l.dot = program.getFeatures()[0];
      l.value = program.getFeatures()[1];
      l.valuePadded = llvm::alignTo(l.value, l.width);
      if (auto branch = program->getAttrOfType<DenseI64ArrayAttr>(kBranchAttr)) {
        l.branchDim = branch[0];
        l.branches = branch[1];
        l.alternate = variant->hasAttr(kFewAttr);
      }
      l.tileRows = variant.getTileRows();
      l.blockRows = variant.getBlockRows();
      l.taskRows = main.getBlock();
      l.blockKeys = variant.getBlockKeys();
      // Small problems side by side: one phase, whose tasks take some heads each.
      bool side = variant->hasAttr("side");
      constexpr int64_t kHeads = 64;
      bool few = variant->hasAttr(kFewAttr);
      l.inPlace = !pack || side || few;
      l.packsInTasks = pack && pack.getInTasks() && !l.inPlace;
      l.packsAlone = pack && pack->hasAttr(kAloneAttr);
      l.ordersInTasks = order && order.getInTasks();
      bool together = variant->hasAttr(kTogetherAttr);
      l.together = together ? 1 + program.getNumBatch() : 0;
      l.numSummaries = pack ? llvm::range_size(pack.getBody().getOps<tile::SummaryOp>()) : 0;
      l.packsValues = !pack || pack.getNumResults() < 2 || !pack.getResult(1).use_empty();
      bool absentKeys = false;
      variant.walk([&](Operation *op) {
        if (auto packs = dyn_cast<tile::PackOp>(op)) {
          absentKeys |= packs.getChecked();
          if (packs.getPanels().getType().getLanesKeys())
            l.staged = stagedFeatures(packs, l.lanes);
        } else if (auto loads = dyn_cast<tile::LoadOp>(op)) {
          l.absentQueries |= loads.getChecked();
        }
      });
      if (few)
        l.staged = fewVectors(l);
      if (failed(layOutBf16(variant, pack, l)))
        return failure();
      l.numSums = l.numAccs = l.numRows = 0;
      countSlots(main, l);
      if (!lists && !side)
        countParts(main, program.getNumBatch(), l), countKeyConditions(main, l);
      l.listsPanels = !order && !merge && !lists && !l.packsInTasks && mayListPanels(main, l);
      if (merge)
        countSlots(merge, l);
      if (auto next = dyn_cast_or_null<tile::VariantOp>(variant->getNextNode()); next && isTwin(variant, next, l)) {
        twin = Phases(next).main;
        countSlots(twin, l);
      }
      if (l.width != 2 * l.lanes && !side)
        return variant.emitError("[unsupported_variant] microtiles are two vectors wide here: ")
               << 2 * l.lanes << " keys, not " << l.width;
      if (lists && l.tileRows != 1)
        return variant.emitError(
                   "[unsupported_variant] queries that go by lists of their own are strips of one row, not ")
               << l.tileRows;

      std::string prefix = "attn_" + program.getSymName().str() + "_v" + std::to_string(v++);
      if (shared) { // its layout too, in which nothing else differs
        e.layout = emitted.back().layout;
        e.layout.hasPackRoom = e.layout.packsInTasks;
        e.layout.packsInTasks = false;
      }
      auto lent = [&](int64_t kind) -> const EmittedPhase * {
        for (const EmittedPhase &phase : shared ? ArrayRef(emitted.back().phases) : ArrayRef<EmittedPhase>())
          if (phase.kind == kind)
            return &phase;
        return nullptr;
      };
      V result; // of a function that returns an i32
      auto function = [&](StringRef suffix, unsigned arguments,
                          llvm::function_ref<LogicalResult(TaskEmitter &, Block *)> body, bool returns = false) {
        Location loc = variant.getLoc();
        auto emit = [&](OpBuilder &b, Block *entry) -> FailureOr<V> {
          Emit emit(b, loc, real, vectorBytes);
          TaskEmitter task(emit, program, l, orderOp, entry->getArgument(0));
          task.lists = lists;
          task.absentKeys = absentKeys;
          if (failed(body(task, entry)))
            return failure();
          return result;
        };
        return makeFunction(module, loc, prefix + suffix.str(), arguments, emit, returns);
      };
      if (order && !l.ordersInTasks) {
        e.phases.push_back({prefix + "_order", ATTN_PHASE_ORDER, false, 0});
        if (failed(function("_order", 1, [&](TaskEmitter &task, Block *) { return emitOrderPhase(task); })))
          return failure();
      }
      if (const EmittedPhase *phase = lent(ATTN_PHASE_PACK)) {
        e.phases.push_back(*phase);
      } else if (pack && !pack.getInTasks()) {
        e.phases.push_back({prefix + "_pack", ATTN_PHASE_PACK, pack.getDescending(), l.blockKeys});
        if (failed(function("_pack", 1, [&](TaskEmitter &task, Block *) {
              std::string function = l.packsAlone ? packFunction(prefix) : shared ? packsBlocks : "";
              if (function.empty())
                return emitPackPhase(task, pack);
              V first = task.block, needed = task.e.i1(true);
              if (l.packsAlone)
                needed = task.e.invert(task.isAlone());
              task.e.when(needed,
                          [&] { callPackFunction(task, function, first, task.keysOf(first), task.valuesOf(first)); });
              return success();
            })))
          return failure();
      }
      packsBlocks.clear();
      if (l.packsInTasks || l.packsAlone) {
        packsBlocks = packFunction(prefix);
        if (failed(function("_block", 4,
                            [&](TaskEmitter &task, Block *entry) { return emitPackFunction(task, pack, *entry); })))
          return failure();
      }
      if (const EmittedPhase *phase = lent(ATTN_PHASE_MAIN)) {
        e.phases.push_back(*phase);
        e.phases.back().chunks = 0;
      } else {
        e.phases.push_back({prefix + "_main", ATTN_PHASE_MAIN, main.getDescending(), l.taskRows,
                            side ? -kHeads : (int64_t)main.getChunks().value_or(0), together});
        if (failed(function("_main", 1, [&](TaskEmitter &task, Block *) {
              if (side) {
                reserve(l, sideRoom(task, pack, main));
                return emitSidePhase(task, pack, main);
              }
              if (few)
                return emitFewPhase(task, variant, pack, main, twin, module, prefix);
              return lists ? emitRowsPhase(task, variant, main, module, prefix)
                           : emitMainPhase(task, variant, pack, main, twin, module, prefix);
            })))
          return failure();
      }
      if (merge) {
        e.phases.push_back({prefix + "_merge", ATTN_PHASE_MERGE, false, l.taskRows, 0, together});
        if (failed(function("_merge", 1, [&](TaskEmitter &task, Block *) {
              return emitMergePhase(task, variant, merge, module, prefix);
            })))
          return failure();
      }
      if ((lists || merge || side || together || few) && v < variants) { // the last variant takes every call
        e.guard = prefix + "_guard";
        if (failed(function(
                "_guard", 1,
                [&](TaskEmitter &task, Block *) {
                  result = lists      ? emitRowsGuard(task)
                           : side     ? emitSideGuard(task)
                           : few      ? emitFewGuard(task, variant, pack, main)
                           : together ? emitTogetherGuard(task, main)
                                      : emitSplitGuard(task, main);
                  return success();
                },
                true)))
          return failure();
      }
      if (needsSizes(main)) {
        e.sizes = prefix + "_sizes";
        if (failed(function("_sizes", 2, [&](TaskEmitter &task, Block *entry) {
              return emitSizes(task, main, entry->getArgument(1));
            })))
          return failure();
      }
      emitted.push_back(e);
      shared = (bool)twin;
    }
    return success();
  }

  int64_t vectorBytes, isaLevel;
  std::vector<StepInfo> steps; // all programs so far
};

} // namespace

std::unique_ptr<Pass> attn::createTileToVectorPass(int64_t vectorBytes, int64_t isaLevel) {
  return std::make_unique<TileToVector>(vectorBytes, isaLevel);
}
