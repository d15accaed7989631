// From a set region to the predicate algebra of attn/Sets.
//
// Variables: dimension d is variable d, its extent extentVar(d), the kernel's scalar argument n is scalarVar(n).
// Tables: tensor argument n is table n. What the algebra cannot express (float comparisons, masks, nested truncations)
// becomes an opaque atom that names the value to evaluate; membership in a list, bits of words and random blocks are
// opaque atoms too, of the answerable kind: the emitter knows more of them than their value at one pair.
//
// Positions. A schedule may walk the keys in an order of its own: position p of the key axis then holds the logical key
// order(p), or none. Predicates are built over positions: variable keyDim is the position, and the logical index is an
// expression of it. Without an order the two are the same.
#ifndef ATTN_ANALYSIS_SETPREDICATE_H
#define ATTN_ANALYSIS_SETPREDICATE_H

#include "attn/Dialect/Attn/Attn.h"
#include "attn/Sets/Solve.h"

#include <variant>

namespace attn {

inline unsigned extentVar(unsigned dim) { return 32 + dim; }
inline unsigned scalarVar(unsigned arg) { return 256 + arg; } // above all others: a kernel may have many

/// Tables over positions, where an order is in use: the logical key of each, -1 for none, and with boxes the query and
/// the coordinates of both (+ axis).
constexpr unsigned kOrderTable = 1u << 16, kQueryOrder = kOrderTable + 1, kKeyCoordinate = kOrderTable + 4,
                   kQueryCoordinate = kOrderTable + 8;
/// Tables over positions of keys and queries: -1 for one that is absent for an index of its own, else 0.
constexpr unsigned kKeyAbsent = kOrderTable + 12, kQueryAbsent = kOrderTable + 13;
inline constexpr llvm::StringLiteral kGatheredAttr = "gathered";
/// How many positions the key axis has, where that is not its extent.
constexpr unsigned kPositions = 96;
/// In answerable atoms: the logical key, and an element of a list.
constexpr unsigned kLogicalKey = 97, kElement = 98;
/// Tokens before the grids, where a scalar says how many: 0 where that is below 0. A variable of its own, for LLVM
/// takes very long over code that is full of one maximum.
constexpr unsigned kGridFirst = 99;

/// What the text says about the axes beside the set itself.
struct TokenAxes {
  unsigned numBatch = 0;
  llvm::SmallVector<int64_t> queryGrid, keyGrid; // empty: none; the first extent may be dynamic
  mlir::Value first;                             // or firstValue
  int64_t firstValue = 0;
  /// The keys go by a list: the op that it comes from, marked by kGatheredAttr, is true of every position with a key.
  bool gathered = false;
  /// Both axes go by boxes of their grids.
  bool boxes = false;
  /// `gathered` keys are those of each query, all of whose positions hold keys.
  bool ownLists = false;
  /// Sets named by query and key mean key and query; grids are those of the text's queries and keys.
  bool exchanged = false;
  /// Keys, queries may be absent for an index of their own: tables say which.
  bool absentKeys = false, absentQueries = false;
  /// Whether a condition of the key and these batch dimensions alone is a KeyAtom; none: it is an opaque atom.
  std::optional<llvm::SmallVector<unsigned>> keyDims;
};

/// value, of rows and the logical key, is an element of list[indices, :], or of the row's part of it.
struct MemberAtom {
  unsigned list = 0; // tensor argument
  std::vector<sets::Expr> indices;
  sets::Expr value;
  std::optional<unsigned> offsets; // of a CSR row: from = offsets[indices, i], to = offsets[indices, i + 1]
  /// Elements outside [0, limit) but -1 are bad indices; none where any element is right.
  std::optional<sets::Expr> limit;
  /// The value is one of the row alone.
  bool ofRows = false;
};

/// Bit (key mod width) of words[indices, key floordiv width].
struct BitsAtom {
  unsigned words = 0;
  std::vector<sets::Expr> indices;
};

/// random(seed; indices) < p, p[|rowBlock - keyBlock|] where the probability is a table.
struct RandomAtom {
  mlir::Value seed, probability;
  std::vector<sets::Expr> batch;
  sets::Expr rowBlock, keyBlock;
};

/// A condition that is the same for all queries, evaluated once a key: one of the opaques.
struct KeyAtom {
  unsigned opaque = 0;
};

struct SetPredicate {
  sets::Pred pred; // normalized
  /// Opaque atoms by id: an i1 value of a `where` region, or an attn.set.mask.
  struct Opaque {
    mlir::Value condition;
    SetMaskOp mask;
  };
  std::vector<Opaque> opaques;
  /// Answerable atoms, by id less Pred::answerable.
  std::vector<std::variant<MemberAtom, BitsAtom, RandomAtom, KeyAtom>> answerables;
  /// The logical query and key, of positions.
  sets::Expr query, key;
};

/// `set` is the set region (may be empty: all pairs) inside an op whose captured values are block arguments of the
/// enclosing kernel or program.
SetPredicate buildSetPredicate(mlir::Region &set, const TokenAxes &axes);

} // namespace attn

#endif
