// What the values of a region over pairs depend on, and so how often they have to be computed.
//
// A score region is text for one pair (i, j), but much of it is the same for many pairs: what depends on i alone for a
// row, on j alone for a column, on j - i alone for a diagonal (a table of relative positions). Such values are computed
// once for each and kept; only the rest is code of every pair.
#ifndef ATTN_ANALYSIS_PAIRPARTS_H
#define ATTN_ANALYSIS_PAIRPARTS_H

#include "attn/Dialect/Attn/Attn.h"

namespace attn {

/// What a value depends on beside batch indices and captured values.
enum class PairUse : uint8_t {
  None,
  Query,
  Key,
  Difference, // i and j, but through j - i alone
  Pair,       // i and j in any other way
  Score       // the product
};

class PairParts {
public:
  /// Of a region whose first argument is the score; `query` and `key` are the numbers of the arguments i and j.
  PairParts(mlir::Block &block, unsigned query, unsigned key);

  PairUse use(mlir::Value v) const;

  /// Largest values without the score that depend on less than a pair and cost more than a load, in the text's order.
  llvm::SmallVector<mlir::Value> parts;

  /// A load of a pair whose index along one axis is j plus what depends on i alone: a row of it is contiguous where
  /// that axis is.
  struct RowLoad {
    LoadOp load;
    unsigned axis;
    bool isBare; // that index is j itself
  };
  llvm::SmallVector<RowLoad> rowLoads;

  /// What the score rises by from key to key beside the product, times anything positive: key * factor. None where that
  /// is not one linear part of a sum.
  struct Slope {
    int64_t key;
    mlir::Value factor; // depends on neither query nor key; null: 1
  };
  std::optional<Slope> slope;

  /// All that is left for a pair is a few cheap operations and row loads: code for all vectors of a microtile at once.
  bool isLight = true;

private:
  /// The value is factor (query i + key j) and something that depends on neither; null: a factor of 1.
  struct Affine {
    int64_t query, key;
    mlir::Value factor;
    bool exact = true; // of integers: modulo 2^64
    bool small = true; // and far from its ends
  };
  std::optional<Affine> affineOf(mlir::Operation *op) const;
  PairUse useOf(mlir::Operation *op) const;
  void findParts();
  void findSlope();
  bool isWorthKeeping(mlir::Value v) const;
  bool isRowLoad(mlir::Operation *op);

  mlir::Block &block;
  unsigned key;
  llvm::DenseMap<mlir::Value, PairUse> uses;
  llvm::DenseMap<mlir::Value, Affine> affine;
};

/// --attn-print-pair-parts: a remark for every part of every score region, for tests.
std::unique_ptr<mlir::Pass> createAttnPrintPairPartsPass();

} // namespace attn

#endif
