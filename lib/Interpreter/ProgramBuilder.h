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

  /// Emits what `roots` need of the kernel's body and of `block` (may be null).
  void emitLive(mlir::Block *block, llvm::ArrayRef<mlir::Value> roots);
  uint32_t at(mlir::Value v);
  /// A region of the attend or the normalizer whose arguments were given: all that it yields.
  void emitRegion(mlir::Region &region);
  llvm::Expected<Program> finish(llvm::ArrayRef<uint32_t> results);

  const Problem &problem;

private:
  void emitBlock(mlir::Block &block, uint32_t bad);
  void emitOp(mlir::Operation *op, uint32_t bad);
  void emitSimple(mlir::Operation *op, Opcode code);
  void emitMultiple(mlir::Operation *op);
  void emitConstant(mlir::arith::ConstantOp op);
  // SetProgram.cpp
  bool emitSet(mlir::Operation *op, uint32_t bad);
  void emitWhere(SetWhereOp op);
  uint32_t perBatch(mlir::Value tensor, uint32_t bad);
  uint32_t alignedQuery(Alignment alignment, mlir::Value q, mlir::Value k, uint32_t bad);
  uint32_t segmentOf(mlir::Value tensor, uint32_t token, uint32_t bad);
  uint32_t maskAt(SetMaskOp op, uint32_t bad);

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
