#include "attn/Conversion/ConstantEmitter.h"

using namespace mlir;
using namespace attn;
using V = Value;

V ConstantEmitter::aggregate(Type type, ArrayRef<V> fields) {
  V v = LLVM::UndefOp::create(b, loc, type);
  for (auto [n, field] : llvm::enumerate(fields))
    v = LLVM::InsertValueOp::create(b, loc, v, field, ArrayRef<int64_t>{(int64_t)n});
  return v;
}

void ConstantEmitter::global(const std::string &s, Type type, LLVM::Linkage linkage, llvm::function_ref<V()> init) {
  auto op = LLVM::GlobalOp::create(b, loc, type, /*isConstant=*/true, linkage, s, Attribute(), /*alignment=*/8);
  OpBuilder::InsertionGuard guard(b);
  b.createBlock(&op.getInitializerRegion());
  LLVM::ReturnOp::create(b, loc, init());
}

void ConstantEmitter::array(const std::string &what, Type element, unsigned n,
                            llvm::function_ref<SmallVector<V>(unsigned)> fields) {
  auto type = LLVM::LLVMArrayType::get(element, n);
  global(symbol(what), type, LLVM::Linkage::Internal, [&] {
    V v = LLVM::UndefOp::create(b, loc, type);
    for (unsigned k = 0; k < n; ++k)
      v = LLVM::InsertValueOp::create(b, loc, v, aggregate(element, fields(k)), ArrayRef<int64_t>{k});
    return v;
  });
}

void ConstantEmitter::strings(ArrayAttr texts) {
  for (Attribute text : texts)
    string(cast<StringAttr>(text).getValue());
}

std::string ConstantEmitter::string(StringRef text) {
  auto it = made.find(text.str());
  if (it != made.end())
    return it->second;
  std::string s; // another emitter may have strings under this name too
  for (size_t n = made.size(); s.empty() || module.lookupSymbol(s); ++n)
    s = symbol("s" + std::to_string(n));
  std::string zero = text.str() + '\0';
  LLVM::GlobalOp::create(b, loc, LLVM::LLVMArrayType::get(i8, zero.size()), true, LLVM::Linkage::Internal, s,
                         b.getStringAttr(zero), 1);
  return made[text.str()] = s;
}

void ConstantEmitter::entry(const std::string &s, const std::string &callee, const std::string &info, bool more) {
  SmallVector<Type> own{ptr}, theirs{ptr, ptr};
  if (more) {
    own.push_back(ptr);
    theirs.push_back(ptr);
  }
  if (!module.lookupSymbol(callee))
    LLVM::LLVMFuncOp::create(b, loc, callee, LLVM::LLVMFunctionType::get(i32, theirs));
  auto func = LLVM::LLVMFuncOp::create(b, loc, s, LLVM::LLVMFunctionType::get(i32, own));
  OpBuilder::InsertionGuard guard(b);
  Block *block = func.addEntryBlock(b);
  b.setInsertionPointToEnd(block);
  SmallVector<V> operands{block->getArgument(0), addressOf(info)};
  if (more)
    operands.push_back(block->getArgument(1));
  V status = LLVM::CallOp::create(b, loc, TypeRange{i32}, callee, operands).getResult();
  LLVM::ReturnOp::create(b, loc, status);
}
