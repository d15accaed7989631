// Small typed helpers over the builder: every helper is one op or one loop. All integers are i64, all addresses llvm
// pointers plus byte offsets.
#ifndef ATTN_CONVERSION_EMIT_H
#define ATTN_CONVERSION_EMIT_H

#include "attn/Support/MLIR.h"

namespace attn {

class Emit {
public:
  Emit(mlir::OpBuilder &b, mlir::Location loc, mlir::FloatType real, int64_t vectorBytes)
      : b(b), loc(loc), real(real), bytes(real.getWidth() / 8), lanes(vectorBytes / bytes),
        vec(mlir::VectorType::get({lanes}, real)) {}

  mlir::OpBuilder &b;
  mlir::Location loc;
  mlir::FloatType real; // accumulation type
  int64_t bytes, lanes; // of one element; elements of a native vector
  mlir::VectorType vec;

  using V = mlir::Value;
  /// The target's own 2^x of a scalar f32 that is a weight; null: it has none.
  V (*fastExp2)(Emit &, V) = nullptr;
  mlir::Type i64Type() { return b.getI64Type(); }
  mlir::Type ptrType() { return mlir::LLVM::LLVMPointerType::get(b.getContext()); }
  mlir::VectorType vecOf(mlir::Type t) { return mlir::VectorType::get({lanes}, t); }

  V i64(int64_t v) { return mlir::arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(v)); }
  V i1(bool v) { return mlir::arith::ConstantOp::create(b, loc, b.getBoolAttr(v)); }
  V scalar(double v) { return mlir::arith::ConstantOp::create(b, loc, b.getFloatAttr(real, v)); }
  /// A splat constant: LLVM rematerialises it from memory, where a table would hold registers.
  V splat(double v) {
    return mlir::arith::ConstantOp::create(b, loc, mlir::DenseElementsAttr::get(vec, b.getFloatAttr(real, v)));
  }
  V splatInt(mlir::VectorType t, int64_t v) {
    return mlir::arith::ConstantOp::create(b, loc,
                                           mlir::DenseElementsAttr::get(t, b.getIntegerAttr(t.getElementType(), v)));
  }
  V broadcast(V v) { return mlir::vector::BroadcastOp::create(b, loc, vecOf(v.getType()), v); }
  /// 0, 1, 2, ...
  V iota(mlir::Type element) {
    llvm::SmallVector<mlir::Attribute> values;
    for (int64_t n = 0; n < lanes; ++n)
      values.push_back(b.getIntegerAttr(element, n));
    return mlir::arith::ConstantOp::create(b, loc, mlir::DenseElementsAttr::get(vecOf(element), values));
  }

  V add(V a, V c) { return mlir::arith::AddIOp::create(b, loc, a, c); }
  V add(V a, int64_t c) { return c == 0 ? a : add(a, i64(c)); }
  V sub(V a, V c) { return mlir::arith::SubIOp::create(b, loc, a, c); }
  V mul(V a, V c) { return mlir::arith::MulIOp::create(b, loc, a, c); }
  V mul(V a, int64_t c) { return c == 1 ? a : mul(a, i64(c)); }
  V min(V a, V c) { return mlir::arith::MinSIOp::create(b, loc, a, c); }
  V max(V a, V c) { return mlir::arith::MaxSIOp::create(b, loc, a, c); }
  V divFloor(V a, int64_t c);
  /// For a >= 0.
  V divUnsigned(V a, int64_t c) { return mlir::arith::DivUIOp::create(b, loc, a, i64(c)); }
  V both(V a, V c) { return mlir::arith::AndIOp::create(b, loc, a, c); }
  V either(V a, V c) { return mlir::arith::OrIOp::create(b, loc, a, c); }
  V invert(V a) { return mlir::arith::XOrIOp::create(b, loc, a, i1(true)); }
  V select(V c, V x, V y) { return mlir::arith::SelectOp::create(b, loc, c, x, y); }
  V cmp(mlir::arith::CmpIPredicate p, V a, V c) { return mlir::arith::CmpIOp::create(b, loc, p, a, c); }
  V lt(V a, V c) { return cmp(mlir::arith::CmpIPredicate::slt, a, c); }
  V le(V a, V c) { return cmp(mlir::arith::CmpIPredicate::sle, a, c); }
  V ge(V a, V c) { return cmp(mlir::arith::CmpIPredicate::sge, a, c); }
  V eq(V a, V c) { return cmp(mlir::arith::CmpIPredicate::eq, a, c); }
  V ne(V a, V c) { return cmp(mlir::arith::CmpIPredicate::ne, a, c); }
  V cmpf(mlir::arith::CmpFPredicate p, V a, V c) { return mlir::arith::CmpFOp::create(b, loc, p, a, c); }
  /// a > c ? a : c, exactly one vmaxps; a NaN in c survives, one in a does not.
  V maxKeep(V a, V c) { return select(cmpf(mlir::arith::CmpFPredicate::OGT, a, c), a, c); }

  V fadd(V a, V c) { return mlir::arith::AddFOp::create(b, loc, a, c); }
  V fsub(V a, V c) { return mlir::arith::SubFOp::create(b, loc, a, c); }
  V fmul(V a, V c) { return mlir::arith::MulFOp::create(b, loc, a, c); }
  V fdiv(V a, V c) { return mlir::arith::DivFOp::create(b, loc, a, c); }
  V fma(V a, V c, V d) {
    if (mlir::isa<mlir::VectorType>(a.getType()))
      return mlir::vector::FMAOp::create(b, loc, a, c, d);
    return mlir::math::FmaOp::create(b, loc, a, c, d);
  }
  V bitcast(V v, mlir::Type t);

  /// base + offset bytes.
  V at(V base, V byteOffset) {
    return mlir::LLVM::GEPOp::create(b, loc, ptrType(), b.getI8Type(), base,
                                     llvm::ArrayRef<mlir::LLVM::GEPArg>{byteOffset});
  }
  V at(V base, int64_t byteOffset) {
    if (byteOffset == 0)
      return base;
    return mlir::LLVM::GEPOp::create(b, loc, ptrType(), b.getI8Type(), base,
                                     llvm::ArrayRef<mlir::LLVM::GEPArg>{(int32_t)byteOffset});
  }
  /// The same address, of which the code generator does not know how it was made: it would weigh many addresses of a
  /// loop against each other in terms of every loop around it, which takes long and gains nothing.
  V opaque(V ptr) { return mlir::LLVM::LaunderInvariantGroupOp::create(b, loc, ptrType(), ptr); }
  V load(mlir::Type t, V ptr);
  void store(V v, V ptr);
  /// Asks for the line at an address, which need not be one that may be read, for use (3) or for the second cache (2).
  void prefetch(V ptr, int32_t locality = 3);
  /// Code that reads or writes memory, or asks for it, stays on its side of this; no instruction of its own.
  void keepOrder();
  /// A captured integer, sign-extended.
  V loadInteger(mlir::Type element, V ptr) {
    V v = load(element, ptr);
    return element.isInteger(64) ? v : (V)mlir::arith::ExtSIOp::create(b, loc, i64Type(), v);
  }
  V loadI64(V ptr, int64_t byteOffset = 0) { return load(i64Type(), at(ptr, byteOffset)); }

  using Body = llvm::function_ref<llvm::SmallVector<V>(V iv, mlir::ValueRange args)>;
  llvm::SmallVector<V> loop(V from, V to, int64_t step, mlir::ValueRange init, Body body);
  void loop(V from, V to, int64_t step, llvm::function_ref<void(V iv)> body);
  /// The same, which nobody unrolls any further.
  llvm::SmallVector<V> loopAsIs(V from, V to, int64_t step, mlir::ValueRange init, Body body);
  void when(V cond, llvm::function_ref<void()> then);
  llvm::SmallVector<V> choose(V cond, mlir::TypeRange types, llvm::function_ref<llvm::SmallVector<V>()> then,
                              llvm::function_ref<llvm::SmallVector<V>()> otherwise);
  /// while cond(args): args = body(args)
  llvm::SmallVector<V> whileLoop(mlir::ValueRange init, llvm::function_ref<V(mlir::ValueRange)> cond,
                                 llvm::function_ref<llvm::SmallVector<V>(mlir::ValueRange)> body);

  /// do { again = body(results) } while (again)
  llvm::SmallVector<V> repeat(mlir::TypeRange types, llvm::function_ref<V(llvm::SmallVector<V> &results)> body);

  /// True where any lane of a vector of i1 is set.
  V anyLane(V mask);
  /// The lanes of a vector of i1 as the low bits of an integer of maskBytes() bytes.
  V laneBits(V mask);
  int64_t maskBytes() const { return lanes > 8 ? lanes / 8 : 1; }
  mlir::Type maskType() { return b.getIntegerType(maskBytes() * 8); }
  /// An element of a tensor in memory, as the accumulation type (floats), i1 (booleans) or its own type (integers).
  V loadElement(mlir::Type element, V ptr);
  V loadElements(mlir::Type element, V ptr);
  /// What an element is in memory, and the same for one that was loaded so, or a vector of such.
  mlir::Type memoryType(mlir::Type element);
  V convert(V stored, mlir::Type element);
  /// A scalar or vector of the accumulation type stored as `element`.
  void storeElement(V value, mlir::Type element, V ptr);
  static int64_t elementBytes(mlir::Type element) {
    return element.isInteger(1) ? 1 : element.getIntOrFloatBitWidth() / 8;
  }

  // MathEmitter.cpp
  /// 2^x for scalars and vectors of the accumulation type. Within 1.1 ulp (f32), exactly 0 from -127 (-1022) down and
  /// at -inf, 1 at 0; NaN stays NaN. `bounded`: a weight: x < 127 or NaN is known (2^threshold is never exceeded),
  /// which saves the test for overflow, and 1.5 ulp are enough; `coarse`: 2^-13 of it are, where a vector has 16 lanes,
  /// whose weights are 0 from below 2^-126 down.
  V exp2(V x, bool bounded = false, bool coarse = false);
  /// Natural logarithm of a scalar, computed in f64.
  V log(V x);
  /// e^x and e^x - 1 in f64, scalars and vectors.
  V exp64(V x, bool minusOne);
  V tanh64(V x);
  enum class LogBase { E, Two, Ten };
  /// Logarithms in f64, scalars and vectors: of x, or of 1 + x.
  V log64(V x, LogBase base = LogBase::E);
  V log1p64(V x);
  /// The same in f32, scalars and vectors: e^x within 1.5 ulp and 0 below 2^-126, e^x - 1 and tanh within 2, log and
  /// log(1 + x) within 1.5. NaN stays NaN, exp(0) is 1.
  V exp32(V x);
  /// 1 / (1 + e^z) in f32; beyond kLogisticBound as there. `bounded`: |z| <= kLogisticBound is known.
  V logistic(V z, bool bounded);
  static constexpr double kLogisticBound = 86;
  V expm132(V x);
  V tanh32(V x, bool mostlySmall = false); // faster where no lane of a vector is beyond 0.625, slower elsewhere
  V log32(V x);
  V log1p32(V x);

private:
  V exp2Weight(V x);
  V exp2WeightWide(V x, bool coarse);
  V narrow16(V value, mlir::Type element);
};

} // namespace attn

#endif
