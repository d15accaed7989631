// The regions of a normalizer as lowering needs them: they speak of the distance d = s - r instead of s and r, in base
// 2 where weights are exponentials of d.
//
// Every pass with a reference must use the score only through s - r (then a kernel may keep scores relative to a stale
// reference); the reference may stand alone too:
//
//     phi(s, r) = phi'(s - r, r)        gauge(r0, r1) = gauge'(r0 - r1)
//
// Where each use of d and of r in both is exp(d), exp(r) or exp(-r), scores are kept times log2 e and exp becomes exp2:
// one multiplication, joined with the scale in one factor, instead of one more a pair.
//
// What regions capture, parameters of the normalizer and statistics of earlier passes, are constants, scalars of the
// call, or numbers of the rows, which a region takes as its last arguments ("given").
#ifndef ATTN_LIB_CONVERSION_ATTNTOTILE_NORMALIZERFORM_H
#define ATTN_LIB_CONVERSION_ATTNTOTILE_NORMALIZERFORM_H

#include "attn/Dialect/Attn/Attn.h"

namespace attn {

struct PassForm {
  PassOp pass;
  bool hasRef = false, base2 = false;
  bool usesRef = false; // phi uses the reference beside s - r
};
mlir::FailureOr<PassForm> analyzePass(PassOp pass);

class RegionBuilder {
public:
  RegionBuilder(mlir::OpBuilder &b, mlir::FloatType real) : b(b), real(real) {}

  /// What a captured value of the normalizer is.
  void bindConstant(mlir::Value v, double x) { constants[v] = x; }
  void bindScalar(mlir::Value v, mlir::Value programArgument) { scalars[v] = programArgument; }
  void bindRow(mlir::Value v, mlir::Value tile) { rows.push_back({v, tile}); }
  llvm::SmallVector<mlir::Value> given() const;

  // Each fills a region that ends with tile.yield.
  /// (d, given..) or (d, r, given..); without reference (s, given..).
  void phi(const PassForm &form, mlir::Region &region);
  /// (r0 - r1)
  void gauge(const PassForm &form, mlir::Region &region);
  /// (given..) -> reference in the kernel's units, then the numbers of `sums`, or 0 for kZero.
  static constexpr unsigned kZero = ~0u;
  void seed(const PassForm &form, mlir::Region &region, llvm::ArrayRef<unsigned> sums);
  /// The arguments of `from`, then given; `reference`, if there is one, arrives in the kernel's units.
  void plain(mlir::Region &from, mlir::Region &region, bool base2, int reference);
  /// Clones a body into the current place, with captured values; returns what it yields. `map` has its arguments.
  llvm::SmallVector<mlir::Value> inlined(mlir::Block &body, mlir::IRMapping &map, mlir::ValueRange givenArgs);
  /// From the kernel's units to those of the text.
  mlir::Value natural(mlir::Value v, bool base2);

private:
  mlir::Block *open(mlir::Region &region, unsigned numbers, mlir::Location loc);
  void bindGiven(mlir::IRMapping &map, mlir::ValueRange givenArgs);

  mlir::OpBuilder &b;
  mlir::FloatType real;
  llvm::MapVector<mlir::Value, double> constants;
  llvm::MapVector<mlir::Value, mlir::Value> scalars;
  llvm::SmallVector<std::pair<mlir::Value, mlir::Value>> rows;
};

} // namespace attn

#endif
