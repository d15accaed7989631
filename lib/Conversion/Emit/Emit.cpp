#include "attn/Conversion/Emit.h"

using namespace mlir;
using namespace attn;
using V = Value;

V Emit::divFloor(V a, int64_t c) {
  // Powers of two are a shift; the operands here are bounded well inside i64.
  if (llvm::isPowerOf2_64(c))
    return arith::ShRSIOp::create(b, loc, a, i64(llvm::Log2_64(c)));
  return arith::FloorDivSIOp::create(b, loc, a, i64(c));
}

V Emit::bitcast(V v, Type t) {
  if (isa<VectorType>(v.getType()))
    return vector::BitCastOp::create(b, loc, cast<VectorType>(t), v);
  return arith::BitcastOp::create(b, loc, t, v);
}

static unsigned alignmentOf(Type t) {
  if (auto v = dyn_cast<VectorType>(t))
    t = v.getElementType();
  if (isa<LLVM::LLVMPointerType>(t))
    return 8;
  return std::max<unsigned>(1, t.getIntOrFloatBitWidth() / 8);
}

V Emit::load(Type t, V ptr) { return LLVM::LoadOp::create(b, loc, t, ptr, alignmentOf(t)); }
void Emit::store(V v, V ptr) { LLVM::StoreOp::create(b, loc, v, ptr, alignmentOf(v.getType())); }

void Emit::prefetch(V ptr, int32_t locality) {
  LLVM::Prefetch::create(b, loc, ptr, b.getI32IntegerAttr(0), b.getI32IntegerAttr(locality), b.getI32IntegerAttr(1));
}

void Emit::keepOrder() { LLVM::FenceOp::create(b, loc, LLVM::AtomicOrdering::seq_cst, "singlethread"); }

static scf::ForOp makeLoop(Emit &e, V from, V to, int64_t step, ValueRange init, Emit::Body body) {
  return scf::ForOp::create(e.b, e.loc, from, to, e.i64(step), init,
                            [&](OpBuilder &inner, Location, V iv, ValueRange args) {
                              OpBuilder::InsertionGuard guard(e.b);
                              e.b.setInsertionPointToEnd(inner.getInsertionBlock());
                              scf::YieldOp::create(e.b, e.loc, body(iv, args));
                            });
}

SmallVector<V> Emit::loop(V from, V to, int64_t step, ValueRange init, Body body) {
  return SmallVector<V>(makeLoop(*this, from, to, step, init, body).getResults());
}

SmallVector<V> Emit::loopAsIs(V from, V to, int64_t step, ValueRange init, Body body) {
  scf::ForOp op = makeLoop(*this, from, to, step, init, body);
  MLIRContext *ctx = b.getContext();
  auto unroll = LLVM::LoopUnrollAttr::get(ctx, /*disable=*/BoolAttr::get(ctx, true), {}, {}, {}, {}, {}, {});
  // Under this name it becomes that of the branch back.
  op->setAttr("loop_annotation",
              LLVM::LoopAnnotationAttr::get(ctx, {}, {}, {}, unroll, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}));
  return SmallVector<V>(op.getResults());
}

void Emit::loop(V from, V to, int64_t step, llvm::function_ref<void(V)> body) {
  loop(from, to, step, {}, [&](V iv, ValueRange) {
    body(iv);
    return SmallVector<V>{};
  });
}

void Emit::when(V cond, llvm::function_ref<void()> then) {
  scf::IfOp::create(b, loc, cond, [&](OpBuilder &inner, Location) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(inner.getInsertionBlock());
    then();
    scf::YieldOp::create(b, loc);
  });
}

SmallVector<V> Emit::choose(V cond, TypeRange types, llvm::function_ref<SmallVector<V>()> then,
                            llvm::function_ref<SmallVector<V>()> otherwise) {
  auto branch = [&](llvm::function_ref<SmallVector<V>()> f) {
    return [&, f](OpBuilder &inner, Location) {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToEnd(inner.getInsertionBlock());
      scf::YieldOp::create(b, loc, f());
    };
  };
  auto op = scf::IfOp::create(b, loc, cond, branch(then), branch(otherwise));
  (void)types;
  return SmallVector<V>(op.getResults());
}

SmallVector<V> Emit::whileLoop(ValueRange init, llvm::function_ref<V(ValueRange)> cond,
                               llvm::function_ref<SmallVector<V>(ValueRange)> body) {
  auto op = scf::WhileOp::create(
      b, loc, init.getTypes(), init,
      [&](OpBuilder &inner, Location, ValueRange args) {
        OpBuilder::InsertionGuard guard(b);
        b.setInsertionPointToEnd(inner.getInsertionBlock());
        scf::ConditionOp::create(b, loc, cond(args), args);
      },
      [&](OpBuilder &inner, Location, ValueRange args) {
        OpBuilder::InsertionGuard guard(b);
        b.setInsertionPointToEnd(inner.getInsertionBlock());
        scf::YieldOp::create(b, loc, body(args));
      });
  return SmallVector<V>(op.getResults());
}

SmallVector<V> Emit::repeat(TypeRange types, llvm::function_ref<V(SmallVector<V> &)> body) {
  auto op = scf::WhileOp::create(
      b, loc, types, ValueRange{},
      [&](OpBuilder &inner, Location, ValueRange) {
        OpBuilder::InsertionGuard guard(b);
        b.setInsertionPointToEnd(inner.getInsertionBlock());
        SmallVector<V> results;
        V again = body(results);
        scf::ConditionOp::create(b, loc, again, results);
      },
      [&](OpBuilder &inner, Location, ValueRange) { scf::YieldOp::create(inner, loc); });
  return SmallVector<V>(op.getResults());
}

V Emit::laneBits(V mask) {
  V bits = vector::BitCastOp::create(b, loc, VectorType::get({1}, b.getIntegerType(lanes)), mask);
  V word = vector::ExtractOp::create(b, loc, bits, ArrayRef<int64_t>{0});
  return lanes >= 8 ? word : (V)arith::ExtUIOp::create(b, loc, maskType(), word);
}

V Emit::anyLane(V mask) {
  return ne(laneBits(mask), arith::ConstantOp::create(b, loc, b.getIntegerAttr(maskType(), 0)));
}

/// An f8 is an f16 with fewer bits: E5M2 its upper half, E4M3FN one whose exponent has a bias of 7, not 15, so that
/// 2^8 is missing; exact in both, for subnormals too, whatever becomes of those of f32.
static V widen8(Emit &e, V v, Type element, llvm::function_ref<Type(Type)> shaped) {
  OpBuilder &b = e.b;
  Type i16 = shaped(b.getI16Type());
  auto constant = [&](int64_t n) -> V {
    if (auto vector = dyn_cast<VectorType>(i16))
      return e.splatInt(vector, n);
    return arith::ConstantOp::create(b, e.loc, b.getI16IntegerAttr(n));
  };
  auto bits = [&](V x, int64_t mask) -> V { return arith::AndIOp::create(b, e.loc, x, constant(mask)); };
  auto up = [&](V x, int64_t n) -> V { return arith::ShLIOp::create(b, e.loc, x, constant(n)); };
  V wide = arith::ExtUIOp::create(b, e.loc, i16, v), half;
  bool e5m2 = isa<Float8E5M2Type>(element);
  if (e5m2) {
    half = up(wide, 8);
  } else {
    V size = bits(wide, 0x7f);
    V nan = e.cmp(arith::CmpIPredicate::eq, size, constant(0x7f)); // there is one of each sign, and no infinity
    half = arith::OrIOp::create(b, e.loc, e.select(nan, constant(0x7f00), up(size, 7)), up(bits(wide, 0x80), 8));
  }
  V x = arith::ExtFOp::create(b, e.loc, shaped(b.getF32Type()), e.bitcast(half, shaped(b.getF16Type())));
  if (!e5m2) {
    V scale = arith::ConstantOp::create(b, e.loc, b.getF32FloatAttr(256));
    if (auto vector = dyn_cast<VectorType>(x.getType()))
      scale = arith::ConstantOp::create(b, e.loc, DenseElementsAttr::get(vector, b.getF32FloatAttr(256)));
    x = e.fmul(x, scale);
  }
  return e.real.isF64() ? (V)arith::ExtFOp::create(b, e.loc, shaped(e.real), x) : x;
}

static V widen(Emit &e, V v, Type element) {
  auto shaped = [&](Type t) -> Type {
    auto vector = dyn_cast<VectorType>(v.getType());
    return vector ? (Type)vector.clone(t) : t;
  };
  bool isVector = isa<VectorType>(v.getType());
  OpBuilder &b = e.b;
  if (element.isInteger(1)) {
    V zero = isVector ? e.splatInt(cast<VectorType>(v.getType()), 0)
                      : (V)arith::ConstantOp::create(b, e.loc, b.getI8IntegerAttr(0));
    return e.cmp(arith::CmpIPredicate::ne, v, zero);
  }
  if (isa<FloatType>(element) && element.getIntOrFloatBitWidth() == 8)
    return widen8(e, v, element, shaped);
  if (element.isBF16()) {
    // A bf16 is the upper half of an f32.
    V wide = arith::ExtUIOp::create(b, e.loc, shaped(b.getI32Type()), v);
    V sixteen = isVector ? e.splatInt(cast<VectorType>(wide.getType()), 16)
                         : (V)arith::ConstantOp::create(b, e.loc, b.getI32IntegerAttr(16));
    V f32 = e.bitcast(arith::ShLIOp::create(b, e.loc, wide, sixteen), shaped(b.getF32Type()));
    return e.real.isF64() ? (V)arith::ExtFOp::create(b, e.loc, shaped(e.real), f32) : f32;
  }
  if (auto f = dyn_cast<FloatType>(element)) {
    if (f == e.real)
      return v;
    if (f.getWidth() < e.real.getWidth())
      return arith::ExtFOp::create(b, e.loc, shaped(e.real), v);
    return arith::TruncFOp::create(b, e.loc, shaped(e.real), v);
  }
  return v;
}

Type Emit::memoryType(Type element) {
  if (element.isInteger(1) || (isa<FloatType>(element) && element.getIntOrFloatBitWidth() == 8))
    return b.getI8Type();
  return element.isBF16() ? b.getIntegerType(16) : element;
}

V Emit::convert(V stored, Type element) { return widen(*this, stored, element); }
V Emit::loadElement(Type element, V ptr) { return convert(load(memoryType(element), ptr), element); }
V Emit::loadElements(Type element, V ptr) { return convert(load(vecOf(memoryType(element)), ptr), element); }

/// f32 to the 16-bit pattern of bf16, round to nearest even, NaN kept quiet. Written out, for LLVM would call a library
/// function.
V Emit::narrow16(V value, Type element) {
  bool isVector = isa<VectorType>(value.getType());
  auto shaped = [&](Type t) -> Type { return isVector ? (Type)vecOf(t) : t; };
  auto constant = [&](int64_t v) -> V {
    return isVector ? splatInt(vecOf(b.getI32Type()), v) : (V)arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(v));
  };
  V bits = bitcast(value, shaped(b.getI32Type()));
  V upper = arith::ShRUIOp::create(b, loc, bits, constant(16));
  V odd = arith::AndIOp::create(b, loc, upper, constant(1));
  V rounded = arith::ShRUIOp::create(b, loc, add(add(bits, odd), constant(0x7fff)), constant(16));
  V nan = arith::OrIOp::create(b, loc, upper, constant(0x40));
  V result = select(cmpf(arith::CmpFPredicate::UNO, value, value), nan, rounded);
  return arith::TruncIOp::create(b, loc, shaped(b.getIntegerType(16)), result);
}

void Emit::storeElement(V value, Type element, V ptr) {
  bool isVector = isa<VectorType>(value.getType());
  if (element.isBF16())
    value = narrow16(value, element);
  else if (element != real)
    value = arith::TruncFOp::create(b, loc, isVector ? (Type)vecOf(element) : element, value);
  store(value, ptr);
}
