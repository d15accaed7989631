// Integer instructions and comparisons over sign-extended registers.
#ifndef ATTN_LIB_INTERPRETER_INTEGEROPS_H
#define ATTN_LIB_INTERPRETER_INTEGEROPS_H

#include "Program.h"

namespace attn::interpreter {

inline int64_t wrap(int64_t x, unsigned width) { return (int64_t)((uint64_t)x << (64 - width)) >> (64 - width); }
inline uint64_t zeroExtend(int64_t x, unsigned width) { return (uint64_t)x << (64 - width) >> (64 - width); }

/// The result of an instruction up to kLastInteger, wrapped to its width.
int64_t integerOp(const Inst &inst, int64_t a, int64_t b);

/// Whether the predicate (mlir::arith::CmpIPredicate) holds.
bool compareIntegers(const Inst &inst, int64_t a, int64_t b);

} // namespace attn::interpreter

#endif
