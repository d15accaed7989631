// The main phase: one block of queries against the ranges of keys that the set leaves. One file for each part:
//
//   MainPhase.cpp   queries, state, loops over ranges, strips and runs of microtiles
//   Ranges.cpp      ranges of keys and status of tiles for a box of rows; masks of lanes
//   Weigh.cpp       scores of a microtile, reference, weights, sums
//   Raise.cpp       the rare path: a reference moves
//   Accumulate.cpp  weights times values
//   Finish.cpp      outputs
//
// Where every query goes by a list of its own, RowsEmitter.h puts other loops and products in the place of these.
#ifndef ATTN_LIB_CONVERSION_TILETOVECTOR_MAINEMITTER_H
#define ATTN_LIB_CONVERSION_TILETOVECTOR_MAINEMITTER_H

#include "Members.h"
#include "SetEmitter.h"
#include "TaskEmitter.h"

namespace attn {

class MainEmitter {
public:
  using V = mlir::Value;
  using Val = RegionEmitter::Val;

  MainEmitter(TaskEmitter &t, tile::VariantOp variant, tile::PhaseOp pack, tile::PhaseOp main, mlir::ModuleOp module,
              llvm::StringRef prefix)
      : t(t), e(t.e), l(t.layout), variant(variant), pack(pack), main(main), module(module), prefix(prefix) {}
  virtual ~MainEmitter() = default;
  mlir::LogicalResult run();

protected:
  // MainPhase.cpp
  mlir::LogicalResult match();
  V runOnce(V pass);
  void loadQueries();
  void clearState();
  virtual void visitBlocks(V pass);
  void visitStrip(V strip, V blockFull);
  void enterStrip(V strip);
  void count(unsigned counter, V by);

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
  V nextUnit(const Box &box, V cursor, int64_t unitKeys, V units);
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

  // Weigh.cpp
  void weigh(V panel, V status, V runStart);
  /// Products of the strip's queries and a panel of the block's keys, two vectors a row.
  virtual llvm::SmallVector<V> dot(V panel);
  llvm::SmallVector<V> maskInline(llvm::SmallVector<V> s, V partial, V panel);
  llvm::SmallVector<V> modifyRows(llvm::SmallVector<V> s, V partial, V panel);
  void modifyRow(V r, V partial, V panel);
  V scoreRelative(RegionEmitter &region, V result, V r);
  void report(llvm::ArrayRef<RegionEmitter::BoundsCheck> checks, V visible);
  void storeTile(llvm::ArrayRef<V> s);
  llvm::SmallVector<V> loadTile();
  V valueFactor(int64_t r, V panel, unsigned half);
  void storeWeights(llvm::ArrayRef<V> s, V panel);
  void noteVisible(V panel, llvm::ArrayRef<V> scores);

  // Raise.cpp
  mlir::LogicalResult emitRaise();
  V needsRaise(llvm::ArrayRef<V> s);

  // Accumulate.cpp
  void accumulate(V runStart, V runEnd);
  void addTo(V at, V sum);
  void accumulateFast(V values, V panelBytes, V from, V to);
  void accumulateGuarded(V values, V panelBytes, V from, V to);

  // Finish.cpp
  V finish();

  TaskEmitter &t;
  Emit &e;
  const Layout &l;
  tile::VariantOp variant;
  tile::PhaseOp pack, main;
  mlir::ModuleOp module;
  std::string prefix;

  tile::LoadOp loadOp;
  tile::ForOp forOp;
  tile::WeighOp weighOp;
  tile::AccumulateOp accumulateOp;
  tile::FinishOp finishOp;
  bool hasRef = false, hasScore = false, plainPhi = false;

  SetPredicate predicate;
  sets::Solution solution;
  llvm::SmallVector<SummaryRef> summaries;
  std::function<TensorRef &(unsigned)> tensorOf;
  std::optional<Members> members;
  std::map<unsigned, TensorRef> tables; // over positions

  V factor;                               // of the whole call, where scores have no other region: a vector
  V first, rows, lastRow, strips;         // of the query block
  V guarded;                              // i1: this pass must not multiply absent values
  V blockFirst, blockPanels;              // of the key block
  V rowLo, rowHi;                         // of the strip
  V qRow, negRef, acc, unset, stripUnset; // pointers of the strip
  llvm::SmallVector<V> sums;
};

} // namespace attn

#endif
