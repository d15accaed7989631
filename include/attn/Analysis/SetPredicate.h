// From a set region to the predicate algebra of attn/Sets.
//
// Variables: dimension d is variable d, its extent extentVar(d), the kernel's scalar argument n is scalarVar(n).
// Tables: tensor argument n is table n. What the algebra cannot express (float comparisons, masks, nested truncations)
// becomes an opaque atom that names the value to evaluate.
#ifndef ATTN_ANALYSIS_SETPREDICATE_H
#define ATTN_ANALYSIS_SETPREDICATE_H

#include "attn/Dialect/Attn/Attn.h"
#include "attn/Sets/Pred.h"

namespace attn {

inline unsigned extentVar(unsigned dim) { return 32 + dim; }
inline unsigned scalarVar(unsigned arg) { return 64 + arg; }

struct SetPredicate {
  sets::Pred pred; // normalized
  /// Opaque atoms by id: an i1 value of a `where` region, or an attn.set.mask.
  struct Opaque {
    mlir::Value condition;
    SetMaskOp mask;
  };
  std::vector<Opaque> opaques;
};

/// `set` is the set region (may be empty: all pairs) inside an op whose captured values are block arguments of the
/// enclosing kernel or program.
SetPredicate buildSetPredicate(mlir::Region &set, unsigned numBatch);

} // namespace attn

#endif
