// Constants of the C ABI as globals of the LLVM dialect: structs field by field, arrays, strings.
#ifndef ATTN_CONVERSION_CONSTANTEMITTER_H
#define ATTN_CONVERSION_CONSTANTEMITTER_H

#include "attn/Support/MLIR.h"

#include <map>

namespace attn {

/// Names are attn_<name>_<what>.
class ConstantEmitter {
public:
  using V = mlir::Value;

  ConstantEmitter(mlir::ModuleOp module, mlir::Location loc, llvm::StringRef name)
      : module(module), b(module.getContext()), loc(loc), ptr(mlir::LLVM::LLVMPointerType::get(b.getContext())),
        i32(b.getI32Type()), i64(b.getI64Type()), i8(b.getI8Type()), name(name.str()) {
    b.setInsertionPointToEnd(module.getBody());
  }

protected:
  std::string symbol(const std::string &what) { return "attn_" + name + "_" + what; }
  mlir::LLVM::LLVMStructType structOf(llvm::ArrayRef<mlir::Type> types) {
    return mlir::LLVM::LLVMStructType::getLiteral(b.getContext(), types);
  }
  V c32(int64_t v) { return mlir::LLVM::ConstantOp::create(b, loc, i32, b.getI32IntegerAttr(v)); }
  V c64(int64_t v) { return mlir::LLVM::ConstantOp::create(b, loc, i64, b.getI64IntegerAttr(v)); }
  V c8(int64_t v) { return mlir::LLVM::ConstantOp::create(b, loc, i8, b.getI8IntegerAttr(v)); }
  V null() { return mlir::LLVM::ZeroOp::create(b, loc, ptr); }
  V addressOf(const std::string &s) { return mlir::LLVM::AddressOfOp::create(b, loc, ptr, s); }
  V aggregate(mlir::Type type, llvm::ArrayRef<V> fields);
  void global(const std::string &s, mlir::Type type, mlir::LLVM::Linkage linkage, llvm::function_ref<V()> init);
  void array(const std::string &what, mlir::Type element, unsigned n,
             llvm::function_ref<llvm::SmallVector<V>(unsigned)> fields);
  void strings(mlir::ArrayAttr texts);
  /// The symbol of a zero-terminated string constant.
  std::string string(llvm::StringRef text);
  /// `s`(call[, more]) is callee(call, info[, more]).
  void entry(const std::string &s, const std::string &callee, const std::string &info, bool more);

  mlir::ModuleOp module;
  mlir::OpBuilder b;
  mlir::Location loc;
  mlir::Type ptr, i32, i64, i8;
  std::string name;

private:
  std::map<std::string, std::string> made; // strings
};

} // namespace attn

#endif
