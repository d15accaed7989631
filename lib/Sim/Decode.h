// Turns one statement after another into instructions. A family takes the modifiers that it knows and the operands that
// it needs; whatever modifier is left over is an error, so nothing is ever skipped.
#ifndef ATTN_LIB_SIM_DECODE_H
#define ATTN_LIB_SIM_DECODE_H

#include "Program.h"

#include <initializer_list>

namespace attn::sim {

class Decoder {
public:
  Decoder(Program &program, uint64_t seed) : seed(seed), program(program) {}

  Instr in;
  const Statement *st = nullptr;
  const uint64_t seed;

  // Modifiers, in any order, except that takeType gives the first type that is left.
  bool take(std::string_view modifier);
  /// Index of the one of `names` that is there; -1 for none.
  int takeOneOf(std::initializer_list<const char *> names);
  Type takeType();
  Type takeTypeIf(); ///< None if there is none
  bool has(std::string_view modifier) const;
  void takeRounding(); ///< rn, rz, rm, rp
  void takeCacheHints();
  Space takeSpace(Space otherwise);
  /// sem and scope of the memory model; `strong` is the scope if only a sem stands there.
  void takeSemantics();

  // Operands.
  const Operand &operand(size_t n) const;
  size_t operands() const { return st->operands.size(); }
  void expectOperands(size_t least, size_t most);
  void dest(const Operand &o, unsigned bits, bool mayBeWider = false);
  void source(const Operand &o, Type type, bool mayBeWider = false);
  void sourceWord(uint64_t bits); ///< a constant
  /// dest for operand 0 and sources for the rest, all of `type`.
  void simple(Type type, unsigned sources);
  /// Base and displacement of [address]; a constant one becomes a constant slot.
  void address(const Operand &o, Space space);
  uint64_t integer(const Operand &o, const char *what);
  std::vector<const Operand *> elements(const Operand &o) const; ///< of a vector, or the operand itself

  void set(Exec run, AluFn alu = nullptr);
  [[noreturn]] void fail(const std::string &message) const;
  [[noreturn]] void fail(const Operand &o, const std::string &message) const;
  [[noreturn]] void failUnknown() const;

  const Function *function = nullptr;
  uint32_t functionIndex = 0;
  Program &program;

  void decodeFunctions(const Module &module, const Function &kernel);
  uint32_t functionNamed(const Operand &o);

private:
  std::vector<std::string_view> mods;
  std::vector<uint32_t> pendingFunctions;
  std::map<uint64_t, int32_t> constantSlots;
  std::map<std::string, uint32_t> kindIndex;

  void decodeBody(uint32_t index);
  void layOut(const Function &f, uint32_t index);
  void statement(const Statement &s, uint32_t registerBase);
  int32_t constant(uint64_t bits);
  int32_t registerSlot(const Operand &o);
  int32_t special(const Operand &o);
};

using Family = void (*)(Decoder &);
/// The decoder of a root such as "ld"; null if there is none.
Family familyOf(std::string_view root);

/// Handler of arithmetic: `alu` on the sources into the destination, poison of any source poisons the lane.
Step execAlu(Machine &, Warp &, const Instr &, uint32_t mask);

} // namespace attn::sim

#endif
