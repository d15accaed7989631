// Elementwise programs: one task. One file for each part:
//
//   MapPhase.cpp   items and tasks, elements by vectors along the result's last axis, whatever the strides
//   MapTiles.cpp   sums and maxima by tiles of rows and vectors that stay in registers
#ifndef ATTN_LIB_CONVERSION_TILETOVECTOR_MAPEMITTER_H
#define ATTN_LIB_CONVERSION_TILETOVECTOR_MAPEMITTER_H

#include "MapPhase.h"

namespace attn {

class MapEmitter {
public:
  using V = mlir::Value;
  using Val = RegionEmitter::Val;

  MapEmitter(TaskEmitter &t, tile::MapOp map);

  /// Items of the whole result, and items of a task. An item is a chunk of the last axis in one row of the others, or,
  /// where the program is done by tiles, in kTileRows along one of them.
  struct Grid {
    V chunks, rowBlocks, items, perTask;
  };
  Grid grid();
  mlir::LogicalResult run();
  /// Bytes of scratch for tiles.
  int64_t room() const;

private:
  static constexpr int64_t kChunk = 1024, kTileRows = 48, kPackedTerms = 128;

  // MapPhase.cpp
  void emitItem(const Grid &g, V item);
  void emitRow(V from, V to);
  void emitTogether(V to);
  llvm::SmallVector<V> reduceTogether(unsigned dim, llvm::SmallVector<V> sums);
  void emitVector(V v, V to);
  V reduce(unsigned n, V acc);
  void loadInputs(llvm::function_ref<bool(unsigned)> known);
  Val indexOf(mlir::AffineExpr index);
  Val indexOf(V i, unsigned d) { return region().indexScalar(i, d); }
  V emitBody(V acc);
  mlir::Type yielded();
  V constant(mlir::Attribute value);
  V zero() { return constant(e.b.getZeroAttr(yielded())); }
  V neutral();
  V widthOf(V value);
  V roundToOdd(V value);
  V narrowed(V value);
  void put(V value, V at);
  V outputAt(V v);
  void store(V value, V v, V to);
  V gather() { return e.at(t.scratch, t.layout.gather()); }
  RegionEmitter region() { return RegionEmitter(e, t.tensors, t.params, gather()); }
  bool isReduced(unsigned d) { return llvm::is_contained(map.getReduced(), (int64_t)d); }

  // MapTiles.cpp
  enum How { Other, Scalar, Vector, Packed };
  struct Input {
    TensorRef *tensor = nullptr;
    mlir::AffineMap map;
    How how = Other;
    int innerAxis = -1, termAxis = -1; // of the last axis of the result, of the last reduced dimension
    bool ofRow = false;
    int64_t packed = 0; // place among packed inputs
  };
  void planTiles();
  V tilesFit(V from, V to);
  void emitTiles(V rowFrom, V rowTo, V from, V to);
  void emitPanel(V rowFrom, V rowTo, V v, int64_t vectors);
  void pack(const Input &input, V v, int64_t vectors, V termFrom, V termTo);
  void emitGroup(V row, V slot, V v, int64_t rows, int64_t vectors, V termFrom, V termTo, V isFirst, V isLast);
  V offsetOf(const Input &input, V v);
  V packedAt(const Input &input) { return e.at(room0(), input.packed * kPackedTerms * most * e.lanes * e.bytes); }
  V sumsAt() { return e.at(room0(), numPacked * kPackedTerms * most * e.lanes * e.bytes); }
  V room0() { return e.at(t.scratch, t.layout.weights()); }
  bool tiled() const { return tileRows > 0; }

  TaskEmitter &t;
  Emit &e;
  tile::MapOp map;
  TensorRef *out = nullptr;
  llvm::SmallVector<unsigned> outDims; // but the last
  unsigned inner;                      // the last
  int64_t step;                        // elements along it at a time: those of a vector, or 1
  int64_t together = 0;                // all elements along it, where they are few and sums; else 0
  llvm::SmallVector<Val> indices;      // by dimension, as far as they are known
  llvm::SmallVector<std::optional<Val>> elements;
  V lanes;     // which of the vector are inside
  V innerFrom; // the first of them
  bool bad = false;

  llvm::SmallVector<Input> inputs;
  int64_t tileRows = 0, most = 0, numPacked = 0; // rows and vectors of a tile; 0: none
  unsigned term = 0;                             // the last reduced dimension
  int rowDim = -1;                               // along which the rows of a tile are
  bool packedByRow = false;
};

} // namespace attn

#endif
