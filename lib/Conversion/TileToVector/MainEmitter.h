// The main phase: one block of queries against the ranges of keys that the set leaves. One file for each part:
//
//   MainPhase.cpp   queries, state, the steps of the phase
//   Sweep.cpp       one sweep over the keys: loops over ranges, strips and runs of microtiles
//   Listed.cpp      panels that lists reach, wherever they lie, as blocks of keys
//   Gathered.cpp    keys that go by a list and are packed by the task that meets them
//   Ranges.cpp      ranges of keys and status of tiles for a box of rows; masks of lanes
//   Product.cpp     products of a microtile, or what a region puts in their place
//   Weigh.cpp       its scores, reference, weights, sums
//   Parts.cpp       parts of scores that are the same for many pairs; scores in registers
//   Inline.cpp      sums of what regions say, in registers
//   Reduce.cpp      weights and sums of other kinds: several weights, classes, largest, least, argmax
//   Top.cpp         topk: candidates, selection, order
//   Spread.cpp      weights of pairs stored themselves
//   Raise.cpp       the rare path: a reference moves
//   Accumulate.cpp  weights times values
//   Bf16Product.cpp both products of operands that stay bf16
//   TileProduct.cpp the same on tiles, for groups of strips
//   Rows.cpp        numbers of rows: parameters, statistics, seeds, picked values
//   Root.cpp        brackets
//   Split.cpp       states of chunks of the keys: kept, and merged
//   Finish.cpp      outputs
//   Absent.cpp      keys and queries that are absent for an index of their own
//
// Where every query goes by a list of its own, RowsEmitter.h puts other loops and products in the place of these; where
// there are few queries, FewEmitter.h other products and sums of values.
#ifndef ATTN_LIB_CONVERSION_TILETOVECTOR_MAINEMITTER_H
#define ATTN_LIB_CONVERSION_TILETOVECTOR_MAINEMITTER_H

#include "Contraction.h"
#include "Members.h"
#include "OperandEmitter.h"
#include "TaskEmitter.h"
#include "attn/Analysis/PairParts.h"
#include "attn/Conversion/SetEmitter.h"

namespace attn {

class MainEmitter {
public:
  using V = mlir::Value;
  using Val = RegionEmitter::Val;

  MainEmitter(TaskEmitter &t, tile::VariantOp variant, tile::PhaseOp pack, tile::PhaseOp main, mlir::ModuleOp module,
              llvm::StringRef prefix)
      : t(t), e(t.e), l(t.layout), variant(variant), pack(pack), main(main), module(module), prefix(prefix) {}
  virtual ~MainEmitter() = default;
  /// `twin`: the main phase of a variant that is not split and does the same up to the end of its sweep; its tasks,
  /// which have no state, run the same code with a finish of their own. Null: there is none.
  mlir::LogicalResult run(tile::PhaseOp twin = {});
  mlir::LogicalResult runMerge();

protected:
  // MainPhase.cpp
  mlir::LogicalResult match();
  void matchTwin();
  void solveRows();
  void matchSweep(tile::ForOp op);
  V runOnce(V pass);
  void runSteps(mlir::Block &block, V pass);
  void runStep(mlir::Operation &op, V pass);
  V keepsState();
  V endOf();
  void loadQueries();
  /// What else happens to a query's features once they are there.
  virtual void arrangeQuery(V row) {}
  void clearState();
  void count(unsigned counter, V by);

  // Absent.cpp
  void bindAbsent();
  void noteQuery(V row, const OperandEmitter::Absence &absence);
  void reportAbsent();

  // Sweep.cpp
  struct Box;
  virtual void visitBlocks(V pass);
  V descends(const Box &box);
  void visitStrip(V strip, V blockFull);
  V fillStatus(V at);
  std::pair<V, V> classifyStrip(V at);
  void visitRuns(V from, V end, V statusAt, V stripsAtOnce, llvm::function_ref<V(V panel, V runStart)> weighPanel,
                 llvm::function_ref<void(V runStart, V runEnd)> accumulateRun);
  void endGroup(bool last);
  void fetchNext(V strip, V panel);
  /// Panels that are weighed before their values are added; 0: all of the block.
  virtual int64_t panelsAtOnce() { return 0; }
  void enterStrip(V strip);

  // Gathered.cpp
  void bindGathered();
  virtual void packBlock();
  void fetchRows(V position);
  void fetchFirst();
  void fetchGathered(V strip, V panel);

  // Listed.cpp
  void listPanels(const Box &box, V full);
  void visitListed();
  void enterListed(V from, V count);
  V fillListed(V at);
  V wordAt(V n);
  V listedEntry(V panel, int64_t field, bool next = false);
  V listedValuesAt(V featurePanel, V panel, bool next = false);
  V listedValues(V featurePanel, V key, bool whole = false);
  void fetchListed(V strip, V panel);
  /// The first key of a panel of the block, and its packed keys.
  V keyAt(V panel);
  V keyPanelAt(V panel);

  // Ranges.cpp
  struct Range { // one conjunct for a box of rows; null: no bound
    V lo, hi, mustLo, mustHi, mayRest, mustRest;
    std::optional<unsigned> leader; // the list whose marks the key loop follows
  };
  struct Box { // of rows
    V lo, hi;
    llvm::SmallVector<Range> ranges;
    std::shared_ptr<std::map<sets::Expr, Val>> hoisted;
  };
  void solveSet();
  /// The table of keys by position.
  virtual void bindLists() {}
  void bindTable(unsigned id, V base, V extent, unsigned dim, std::pair<int64_t, int64_t> range);
  void bindCommon(RegionEmitter &region, SetEmitter &set);
  SetEmitter makeSet(RegionEmitter &region);
  Box makeBox(V rowLo, V rowHi);
  std::pair<V, V> status(const Box &box, const Val &keyLo, const Val &keyHi, SetEmitter::Span span);
  void classify(const Box &box, V base, V first, V end, int64_t unit, SetEmitter::Span span, V bytes);
  V nextUnit(const Box &box, V cursor, int64_t unitKeys, V units, V mirror = V());
  Val queryIndex(RegionEmitter &region, V position);
  Val bindKey(RegionEmitter &region, SetEmitter &set, V keyLo);
  struct LaneMask {
    V visible;
    V unknown; // null, or the lanes whose membership depends on a bad index: absent, and at fault
  };
  /// One row; `keyLo` is the panel's first key, `half` which vector of it.
  LaneMask laneMask(RegionEmitter &region, V row, V keyLo, unsigned half);
  bool masksAreBounds();
  RegionEmitter makeRegion() { return RegionEmitter(e, t.tensors, t.params, e.at(t.scratch, l.gather())); }

  // Product.cpp
  /// Products of the strip's queries and a panel of the block's keys, two vectors a row.
  virtual llvm::SmallVector<V> dot(V panel);
  llvm::SmallVector<V> product(V keyPanel);
  llvm::SmallVector<V> reduceLanes(llvm::SmallVector<V> vectors, unsigned from, unsigned to,
                                   llvm::function_ref<V(V, V)> combine);
  llvm::SmallVector<V> addLanes(llvm::SmallVector<V> vectors, unsigned from, unsigned to);
  llvm::SmallVector<V> contraction(V keyPanel);
  /// What the product region's indices are at feature `c`, or at a vector of features.
  RegionEmitter atFeature(mlir::Block &block, V c);

  // Weigh.cpp
  /// True (i1) where no weight of the microtile meets a value: all are 0. Null: that cannot be told.
  V weigh(V panel, V status, V runStart);
  llvm::SmallVector<V> maskInline(llvm::SmallVector<V> s, V partial, V panel);
  enum class ScoreFrom { None, Text, Parts }; // only masked; as the text says; from its parts
  llvm::SmallVector<V> modifyRows(llvm::SmallVector<V> s, V partial, V panel, ScoreFrom from);
  void modifyRow(V r, V partial, V panel, ScoreFrom from);
  V scoreRelative(RegionEmitter &region, V result, V r);
  V takenOff(V product, V factor, V negative);
  void report(llvm::ArrayRef<RegionEmitter::BoundsCheck> checks, V visible);
  void storeTile(llvm::ArrayRef<V> s);
  void storeScores(llvm::ArrayRef<V> s);
  V keptScore(V rowOffset, int64_t half);
  V keptScore(int64_t r, int64_t half) { return keptScore(e.i64(r * l.width * e.bytes), half); }
  llvm::SmallVector<V> loadTile();
  llvm::SmallVector<V> loadRows(V at);
  V valueFactor(V r, V panel, unsigned half);
  V storeWeights(llvm::ArrayRef<V> s, V panel);
  V storeWeights(llvm::ArrayRef<V> s, V panel, llvm::function_ref<llvm::SmallVector<V>(int64_t r)> weightsOfRow,
                 bool noZero = false);
  void noteSeen(llvm::ArrayRef<V> s);
  void addToSums(int64_t r, V p0, V p1);
  V largestOf(V largest, V x);
  V isTame(V largest, double limit);
  /// phi's results for a vector of scores of row `r` of the strip. `bounded`: for finite scores alone, where besides
  /// what is appended is within its bound.
  llvm::SmallVector<V> phiOf(V x, V r, llvm::SmallVectorImpl<V> *bounded = nullptr);
  void bindGiven(RegionEmitter &region, mlir::Block &block, unsigned first, mlir::ValueRange given, V row);

  // Parts.cpp
  struct HeldPart {
    V value; // of the region
    PairUse use;
    int64_t offset; // in scratch; none of a number of the head
    Val like;       // the number itself, or what is loaded: its type and range
  };
  struct HeldRow { // a row load: where key 0 of each row would stand, and which index that is
    PairParts::RowLoad load;
    int64_t start, index;
    V unit; // i1: lanes are contiguous
  };
  void matchParts();
  void keepRowParts();
  void keepBlockParts();
  void keepKeyParts();
  void keepDifferences();
  V differenceAt(V panel);
  V partsHold(V panel);
  void bindParts(RegionEmitter &region, V panel, V r, int64_t half);
  void bindRowLoads(RegionEmitter &region, V panel, int64_t r, int64_t half);
  void fetchRowLoads(V panel);
  llvm::SmallVector<V> scoresOf(llvm::SmallVector<V> s, V partial, V panel);
  llvm::SmallVector<V> scoresInline(llvm::ArrayRef<V> s, V panel);
  llvm::SmallVector<V> masked(llvm::SmallVector<V> s, V partial, V panel);
  HeldPart *heldPart(V value);

  // KeyConditions.cpp
  std::optional<llvm::SmallVector<unsigned>> keyDims();
  void bindConditions(RegionEmitter &region, const Val &query, const Val &key);
  void keepKeyConditions();
  const KeyAtom *keyAtom(unsigned id);
  V keyConditionAt(unsigned id);
  V askKeys(unsigned id, bool must, const Val &keyLo, SetEmitter::Span span);
  V lanesOfKeys(unsigned id, V keyLo, unsigned half);
  /// Whether nothing but bounds and conditions of keys is asked of lanes.
  bool isOfKeysAlone(const sets::Pred &p);

  // Inline.cpp
  struct InlineRegion { // over (score, indices), of short axes
    bool match(mlir::Block &block, unsigned firstIndex, unsigned queryDim, unsigned keyDim);
    mlir::Block *block = nullptr;
    unsigned query = 0, key = 0; // arguments
    bool hasIndices = false;
    llvm::DenseMap<V, unsigned> uses;
    llvm::SmallVector<llvm::DenseMap<V, Val>> ofRows, ofKeys; // of the strip, of the panel
  };
  void emitPart(InlineRegion &of, RegionEmitter &region, unsigned part, llvm::DenseMap<V, Val> &into);
  void bindBatch(InlineRegion &of, RegionEmitter &region);
  void hoistRows(InlineRegion &of);
  void hoistKeys(InlineRegion &of, V panel);
  V inlined(InlineRegion &of, int64_t r, int64_t half, V score);
  V hasShortAxes();
  void matchInline();
  bool sumsScores();
  V reduceInline(llvm::ArrayRef<V> s, V panel);
  V reduceTile(llvm::ArrayRef<V> s, V panel);

  // Reduce.cpp
  V reduceRows(llvm::ArrayRef<V> s, V panel);
  /// `extremes`: of them alone.
  V reduceRow(V r, V panel, bool extremes = false);
  void bindIndices(RegionEmitter &region, SetEmitter &set, mlir::Block &block, unsigned first, V r, V keyLo);

  // Top.cpp
  V topBuffer(unsigned top, V row) { return e.at(e.at(t.scratch, l.top(top)), e.mul(row, l.topRowBytes(top))); }
  void clearTop(unsigned top, unsigned slot, V row);
  void clearTops();
  void addToTop(unsigned top, unsigned slot, V row, V numbers, V keys, V in);
  void narrowTop(unsigned top, unsigned slot, V row, int64_t most);
  void addEntry(unsigned top, V buffer, V entry, V wanted);
  std::string topFunction(unsigned top);
  std::string sortFunction();
  void storeTop(tile::TopOp op);
  void saveTops(V record, V row);
  void mergeTop(unsigned top, unsigned slot, V chunk, V row, V isFirst);
  mlir::IntegerType entryType() { return e.b.getIntegerType(l.topEntry() * 8); }

  // Spread.cpp
  void clearSpread();
  void spreadRows(llvm::ArrayRef<V> s, V panel);
  V spreadRow(V row);

  // Rows.cpp
  struct Place { // where a tile of the block lives
    enum Kind { Ref, Sum, Acc, Row } kind;
    unsigned slot = 0;
    int64_t op = 0; // of a sum: tile.weigh's sum_ops
    bool weighed = false;
    unsigned top = 0; // of a topk: which one
  };
  void assignPlaces(mlir::Block &block);
  unsigned newRow(V tile);
  V rowAddress(unsigned slot, V row);
  V loadRow(V tile, V row);
  V referenceOf(V row);
  V isEmpty(V row);
  V sumOf(const Place &place, V row);
  std::pair<V, V> foundOf(const Place &place, V row);
  void eachRow(llvm::function_ref<void(V row)> body);
  void loadParam(tile::ParamOp op);
  void statistics(tile::StatOp op);
  V rescaled(V x, V gauge);
  void seed(tile::SeedOp op);
  void pick(tile::PickOp op);
  llvm::SmallVector<V> evaluate(mlir::Region &region, mlir::ValueRange tiles, V row);

  // Root.cpp
  void root(tile::RootOp op, V pass);
  void noteVisible(V panel, llvm::ArrayRef<V> scores);

  // Raise.cpp
  double raiseThreshold();
  void emitRaise();
  V needsRaise(llvm::ArrayRef<V> s);
  V largerOf(V s0, V s1);
  llvm::SmallVector<V> largestScores(V scratch);
  V hasUnsetRows();
  V expectsRaise();
  void forgetMoves();
  /// Whether products are kept where a reference may move: scores are made of them by one operation.
  bool keepsFirst() const { return hasRef && !hasScore; }

  // Accumulate.cpp
  void accumulate(V runStart, V runEnd);
  void addTo(V at, V sum);
  virtual void accumulateFast(unsigned n, V values, V panelBytes, V from, V to);
  virtual void accumulateGuarded(unsigned n, V values, V panelBytes, V from, V to);
  V isVisible(V visible, V key, V r);
  void keepWeight(unsigned n, V r, V panel, int64_t half, V w);
  V accOf(unsigned n) { return e.at(acc, l.acc(n) - l.acc(0)); }
  /// Of the strip.
  V weightsOf(unsigned n) { return ofGroup(l.weights(n), l.tileRows * l.weightRowBytes()); }
  V visibleMasks() { return ofGroup(l.visible(), l.visibleBytes()); }

  // Bf16Product.cpp
  void askForTiny();
  llvm::SmallVector<V> productOfWords(V keyPanel);
  void accumulateWords(unsigned n, V values, V panelBytes, V from, V to);
  void accumulateWordsGuarded(unsigned n, V values, V panelBytes, V from, V to);

  // TileProduct.cpp
  /// The strip's part of what a group of strips has in scratch.
  V ofGroup(int64_t offset, int64_t stripBytes) {
    V at = e.at(t.scratch, offset);
    return inGroup ? e.at(at, e.mul(inGroup, stripBytes)) : at;
  }
  void eachStrip(V count, llvm::function_ref<void()> body);
  void visitGroup(V strip, V blockFull);
  void multiplyGroup(V panel);
  void multiplySteps(V keys, V from, V to);
  void multiplyGroupExactly(V keys, V out);
  V productsOf(V panel);
  V weighGroup(V count, V panel, V runStart, V goesOn);
  void accumulateGroup(V count, V runStart, V runEnd);
  void accumulateTiles(V runStart, V runEnd);
  void accumulateTilesExactly(V runStart, V runEnd);
  void accumulateTilesGuarded(unsigned n, V values, V panelBytes, V from, V to);

  // Split.cpp
  V recordAt(V state, V row);
  V accRow(unsigned n, V row) { return e.at(e.at(t.scratch, l.acc(n)), e.mul(row, l.valueRowBytes())); }
  V sumRow(unsigned slot, V row) { return e.at(e.at(t.scratch, l.sum(slot)), e.mul(row, l.lanes * l.element)); }
  V modeAt(V row) { return e.at(e.at(t.scratch, l.unset()), e.mul(row, 4)); }
  V mode(int32_t m) { return mlir::arith::ConstantOp::create(e.b, e.loc, e.b.getI32IntegerAttr(m)); }
  V save();
  void merge(tile::MergeOp op);
  V gaugeBetween(mlir::Region &gauge, V from, V to);
  void mergeFound(unsigned slot, V chunk, V row, V isFirst);
  void clearRow(tile::MergeOp op, V row);

  // FinishNumbers.cpp
  void matchNumbers();
  int64_t numberBytes();
  V numberAt(int64_t n, V row);
  void keepNumber(mlir::BlockArgument arg, V x, V row);
  void keepEmpty(V empty, V row);
  void finishNumbers();

  // Finish.cpp
  /// Vectors of a row, some at a time: a few are code, of more there is a loop.
  void eachVector(int64_t bytes, llvm::function_ref<void(V offset)> body);
  /// The same, with a value that is carried from one to the next.
  void eachVector(int64_t bytes, V &carried, llvm::function_ref<V(V offset, V carried)> body);
  V finish();
  V finishRow(V r, V poison);

  TaskEmitter &t;
  Emit &e;
  const Layout &l;
  tile::VariantOp variant;
  tile::PhaseOp pack, main, twin;
  mlir::ModuleOp module;
  std::string prefix;

  tile::LoadOp loadOp;
  tile::ForOp forOp;
  tile::FinishOp finishOp;
  tile::SaveOp saveOp; // in the place of the finish
  llvm::SmallVector<tile::WeighOp> allWeighs;
  llvm::DenseMap<V, Place> places;
  llvm::DenseMap<mlir::Operation *, unsigned> rootSlots;
  llvm::MapVector<mlir::Operation *, unsigned> seedRows; // 1: the seed is one; 0: its reference is -inf
  unsigned usedRows = 0;

  // Of the sweep that is being emitted.
  tile::ForOp sweepOp, lastSweep;
  tile::WeighOp weighOp;
  llvm::SmallVector<tile::AccumulateOp> accumulates;
  bool hasRef = false, hasScore = false, plainPhi = false;
  bool addsReference = false; // they are made again of what is left of them, where nothing but sums takes them
  bool keepsScores = false;   // regions of reductions take scores that nothing is subtracted from
  bool inlineSums = false;    // other sums than those of `simple`, in registers too
  llvm::SmallVector<InlineRegion> inlineValues;
  std::optional<PairParts> scoreParts; // none: scores are the text's, pair by pair
  llvm::SmallVector<HeldPart> heldParts;
  llvm::SmallVector<HeldRow> heldRows;
  V rowPartsGood, keyPartsGood;        // i1: no index was bad; null: none can be
  V goodFrom, goodTo;                  // differences without a bad index, from the first that is kept; null: all
  bool simple = false;                 // one weight, and sums of it alone
  bool counting = false;               // the last sweep, whose blocks and tiles are reported
  llvm::SmallVector<unsigned> numbers; // outputs of the finish that are made for vectors of rows
  llvm::SetVector<mlir::BlockArgument> numberArgs; // what they are made of
  llvm::SmallVector<unsigned> sumSlots;
  llvm::SmallVector<unsigned> weighedSlots; // those that the gauge multiplies
  std::string raiseName;

  SetPredicate predicate;
  sets::Solution solution;
  llvm::SmallVector<SummaryRef> summaries;
  std::function<TensorRef &(unsigned)> tensorOf;
  std::optional<Members> members;
  std::map<unsigned, TensorRef> tables; // over positions

  V factor;                              // of the whole call, where scores have no other region: a vector
  V first, rows, lastRow, strips;        // of the query block
  V guarded;                             // i1: this pass must not multiply absent values
  bool listed = false;                   // blocks are made of listed panels, and blockFirst is of no use
  V thisListed, nextListed;              // the first entry of the block, and of the next one
  V blockFirst, blockPanels;             // of the key block
  V sweepEnd;                            // the position behind the task's last block
  V stripFull, runsEnd;                  // i1: nothing of the block is masked; behind the strip's last panel in it
  V blockKeysAt, blockValuesAt;          // packed
  V nextFirst, nextKeysAt, nextValuesAt; // of the block that is likely to follow
  llvm::SmallVector<std::unique_ptr<OperandEmitter>> gathered; // what the task packs by a list
  V tinyScores, tinyValues;               // i1: a query of the task or a key of the block has a tiny element; a value
  V rowLo, rowHi;                         // of the strip
  V qRow, negRef, acc, unset, stripUnset; // pointers of the strip
  V groupStrip, inGroup;                  // the first strip of the group, and which one of it this is; null: no group
  V branchAt;                             // bytes to its branch of a panel of keys, null: there is one
  llvm::SmallVector<V> sums;
};

/// Whether an output is one number of a row; others are one for each feature of the values.
bool isNumber(tile::FinishOp op, unsigned output, unsigned valueDim);

} // namespace attn

#endif
