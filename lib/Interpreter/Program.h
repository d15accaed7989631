// A region as a flat list of instructions over registers: MLIR is walked once, when an interpreter is made, and never
// per pair.
//
// An integer register holds its value sign-extended to 64 bits whatever its width (a true i1 is -1; index has 64 bits);
// every integer result is wrapped to its width. Where arith has undefined behaviour or poison the interpreter is total:
// a division by zero is 0, a shift by the width or more shifts everything out, a float that does not fit an integer
// saturates and NaN becomes 0.
//
// Set values are three-valued (Kleene): False, True, and Unknown for a `where` that loaded at a bad index. `false and
// unknown` is false: the pair is no member whatever the load would have given, so order of the operands never matters;
// a set that is Unknown in the end is a pair that is absent and reported.
#ifndef ATTN_LIB_INTERPRETER_PROGRAM_H
#define ATTN_LIB_INTERPRETER_PROGRAM_H

#include "Numbers.h"

namespace attn::interpreter {

// clang-format off
enum class Opcode : uint8_t {
  // Integer results of integers: IntegerOps.cpp.
  AddI, SubI, MulI, MulHiS, MulHiU, CarryI, DivS, DivU, CeilDivS, CeilDivU, FloorDivS, RemS, RemU, AndI, OrI, XorI,
  ShL, ShRS, ShRU, MaxS, MaxU, MinS, MinU, Sext, Zext, AbsI, CtLz, CtTz, CtPop, IPowI,
  // Real results of reals: RealOps.cpp.
  AddF, SubF, MulF, DivF, RemF, NegF, CopyF, MaximumF, MinimumF, MaxNumF, MinNumF, AbsF, Acos, Acosh, Asin, Asinh,
  Atan, Atan2, Atanh, Cbrt, Ceil, ClampF, CopySign, Cos, Cosh, Erf, Erfc, Exp, Exp2, ExpM1, Floor, Fma, Log, Log10,
  Log1p, Log2, PowF, Round, RoundEven, Rsqrt, Sin, Sinh, Sqrt, Tan, Tanh, Trunc,
  // Mixed: Machine.cpp.
  CmpI, CmpF, Select, SiToF, UiToF, FToSi, FToUi, FToBits, BitsToF, FPowI, IsFinite, IsInf, IsNaN, IsNormal,
  Load,               // dst = loads[a]; a bad index sets register b
  Member,             // dst = truth of: b is an element of lists[a]; a bad index sets register c
  Random,             // dst = attn.random of randoms[a] with seed b
  DiffLeq,            // dst = set value of a - b <= c, without overflow
  LessSquare,         // dst = set value of b > 0 and a < b b, without overflow
  SetAnd, SetOr, SetNot,
  NonZeroI, NonZeroF, // dst = set value of a != 0
  Clear,              // dst = 0
  TakeBad,            // dst = b (bad) ? Unknown : set value of a != 0
};
// clang-format on
constexpr Opcode kLastInteger = Opcode::IPowI, kLastReal = Opcode::Trunc;

enum SetValue : int64_t { False = 0, True = 1, Unknown = 2 };

struct Inst {
  Opcode op = Opcode::Clear;
  Format format = Format::F64; // of the float result, or of the float operand where the result is an integer
  uint8_t from = 64, to = 64;  // integer widths of the first operand and of the result
  uint8_t predicate = 0;       // of a comparison, arith's number
  uint32_t dst = 0, a = 0, b = 0, c = 0;
};

struct LoadAccess {
  View view;
  llvm::SmallVector<uint32_t, ATTN_MAX_RANK> indices;
};

struct ListAccess {
  View view;
  llvm::SmallVector<uint32_t, ATTN_MAX_RANK> indices; // of every axis but the last
  bool ranged = false;
  uint32_t from = 0, to = 0; // where ranged: the positions [from, to) of the last axis alone
};

struct RandomAccess {
  llvm::SmallVector<uint32_t, 4> indices;
};

struct Constant {
  uint32_t reg;
  bool isFloat;
  int64_t i;
  double f;
};

struct Program {
  std::vector<Inst> first; // what is run once for a row: none of it reads a tensor, or follows from the last argument
  std::vector<Inst> insts;
  std::vector<LoadAccess> loads;
  std::vector<ListAccess> lists;
  std::vector<RandomAccess> randoms;
  std::vector<Constant> constants; // written once, before the first run
  std::vector<uint32_t> args, results;
  uint32_t bad = 0; // set by a load at a bad index outside of a `where`
  unsigned numRegs = 1;
};

} // namespace attn::interpreter

#endif
