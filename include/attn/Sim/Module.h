//===- Module.h - A PTX module as parsed ------------------------------------===//
//
// The parser resolves names of registers, because `{ }` opens a scope for registers and labels (inline assembly depends
// on it), and leaves everything that an opcode means to the decoder (lib/Sim/Decode.h). Debug sections, `.loc` and
// `.file` are skipped; any other directive that is not known is an error, since a directive may change what a kernel
// does.
//
//===----------------------------------------------------------------------===//
#ifndef ATTN_SIM_MODULE_H
#define ATTN_SIM_MODULE_H

#include "attn/Sim/Types.h"

#include <array>
#include <map>
#include <memory>
#include <vector>

namespace attn::sim {

struct Operand {
  enum Kind : uint8_t {
    Register, ///< `index`; `negated` for !%p
    Name,     ///< symbol, label, or special register such as "%tid.x"; plus `offset`
    Integer,  ///< `bits`
    Float,    ///< `bits` of an f32 (`floatBits` 32) or an f64 (64)
    Address,  ///< [base + offset]; the base is elements[0], absent for an absolute address
    Vector,   ///< {a, b, ...}
    Pair,     ///< d|p
    List,     ///< (a, b): the arguments of a call
    Sink,     ///< _
  };
  Kind kind = Sink;
  bool negated = false;
  uint8_t floatBits = 0;
  Place place;
  uint32_t index = 0;
  uint64_t bits = 0;
  int64_t offset = 0;
  std::string name;
  std::vector<Operand> elements;
};

struct Statement {
  Place place;
  int32_t guard = -1; ///< a register, or none
  bool guardNegated = false;
  std::string text;                   ///< the whole opcode: "ld.global.v4.f32"
  std::string root;                   ///< "ld"
  std::vector<std::string> modifiers; ///< "global", "v4", "f32"
  std::vector<Operand> operands;
  uint32_t scope = 0;
};

struct Variable {
  std::string name;
  Place place;
  Space space = Space::Global;
  Type type = Type::B8;
  uint32_t align = 1;
  uint64_t bytes = 0; ///< 0 for `.extern .shared x[]`, whose size the launch gives
  bool external = false;
  std::vector<uint8_t> initial; ///< empty: not initialized (.global: zero)
};

struct RegisterInfo {
  std::string name;
  Type type;
};

struct Function {
  std::string name;
  Place place;
  bool entry = false;
  std::vector<Variable> params, returns;
  std::vector<Variable> locals; ///< .local, .shared and .param of the body; names are unique after `rename`
  std::vector<RegisterInfo> registers;
  std::vector<Statement> statements;
  /// Index of the statement that follows a label, by (scope, name).
  std::map<std::pair<uint32_t, std::string>, uint32_t> labels;
  std::vector<uint32_t> scopeParents;                      ///< scope 0 is the body and its own parent
  std::array<uint32_t, 3> reqntid{}, maxntid{}, cluster{}; ///< zero: not given

  /// The statement that `name` used in `scope` labels.
  std::optional<uint32_t> findLabel(uint32_t scope, const std::string &name) const;
};

struct Module {
  std::string version, target;
  std::vector<Variable> variables; ///< .global, .const, .shared of the module
  std::vector<std::unique_ptr<Function>> functions;

  const Function *findFunction(std::string_view name) const;
};

/// Throws Error.
Module parseModule(std::string_view text);

} // namespace attn::sim

#endif
