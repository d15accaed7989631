// One part of queries, keys or values: a tensor by a map, and the region that its elements pass through.
//
// Code goes along the features of a token, a vector at a time and unrolled, so that the feature of every lane is a
// constant: index arithmetic is done when code is made (FeatureLanes.h), and a load whose lanes lie near each other
// becomes loads of whole vectors and one shuffle of constants: partners of rotary positions, two numbers in a byte, a
// scale for a group of features. What needs unit strides for that is asked once a task; where a stride is another, the
// same code goes element by element. Tokens of many features are a loop over runs of vectors.
//
// What depends on the token alone is computed once a token. An index outside of its axis, -1 being padding, makes the
// token absent; nothing is read outside of a tensor.
#ifndef ATTN_LIB_CONVERSION_TILETOVECTOR_OPERANDEMITTER_H
#define ATTN_LIB_CONVERSION_TILETOVECTOR_OPERANDEMITTER_H

#include "FeatureLanes.h"
#include "TaskEmitter.h"

namespace attn {

class OperandEmitter {
public:
  using V = mlir::Value;
  using Val = RegionEmitter::Val;

  /// `producer` may be null or empty. `tokenDim`: which dimension the tokens are of.
  OperandEmitter(TaskEmitter &t, V source, mlir::AffineMap map, mlir::Region *producer, unsigned tokenDim,
                 int64_t extent);

  /// Elements that are floats, one for each feature and token, and pass through nothing: rows to copy.
  bool isPlain() const { return plain; }
  static bool isPlain(mlir::RankedTensorType type, mlir::AffineMap map, mlir::Region *producer, unsigned tokenDim,
                      unsigned keyDim);
  mlir::Type element() const { return source->type.getElementType(); }
  int64_t size() const { return Emit::elementBytes(element()); }
  /// Of a plain part: the address of a token's first feature, and the strides of its axes.
  V row(V token) { return place(token); }
  V tokenStride, featureStride;

  /// Why a token is absent: 0 it is not, -1 an index was padding, else reason(argument, axis), with the first such
  /// index.
  struct Absence {
    V code, index;
  };
  static int64_t reason(unsigned argument, unsigned axis) { return 1 + argument * 8 + axis; }
  /// Of several: padding wins, else the first is kept.
  static void join(Emit &e, Absence &absent, const Absence &more);
  /// Emits a token's features; `place` says where vector n goes.
  Absence emit(V token, llvm::function_ref<V(V n)> place);
  /// The same without the features, for tensors whose strides allow it, see isContiguous.
  Absence absence(V token) { return vectors(open(token), false, nullptr); }
  /// Consecutive tokens that are absent together; 0: all.
  int64_t absentTogether() const;

  /// Token by token, vector by vector: what is known of a token, then its vectors, whose features are known lane by
  /// lane. For tensors whose strides allow it, see isContiguous.
  struct Token {
    RegionEmitter region;
    V token;
    Absence absent;
  };
  Token open(V token);
  V vectorAt(const Token &token, const FeatureLanes &feature, bool unscaled = false) {
    Absence absent = token.absent; // it was noted before
    return vector(token, feature, false, absent, unscaled);
  }
  /// Asks for the lines that a token's vectors lie in, where their features lie next to each other; loads nothing but
  /// what says where they are.
  void fetch(V token);
  /// Whether elements are `unscaled` ones times what no feature changes, as those of codes with a scale for a token.
  bool hasFactor() const { return !factors.empty(); }
  V factorOf(const Token &token);
  /// Where a token's features lie, next to each other and `rowBytes` long; null where that cannot be told.
  V place(V token) { return base ? e.at(base, e.mul(e.mul(token, tokenStride), size())) : V(); }
  int64_t rowBytes() const { return extent * size() / std::max<int64_t>(featureDivisor(), 1); }
  /// i1: features lie as vectors are loaded; null: always.
  V isContiguous() { return plain ? e.eq(featureStride, e.i64(1)) : fast; }
  /// By what the feature is divided where it indexes the tensor; 0: it does not.
  int64_t featureDivisor() const;

  int64_t extent;

private:
  struct Index { // of a load: known lane by lane, or a value
    std::optional<FeatureLanes> lanes;
    Val v;
  };
  void collect();
  void dryRun(llvm::function_ref<void(mlir::Operation *load, unsigned axis)> spread);
  void note(Absence &absent, llvm::ArrayRef<RegionEmitter::BoundsCheck> checks);
  Absence vectors(const Token &token, bool strided, llvm::function_ref<V(V n)> place);
  V vector(const Token &token, const FeatureLanes &feature, bool strided, Absence &absent, bool unscaled = false);
  Val element(RegionEmitter &region, V token, const FeatureLanes &feature, bool strided);
  Val load(RegionEmitter &region, TensorRef &t, llvm::ArrayRef<Index> indices, bool strided, mlir::Operation *op);
  Val loadFrom(RegionEmitter &region, TensorRef &t, V head, V scalar, llvm::ArrayRef<Index> indices, bool strided);
  V lanesOf(TensorRef &t, V head, V scalar, llvm::ArrayRef<std::pair<unsigned, FeatureLanes>> axes, V ok, bool strided);
  Val materialize(RegionEmitter &region, const FeatureLanes &x, mlir::Type type);
  FeatureLanes featuresAt(int64_t first);
  RegionEmitter makeRegion() {
    RegionEmitter region(e, t.tensors, t.params, e.at(t.scratch, t.layout.gather()));
    region.contracts = true;
    return region;
  }

  TaskEmitter &t;
  Emit &e;
  TensorRef *source;
  mlir::AffineMap map;
  mlir::Block *block = nullptr; // of the producer
  unsigned tokenDim;
  llvm::SmallVector<V> batch; // indices of the task where this was made
  bool plain;
  V base, head; // of a part whose elements have a place for each token and feature; else null
  V anchor;     // what is made behind it is made once for all tokens
  llvm::DenseMap<mlir::Operation *, V> heads; // of loads: where the elements of the task's batch indices begin
  int featureAxis = -1;
  llvm::SmallVector<mlir::Operation *> ofToken, ofFeature; // what is used of the region, by what it depends on
  llvm::DenseSet<V> byFeature;                             // values that depend on the feature
  llvm::SmallVector<V> factors;                            // of every element, none of them by the feature
  V unscaledValue;                                         // what they multiply
  std::set<std::tuple<void *, unsigned, unsigned>> noted;  // indices whose checks count already: value, argument, axis
  bool fetches = false;                                    // vectors are not loaded but asked for
  V fast;                                                  // i1: strides are what the fast code needs; null: always
};

/// Part `n` of what is packed.
OperandEmitter partOf(TaskEmitter &t, tile::PackOp op, unsigned n);

} // namespace attn

#endif
