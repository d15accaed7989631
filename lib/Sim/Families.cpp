// Which decoder an opcode's root has.
#include "Decode.h"

#include <unordered_map>

namespace attn::sim {

// AluInteger.cpp
void decodeIntegerAddSub(Decoder &, bool sub);
void decodeIntegerMul(Decoder &, bool mad);
void decodeIntegerUnary(Decoder &, bool neg);
void decodeIntegerMinMax(Decoder &, bool max);
void decodeDivRem(Decoder &, bool rem);
void decodeLogic(Decoder &);
void decodeShift(Decoder &);
void decodeBitCount(Decoder &);
void decodeBfe(Decoder &);
void decodeLop3(Decoder &);
void decodeShf(Decoder &);
void decodePrmt(Decoder &);
void decodeSad(Decoder &);
void decodeDp4a(Decoder &);
// AluFloat.cpp, AluHalf.cpp, Approximate.cpp, Convert.cpp, Compare.cpp, Move.cpp
void decodeFloatArithmetic(Decoder &);
void decodeExactDivision(Decoder &);
void decodeFloatMinMax(Decoder &, bool max);
void decodeFloatUnary(Decoder &, bool neg);
void decodeCopySign(Decoder &);
void decodeTestP(Decoder &);
bool isHalf(Type);
void decodeHalf(Decoder &);
void decodeApproximate(Decoder &);
void decodeCvt(Decoder &);
void decodeCvta(Decoder &);
void decodeSetp(Decoder &);
void decodeSet(Decoder &);
void decodeSelp(Decoder &);
void decodeMov(Decoder &);
void decodeBfi(Decoder &);
// Memory, control, synchronization.
void decodeLoad(Decoder &);
void decodeStore(Decoder &);
void decodePrefetch(Decoder &);
void decodeNanosleep(Decoder &);
void decodeBranch(Decoder &);
void decodeCall(Decoder &);
void decodeReturn(Decoder &);
void decodeTrap(Decoder &);
void decodeBarrier(Decoder &);
void decodeFence(Decoder &);
void decodeShuffle(Decoder &);
void decodeVote(Decoder &);
void decodeActiveMask(Decoder &);
void decodeRedux(Decoder &);
void decodeMatch(Decoder &);
void decodeElect(Decoder &);
void decodeAtomic(Decoder &);
void decodeMma(Decoder &);
void decodeMatrix(Decoder &);
void decodeCp(Decoder &);
void decodeMBarrier(Decoder &);

namespace {

/// The type that decides between families: the last one, which operands have.
Type operandType(const Decoder &d) {
  Type type = Type::None;
  for (const std::string &m : d.st->modifiers)
    if (const auto t = typeNamed(m))
      type = *t;
  return type;
}

void addSubMulFma(Decoder &d) {
  const Type t = operandType(d);
  const std::string &root = d.st->root;
  if (isHalf(t))
    return decodeHalf(d);
  if (isFloat(t))
    return decodeFloatArithmetic(d);
  if (root == "add" || root == "sub")
    return decodeIntegerAddSub(d, root == "sub");
  if (root == "mul" || root == "mad")
    return decodeIntegerMul(d, root == "mad");
  d.failUnknown();
}

void minMax(Decoder &d) {
  const Type t = operandType(d);
  const bool max = d.st->root == "max";
  return isHalf(t) ? decodeHalf(d) : isFloat(t) ? decodeFloatMinMax(d, max) : decodeIntegerMinMax(d, max);
}

void absNeg(Decoder &d) {
  const Type t = operandType(d);
  const bool neg = d.st->root == "neg";
  return isHalf(t) ? decodeHalf(d) : isFloat(t) ? decodeFloatUnary(d, neg) : decodeIntegerUnary(d, neg);
}

void divide(Decoder &d) {
  if (!isFloat(operandType(d)))
    return decodeDivRem(d, d.st->root == "rem");
  return d.has("approx") || d.has("full") ? decodeApproximate(d) : decodeExactDivision(d);
}

void root(Decoder &d) { return d.has("approx") ? decodeApproximate(d) : decodeExactDivision(d); }

} // namespace

Family familyOf(std::string_view name) {
  static const std::unordered_map<std::string_view, Family> families = {
      {"add", addSubMulFma},
      {"sub", addSubMulFma},
      {"mul", addSubMulFma},
      {"fma", addSubMulFma},
      {"mad", addSubMulFma},
      {"min", minMax},
      {"max", minMax},
      {"abs", absNeg},
      {"neg", absNeg},
      {"div", divide},
      {"rem", divide},
      {"rcp", root},
      {"sqrt", root},
      {"rsqrt", decodeApproximate},
      {"ex2", decodeApproximate},
      {"lg2", decodeApproximate},
      {"sin", decodeApproximate},
      {"cos", decodeApproximate},
      {"tanh", decodeApproximate},
      {"copysign", decodeCopySign},
      {"testp", decodeTestP},
      {"and", decodeLogic},
      {"or", decodeLogic},
      {"xor", decodeLogic},
      {"not", decodeLogic},
      {"cnot", decodeLogic},
      {"shl", decodeShift},
      {"shr", decodeShift},
      {"popc", decodeBitCount},
      {"clz", decodeBitCount},
      {"brev", decodeBitCount},
      {"bfind", decodeBitCount},
      {"bfe", decodeBfe},
      {"bfi", decodeBfi},
      {"lop3", decodeLop3},
      {"shf", decodeShf},
      {"prmt", decodePrmt},
      {"sad", decodeSad},
      {"dp4a", decodeDp4a},
      {"cvt", decodeCvt},
      {"cvta", decodeCvta},
      {"setp", decodeSetp},
      {"set", decodeSet},
      {"selp", decodeSelp},
      {"slct", decodeSelp},
      {"mov", decodeMov},
      {"ld", decodeLoad},
      {"ldu", decodeLoad},
      {"st", decodeStore},
      {"prefetch", decodePrefetch},
      {"prefetchu", decodePrefetch},
      {"nanosleep", decodeNanosleep},
      {"bra", decodeBranch},
      {"call", decodeCall},
      {"ret", decodeReturn},
      {"exit", decodeReturn},
      {"trap", decodeTrap},
      {"bar", decodeBarrier},
      {"barrier", decodeBarrier},
      {"membar", decodeFence},
      {"fence", decodeFence},
      {"shfl", decodeShuffle},
      {"vote", decodeVote},
      {"activemask", decodeActiveMask},
      {"redux", decodeRedux},
      {"match", decodeMatch},
      {"elect", decodeElect},
      {"atom", decodeAtomic},
      {"red", decodeAtomic},
      {"mma", decodeMma},
      {"ldmatrix", decodeMatrix},
      {"stmatrix", decodeMatrix},
      {"movmatrix", decodeMatrix},
      {"cp", decodeCp},
      {"mbarrier", decodeMBarrier},
  };
  const auto found = families.find(name);
  return found == families.end() ? nullptr : found->second;
}

} // namespace attn::sim
