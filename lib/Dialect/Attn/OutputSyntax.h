// Text of the clauses of attn.attend that say what comes out: normalize, class, reduce, epilogue, columns, aggregate.
#ifndef ATTN_LIB_DIALECT_ATTN_OUTPUTSYNTAX_H
#define ATTN_LIB_DIALECT_ATTN_OUTPUTSYNTAX_H

#include "Syntax.h"

namespace attn::syntax {

/// What those clauses hold while an attend is parsed.
class OutputClauses {
public:
  using Parser = mlir::OpAsmParser;

  OutputClauses(llvm::ArrayRef<llvm::StringRef> dims, unsigned numBatch, unsigned valueDim)
      : dims(dims), numBatch(numBatch), valueDim(valueDim) {}

  /// One of these clauses, its keyword being read.
  mlir::ParseResult parse(Parser &parser, llvm::StringRef clause, mlir::OperationState &result);
  static bool mayRepeat(llvm::StringRef clause);
  /// Attributes and regions, which are all there where `moreFollow`; the operands are normArgs and aggregated.
  void addTo(mlir::Builder &b, mlir::OperationState &result, bool moreFollow);
  /// The name of the axis of ranks of an output that is a topk; empty: it is none.
  llvm::StringRef rankOf(llvm::StringRef output) const;

  llvm::SmallVector<mlir::Value> normArgs, aggregated;

private:
  mlir::ParseResult normalize(Parser &parser, mlir::OperationState &result);
  mlir::ParseResult reduce(Parser &parser);
  mlir::ParseResult epilogue(Parser &parser);
  mlir::ParseResult columns(Parser &parser);
  mlir::ParseResult aggregate(Parser &parser);
  mlir::ParseResult scores(Parser &parser, unsigned count, mlir::Region &region);

  llvm::ArrayRef<llvm::StringRef> dims;
  unsigned numBatch, valueDim;
  llvm::SmallVector<mlir::Attribute> normValues, reduceNames, reduceRanks, epilogueArgs, epilogueOuts, columnNames,
      aggregateNames, aggregateMaps;
  llvm::SmallVector<int64_t> reduceKinds, reduceCounts;
  std::unique_ptr<mlir::Region> classRegion, epilogueRegion;
  std::vector<std::unique_ptr<mlir::Region>> reductions, columnRegions;
};

void printOutputClauses(mlir::OpAsmPrinter &p, AttendOp op, llvm::function_ref<void()> line);

} // namespace attn::syntax

#endif
