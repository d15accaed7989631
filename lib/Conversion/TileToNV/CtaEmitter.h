// The code of one CTA: a block of queries against the blocks of keys that the set leaves. One file for each part:
//
//   CtaEmitter.cpp  parameters, indices, steps of a phase
//   Promises.cpp    what is promised of elements
//   Stage.cpp       queries, keys and values into shared memory, converted and split into planes
//   Product.cpp     products on tensor cores, or element by element
//   Placed.cpp      where tiles are held
//   Ranges.cpp      which blocks of keys a block of queries may see
//   Visible.cpp     which pairs of a block are visible
//   Sweep.cpp       one sweep over the keys
//   Weigh.cpp       scores, reference, weights, sums of a block
//   Rows.cpp        numbers of rows: parameters, statistics, seeds
//   Root.cpp        brackets
//   Finish.cpp      outputs
//   Spread.cpp      weights of pairs stored themselves
//   Split.cpp       states of chunks of the keys: kept, and merged
//
// Threads. A warp has 16 rows. With g = lane / 4 and q = lane mod 4 a thread holds, of its rows g and g + 8, columns
// 8 n + 2 q and 8 n + 2 q + 1 of scores and accumulators, as mma.sync leaves them (attn/Layout/FragmentLayout.h). Where
// tiles are held the tile.place ops say; Placed.h reads them. Numbers of a row are held by the four lanes of its group
// alike, sums over keys by each for its own columns until the sweep is over.
//
// Heads. Where the variant is `together`, the rows are those of all heads that share keys and values, G of them, query
// by query: row n is of query n / G and of the head n mod G. The CTA's batch indices are then those of the first head;
// those of a row stand where something is a row's own: operands of queries, scores, parameters, outputs. Which keys a
// row sees is the same for all of its heads (Schedule/Lists.h, whyApart). Along a dimension where consecutive indices
// share, the last group may lack some: rows without a head.
//
// Two passes. The first multiplies on tensor cores, also what is absent: by a weight of 0. Where something that its
// sweeps leave is not finite, a second one goes element by element and multiplies nothing that a row does not see
// (edge contract 2), and what it gives holds for those rows alone whose own numbers are not finite; it is rare, and
// written to be short rather than fast. What follows the sweeps is there once, for what either pass left. All branches
// around barriers are the same for the whole CTA.
#ifndef ATTN_LIB_CONVERSION_TILETONV_CTAEMITTER_H
#define ATTN_LIB_CONVERSION_TILETONV_CTAEMITTER_H

#include "Placed.h"
#include "attn/Conversion/ProgramFacts.h"
#include "attn/Conversion/SetEmitter.h"
#include "attn/Dialect/NV/NV.h"
#include "attn/Layout/RunOrder.h"

#include "llvm/ADT/MapVector.h"

#include <array>
#include <cmath>

namespace attn {

/// What every kernel begins with: tensors, scalars and extents of the program from its parameters (see attn_gpu.h).
class KernelEmitter {
public:
  using V = mlir::Value;
  using Val = RegionEmitter::Val;

  /// `entry`: pointers of the tensors, the workspace, the words.
  KernelEmitter(Emit &e, tile::ProgramOp program, mlir::Block *entry);

  Emit &e;
  tile::ProgramOp program;
  llvm::SmallVector<V> extents, index; // by dimension; of the batch dimensions
  llvm::DenseMap<V, TensorRef> tensors;
  llvm::DenseMap<V, V> params;
  V workspace, thread, cta; // i64s

  TensorRef &tensor(unsigned argument) { return tensors.find(program.getBody().getArgument(argument))->second; }
  TensorRef &tensorOf(V argument) { return tensor(mlir::cast<mlir::BlockArgument>(argument).getArgNumber()); }
  RegionEmitter makeRegion() { return RegionEmitter(e, tensors, params, V()); }
  /// Where `bad` holds, that is what the call is told, if it is the first: a bad index (1), or another status.
  void report(V bad, V argument, V axis, V index, int64_t code = 1);
  /// Lengths, orders and ranges of elements, by all threads of the grid, `threads` to a CTA.
  void checkPromises(int64_t threads);
  /// Indices of loads that are not inside, where `wanted` holds; then `wanted` without these.
  V report(llvm::ArrayRef<RegionEmitter::BoundsCheck> checks, V wanted);
  /// Of an element by a map; `indexOf`: of the dimensions that are no batch dimensions.
  V addressOf(TensorRef &t, mlir::AffineMap map, llvm::function_ref<V(unsigned dim)> indexOf);
  /// Words of the by-value parameter.
  static int64_t numWords(tile::ProgramOp program);
  unsigned queryDim() { return program.getNumBatch(); }
  unsigned keyDim() { return program.getNumBatch() + 1; }
  unsigned valueDim() { return program.getDimNames().size() - 1; }
};

class CtaEmitter : public KernelEmitter {
public:
  /// `splits`: the main phase of a variant that is not split is launched for chunks of the keys too, so many as the
  /// grid says, and then leaves states in the place of a finish.
  CtaEmitter(Emit &e, tile::ProgramOp program, const GpuTiles &tiles, const Placed &placed, tile::PhaseOp pack,
             tile::PhaseOp phase, bool splits, mlir::Block *entry);
  /// The code of a main or a merge phase at the builder's position.
  mlir::LogicalResult run();
  /// Bytes of the workspace that a CTA of a main phase with chunks leaves.
  int64_t stateBytes();

private:
  using Pair = std::array<V, 2>; // of the thread's two rows

  /// What a sweep carries, as values of the thread.
  struct State {
    Pair ref{}, seen{};           // absent where the sweep has none
    llvm::SmallVector<Pair> sums; // an argmax has two: number, key (i32)
    llvm::SmallVector<llvm::SmallVector<V>> accs;
    llvm::SmallVector<V> flat() const;
    /// Of the values of flat(), which of the two rows each is of.
    llvm::SmallVector<unsigned> rows() const;
    /// The same with other values.
    State with(mlir::ValueRange values) const;
  };
  /// Where a tile of the phase is.
  struct Place {
    enum Kind { Ref, Sum, Acc, Row } kind = Row;
    unsigned slot = 0;
    int64_t op = 0; // of a sum: tile.weigh's sum_ops
    bool weighed = false;
    Pair row{}; // of a number of rows
  };

  // CtaEmitter.cpp
  mlir::LogicalResult check();
  mlir::LogicalResult checkSteps(mlir::Block &steps);
  static tile::WeighOp weighOf(tile::ForOp op) { return *op.getBody().front().getOps<tile::WeighOp>().begin(); }
  mlir::Block::iterator sweeps(bool isGuarded);
  void conclude(mlir::Block::iterator from, mlir::Block::iterator to);
  void eachRowPair(llvm::function_ref<void(Pair &)> visit);
  llvm::SmallVector<V> carried();
  llvm::SmallVector<unsigned> carriedRows();
  V inRow(V votes);
  void carry(mlir::ValueRange all);
  V divideShort(V a, V b);
  /// A row of the block: its query, its head's batch indices, and whether there is such a head (null: there is).
  struct Row {
    V query;
    llvm::SmallVector<V> index;
    V isHead;
  };
  /// In its scope batch indices are those of a row's head, not of the first that shares the CTA's keys.
  struct HeadOf {
    CtaEmitter &c;
    llvm::SmallVector<V> before;
    HeadOf(CtaEmitter &c, llvm::ArrayRef<V> own) : c(c), before(own) { std::swap(c.index, before); }
    ~HeadOf() { std::swap(c.index, before); }
  };
  bool isShared(unsigned d) { return together && program.getShare()[d] != 1; }
  V groupOf(unsigned d);
  V membersOf();
  Row rowOf(V place);
  V numberOf(unsigned r);
  void locateThread();
  void locate(V number);
  void locateAgain();
  void runStep(mlir::Operation &op);
  V anyThread(V condition);
  V shared(V offset);
  V shared(int64_t offset) { return shared(e.i64(offset)); }
  V loadShared(mlir::Type type, V offset);
  void storeShared(V value, V offset);
  V i32(int64_t n) { return mlir::arith::ConstantOp::create(e.b, e.loc, e.b.getI32IntegerAttr((int32_t)n)); }
  V inf() { return e.scalar(-std::numeric_limits<double>::infinity()); }
  V quad(V x, llvm::function_ref<V(V, V)> combine);
  int64_t keyTiles() const { return t.keys / 8; }
  int64_t valueTiles() const { return placed.valueColumns / 8; }
  /// A sum of digits of a number below 2^31.
  V digits(V n, const layout::Digits &of);
  /// Of an element of scores or sums: which of the thread's two rows it is of, and its column less the thread's own.
  static unsigned halfOf(unsigned n) { return unsigned(scoreLayout().elementRow.at(n) / 8); }
  static int64_t columnOf(unsigned n) { return scoreLayout().elementColumn.at(n); }
  /// Element of that row and column less the thread's own.
  static unsigned elementOf(unsigned half, int64_t column) {
    return unsigned(column / 8 * 4 + scoreLayout().elementAt(8 * half, column % 8));
  }
  static const layout::FragmentLayout &scoreLayout();
  V key(V first, unsigned n) { return e.add(first, e.add(column, columnOf(n))); }

  // Stage.cpp
  struct Part {
    V source;
    mlir::AffineMap map;
    mlir::Region *producer; // null: none
    int64_t extent, first;  // features, of the first
  };
  llvm::SmallVector<Part> partsOf(mlir::ValueRange sources, mlir::ArrayAttr maps, mlir::RegionRange producers,
                                  std::optional<llvm::ArrayRef<int64_t>> extents, int64_t all);
  void stageQueries();
  void stageKeys(V first);
  V unknown(V x, bool isSigned = false);
  /// Copies of keys and values to the stage at a byte offset; `asCopies`: it is known that nothing else is needed.
  void issueBlock(V first, V at, bool asCopies);
  llvm::SmallVector<Part> keyParts(), valueParts();
  V copiesAhead();
  struct Target : layout::SharedOperand {
    V stage{}; // bytes to the stage; null: there is one
    bool asCopies = false;
  };
  /// Of a block of queries or keys that begins with `first`, the token of a row, and whether there is one.
  std::pair<Row, V> tokenAt(unsigned tokenDim, V first, V row);
  void stage(llvm::ArrayRef<Part> parts, unsigned tokenDim, V firstToken, V firstFeature, const Target &to);
  void stagePart(const Part &part, unsigned tokenDim, V firstToken, V firstFeature, const Target &to);
  std::pair<V, V> runAt(V item, const layout::RunOrder &order);
  /// Bytes from the first row.
  V offsetIn(const layout::SharedRows &rows, V row, V feature);
  bool copyRows(const Part &part, unsigned tokenDim, V firstToken, V firstFeature, const Target &to,
                llvm::function_ref<void()> otherwise);
  V element(const Part &part, unsigned tokenDim, V token, V feature, bool raw, RegionEmitter *checks = nullptr);
  V addressOf(const Part &part, unsigned tokenDim, V token, V feature);
  V isAligned(const Part &part);
  /// Features of 16 bytes in shared memory.
  int64_t chunkFeatures() const { return 16 / t.elementBytes(); }
  llvm::SmallVector<V> loadRun(const Part &part, V address, bool raw);
  bool isRaw(const Part &part, const Target &to);
  void storeRounded(llvm::ArrayRef<V> values, V offset, const Target &to);
  void storePlanes(llvm::ArrayRef<V> values, bool raw, V offset, const Target &to);
  llvm::SmallVector<V> split(V x, int64_t planes);
  void noteAbsent(llvm::ArrayRef<Part> parts, unsigned tokenDim, V firstToken, int64_t rows, int64_t offset);

  // Product.cpp
  llvm::SmallVector<V> scores();
  llvm::SmallVector<V> scoresByMma();
  void keepQueries();
  /// Bytes from an operand's start to the 16 that the lane points an ldmatrix at; `first`: a row, null is 0.
  V matrixAt(const layout::MatrixLoad &load, const layout::SharedRows &rows, V first = {});
  V queryMatrix() { return matrixAt(layout::MatrixLoad::left(), placed.q.rows, e.mul(warp, layout::MatrixLoad::rows)); }
  llvm::SmallVector<V> scoresByElement();
  void accumulate(unsigned n, llvm::ArrayRef<V> weights, llvm::ArrayRef<V> visible, State &state);
  llvm::SmallVector<V> accumulateByMma(llvm::ArrayRef<V> weights, llvm::ArrayRef<V> acc);
  llvm::SmallVector<V> accumulateByElement(llvm::ArrayRef<V> weights, llvm::ArrayRef<V> visible, llvm::ArrayRef<V> acc);
  llvm::SmallVector<llvm::SmallVector<V>> weightFragments(llvm::ArrayRef<V> weights, int64_t step);
  void addPlanes(llvm::ArrayRef<llvm::SmallVector<V>> a, int64_t planesB,
                 llvm::function_ref<llvm::SmallVector<V>(int64_t)> b, llvm::MutableArrayRef<V> big,
                 llvm::MutableArrayRef<V> small);
  llvm::SmallVector<V> ldmatrix(V offset, bool trans);
  V valueRow();
  llvm::SmallVector<V> valueFragments(V at, int64_t plane, int64_t step, int64_t pair);
  llvm::SmallVector<V> mma(llvm::ArrayRef<V> a, llvm::ArrayRef<V> b, llvm::ArrayRef<V> c);
  V pack(V lo, V hi);
  V joined(const layout::SharedOperand &operand, V bytes);

  // Ranges.cpp
  struct Range {
    V lo, hi, mustLo, mustHi, mayRest, mustRest; // null: no bound
  };
  Range held(Range r);
  void solveSet();
  void bindCommon(RegionEmitter &region, SetEmitter &set);
  SetEmitter makeSet(RegionEmitter &region);
  void makeBox();
  std::pair<V, V> status(V keyLo, V keyHi);
  V nextGroup(V cursor, V groups);
  void countBlocks(V some, V full);
  void eachBlock(State &state, llvm::function_ref<void(V first, V full, State &)> visit);

  // Visible.cpp
  /// Whether the pair is visible; what the set cannot tell for a bad index is reported.
  V visible(unsigned r, V j);
  V answer(unsigned id, V j, SetEmitter &set, RegionEmitter &region);
  V isMember(const MemberAtom &atom, SetEmitter &set);

  // Sweep.cpp
  mlir::LogicalResult matchSweep(tile::ForOp op);
  /// Nothing yet, of the sweep of a main phase.
  State startOf(tile::PhaseOp main);
  State start(tile::WeighOp weigh);
  bool pairsKnow(unsigned d);
  void sweep(tile::ForOp op);
  void rescale(State &state, V moves, Pair gauge);
  void finishSums(State &state);
  static bool isShown(V ref);
  void settle();
  void place(V ref, mlir::ValueRange sums, mlir::ValueRange accs, llvm::ArrayRef<int64_t> kinds,
             llvm::ArrayRef<int64_t> phis);

  // Weigh.cpp
  struct Weighed {
    Pair gauge{};
    V moves{};                                       // i1, the same for the warp: a gauge may differ from 1
    llvm::SmallVector<llvm::SmallVector<V>> weights; // by accumulator
    llvm::SmallVector<V> visible;
  };
  Weighed weigh(llvm::ArrayRef<V> products, V first, bool masked, State &state);
  void raise(llvm::ArrayRef<V> units, V factor, State &state, Weighed &result);
  llvm::SmallVector<V> phi(V x, unsigned r);
  void bindPair(RegionEmitter &region, mlir::Block &block, unsigned from, unsigned r, V j);
  V regionOfPair(mlir::Region &region, V score, unsigned r, V j, V &present, Val *integer = nullptr);
  V gaugeOf(mlir::Region &gauge, V from, V to, V factor = {});
  static double scoreFactor(tile::WeighOp weigh);
  static double factorOf(tile::WeighOp weigh);
  static V unitOf(tile::WeighOp weigh);
  void addToSums(llvm::ArrayRef<V> p, V score, unsigned r, V j, V present, llvm::ArrayRef<V> inClass, State &state);
  V isBetter(V x, V key, V y, V other);
  V rescaled(V x, V gauge);

  // Rows.cpp
  V rowNumber(V tile, unsigned r);
  V isEmpty(unsigned r);
  llvm::SmallVector<V> evaluate(mlir::Region &region, mlir::ValueRange tiles, unsigned r);
  void loadParam(tile::ParamOp op);
  void statistics(tile::StatOp op);
  void seed(tile::SeedOp op);
  void pick(tile::PickOp op);

  // Finish.cpp
  V feature0(int64_t n);
  void finish();
  Pair poisonOf();
  void finishRow(tile::FinishOp op, unsigned r);
  void storeElement(TensorRef &out, mlir::AffineMap map, unsigned r, V feature, V value);
  void storeRuns(TensorRef &out, mlir::AffineMap map, unsigned r, llvm::ArrayRef<V> values);

  // Spread.cpp
  V spreadAt(V row, V j);
  void spread(tile::ForOp op);
  void spreadPair(V product, unsigned r, V j);

  // Root.cpp
  void root(tile::RootOp op);

  // Split.cpp
  V stateOf(V ofChunk, V chunks, int64_t numbers);
  void save();
  void merge(tile::MergeOp op);

  const GpuTiles &t;
  const Placed &placed;
  tile::PhaseOp packPhase, phase;
  tile::PackOp packK, packV;
  tile::LoadOp loadOp;
  V lane, warp, column; // 2 (lane mod 4)
  bool splits, together;
  const llvm::SmallVector<V> givenExtents; // as they are read, and the number of the thread
  const V givenThread;
  V block, chunk, chunks, slice, batchNumber, blocks;
  V firstPlace, lastPlace, firstRow, lastRow;   // of the CTA's rows among those of its heads; of their queries
  std::array<V, 2> rowAt{}, live{};             // the rows' queries, clamped to the last; whether there is such a row
  std::array<llvm::SmallVector<V>, 2> rowIndex; // the batch indices of the rows' heads
  Pair again{};                                 // of the second pass: rows that it is for; null: all
  V sharedBase;
  // Of the block that is being visited: its stage (0, 1) and the bytes to it, whether it is on its way already, the one
  // that follows it.
  V parity, stageAt, inFlight, hasNext, nextFirst, ahead;
  // Fragments of the queries by step of 16 features, where they stay in registers; else none.
  llvm::SmallVector<llvm::SmallVector<V>> queries;
  Pair reference{}; // of the rows, for regions
  // Of the last sweep, before it is multiplied by the scores' factor; null: there is none, or a seed moved it.
  Pair unitReference{};
  V blockFirst;         // of the block of keys that is being visited
  bool guarded = false; // of the pass that is being emitted: element by element

  // Of the sweep that is being emitted.
  tile::ForOp forOp;
  tile::WeighOp weighOp;
  bool hasRef = false, plainPhi = false, checksKeys = false, checksQueries = false;
  SetPredicate predicate;
  sets::Solution solution;
  sets::Facts facts;
  llvm::SmallVector<Range> box;
  std::shared_ptr<std::map<sets::Expr, Val>> hoisted;
  std::function<TensorRef &(unsigned)> tensorByNumber;

  State last;                       // what the last sweep, or merge, left
  llvm::MapVector<V, Place> places; // in the order of the text
  llvm::SmallVector<Pair> seedRows; // i1: a seed is one
};

/// The kernel of an elementwise program: so many elements of the destination a CTA.
mlir::LogicalResult emitMapKernel(KernelEmitter &kernel, tile::MapOp map);
constexpr int64_t kMapThreads = 128, kMapElements = 512;

} // namespace attn

#endif
