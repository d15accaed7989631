// The attn dialect: what an attention computes.
#ifndef ATTN_DIALECT_ATTN_ATTN_H
#define ATTN_DIALECT_ATTN_ATTN_H

#include "attn/Support/MLIR.h"

#include "attn/Dialect/Attn/AttnDialect.h.inc"
#include "attn/Dialect/Attn/AttnEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "attn/Dialect/Attn/AttnAttrs.h.inc"
#define GET_TYPEDEF_CLASSES
#include "attn/Dialect/Attn/AttnTypes.h.inc"
#define GET_OP_CLASSES
#include "attn/Dialect/Attn/AttnOps.h.inc"

namespace attn {

/// The normalizer that `attend` uses: the module's own symbol.
NormalizerOp lookupNormalizer(AttendOp attend);

/// Where an output of an attend comes from.
struct OutputSource {
  enum Kind { Finish, Reduction, Epilogue, Weights, Column, Aggregate };
  Kind kind;
  unsigned index;     // among the finish's results, the reductions, ..
  bool perFeature;    // one number for each value feature
  bool needsValues;   // depends on a sum of values
  double empty = 0.0; // of a row without any present pair (Finish, Weights); epilogues compute theirs
};
/// By name: results of the epilogue, reductions, columns, aggregates, p, results of the finish. None: no such output.
std::optional<OutputSource> findOutput(AttendOp attend, NormalizerOp normalizer, llvm::StringRef name);
/// Of every result; the normalizer is linked and everything verified.
llvm::SmallVector<OutputSource> outputSources(AttendOp attend);

/// Text of the built-in normalizers, in the dialect's own syntax.
llvm::StringRef normalizerLibraryText();
/// Their names, in the order of the text.
llvm::SmallVector<llvm::StringRef> normalizerLibraryNames();

/// Adds to the module the built-in normalizers that its attends use and it does not define itself.
mlir::LogicalResult linkNormalizers(mlir::ModuleOp module);

std::unique_ptr<mlir::Pass> createAttnLinkNormalizersPass();

/// The only attend of a kernel that computes its results directly, or null with an error (rule kernel_s1).
AttendOp getSingleAttend(KernelOp kernel);

} // namespace attn

#endif
