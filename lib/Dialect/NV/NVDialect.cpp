// Registration and rules of the nv dialect.
#include "attn/Dialect/NV/NV.h"

using namespace mlir;
using namespace attn::nv;

#include "attn/Dialect/NV/NVDialect.cpp.inc"

#define GET_OP_CLASSES
#include "attn/Dialect/NV/NVOps.cpp.inc"

void NVDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "attn/Dialect/NV/NVOps.cpp.inc"
      >();
}

int64_t attn::nv::mmaDepth(StringRef kind) {
  return llvm::StringSwitch<int64_t>(kind).Cases({"bf16", "f16"}, 16).Case("tf32", 8).Default(0);
}

ModuleOp attn::nv::deviceModule(ModuleOp program) {
  if (program.getName() == StringRef(kDeviceModule))
    return program;
  return program.lookupSymbol<ModuleOp>(kDeviceModule);
}

void MmaOp::build(OpBuilder &builder, OperationState &state, StringRef kind, ValueRange a, ValueRange b, ValueRange c) {
  build(builder, state, SmallVector<Type>(4, builder.getF32Type()), a, b, c, kind);
}

LogicalResult MmaOp::verify() {
  if (!mmaDepth(getKind()))
    return emitOpError("[nv_c1] the kind is bf16, f16 or tf32, not '") << getKind() << "'";
  if (getA().size() != 4 || getB().size() != 2 || getC().size() != 4 || getNumResults() != 4)
    return emitOpError("[nv_c2] a has four registers, b two, c and d four; here they have ")
           << getA().size() << ", " << getB().size() << ", " << getC().size() << " and " << getNumResults();
  return success();
}

void LdMatrixOp::build(OpBuilder &builder, OperationState &state, Value address, int num, bool trans) {
  build(builder, state, SmallVector<Type>(num, builder.getI32Type()), address, num, trans);
}

LogicalResult LdMatrixOp::verify() {
  if (!llvm::is_contained({1u, 2u, 4u}, getNum()) || getNum() != getNumResults())
    return emitOpError("[nv_c3] num is 1, 2 or 4 and so many are the results; here it is ")
           << (int32_t)getNum() << " and they are " << getNumResults();
  return success();
}

LogicalResult CopyAsyncOp::verify() {
  if (!llvm::is_contained({16u, 8u, 4u}, getSize()))
    return emitOpError("[nv_c4] the size is 16, 8 or 4, not ") << (int32_t)getSize();
  APInt bytes;
  if (matchPattern(getBytes(), m_ConstantInt(&bytes)) && bytes.ugt(getSize()))
    return emitOpError("[nv_c5] ") << bytes.getSExtValue() << " bytes are not 0 to the size, " << getSize();
  return success();
}

LogicalResult WaitGroupOp::verify() {
  if ((int32_t)getPending() < 0)
    return emitOpError("[nv_c6] the number of groups that may be pending is not negative");
  return success();
}

LogicalResult ShuffleXorOp::verify() {
  if (getMask() < 1 || getMask() > 31)
    return emitOpError("[nv_c7] the mask is 1 to 31, not ") << (int32_t)getMask();
  return success();
}

LogicalResult PackOp::verify() {
  if (getKind() != "bf16" && getKind() != "f16")
    return emitOpError("[nv_c8] the kind is bf16 or f16, not '") << getKind() << "'";
  return success();
}
