// Turns scalar regions (score, phi, gauge, finish, conditions) into code for one row and `lanes` keys: values that
// depend on the key become vectors, all others stay scalars.
//
// Integers are carried in 32 bits while their range provably fits and in 64 otherwise, so that `j - i` is one vpsubd.
#ifndef ATTN_CONVERSION_REGIONEMITTER_H
#define ATTN_CONVERSION_REGIONEMITTER_H

#include "attn/Analysis/ArgumentFacts.h"
#include "attn/Conversion/Emit.h"

namespace attn {

/// Data pointer, strides and extents of a tensor argument as values.
struct TensorRef {
  mlir::RankedTensorType type;
  unsigned argument = 0;
  mlir::Value data;
  llvm::SmallVector<mlir::Value> strides, extents;
  ArgumentFact fact;
  std::optional<std::pair<int64_t, int64_t>> range; // of its elements, where it is known
};

class RegionEmitter {
public:
  using V = mlir::Value;
  using Int = __int128;

  struct Val {
    V v;
    Int lo = 0, hi = 0;      // integers: the range; v is i32 (or vector of) iff it fits
    unsigned plainDim = ~0u; // the bare index of this dimension
    bool isVector() const { return mlir::isa<mlir::VectorType>(v.getType()); }
  };

  /// A captured load whose index was out of bounds where `ok` is false.
  struct BoundsCheck {
    V ok; // i1 or a vector of it
    unsigned argument, axis;
    V index; // i64 or a vector of it
  };

  RegionEmitter(Emit &e, llvm::DenseMap<V, TensorRef> &tensors, llvm::DenseMap<V, V> &params, V gatherBuffer)
      : e(e), tensors(tensors), params(params), gatherBuffer(gatherBuffer) {}

  void bind(V from, Val to) { values[from] = to; }
  bool isBound(V v) const { return values.contains(v); }
  /// All that another emitter has, of values that both compute from the same.
  void bindAll(const RegionEmitter &other) { values.insert(other.values.begin(), other.values.end()); }
  Val indexScalar(V i64, unsigned dim);
  /// j0 + lane.
  Val indexLanes(V j0, unsigned dim);
  Val real(V v) { return Val{v}; }

  mlir::FailureOr<Val> emit(V v);
  /// One element of a tensor (a table of the predicate algebra, a mask) at the given indices.
  mlir::FailureOr<Val> loadAt(TensorRef &tensor, llvm::ArrayRef<Val> indices);

  /// attn.random: a number of the accumulation type, exact.
  Val random(V seed, llvm::ArrayRef<Val> indices);

  /// The same value, as i64 / a vector.
  V wide(const Val &v);
  V asVector(V v);
  Val combine(llvm::StringRef op, const Val &a, const Val &c); // add, sub, mul, min, max with ranges
  V compare(mlir::arith::CmpIPredicate p, const Val &a, const Val &c);
  /// In the lanes' own width, whatever the scalar is.
  V compareLanes(mlir::arith::CmpIPredicate p, const Val &lanes, Val scalar);
  Val constantInt(int64_t v) { return make(e.i64(v), v, v); }
  Val make(V i64OrVector, Int lo, Int hi);

  /// An index as an address may use it: inside its axis, or 0 where a new entry of `checks` says that it is not.
  V axisIndex(TensorRef &tensor, unsigned axis, const Val &index);
  /// What was loaded of a tensor, in the accumulation type or as an integer with its range.
  Val loaded(TensorRef &tensor, V v);

  llvm::SmallVector<BoundsCheck> checks;
  /// A product that is only added to something is rounded with the sum, once.
  bool contracts = false;
  /// The region makes scores: arguments of its tanh, which bounds them, are mostly far from where it bends.
  bool ofScores = false;
  /// math.exp2 in this region never overflows.
  bool boundedExp2 = false;
  /// And 2^-13 of it are exact enough.
  bool coarseExp2 = false;
  /// Ranges hold in every lane: an index inside a static extent by its range needs no check.
  bool provesBounds = false;
  /// Arguments of Emit::logistic that were taken to be bounded; null: none is.
  llvm::SmallVectorImpl<V> *bounded = nullptr;
  /// z where the op is 1 / (1 + e^z), else null.
  static V logisticArgument(mlir::Operation *op);

private:
  mlir::FailureOr<Val> emitOp(mlir::Operation *op, unsigned result);
  mlir::FailureOr<Val> member(mlir::Operation *op);
  std::optional<Val> contracted(mlir::Operation *op);
  bool isTied(const TensorRef &tensor, unsigned axis, const Val &index);
  mlir::FailureOr<Val> elementwise(mlir::Operation *op);
  std::optional<Val> narrow(mlir::Operation *op, llvm::ArrayRef<Val> in);
  V total(mlir::Operation *op, llvm::ArrayRef<V> operands, mlir::Type type);
  std::pair<V, V> unify(const Val &a, const Val &c, bool narrow);
  static bool fits(Int lo, Int hi) { return lo >= INT32_MIN && hi <= INT32_MAX; }

  Emit &e;
  llvm::DenseMap<V, TensorRef> &tensors;
  llvm::DenseMap<V, V> &params;
  V gatherBuffer;
  llvm::DenseMap<V, Val> values;
};

} // namespace attn

#endif
