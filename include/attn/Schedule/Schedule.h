// Chooses how an attend runs and writes it on the op as data: the attribute `attn.schedule`, an ordered list of
// variants. It never rewrites computation.
//
// A variant is {name, block_rows, task_rows, block_keys, tile_rows, tile_keys, threshold}, see tile.variant, and
// `gather` where the keys go by a list of the set, `gather_tasks` where every block of queries goes by one of its own,
// whose tasks put the listed keys in order and pack them themselves, the extents of `boxes` where queries and keys go
// by boxes of their grids, `rows` where every query goes by a list of its own and keys are read where they lie,
// `together` where the queries of all heads that share keys are rows of the same blocks, or `chunks`, how many runs of
// the keys are tasks of their own; `few`: of so many queries or less, whose keys are read where they lie. Of several
// variants the first is taken whose guard, a rule on the call's extents, holds.
//
// Where the target multiplies bf16 (`bf16Dot`), `bf16_scores` says that queries and keys stay bf16 and are multiplied
// so, `bf16_values` that values do and that weights are rounded to bf16 to meet them, `coarse_weights` that nothing
// else shows them: all outputs are bf16. Variants that read keys where they lie convert in registers as ever: memory
// bounds them. `tiles`: those products are made on tiles of AMX, 32 rows at a time; strips are then what the vectors of
// scores of fit into registers, four of which share a product. Where the target has tiles and they cannot be used,
// products are of f32, which its vectors multiply at twice the rate.
//
// For GPUs a variant has `gpu`, the sizes of GpuTiles.h, and no other choice than whether keys are split; `together`
// where the queries of all heads that share keys are rows of the same CTAs, which all variants then have.
//
// Split keys: which normalizers can be split follows from their form, one pass whose states merge, or a selection.
// Those of several steps have no split variant (a later sweep needs what an earlier one found over all keys), nor have
// keys that go by an order or by lists of the queries (what is listed is rarely long).
#ifndef ATTN_SCHEDULE_SCHEDULE_H
#define ATTN_SCHEDULE_SCHEDULE_H

#include "attn/Schedule/GpuTiles.h"

namespace attn {

inline constexpr llvm::StringLiteral kScheduleAttr = "attn.schedule";
inline constexpr llvm::StringLiteral kGatherAttr = "gather", kBoxesAttr = "boxes", kRowsAttr = "rows",
                                     kChunksAttr = "chunks", kSideAttr = "side", kTogetherAttr = "together",
                                     kFewAttr = "few", kGpuAttr = "gpu", kBf16ScoresAttr = "bf16_scores",
                                     kBf16ValuesAttr = "bf16_values", kTilesAttr = "tiles",
                                     kGatherTasksAttr = "gather_tasks", kCoarseWeightsAttr = "coarse_weights";
/// On a pack phase: where one task has all queries of its keys, the task packs them block by block, and the launch does
/// nothing.
inline constexpr llvm::StringLiteral kAloneAttr = "alone";
/// On an attend, and on the program it becomes, whose scores share values (branchOf): the batch dimension and its
/// extent.
inline constexpr llvm::StringLiteral kBranchAttr = "attn.branch";
/// On a GPU kernel: what the schedule says that a thread and a CTA need of it, and how many CTAs then fit.
inline constexpr llvm::StringLiteral kResourcesAttr = "attn.resources";
/// So many queries, or fewer, of every head are rows of a block together with those of the heads that share their keys.
inline constexpr int64_t kTogetherQueries = 16;
/// Rows whose products are made together on tiles, and rows of a strip there: 8 rows of two vectors leave room for the
/// constants of their exponentials.
inline constexpr int64_t kTileGroupRows = 32, kTileStripRows = 8;

/// In which order tokens of a grid are walked. Auto: boxes where a set over a grid of two axes and more bounds the
/// keys.
enum class TokenOrder { Auto, Raster, Boxes };

struct ScheduleRequest {
  int64_t vectorBytes = 32; // of the target
  int64_t vectorRegisters = 16;
  int64_t l2Bytes = 512 << 10;
  int64_t blockRows = 0, blockKeys = 0; // 0: chosen here
  TokenOrder tokenOrder = TokenOrder::Auto;
  int64_t splitKeys = 0;                        // so many chunks of the keys, always; 0: chosen here
  bool bf16Dot = false;                         // the target multiplies two bf16 and adds in f32
  bool tiles = false;                           // it does so on tiles too
  int64_t sharedBytes = 0;                      // of a CTA of an NVIDIA GPU; 0: the target is a CPU
  F32Products f32Products = F32Products::Split; // of GPUs
};

/// Why the keys of an attend cannot be split into chunks; empty: they can.
std::string whyUnsplit(AttendOp attend, TokenOrder tokenOrder = TokenOrder::Auto);

/// Why the tasks of a block of queries do not gather the keys of its list (listOfBlocks); empty: they do.
std::string whyNotGathered(AttendOp attend, TokenOrder tokenOrder = TokenOrder::Auto);

/// Why the operands of scores, or of sums of values, cannot stay bf16 where the target multiplies such; empty: they do.
std::string whyNotBf16Scores(AttendOp attend);
std::string whyNotBf16Values(AttendOp attend);
/// Why neither of these products is made on tiles, where the target has them; empty: they are.
std::string whyNotTiles(AttendOp attend);

std::unique_ptr<mlir::Pass> createAttnSchedulePass(ScheduleRequest request = {});

} // namespace attn

#endif
