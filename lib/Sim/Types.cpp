// Names and sizes of types and spaces.
#include "attn/Sim/Types.h"

#include <iterator>

using namespace attn::sim;

namespace {
struct TypeRow {
  const char *name;
  uint8_t bits;
  char kind; // u, s, f, b, p
};
// In the order of the enumeration.
constexpr TypeRow rows[] = {
    {"none", 0, '-'},    {"pred", 1, 'p'},   {"b8", 8, 'b'},   {"b16", 16, 'b'}, {"b32", 32, 'b'},   {"b64", 64, 'b'},
    {"b128", 128, 'b'},  {"u8", 8, 'u'},     {"u16", 16, 'u'}, {"u32", 32, 'u'}, {"u64", 64, 'u'},   {"s8", 8, 's'},
    {"s16", 16, 's'},    {"s32", 32, 's'},   {"s64", 64, 's'}, {"f16", 16, 'f'}, {"f16x2", 32, 'f'}, {"bf16", 16, 'f'},
    {"bf16x2", 32, 'f'}, {"tf32", 32, 'f'},  {"f32", 32, 'f'}, {"f64", 64, 'f'}, {"e4m3", 8, 'f'},   {"e5m2", 8, 'f'},
    {"e4m3x2", 16, 'f'}, {"e5m2x2", 16, 'f'}};
static_assert(std::size(rows) == size_t(Type::E5M2x2) + 1);
} // namespace

unsigned attn::sim::bitsOf(Type type) { return rows[size_t(type)].bits; }
bool attn::sim::isSigned(Type type) { return rows[size_t(type)].kind == 's'; }
bool attn::sim::isFloat(Type type) { return rows[size_t(type)].kind == 'f'; }
bool attn::sim::isInteger(Type type) { return rows[size_t(type)].kind == 's' || rows[size_t(type)].kind == 'u'; }
const char *attn::sim::nameOf(Type type) { return rows[size_t(type)].name; }

std::optional<Type> attn::sim::typeNamed(std::string_view name) {
  for (size_t i = 1; i < std::size(rows); ++i)
    if (name == rows[i].name)
      return Type(i);
  return std::nullopt;
}

const char *attn::sim::nameOf(Space space) {
  static const char *const names[] = {"generic", "global", "shared", "local", "param", "const"};
  return names[size_t(space)];
}
