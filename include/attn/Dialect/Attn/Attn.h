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

/// How many consecutive indices of batch dimension `dim` give the same element of the operand: the divisor under which
/// map and region use it, 0 if neither does, 1 if it stands bare.
int64_t batchShare(const AttendOp::Operand &operand, unsigned dim);

/// The ops of a region on whose results what it yields depends, in order.
llvm::SmallVector<mlir::Operation *> usedOps(mlir::Block &block);

/// Where an output of an attend comes from.
struct OutputSource {
  enum Kind { Finish, Reduction, Epilogue, Weights, Column, Aggregate, LogSumExp };
  Kind kind;
  unsigned index;     // among the finish's results, the reductions, ..
  bool perFeature;    // one number for each value feature
  bool needsValues;   // depends on a sum of values
  double empty = 0.0; // of a row without any present pair (Finish, Weights); epilogues compute theirs
};
/// By name: results of the epilogue, reductions, columns, aggregates, p, results of the finish, and lse, of the scores,
/// where nothing else has that name. None: no such output.
std::optional<OutputSource> findOutput(AttendOp attend, NormalizerOp normalizer, llvm::StringRef name);
/// Of every result; the normalizer is linked and everything verified.
llvm::SmallVector<OutputSource> outputSources(AttendOp attend);

/// What a normalizer's seed is to an lse that it has no output for: nothing, a score of r + log l, with r its reference
/// and l its number for a sum of the pass, or something that no rule says.
struct LseSeed {
  enum Kind { None, Score, Unknown } kind = None;
  PassOp pass;
  unsigned sum = 0;
};
LseSeed lseSeedOf(NormalizerOp normalizer);
/// Whether an output or the epilogue takes an lse that the normalizer has no output for.
bool asksForLse(AttendOp attend, NormalizerOp normalizer);

/// The reduction topk that an output stores; its map has the rank, a symbol, as its last index. None: it is no such
/// one.
std::optional<unsigned> topkOf(AttendOp attend, llvm::StringRef output);
/// A dimension's position that stands for the rank where dimensions of an output's map are listed.
inline constexpr unsigned kRankDim = 1u << 30;

/// Text of the built-in normalizers, in the dialect's own syntax.
llvm::StringRef normalizerLibraryText();
/// Their names, in the order of the text.
llvm::SmallVector<llvm::StringRef> normalizerLibraryNames();

/// Adds to the module the built-in normalizers that its attends use and it does not define itself. Repeated steps are
/// written out before.
mlir::LogicalResult linkNormalizers(mlir::ModuleOp module);

std::unique_ptr<mlir::Pass> createAttnLinkNormalizersPass();
std::unique_ptr<mlir::Pass> createAttnExpandColumnsPass();
/// An output lse of a normalizer that has none becomes a statistic of a pass in front of the others.
std::unique_ptr<mlir::Pass> createAttnExpandLsePass();
/// Writes out the steps of every attn.repeat.
mlir::LogicalResult expandRepeats(mlir::ModuleOp module);

/// On an attend that --attn-expand-columns made: its queries are the keys of the text, so that what sets name by query
/// and key is meant the other way round; indices of maps and regions are the attend's own.
inline constexpr llvm::StringLiteral kExchanged = "attn.exchanged";
/// On a normalizer whose finish yields the state of rows for it: the finish depends on the reference, as it should.
inline constexpr llvm::StringLiteral kExportsState = "attn.exports_state";

/// The only attend of a kernel that computes its results directly, or null with an error (rule kernel_s1).
AttendOp getSingleAttend(KernelOp kernel);

/// Whether the built-in library has a normalizer of this name.
bool isLibraryNormalizer(llvm::StringRef name);

/// A normalizer whose o and lse say all of its state: (r, l, n) = (lse, 1, o).
struct MergeForm {
  PassOp pass;
  FinishOp finish;
  unsigned one = 0, value = 0; // among the sums
  unsigned out = 0, lse = 0;   // among the finish's results
};
/// None: `why` completes "it ..".
std::optional<MergeForm> mergeForm(NormalizerOp normalizer, std::string &why);
/// Rules merge_c4 and merge_c7, of the normalizer itself.
mlir::LogicalResult verifyMergeable(MergeOp op, NormalizerOp normalizer);
/// Writes every merge of the module, whose normalizers are linked, as maps.
mlir::LogicalResult expandMerges(mlir::ModuleOp module);
std::unique_ptr<mlir::Pass> createAttnExpandMergePass();

/// attn.attend, attn.map, attn.merge, attn.call: what computes in a kernel whose repeated steps are written out.
bool isStep(mlir::Operation *op);
/// Steps in order; verifySteps holds.
llvm::SmallVector<mlir::Operation *> stepsOf(KernelOp kernel);
/// A kernel has one step or more and nothing else, and returns results of steps, each once (rule kernel_s1).
mlir::LogicalResult verifySteps(KernelOp kernel);
/// The step of a kernel that has one and returns all its results in order, else null: such a kernel needs no splitting.
mlir::Operation *getSingleStep(KernelOp kernel);
/// Kernels that need it are split into private kernels of one step each, and call them.
std::unique_ptr<mlir::Pass> createAttnSplitKernelPass();
/// A module with the normalizers and one kernel, which is the step alone and returns all its results. Its arguments are
/// what the step uses of its kernel, `captured`: arguments of the kernel in their order, then results of other steps.
mlir::OwningOpRef<mlir::ModuleOp> isolateStep(mlir::Operation *step, llvm::StringRef name,
                                              llvm::SmallVectorImpl<mlir::Value> &captured);

} // namespace attn

#endif
