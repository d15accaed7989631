// The oracle for kernels of one or more steps: every step as written, one after the other.
//
// A result that a later step reads is computed completely and stored in its declared type, as the kernel stores it; so
// bf16 there is rounded once in both evaluations. Double and Plain each read their own intermediate results. A step is
// computed row by row: a row of an attend is a query of one batch, one of a merge has one lse, and a row of a map runs
// along the last axis of its result.
#ifndef ATTN_INTERPRETER_STEPS_H
#define ATTN_INTERPRETER_STEPS_H

#include "attn/Interpreter/Interpreter.h"

namespace attn::interpreter {

/// One row of every result of a step; nothing for those that have rows of another kind. `integers` holds those of an
/// integer result, which doubles would round.
struct StepRow {
  struct Values {
    std::vector<double> numbers;
    std::vector<int64_t> integers;
  };
  std::vector<Values> results;
  bool empty = false; // of an attend: no visible pair
  bool badIndex = false;
};

/// For one thread at a time.
class Steps {
public:
  /// As Interpreter::create; binds nothing yet, for a step's shapes may follow from results before it.
  static llvm::Expected<std::unique_ptr<Steps>> create(KernelOp kernel, llvm::ArrayRef<attn_tensor> args,
                                                       llvm::ArrayRef<attn_scalar> params,
                                                       Products products = Products::F32);
  virtual ~Steps() = default;

  virtual llvm::ArrayRef<mlir::Operation *> steps() const = 0;
  /// The step and its result that the kernel returns as number `result`.
  virtual std::pair<unsigned, unsigned> source(unsigned result) const = 0;

  /// Computes what the step reads and binds it. Errors are those of Interpreter::create. Everything below needs it.
  virtual llvm::Error prepare(unsigned step, Precision precision) = 0;
  /// Of every dimension of the step.
  virtual llvm::ArrayRef<int64_t> extents(unsigned step) const = 0;
  /// Whether the rows of a result are keys: columns and aggregates of an attend.
  virtual bool isOverKeys(unsigned step, unsigned result) const = 0;
  virtual int64_t rows(unsigned step, bool overKeys = false) const = 0;
  /// Indices by dimension at the first element of a row.
  virtual llvm::SmallVector<int64_t> indicesAt(unsigned step, int64_t row, bool overKeys = false) const = 0;
  /// How the step's result is indexed by its dimensions, and the dimension along which a row runs (-1: one element).
  virtual mlir::AffineMap map(unsigned step, unsigned result) const = 0;
  virtual int along(unsigned step, unsigned result) const = 0;
  /// A row over keys needs all rows of its batch element; those of one batch element are best asked for together.
  virtual StepRow row(unsigned step, int64_t row, Precision precision, bool overKeys = false) = 0;
  /// The interpreter of a step that is an attend, of its `isolated` kernel; null for others.
  virtual Interpreter *attend(unsigned step, Precision precision) = 0;

  /// A result of a step that was computed as `prepare` needed it; data is null otherwise.
  virtual attn_tensor tensor(mlir::Value value, Precision precision) const = 0;
  /// Whether an index was out of bounds in what `prepare` computed.
  virtual bool badIndex() const = 0;
};

} // namespace attn::interpreter

#endif
