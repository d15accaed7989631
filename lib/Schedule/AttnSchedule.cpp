// --attn-schedule: microtile and block sizes for x86.
//
// Microtile: rows x two vectors of keys, one accumulator each, one register for the broadcast query element and two for
// the keys: 6 x 16 f32 (or 6 x 8 f64) with 16 registers of 32 bytes reaches 97 % of FMA peak; more rows spill, fewer
// leave chains of FMA too short. Key block: K and V of the block stay in L2 while all strips of the query block pass:
// 256 keys up to 128 features (f32), fewer beyond. Query block: a multiple of the microtile that makes enough tasks;
// its size costs no score buffer, for scores are never stored. Where groups of rows share a list of keys, a task stays
// inside a group, so that it reads one list; where each row has a list of its own, tasks are small, for a task keeps
// bits of all keys for every list it reads. Where a group of 16 rows or more has a list of tokens, and sees nothing
// else, its tasks gather the keys themselves: to pack a key costs what a dozen rows do with it, and a panel of 16 keys
// of which one is listed costs what 16 do. Gathered keys are packed by one task, if it has room for all queries: 128
// rows where it would have 96. Where every row has a short list of its own and sees nothing else, a variant "rows"
// stands first: one row against two vectors of listed keys, read where they lie, for a panel of 16 keys with one that
// is listed costs as much as one with 16.
//
// Where problems are small, of 16 queries and 256 pairs at most, a variant "side" stands first: vectors of problems,
// one to a lane (see SidePhase.cpp), for features that are few enough for all of them to lie in L1 at once.
//
// Where heads share keys, a variant "group" stands before the others for calls of few queries: the queries of all heads
// of a group are rows of the same blocks, which fill microtiles, and their keys are read once; microtiles have eight
// rows at most there, for the rows are few. Its guard looks at the number of queries alone.
//
// Where a call has so few rows that a key is met by a strip of them or two, as in decoding, variants "split_few" and
// "few" stand first of these: keys and values are read where they lie (see FewEmitter.h). A strip has as many rows as
// one query of all heads that share keys, where these are eight or fewer, so that it is met once.
//
// Where a call has one block of queries and many keys, as in decoding, a variant "split" stands before "stream": 16
// chunks of the keys are tasks of their own. Its guard looks at the queries and keys alone, neither at threads nor at
// heads or batch, so that no row's bits depend on these (edge contract 9).
#include "attn/Schedule/GpuTiles.h"
#include "attn/Schedule/Lists.h"
#include "attn/Schedule/Schedule.h"

using namespace mlir;
using namespace attn;

/// How far a reference may lag behind the largest score, in powers of 2 of a weight. The lag is in each distance s - r,
/// whose rounding is a weight's error: below 8 at most 2^-22, 1.4 units in the last place of the weight; below 32 it
/// would be 5.5, more than the error rule allows where one key has most of a row. Nor may it be seen in an lse, where
/// the reference and log l cancel.
static constexpr double kLag = 8.0;

/// Rows that share a list, from which on its keys are gathered for them.
static constexpr int64_t kGatheringRows = 16;
/// Rows of a strip, at most, where few queries of all heads are rows together: 16 of them are two strips of 8, not of
/// 14, which takes 14 % less, and eight rows of two vectors are chains enough for two multiply-adds a cycle.
static constexpr int64_t kFewTogetherRows = 8;
/// Keys of a listed block that make it worth its panel.
static constexpr int64_t kPanelBlock = 8;

static bool wantsBoxes(AttendOp op, TokenOrder order) {
  if (op->hasAttr(kExchanged)) // boxes go by the text's queries
    return false;
  if (order == TokenOrder::Raster || !op.getQueryGrid() || !op.getKeyGrid() || op.getSet().empty() ||
      op.getKeyGrid()->size() != op.getQueryGrid()->size() || op.getKeyGrid()->size() < 2)
    return false;
  bool bounded = false;
  op.getSet().walk([&](Operation *o) { bounded |= isa<SetDiscOp, SetNeighborhoodOp, SetHaloOp>(o); });
  return bounded || order == TokenOrder::Boxes;
}

std::string attn::whyNotGathered(AttendOp op, TokenOrder order) {
  SetListOp list = listOfBlocks(op);
  if (!list)
    return "no block of queries has a list that all it sees is in";
  if (list.getBlock() >= kPanelBlock)
    return "blocks of " + std::to_string(list.getBlock()) + " keys fill panels, which are packed once for all queries";
  if (op->hasAttr(kExchanged))
    return "queries and keys have exchanged their roles";
  if (wantsBoxes(op, order))
    return "tokens go by boxes of their grid";
  if (!isReadInPlace(op))
    return "queries, keys or values have several parts or pass through a region";
  int64_t rows = rowsPerList(op), most = 96;
  for (most = std::min(most, rows); rows % most;)
    --most;
  if (most < kGatheringRows)
    return "tasks of whole lists would have " + std::to_string(most) + " queries, too few to pack keys for";
  return "";
}

std::string attn::whyUnsplit(AttendOp op, TokenOrder order) {
  NormalizerOp normalizer = lookupNormalizer(op);
  if (!normalizer)
    return ("the normalizer @" + op.normalizerName() + " is not linked").str();
  unsigned steps = 0;
  for (Operation &step : llvm::drop_end(normalizer.getBody().front())) {
    if (!isa<PassOp, SelectOp>(step))
      return ("@" + op.normalizerName() + " seeks a root, which takes sweeps over all keys").str();
    ++steps;
  }
  if (steps != 1)
    return ("@" + op.normalizerName() + " makes several passes, of which the later need what all keys gave").str();
  for (unsigned r = 0; r < op.getNumResults(); ++r)
    if (auto source = findOutput(op, normalizer, op.outName(r)); source && source->kind == OutputSource::Weights)
      return "the weights themselves are asked for, which takes a second sweep";
    else if (source && source->kind == OutputSource::LogSumExp)
      return ("lse is asked for, which @" + op.normalizerName() + " does not have and takes a pass of its own").str();
    else if (source && (source->kind == OutputSource::Column || source->kind == OutputSource::Aggregate))
      return "sums over queries are asked for, which takes a second sweep";
  if (op->hasAttr(kExchanged))
    return "queries and keys have exchanged their roles";
  if (gatherable(op))
    return "they go by a list";
  if (ownLists(op))
    return "every query goes by a list of its own";
  if (wantsBoxes(op, order))
    return "they go by boxes of their grid (the token order raster has none)";
  return "";
}

/// One exponential weight relative to the largest score, its sum and one sum of values, of all pairs, with what follows
/// from these and the scores alone.
static bool goesSideBySide(AttendOp op) {
  NormalizerOp normalizer = lookupNormalizer(op);
  if (!normalizer || !llvm::hasSingleElement(llvm::drop_end(normalizer.getBody().front())))
    return false;
  auto pass = dyn_cast<PassOp>(normalizer.lastStep());
  if (!pass || !pass.hasRef() || pass.seedRegion() || pass.statRegion() || op.numNormArgs())
    return false;
  unsigned values = 0;
  for (unsigned n = 0; n < pass.numSums(); ++n) {
    values += pass.kindOf(n) == SumKind::Value;
    if (pass.kindOf(n) == SumKind::Count || pass.classOf(n) >= 0)
      return false;
  }
  Block &phi = pass.getPhi().front();
  Operation *yield = phi.getTerminator();
  auto exp = yield->getNumOperands() == 1 ? yield->getOperand(0).getDefiningOp<math::ExpOp>() : math::ExpOp();
  auto distance = exp ? exp.getOperand().getDefiningOp<arith::SubFOp>() : arith::SubFOp();
  if (values > 1 || !distance || distance.getLhs() != phi.getArgument(0) || distance.getRhs() != phi.getArgument(1))
    return false;
  for (unsigned r = 0; r < op.getNumResults(); ++r)
    if (auto source = findOutput(op, normalizer, op.outName(r)); !source || source->kind != OutputSource::Finish)
      return false;
  bool isFull =
      op.getSet().empty() || isa<SetFullOp>(op.getSet().front().getTerminator()->getOperand(0).getDefiningOp());
  if (!isFull || op->hasAttr(kExchanged) || op.hasDropout() || !op.getMore().empty() || !op.hasPlainOperands())
    return false;
  // Its code is unrolled over the features: more than these take too long to compile.
  if (op.featureExtent(op.dotDim()) + op.featureExtent(op.valueDim()) > 80)
    return false;
  bool plain = true; // of scores, which no problem's own numbers enter
  if (!op.getScore().empty()) {
    for (unsigned d = 0; d < op.numBatch(); ++d)
      plain &= op.getScore().getArgument(1 + d).use_empty();
    op.getScore().walk([&](Operation *o) { plain &= !isa<LoadOp, MemberOp, RandomOp>(o); });
  }
  return plain;
}

namespace {

struct AttnSchedule : PassWrapper<AttnSchedule, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(AttnSchedule)
  AttnSchedule(ScheduleRequest request) : request(request) {}
  AttnSchedule(const AttnSchedule &other) : PassWrapper(other), request(other.request) {}

  StringRef getArgument() const final { return "attn-schedule"; }
  StringRef getDescription() const final { return "choose block and microtile sizes and write them on each attend"; }

  void runOnOperation() final {
    WalkResult done = getOperation().walk([&](AttendOp op) {
      std::string why = request.splitKeys > 0 ? whyUnsplit(op, request.tokenOrder) : "";
      if (!why.empty()) {
        op.emitError("[unsupported_split] the keys cannot be split: ") << why << "; leave the number of chunks out";
        return WalkResult::interrupt();
      }
      if (request.sharedBytes) {
        op->setAttr(kScheduleAttr, chooseForGpu(op));
        return WalkResult::advance();
      }
      // Small problems side by side share nothing.
      if (auto branch = branchOf(op); branch && !goesSideBySide(op))
        op->setAttr(kBranchAttr, Builder(op).getDenseI64ArrayAttr({branch->dim, branch->extent}));
      op->setAttr(kScheduleAttr, choose(op));
      return WalkResult::advance();
    });
    if (done.wasInterrupted())
      signalPassFailure();
  }

  /// Keys are split where a call has few rows for so many multiprocessors; the guard is the runtime's (attn_gpu.h).
  ArrayAttr chooseForGpu(AttendOp op) {
    Builder b(op.getContext());
    GpuTiles t = GpuTiles::choose(op, request.sharedBytes, request.blockRows, request.blockKeys, request.f32Products);
    auto number = [&](StringRef field, int64_t n) { return b.getNamedAttr(field, b.getI64IntegerAttr(n)); };
    SmallVector<NamedAttribute> fields{b.getNamedAttr("name", b.getStringAttr("stage")),
                                       number("block_rows", t.rows),
                                       number("task_rows", t.rows),
                                       number("block_keys", t.keys),
                                       number("tile_rows", 16),
                                       number("tile_keys", 8),
                                       b.getNamedAttr("threshold", b.getF64FloatAttr(kLag)),
                                       b.getNamedAttr(kGpuAttr, t.toAttr(b))};
    SmallVector<Attribute> variants;
    // Where heads share keys, rows are their queries, and CTAs are fewer.
    bool together = mayStandTogether(op, /*onGpu=*/true);
    if (together)
      fields.push_back(b.getNamedAttr(kTogetherAttr, b.getUnitAttr()));
    const int64_t kChunks = together ? 16 : 8;
    if (request.splitKeys > 0 || whyUnsplit(op, TokenOrder::Raster).empty()) {
      SmallVector<NamedAttribute> split(fields);
      split[0].setValue(b.getStringAttr("split"));
      split.push_back(number(kChunksAttr, request.splitKeys > 0 ? request.splitKeys : kChunks));
      variants.push_back(b.getDictionaryAttr(split));
    }
    if (request.splitKeys <= 0)
      variants.push_back(b.getDictionaryAttr(fields));
    return b.getArrayAttr(variants);
  }

  ArrayAttr choose(AttendOp op) {
    Builder b(op.getContext());
    int64_t elementBytes = op.accumulationType().getWidth() / 8;
    int64_t lanes = request.vectorBytes / elementBytes;
    // Two accumulators a row, two registers for keys, one for the broadcast, one to spare. Without fused multiply-adds
    // (x86-64-v2) a row has two broadcasts and two products, and the next row's are under way beside them.
    const int64_t inRegisters = (request.vectorRegisters - (request.vectorBytes > 16 ? 4 : 8)) / 2;
    const bool tiles = request.tiles && whyNotTiles(op).empty();
    // CPUs that have tiles multiply bf16 by vectors at half the rate of f32 (vdpbf16ps every other cycle).
    const bool bf16 = request.bf16Dot && (!request.tiles || tiles);
    // Blocks are whole strips, or whole groups of strips that share a product.
    int64_t tileRows = tiles ? kTileStripRows : inRegisters, unit = tiles ? kTileGroupRows : tileRows;
    int64_t tileKeys = 2 * lanes;
    auto branch = op->getAttrOfType<DenseI64ArrayAttr>(kBranchAttr);
    int64_t features = std::max(op.dotExtent() * (branch ? branch[1] : 1), op.vPart().extent);

    std::string name = "stream";
    bool gather = (bool)gatherable(op), byTasks = false;
    if (!gather && listOfBlocks(op) && request.splitKeys <= 0)
      byTasks = whyNotGathered(op, request.tokenOrder).empty();
    // K and V of a block fit in L2, where they stay while the strips of the query block pass. Where the task packs them
    // they share it with the rows that the next block is packed from.
    int64_t keys = request.l2Bytes / (2 * features * elementBytes);
    if (gather || byTasks)
      keys = std::max(keys / 4, std::min<int64_t>(keys, 64));
    keys = std::clamp<int64_t>(keys, tileKeys, 256);
    keys = keys / tileKeys * tileKeys;
    int64_t rows = llvm::alignTo((gather || byTasks) && features <= 128 ? 128 : 96, unit);
    int64_t group = rowsPerList(op), taskRows = rows;
    if (group > 0 && group < tileRows) {
      taskRows = rows = llvm::alignTo(2 * tileRows, unit);
    } else if (group > 0) {
      taskRows = std::min(group, rows);
      while (group % taskRows)
        --taskRows;
      rows = llvm::alignTo(taskRows, unit);
    }
    // Candidates of a topk: those of a block's rows in 2 MiB, but for a strip.
    int64_t candidates = 0;
    for (unsigned n = 0; n < op.numReductions(); ++n)
      candidates += op.reductionCount(n) * 4 * elementBytes;
    if (int64_t most = candidates ? (int64_t(2) << 20) / candidates : rows; rows > most) {
      taskRows = std::min(taskRows, std::max(most / unit * unit, unit));
      while (group > 0 && group % taskRows)
        --taskRows;
      rows = llvm::alignTo(taskRows, unit);
    }
    if (request.blockKeys > 0)
      keys = llvm::alignTo(request.blockKeys, tileKeys);
    if (request.blockRows > 0)
      taskRows = rows = llvm::alignTo(request.blockRows, unit);
    if (request.blockKeys > 0 || request.blockRows > 0)
      name = "forced";
    byTasks &= group > 0 && group % taskRows == 0;

    SmallVector<NamedAttribute> fields{b.getNamedAttr("name", b.getStringAttr(name)),
                                       b.getNamedAttr("block_rows", b.getI64IntegerAttr(rows)),
                                       b.getNamedAttr("task_rows", b.getI64IntegerAttr(taskRows)),
                                       b.getNamedAttr("block_keys", b.getI64IntegerAttr(keys)),
                                       b.getNamedAttr("tile_rows", b.getI64IntegerAttr(tileRows)),
                                       b.getNamedAttr("tile_keys", b.getI64IntegerAttr(tileKeys)),
                                       b.getNamedAttr("threshold", b.getF64FloatAttr(kLag))};
    if (gather)
      fields.push_back(b.getNamedAttr(kGatherAttr, b.getUnitAttr()));
    else if (wantsBoxes(op, request.tokenOrder))
      fields.push_back(b.getNamedAttr(
          kBoxesAttr,
          b.getDictionaryAttr({b.getNamedAttr("key_inner", box(b, *op.getKeyGrid(), tileKeys, 1)),
                               b.getNamedAttr("key_outer", box(b, *op.getKeyGrid(), tileKeys, keys / tileKeys)),
                               b.getNamedAttr("query_inner", box(b, *op.getQueryGrid(), tileRows, 1)),
                               b.getNamedAttr("query_outer", box(b, *op.getQueryGrid(), tileRows,
                                                                 std::max<int64_t>(rows / tileRows, 1)))})));
    SmallVector<Attribute> variants;
    if (Operation *own = ownLists(op);
        own && elementsAreShort(own, tileKeys) && request.splitKeys <= 0 && isReadInPlace(op))
      variants.push_back(rowsVariant(b, op, own, keys, tileKeys));
    if (name == "stream" && request.splitKeys <= 0 && goesSideBySide(op)) {
      auto number = [&](StringRef field, int64_t n) { return b.getNamedAttr(field, b.getI64IntegerAttr(n)); };
      variants.push_back(b.getDictionaryAttr(
          {b.getNamedAttr("name", b.getStringAttr("side")), number("block_rows", 16), number("task_rows", 16),
           number("block_keys", 64), number("tile_rows", 1), number("tile_keys", 1),
           b.getNamedAttr("threshold", b.getF64FloatAttr(kLag)), b.getNamedAttr(kSideAttr, b.getUnitAttr())}));
    }
    constexpr int64_t kChunks = 16; // as many workers as one head can feed; each has 256 keys and more
    auto add = [&](ArrayRef<NamedAttribute> fields, StringRef split, StringRef whole) {
      SmallVector<NamedAttribute> own(fields);
      if (request.splitKeys > 0 ||
          (name == "stream" && whyUnsplit(op, request.tokenOrder).empty() && !isGathered(own))) {
        own[0].setValue(b.getStringAttr(split));
        own.push_back(
            b.getNamedAttr(kChunksAttr, b.getI64IntegerAttr(request.splitKeys > 0 ? request.splitKeys : kChunks)));
        variants.push_back(b.getDictionaryAttr(own));
        own.pop_back();
      }
      own[0].setValue(b.getStringAttr(whole));
      if (request.splitKeys <= 0)
        variants.push_back(b.getDictionaryAttr(own));
    };
    int64_t few = name == "stream" && request.splitKeys <= 0 && whyUnsplit(op, request.tokenOrder).empty()
                      ? fewRows(op, lanes)
                      : 0;
    if (few) {
      SmallVector<NamedAttribute> own(fields);
      int64_t most = std::max<int64_t>(4 * (branch ? branch[1] : 1) / few, 1), all = most * few;
      for (auto [n, value] : {std::pair(1, all), {2, all}, {4, few}})
        own[n].setValue(b.getI64IntegerAttr(value));
      own.push_back(b.getNamedAttr(kFewAttr, b.getI64IntegerAttr(most)));
      if (few > 1)
        own.push_back(b.getNamedAttr(kTogetherAttr, b.getUnitAttr()));
      add(own, "split_few", "few");
    }
    // Variants that pack take bf16 operands as they are.
    if (bf16 && whyNotBf16Scores(op).empty())
      fields.push_back(b.getNamedAttr(kBf16ScoresAttr, b.getUnitAttr()));
    if (bf16 && whyNotBf16Values(op).empty())
      fields.push_back(b.getNamedAttr(kBf16ValuesAttr, b.getUnitAttr()));
    if (bf16 && whyNotBf16Values(op).empty() && llvm::all_of(op.getResultTypes(), [](Type type) {
          return cast<RankedTensorType>(type).getElementType().isBF16();
        }))
      fields.push_back(b.getNamedAttr(kCoarseWeightsAttr, b.getUnitAttr()));
    if (tiles)
      fields.push_back(b.getNamedAttr(kTilesAttr, b.getUnitAttr()));
    if (byTasks)
      fields.push_back(b.getNamedAttr(kGatherTasksAttr, b.getUnitAttr()));
    if (mayStandTogether(op)) {
      SmallVector<NamedAttribute> together(fields);
      // Room for 128 heads of one query, and for a block of queries of every branch.
      int64_t room = std::max<int64_t>(128, branch ? 96 * branch[1] : 0);
      if (request.blockRows <= 0 && rows == (int64_t)llvm::alignTo(96, unit)) {
        const int64_t strip = std::min(tileRows, kFewTogetherRows), whole = llvm::alignTo(room, tiles ? unit : strip);
        for (auto [n, value] : {std::pair(1, whole), {2, whole}, {4, strip}})
          together[n].setValue(b.getI64IntegerAttr(value));
      }
      together.push_back(b.getNamedAttr(kTogetherAttr, b.getUnitAttr()));
      add(together, "split_group", name == "stream" ? "group" : "forced_group");
    }
    add(fields, "split", name);
    return b.getArrayAttr(variants);
  }

  static bool isGathered(ArrayRef<NamedAttribute> fields) {
    return llvm::any_of(fields, [](NamedAttribute field) { return field.getName() == kGatherTasksAttr; });
  }

  /// Blocks of a panel or more fill microtiles, which rows of a strip may share.
  static bool elementsAreShort(Operation *lists, int64_t tileKeys) {
    auto list = dyn_cast<SetListOp>(lists);
    return !list || (int64_t)list.getBlock() < tileKeys;
  }

  Attribute rowsVariant(Builder &b, AttendOp op, Operation *own, int64_t keys, int64_t tileKeys) {
    // Scores of a block of listed keys, then their values, which are still in L2 if they were fetched ahead.
    int64_t rows = request.blockRows > 0 ? request.blockRows : 64;
    // Another list of a row is looked up in bits of all keys, which a task keeps for each of its rows.
    bool others = false;
    op.getSet().walk([&](Operation *o) { others |= o != own && isa<SetListOp, SetCsrOp, MemberOp>(o); });
    for (unsigned n = 0; n < op.numReductions(); ++n)
      others |= op.reductionCount(n) > 1024;
    if (others && request.blockRows == 0)
      rows = 16;
    return b.getDictionaryAttr(
        {b.getNamedAttr("name", b.getStringAttr("rows")), b.getNamedAttr("block_rows", b.getI64IntegerAttr(rows)),
         b.getNamedAttr("task_rows", b.getI64IntegerAttr(rows)),
         b.getNamedAttr("block_keys", b.getI64IntegerAttr(keys)), b.getNamedAttr("tile_rows", b.getI64IntegerAttr(1)),
         b.getNamedAttr("tile_keys", b.getI64IntegerAttr(tileKeys)),
         b.getNamedAttr("threshold", b.getF64FloatAttr(kLag)), b.getNamedAttr(kRowsAttr, b.getUnitAttr())});
  }

  /// `tokens` times `repeat` tokens as a box, near to a cube: prime factors, the largest first, go to the shortest side
  /// that has room in the grid.
  static Attribute box(Builder &b, ArrayRef<int64_t> grid, int64_t tokens, int64_t repeat) {
    SmallVector<int64_t> sides(grid.size(), 1);
    auto grow = [&](int64_t n) {
      SmallVector<int64_t> factors;
      for (int64_t f = 2; n > 1; ++f)
        for (; n % f == 0; n /= f)
          factors.push_back(f);
      for (int64_t f : llvm::reverse(factors)) {
        size_t best = 0;
        for (size_t axis = 1; axis < sides.size(); ++axis)
          if (sides[axis] * f <= grid[axis] && sides[axis] <= sides[best])
            best = axis;
        sides[best] *= f;
      }
    };
    grow(tokens);
    grow(repeat);
    return b.getDenseI64ArrayAttr(sides);
  }

  ScheduleRequest request;
};

} // namespace

std::unique_ptr<Pass> attn::createAttnSchedulePass(ScheduleRequest request) {
  return std::make_unique<AttnSchedule>(request);
}
