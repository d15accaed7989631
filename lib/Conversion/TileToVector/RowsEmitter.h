// The main phase of queries that go by lists of their own (tile.lists): a strip is one row, and position p of its key
// axis holds the p-th key of its list, which RowLists puts to scratch. Keys and values are read where they lie.
//
//   RowsPhase.cpp   rows, blocks of positions, what is fetched ahead
//   RowsDot.cpp     products with keys, and sums of values, by rows in place
//
// All else that happens to a microtile is as in MainEmitter.h, with one row and the positions of a block of its list.
// The bits of a row so depend on its own list and its order alone.
#ifndef ATTN_LIB_CONVERSION_TILETOVECTOR_ROWSEMITTER_H
#define ATTN_LIB_CONVERSION_TILETOVECTOR_ROWSEMITTER_H

#include "MainEmitter.h"
#include "RowLists.h"

namespace attn {

class RowsEmitter : public MainEmitter {
public:
  RowsEmitter(TaskEmitter &t, tile::VariantOp variant, tile::PhaseOp main, mlir::ModuleOp module,
              llvm::StringRef prefix)
      : MainEmitter(t, variant, tile::PhaseOp(), main, module, prefix), lists(t) {}

private:
  // RowsPhase.cpp
  void visitBlocks(V pass) override;
  void bindLists() override;
  llvm::SmallVector<V> dot(V panel) override;
  void visitRow();

  // RowsDot.cpp
  struct Source { // a tensor of keys or values at the task's head
    TensorRef *tensor = nullptr;
    mlir::Type element;
    int64_t features, size; // size: bytes of an element
    V base, tokenBytes, featureStride;
  };
  Source sourceOf(V rows, unsigned featureDim);
  int64_t vectorsOf(const Source &s) { return (s.features + e.lanes - 1) / e.lanes; }
  V rowOf(const Source &s, V token) { return e.at(s.base, e.mul(token, s.tokenBytes)); }
  /// The key at a position of the block.
  V tokenAt(V position);
  void fetchAhead(const Source &s, V position);
  /// Emits `body` for rows in place, where their features are contiguous and fill a vector, and for copies.
  void eitherWay(const Source &s, llvm::function_ref<void(bool inPlace)> body);
  /// The address of a token's row, or of its copy in row `slot` of the staging.
  V open(const Source &s, bool inPlace, V token, int64_t slot);
  /// Vector `n` of an opened row; lanes past the last feature are 0.
  V vectorOf(const Source &s, bool inPlace, V row, int64_t n);
  V stagingRow(int64_t slot);
  void products();
  void addRegion(Contraction &region, bool inPlace, llvm::ArrayRef<V> from, V x, int64_t c, V vector,
                 llvm::MutableArrayRef<V> sums);
  void accumulateRows();
  void accumulateVectors(unsigned sum, bool inPlace, bool guarding, int64_t from, int64_t to);

  RowLists lists;
  Source keys, values;
  RowLists::Ahead ahead;
  V blockKeys; // how many of the list are in the block of positions
};

} // namespace attn

#endif
