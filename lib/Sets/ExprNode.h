//===- ExprNode.h - The node behind Expr, private to the library ----------===//

#ifndef ATTN_LIB_SETS_EXPRNODE_H
#define ATTN_LIB_SETS_EXPRNODE_H

#include "attn/Sets/Expr.h"

#include <limits>

namespace attn::sets {

struct Expr::Node {
  ExprKind kind;
  int64_t value;
  unsigned id;
  unsigned axis;
  std::vector<Expr> operands;
  size_t hash;
};

/// The one way to a raw node: every caller has put the operands in canonical form.
struct ExprBuilder {
  static Expr make(ExprKind kind, int64_t value, unsigned id, unsigned axis, std::vector<Expr> operands) {
    return Expr::make(kind, value, id, axis, std::move(operands));
  }
};

/// `e` with f of each operand in its place.
Expr rewriteOperands(const Expr &e, const std::function<Expr(const Expr &)> &f);

__extension__ typedef __int128 Wide;

inline int64_t saturate(Wide x) {
  constexpr Wide lo = std::numeric_limits<int64_t>::min(), hi = std::numeric_limits<int64_t>::max();
  return int64_t(x < lo ? lo : x > hi ? hi : x);
}
inline int64_t addSat(int64_t a, int64_t b) { return saturate(Wide(a) + b); }
inline int64_t mulSat(int64_t a, int64_t b) { return saturate(Wide(a) * b); }

template <typename T> T floorQuotient(T x, T divisor) {
  T q = x / divisor;
  return x % divisor != 0 && (x < 0) != (divisor < 0) ? q - 1 : q;
}
template <typename T> T floorRemainder(T x, T divisor) { return x - divisor * floorQuotient(x, divisor); }

inline size_t hashMix(size_t seed, size_t x) {
  return seed ^ (x * size_t(0x9E3779B97F4A7C15ull) + (seed << 6) + (seed >> 2) + 0x7F4A7C15u);
}

} // namespace attn::sets

#endif // ATTN_LIB_SETS_EXPRNODE_H
