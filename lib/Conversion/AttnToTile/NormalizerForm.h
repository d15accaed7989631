// The regions of a normalizer as lowering needs them (see PassForm.h).
//
// What regions capture, parameters of the normalizer and statistics of earlier passes, are constants, scalars of the
// call, or numbers of the rows, which a region takes as its last arguments ("given").
#ifndef ATTN_LIB_CONVERSION_ATTNTOTILE_NORMALIZERFORM_H
#define ATTN_LIB_CONVERSION_ATTNTOTILE_NORMALIZERFORM_H

#include "attn/Dialect/Attn/PassForm.h"

namespace attn {

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
