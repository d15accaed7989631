// What the code of every phase begins with: the task's arguments, strides, extents and indices as values.
#ifndef ATTN_LIB_CONVERSION_TILETOVECTOR_TASKEMITTER_H
#define ATTN_LIB_CONVERSION_TILETOVECTOR_TASKEMITTER_H

#include "attn/Analysis/SetPredicate.h"
#include "attn/Conversion/KernelInfo.h"
#include "attn/Conversion/ProgramFacts.h"
#include "attn/Conversion/RegionEmitter.h"
#include "attn/Dialect/Tile/Tile.h"

namespace attn {

/// Byte offsets in a slot (packed keys and values of one head) and in a worker's scratch.
struct Layout {
  int64_t element, lanes, width;   // bytes of an element, vector lanes, keys (and value features) of a panel
  int64_t dot, value, valuePadded; // feature extents
  // Scores that share values: indices of a batch dimension whose keys lie side by side in a panel (see
  // Schedule/Lists.h).
  int64_t branches = 1;
  unsigned branchDim = 0;
  bool alternate =
      false; // rows together are those of all branches of one query, then of the next; else branch by branch
  int64_t tileRows, blockRows, blockKeys;
  int64_t taskRows;               // of a task: blockRows, or less where its last strip is never whole
  unsigned numSums, numSummaries; // slots of sums: vectors of lanes of every row
  unsigned numAccs = 1, numRows = 0, numWeights = 1;
  bool inPlace = false;       // keys and values are not packed
  unsigned together = 0;      // rows are of all members of a unit: 1 + batch dimensions; 0: of one
  bool packsInTasks = false;  // blocks of keys and values are packed in scratch
  bool packsAlone = false;    // they are, where one task has all queries
  bool ordersInTasks = false; // keys are put in order, in scratch, by the task that meets them
  bool hasPackRoom = false;   // the scratch has room for them, used or not: code is shared with a variant that does
  bool packsValues = true;    // something is summed of them
  unsigned stateAccs = 0, stateSums = 0; // of a chunk's state, see Split.cpp
  int64_t staged = 0;                    // features of a key that are produced before they are transposed
  bool absentQueries = false;            // a query may be absent for an index of its own, see Absent.cpp
  llvm::SmallVector<int64_t, 2> tops;    // how many keys each topk finds, see Top.cpp
  int64_t partBytes = 0;                 // of what scores keep by rows, keys and differences, see Parts.cpp
  // Operands of the products that stay bf16, see Bf16.h: queries and keys, values and their weights.
  bool bf16Scores = false, bf16Values = false;
  bool coarseWeights = false; // 2^-13 of a weight are exact enough, where bf16Values
  int64_t dotWords = 0;       // of a query, where bf16Scores
  // Where these are made on tiles, see Tiles.h: strips whose rows share a product; else each has its own.
  bool tiles = false;
  int64_t groupStrips = 1;
  bool listsPanels = false;   // blocks may be made of the panels that lists reach, see Listed.cpp
  unsigned keyConditions = 0; // of the set, that are the same for all queries, see KeyConditions.cpp

  int64_t groupRows() const { return tileRows * groupStrips; }
  /// Whether a sum of products takes fused multiply-adds; x86-64-v2 has none.
  bool fusesAdd() const { return lanes * element > 16; }
  static int64_t wordsOf(int64_t features) { return (features + 1) / 2; }
  /// Of a query, or of one branch of a key.
  int64_t dotBytes() const { return bf16Scores ? dotWords * 4 : dot * element; }
  int64_t keyBytes() const { return dotBytes() * branches; }
  /// Behind a panel's keys: two i32s, not 0 where a key, or a value, has a tiny element.
  bool asksForTiny() const { return bf16Scores || bf16Values; }
  int64_t tinyAt() const { return width * keyBytes(); }
  int64_t keyPanelBytes() const { return width * keyBytes() + (asksForTiny() ? 64 : 0); }
  int64_t valueRowBytes() const { return valuePadded * element; }  // of accumulators
  int64_t weightBytes() const { return bf16Values ? 2 : element; } // and of a packed value
  int64_t weightRowBytes() const { return blockKeys * weightBytes(); }
  int64_t packedRowBytes() const { return packsValues ? valuePadded * weightBytes() : 0; }
  int64_t panelBytes() const { return (inPlace ? 0 : keyPanelBytes() + width * packedRowBytes()) + numSummaries * 32; }
  /// A summary is least[panels], greatest[panels], least[blocks], greatest[blocks]: i64s.
  int64_t maskBytes() const { return lanes > 8 ? lanes / 8 : 1; }
  int64_t panelsPerBlock() const { return blockKeys / width; }
  // scratch
  int64_t q() const { return 0; }
  int64_t acc(unsigned n = 0) const {
    return align(q() + blockRows * std::max(dot * element, dotBytes())) + n * align(blockRows * valuePadded * element);
  }
  /// Whether sums of values are taken in three levels, runs, groups of blocks and those: where blocks are so short that
  /// there are many, as where a test forces them.
  bool nested() const { return blockKeys < 64; }
  int64_t outer(unsigned n) const { return acc(numAccs + n); } // where `nested`: of the groups before
  int64_t negRef() const { return acc(nested() ? 2 * numAccs : numAccs); }
  int64_t absRef() const { return align(negRef() + blockRows * element); } // of rows in absolute mode, see Raise.cpp
  int64_t sum(unsigned n) const {
    return align(absRef() + blockRows * element) + n * align(blockRows * lanes * element);
  }
  int64_t rowValue(unsigned n) const { return sum(numSums) + n * align(blockRows * element); } // one number a row
  int64_t unset() const { return rowValue(numRows); } // i32 a row: 1 no visible score yet, 2 absolute mode
  int64_t stripUnset() const { return align(unset() + blockRows * 4); } // i32 a strip
  int64_t weights(unsigned n = 0) const {                               // [groupRows][blockKeys]
    return align(stripUnset() + blockRows / tileRows * 4) + n * align(groupRows() * blockKeys * element);
  }
  int64_t tile() const { return weights(numWeights); }                          // [tileRows][width]
  int64_t scores() const { return align(tile() + tileRows * width * element); } // as tile, nothing subtracted
  /// [panel % 2][groupRows][width], of tiles
  int64_t products() const { return align(scores() + tileRows * width * element); }
  int64_t tileConfig() const { return align(products() + (tiles ? 2 * groupRows() * width * element : 0)); }
  /// i8 a panel: 0 empty, 1 partial, 2 full; where strips share products, for each of them, and for all together.
  int64_t status(int64_t strip = 0) const {
    return align(tileConfig() + (tiles ? 64 : 0)) + strip * align(panelsPerBlock() + lanes);
  }
  /// [strip of the group][panel][row][2] lane masks, guarded path
  int64_t visible() const { return status(tiles ? groupStrips + 1 : 1); }
  int64_t visibleBytes() const { return panelsPerBlock() * tileRows * 2 * maskBytes(); } // of a strip
  int64_t row() const { return align(visible() + groupStrips * visibleBytes()); }        // one finished row
  int64_t gather() const { return align(row() + valuePadded * element); }
  int64_t blockStatus() const { return align(gather() + 2 * 8 * lanes); }         // i8 a block of a group, as status
  int64_t staging() const { return align(blockStatus() + kGroupBlocks + lanes); } // [lanes][staged]
  int64_t queryAbsent() const { return align(staging() + lanes * staged * element); } // i32 a row: 0, or -1 absent
  int64_t queryReason() const { return align(queryAbsent() + (absentQueries ? blockRows * 4 : 0)); } // two i64 a row
  /// Candidates of topk number `n`, a buffer a row: how many there are and the bound they exceed, then the candidates.
  int64_t top(unsigned n) const {
    int64_t at = align(queryReason() + (absentQueries ? blockRows * 16 : 0));
    for (unsigned k = 0; k < n; ++k)
      at += blockRows * topRowBytes(k);
    return at;
  }
  int64_t topEntry() const { return 2 * element; } // number and key
  int64_t topRoom(unsigned n) const { return 2 * tops[n] + 64; }
  int64_t topRowBytes(unsigned n) const { return kTopHead + align(topRoom(n) * topEntry()); }
  static constexpr int64_t kTopHead = 64, kTopBound = 16;
  /// Where `together`: the query and the batch indices of each row, i64s.
  int64_t places() const { return top(tops.size()); }
  int64_t tinyQueries() const { return align(places() + blockRows * together * 8); } // i32: a query has a tiny element
  int64_t parts() const { return tinyQueries() + (bf16Scores ? 64 : 0); }
  /// Of each condition of keys: a word for every key of the block, not 0 where it holds; then an i32 for every panel,
  /// not 0 where it holds for some key, and one, not 0 where for all.
  int64_t keyCondition(unsigned n) const {
    return align(parts() + partBytes) + n * align(keyConditionAll() + panelFlagsBytes());
  }
  int64_t keyConditionSome() const { return align(blockKeys * element); }
  int64_t keyConditionAll() const { return keyConditionSome() + panelFlagsBytes(); }
  int64_t panelFlagsBytes() const { return align((panelsPerBlock() + lanes) * 4); }
  /// How many panels are listed; status of those of the block; twice an entry for each, and where the values are of
  /// each panel of features.
  int64_t listed() const { return keyCondition(keyConditions); }
  int64_t listedStatus() const { return listed() + 64; }
  int64_t listedEntries() const { return listedStatus() + align(panelsPerBlock() + lanes); }
  int64_t listedValues() const { return listedEntries() + 2 * panelsPerBlock() * kListedEntry; }
  static constexpr int64_t kListedEntry = 16;
  int64_t packedKeys() const {
    return listsPanels ? align(listedValues() + 2 * panelsPerBlock() * valuePadded / width * 8) : listed();
  }
  int64_t packedValues() const { return align(packedKeys() + panelsPerBlock() * keyPanelBytes()); }
  int64_t scratchBytes() const {
    return packsInTasks || packsAlone || hasPackRoom ? align(packedValues() + blockKeys * packedRowBytes())
                                                     : packedKeys();
  }
  /// Blocks that are asked about together, first as one box, then one by one.
  static constexpr int64_t kGroupBlocks = 16;

  // a row's record in the state of a chunk
  int64_t recordAcc(unsigned n) const { return n * valueRowBytes(); }
  int64_t recordSum(unsigned n) const { return recordAcc(stateAccs) + n * lanes * element; }
  int64_t recordRef() const { return recordSum(stateSums); }
  int64_t recordMode() const { return recordRef() + element; }
  int64_t recordTop(unsigned n) const {
    int64_t at = align(recordRef() + lanes * element);
    for (unsigned k = 0; k < n; ++k)
      at += kTopHead + align(tops[k] * topEntry());
    return at;
  }
  int64_t recordBytes() const { return tops.empty() ? recordRef() + lanes * element : recordTop(tops.size()); }

private:
  static int64_t align(int64_t n) { return (n + 63) / 64 * 64; }
};

class TaskEmitter {
public:
  /// `order`: a tile.order, a tile.boxes, or null.
  TaskEmitter(Emit &e, tile::ProgramOp program, const Layout &layout, mlir::Operation *order, mlir::Value task);

  using V = mlir::Value;
  V field(size_t offset, mlir::Type type);

  Emit &e;
  tile::ProgramOp program;
  const Layout &layout;
  V task, slot, scratch, block;
  llvm::SmallVector<V> extents; // by dimension
  llvm::SmallVector<V> index;   // by batch dimension
  llvm::DenseMap<V, TensorRef> tensors;
  llvm::DenseMap<V, V> params;

  TensorRef &tensor(unsigned argument) { return tensors.find(program.getBody().getArgument(argument))->second; }
  /// Element offset of an operand at this task's batch indices, token and feature 0, with the constants of its indices.
  V baseOffset(TensorRef &t, mlir::AffineMap map);
  /// Stride of the axis that a dimension indexes.
  V stride(TensorRef &t, mlir::AffineMap map, unsigned dim);

  unsigned queryDim() { return program.getNumBatch(); }
  unsigned keyDim() { return program.getNumBatch() + 1; }
  unsigned dotDim() { return program.getNumBatch() + 2; }
  unsigned valueDim() { return program.getDimNames().size() - 1; }

  /// Positions of the key axis: the keys, or the elements of a list times its block.
  V positions;
  /// Whole panels that hold all positions.
  V panels() { return e.divUnsigned(e.add(positions, layout.width - 1), layout.width); }
  /// Packed keys and values of the block that begins with this key: in scratch where `packsHere` holds (i1, or null:
  /// nowhere), else in the slot.
  V keysOf(V first) {
    if (keysAt)
      return keysAt;
    return packedAt(e.at(slot, e.mul(e.divUnsigned(first, layout.width), layout.keyPanelBytes())), layout.packedKeys());
  }
  V valuesOf(V first) {
    if (valuesAt)
      return valuesAt;
    return packedAt(e.at(valueBase(), e.mul(first, layout.packedRowBytes())), layout.packedValues());
  }
  V packedAt(V inSlot, int64_t inScratch) {
    return packsHere ? e.select(packsHere, e.at(scratch, inScratch), inSlot) : inSlot;
  }
  V packsHere;
  /// i1: each task has all queries of its keys, and there are enough of such to be tasks.
  V isAlone();
  V keysAt, valuesAt; // in a function that packs one block: where to; null elsewhere
  V valueBase() { return e.at(slot, e.mul(panels(), layout.keyPanelBytes())); }
  V summaryBase(unsigned n);

  // Keys that go by a list, or both axes by boxes (see OrderPhase.cpp, BoxOrder.cpp); null without.
  tile::OrderOp list;
  tile::BoxesOp boxes;
  bool ordered() { return list || boxes; }
  unsigned numAxes() { return boxes ? boxes.getKeyGrid().size() : 0; }
  /// Tables of the order, after the packed keys and values: of key positions, whole panels of i32 and their summary
  /// (logical key, then coordinates); of query positions (logical query, coordinates).
  V keyTable(unsigned n);
  V keyTableSummary(unsigned n) { return e.at(keyTable(n), e.mul(panels(), 4 * layout.width)); }
  V keyTableBytes() { return e.mul(panels(), 4 * layout.width + 48); }
  V queryTable(unsigned n);
  V queryTableBytes() { return e.mul(e.divUnsigned(e.add(extents[queryDim()], 15), 16), 64); }
  /// Where `ordersInTasks`: bytes of scratch for the order, behind the layout's.
  V orderBytes();
  /// After the table of a list: one bit an element's value, met before.
  V orderSeen() { return keyTable(1); }
  /// Of queries that go by lists of their own (see RowLists.h); null without.
  tile::ListsOp lists;
  /// Whether position p of the key axis may hold any key.
  bool keysAreAnywhere() const { return list || boxes || lists; }
  /// An element of a list that is not `inside`, nor padding, which a list of CSR rows has none of.
  V isBadElement(V inside, V element, bool csr);

  // Keys that are absent for an index of their own: after all other tables, see Absent.cpp.
  bool absentKeys = false;
  /// i32 a position: 0, or -1 absent; then a summary as of the other tables, without groups.
  V keyAbsent();
  V keyAbsentSummary() { return e.at(keyAbsent(), e.mul(panels(), 4 * layout.width)); }
  /// Two i64 a position, see OperandEmitter::Absence; one i64 a block, which is not 0 if a key of it has a bad index.
  V keyReason() { return e.at(keyAbsent(), keyTableBytes()); }
  V blockReason() { return e.at(keyReason(), e.mul(panels(), 16 * layout.width)); }
  V keyAbsentBytes() { return e.add(e.mul(panels(), 16 * layout.width + 8), e.add(keyTableBytes(), 64)); }

  V orderLimit();
  /// Tokens that stand before the grid, on the key axis.
  V gridFirst();

  /// The query at a position.
  V queryAt(V position);
  /// Rows of all members of a unit: writes their queries and batch indices; how many there are of the unit.
  void placeRows(V count);
  V rowsTogether();
  /// Rows of one branch, whole strips but for the last's.
  V rowsOfBranch();
  /// While it lives, `index` are the batch indices of the row at this position.
  class Row {
  public:
    Row(TaskEmitter &t, V position);
    ~Row() { t.index = std::move(saved); }
    Row(const Row &) = delete;
    Row &operator=(const Row &) = delete;

  private:
    TaskEmitter &t;
    llvm::SmallVector<V> saved;
  };
  /// Where the columns of a row of a CSR begin and end, within `all`; `at`: element offset of its first offset. Offsets
  /// that are bad are reported where `reports`.
  std::pair<V, V> csrRow(TensorRef &offsets, V at, V all, bool reports);

  /// Where `bad` (i1) holds, the index is reported as the call's bad index if it is the first.
  void reportIndex(V bad, unsigned argument, unsigned axis, V index) {
    reportIndex(bad, e.i64(argument), e.i64(axis), index);
  }
  void reportIndex(V bad, V argument, V axis, V index);
  /// The same where a lane among those of `among` is not `ok`.
  void reportLanes(V ok, V among, const RegionEmitter::BoundsCheck &check);
};

/// Copies `count` elements of a strided row to unit stride in the accumulation type; vectors where the source is
/// contiguous.
void copyRow(Emit &e, mlir::Type element, mlir::Value src, mlir::Value stride, mlir::Value dst, int64_t count);
/// The reverse: `count` values of the accumulation type to a strided row of `element`.
void storeRow(Emit &e, mlir::Type element, mlir::Value src, mlir::Value dst, mlir::Value stride, int64_t count);

/// Bodies of the two kinds of phases, at the builder's position.
mlir::LogicalResult emitOrderPhase(TaskEmitter &task);
mlir::LogicalResult emitBoxOrder(TaskEmitter &task);
void summarizeKeyTable(TaskEmitter &task, unsigned n);
mlir::LogicalResult emitPackPhase(TaskEmitter &task, tile::PhaseOp phase);
/// The same for the block of keys that begins with `first`.
mlir::LogicalResult emitPackBlock(TaskEmitter &task, tile::PhaseOp phase, mlir::Value first);
/// A function that does so: its arguments are the task, the first key, and where keys and values go.
mlir::LogicalResult emitPackFunction(TaskEmitter &task, tile::PhaseOp phase, mlir::Block &entry);
inline std::string packFunction(llvm::StringRef prefix) { return prefix.str() + "_block"; }
void callPackFunction(TaskEmitter &task, llvm::StringRef name, mlir::Value first, mlir::Value keys, mlir::Value values);
/// Features of a key, in whole vectors, that are produced by a region before they are transposed; 0: all are copied.
int64_t stagedFeatures(tile::PackOp op, int64_t lanes);
/// Before and after the packing of a block of keys: what is said about the absence of each.
void clearAbsentKeys(TaskEmitter &task, mlir::Value first, mlir::Value count);
void summarizeAbsentKeys(TaskEmitter &task, mlir::Value first, mlir::Value count);
/// Raises the slots of sums, accumulators, numbers of rows and weights to what a main or merge phase needs.
void countSlots(tile::PhaseOp phase, Layout &layout);
/// Raises the bytes of parts of scores to what a main phase needs at most.
void countParts(tile::PhaseOp phase, unsigned queryDim, Layout &layout);
/// How many vectors of a row are code side by side: all of a few, of more some, in a loop.
inline int64_t vectorsAtOnce(int64_t vectors) { return vectors <= 8 ? vectors : vectors % 4 == 0 ? 4 : 1; }
/// How many conditions of the set are the same for all queries.
void countKeyConditions(tile::PhaseOp phase, Layout &layout);
/// Whether the main phase may make blocks of listed panels.
bool mayListPanels(tile::PhaseOp main, const Layout &layout);
bool needsSizes(tile::PhaseOp main);
/// Bytes beyond the layout's for one worker and one slot, and positions: what the variant's `sizes` says.
mlir::LogicalResult emitSizes(TaskEmitter &task, tile::PhaseOp main, mlir::Value sizes);
mlir::LogicalResult emitRowsPhase(TaskEmitter &task, tile::VariantOp variant, tile::PhaseOp main, mlir::ModuleOp module,
                                  llvm::StringRef prefix);
/// Whether the lists of queries are so short that to read keys one by one is faster: an i32 from shapes alone.
mlir::Value emitRowsGuard(TaskEmitter &task);
/// Of split keys: bytes of a chunk's state; whether a call is split, an i32 from shapes alone; the phase that merges.
mlir::Value stateBytes(TaskEmitter &task);
mlir::Value emitSplitGuard(TaskEmitter &task, tile::PhaseOp main);
/// Of few rows, see FewEmitter.h: vectors of scratch, guard, main phase.
int64_t fewVectors(const Layout &layout);
mlir::Value emitFewGuard(TaskEmitter &task, tile::VariantOp variant, tile::PhaseOp pack, tile::PhaseOp main);
mlir::LogicalResult emitFewPhase(TaskEmitter &task, tile::VariantOp variant, tile::PhaseOp pack, tile::PhaseOp main,
                                 tile::PhaseOp twin, mlir::ModuleOp module, llvm::StringRef prefix);
/// Whether the queries of all members of a unit are rows of the same blocks; of split keys too.
mlir::Value emitTogetherGuard(TaskEmitter &task, tile::PhaseOp main);
mlir::LogicalResult emitMergePhase(TaskEmitter &task, tile::VariantOp variant, tile::PhaseOp phase,
                                   mlir::ModuleOp module, llvm::StringRef prefix);
/// `twin`: see MainEmitter::run.
mlir::LogicalResult emitMainPhase(TaskEmitter &task, tile::VariantOp variant, tile::PhaseOp pack, tile::PhaseOp main,
                                  tile::PhaseOp twin, mlir::ModuleOp module, llvm::StringRef prefix);

struct EmittedVariant {
  std::string name, sizes, guard; // functions, or none
  Layout layout;
  llvm::SmallVector<EmittedPhase> phases;
  /// What the constants of the C ABI say of it.
  KernelVariant describe() const;
};

} // namespace attn

#endif
