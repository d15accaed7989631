// Ops of which each is one op of the LLVM dialect.
#ifndef ATTN_LIB_VECTORTOLLVM_ONETOONE_H
#define ATTN_LIB_VECTORTOLLVM_ONETOONE_H

#include "attn/Support/MLIR.h"

namespace attn {

/// Replaces arith, math and vector ops of `function` whose types the LLVM dialect has, and which it has an op for, in
/// place. The conversion framework takes four times as long for them. Whatever is left, ops with flags of their
/// own included, is for upstream's patterns.
void convertOneToOne(mlir::LLVM::LLVMFuncOp function);

} // namespace attn

#endif
