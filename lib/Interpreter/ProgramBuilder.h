// Makes a Program of a region: operations that reach its results, in order, and whatever of the kernel's body they use.
#ifndef ATTN_LIB_INTERPRETER_PROGRAMBUILDER_H
#define ATTN_LIB_INTERPRETER_PROGRAMBUILDER_H

#include "Bind.h"
#include "Program.h"

#include "llvm/ADT/DenseSet.h"

namespace attn::interpreter {

/// The instruction of an arith or math op whose operands and result say everything else.
std::optional<Opcode> lookupOp(llvm::StringRef name);

class ProgramBuilder {
public:
  /// `normalizer`: f32 stands for the accumulation type.
  explicit ProgramBuilder(const Problem &problem, bool normalizer = false);

  /// The program's next argument, bound to v if there is one.
  uint32_t arg(mlir::Value v = {});
  uint32_t constant(int64_t value);
  uint32_t emit(Inst inst);
  uint32_t emit(Opcode op, uint32_t a, uint32_t b = 0, uint32_t c = 0);
  /// `bad` is the register that a bad index sets.
  uint32_t load(const View &view, llvm::ArrayRef<uint32_t> indices, uint32_t bad);
  /// Truth of: `value` is an element of the list.
  uint32_t member(ListAccess list, uint32_t value, uint32_t bad);
  uint32_t random(uint32_t seed, llvm::ArrayRef<uint32_t> indices);

  /// Emits what `roots` need of the kernel's body and of `block` (may be null).
  void emitLive(mlir::Block *block, llvm::ArrayRef<mlir::Value> roots);
  uint32_t at(mlir::Value v);
  /// A region of the attend or the normalizer whose arguments were given: all that it yields.
  void emitRegion(mlir::Region &region);
  llvm::Expected<Program> finish(llvm::ArrayRef<uint32_t> results);
  /// Moves into `first` what the last argument has no part in.
  void hoist();

  const Problem &problem;

private:
  void emitBlock(mlir::Block &block, uint32_t bad);
  void emitOp(mlir::Operation *op, uint32_t bad);
  void emitSimple(mlir::Operation *op, Opcode code);
  void emitMultiple(mlir::Operation *op);
  void emitConstant(mlir::arith::ConstantOp op);
  // SetProgram.cpp
  bool emitSet(mlir::Operation *op, uint32_t bad);
  std::optional<uint32_t> emitTokenSet(mlir::Operation *op, uint32_t bad);
  void emitWhere(SetWhereOp op);
  uint32_t perBatch(mlir::Value tensor, uint32_t bad);
  uint32_t alignedQuery(Alignment alignment, mlir::Value q, mlir::Value k, uint32_t bad);
  uint32_t segmentOf(mlir::Value tensor, uint32_t token, uint32_t bad);
  uint32_t maskAt(SetMaskOp op, uint32_t bad);
  uint32_t query() const;
  uint32_t key() const;
  uint32_t equal(uint32_t a, uint32_t b);                      // set value
  uint32_t lessEqual(uint32_t a, uint32_t b, int64_t add = 0); // set value of a <= b + add
  uint32_t divide(uint32_t a, int64_t divisor);                // floordiv
  /// One register for each index of a map.
  llvm::SmallVector<uint32_t> indicesOf(mlir::AffineMap map);
  // GridSets.cpp
  struct GridToken {
    uint32_t onGrid; // set value: the token stands somewhere
    llvm::SmallVector<uint32_t, 3> at;
  };
  std::optional<uint32_t> emitGridSet(mlir::Operation *op);
  GridToken onGrid(uint32_t token, llvm::ArrayRef<int64_t> grid);
  uint32_t firstToken();
  uint32_t gridExtent(unsigned axis);
  uint32_t neighborhoodAxis(SetNeighborhoodOp op, unsigned axis, uint32_t x, uint32_t y);
  uint32_t haloAxis(SetHaloOp op, unsigned axis, uint32_t x, uint32_t y);
  // ListSets.cpp
  std::optional<uint32_t> emitListSet(mlir::Operation *op, uint32_t bad);
  uint32_t csrRow(SetCsrOp op, uint32_t bad);
  uint32_t bitOf(SetBitsOp op, uint32_t bad);
  uint32_t randomBlock(SetRandomBlocksOp op, uint32_t bad);
  void emitMember(MemberOp op, uint32_t bad);

  std::optional<Format> floatFormat(mlir::Type type) const;
  void fail(const llvm::Twine &message);

  bool normalizer;
  Program program;
  llvm::DenseMap<mlir::Value, uint32_t> registers;
  llvm::DenseSet<mlir::Operation *> live;
  std::string message;
};

/// Batch indices, query, key -> SetValue. Without a region: all pairs.
llvm::Expected<Program> buildSet(const Problem &problem);
/// Score, batch indices, query, key -> score. The region may be empty.
llvm::Expected<Program> buildScore(const Problem &problem);

} // namespace attn::interpreter

#endif
