// Real instructions, before rounding to their format.
#ifndef ATTN_LIB_INTERPRETER_REALOPS_H
#define ATTN_LIB_INTERPRETER_REALOPS_H

#include "Program.h"

namespace attn::interpreter {

/// The result of an instruction after kLastInteger up to kLastReal.
template <typename Real> Real realOp(Opcode op, Real a, Real b, Real c);
extern template double realOp(Opcode, double, double, double);
extern template long double realOp(Opcode, long double, long double, long double);

/// Whether the predicate (mlir::arith::CmpFPredicate) holds.
template <typename Real> bool compareReals(unsigned predicate, Real a, Real b);
extern template bool compareReals(unsigned, double, double);
extern template bool compareReals(unsigned, long double, long double);

} // namespace attn::interpreter

#endif
