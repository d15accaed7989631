// Integers of a region that follow from the feature index alone, known lane by lane when code is made.
//
// A vector holds the features c0 .. c0 + lanes - 1 of a token. Where c0 is a constant every such integer is one in
// every lane; where code loops over features it is a run-time multiple of something plus a constant in every lane, as
// long as the arithmetic on it agrees with that (divisions and bits below the multiple). What remains is computed.
#ifndef ATTN_LIB_CONVERSION_TILETOVECTOR_FEATURELANES_H
#define ATTN_LIB_CONVERSION_TILETOVECTOR_FEATURELANES_H

#include "attn/Conversion/Emit.h"

namespace attn {

struct FeatureLanes {
  llvm::SmallVector<int64_t> at; // one a lane
  mlir::Value base;              // i64, added to each; null: 0
  int64_t multiple = 1;          // base is one of it,
  int64_t most = 0;              // and no more than this

  bool isUniform() const { return llvm::all_equal(at); }
  int64_t least() const { return *llvm::min_element(at); }
  int64_t greatest() const { return *llvm::max_element(at); } // of the lanes' constants
};

/// The result of an integer op whose operands are all known so; i1 counts as 0 and 1. Nothing where its value cannot
/// be told, or is none without the target's help. `e` is null where no code is made: then there is no base.
std::optional<FeatureLanes> foldLanes(mlir::Operation *op, llvm::ArrayRef<FeatureLanes> operands, Emit *e);

/// The same number in every lane.
FeatureLanes uniformLanes(int64_t value, int64_t lanes);

} // namespace attn

#endif
