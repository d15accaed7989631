//===- GpuTiles.h - What one CTA holds --------------------------------------===//
//
// A CTA takes `rows` queries, 16 to a warp, against blocks of `keys` keys: of one head, or of all that share keys,
// query by query. Queries, keys and values lie in shared memory as 16-bit numbers (attn/Layout/SharedRows.h, and
// SharedMap.h for what lies where). Sizes are chosen here; --tile-place says by them where each tile is held.
//
// Precision. Tensor cores multiply 16-bit numbers exactly and add in f32. Operands that all are bf16, or all f16, are
// used as they are: one plane. An f32 is the sum of three bf16 of 8 significant bits each,
//
//     x = hi + mid + lo       hi = x without its low 16 bits, mid the same of x - hi, lo = x - hi - mid
//
// exactly (24 bits), and a product of two of them is six products of planes: those whose numbers add up to 2 or less,
// what is left out is below 2^-24 of the product. Other types are widened to f32 first. Weights are one plane where
// values and output have 16 bits, three elsewhere.
//
// Products of f32 that are asked for in tf32 (`F32Products`) have one plane of 32-bit words instead, of all operands
// and of the weights: each is rounded to 11 significant bits, when it is staged or, a weight, when it meets its value.
// Two of them are multiplied exactly. Rows then are f32s, features padded to 16 as ever and 16 bytes behind them, so
// that again eight rows begin in eight different groups of banks.
//
// Registers. A thread holds, of each of its two rows, a quarter of the accumulators and of the scores. The sum of
//
//     accumulators   values / 2 of each sum of values
//     scores         keys / 2
//     products       what the larger product needs besides: fragments of all planes of one operand and of one of the
//                    other, sums that are still apart; weights of each sum of values and their planes
//     loads          where operands are converted: what is on its way from memory
//     addresses      and all the rest: numbers of rows and of the sets
//
// is what a kernel is given (`.minnctapersm` says it to ptxas as the CTAs that then fit beside one another), and where
// it is more than a thread has, value features are divided into slices: CTAs of their own, which compute the scores
// again. It is an estimate: ptxas takes up to 100 fewer where a program has little to say about a pair, and a few more
// where there is room. scripts/gpu-resources compares the two over the gallery.
//
//===----------------------------------------------------------------------===//
#ifndef ATTN_SCHEDULE_GPUTILES_H
#define ATTN_SCHEDULE_GPUTILES_H

#include "attn/Dialect/Attn/Attn.h"
#include "attn/Layout/FragmentLayout.h"
#include "attn/Layout/SharedMap.h"

#include <algorithm>

namespace attn {

/// How tensor cores multiply f32: as six products of bf16 parts, or rounded to tf32.
enum class F32Products { Split, Tf32 };

struct GpuTiles {
  int64_t rows = 64, keys = 64; // of a CTA, of a block
  int64_t dot = 0, value = 0;   // features: contracted ones, of a value slice
  int64_t allValues = 0, slices = 1;
  int64_t planesQ = 1, planesK = 1, planesV = 1, planesP = 1;
  bool f16 = false;   // the 16-bit format; else bf16
  int64_t stages = 1; // blocks of keys in shared memory: 2 where the next one is copied while one is used
  bool whole = true;  // products on tensor cores; else element by element in f32
  int64_t accs = 1;   // sums of values
  bool tf32 = false;  // operands in shared memory, and weights, are f32s rounded to tf32

  static constexpr int64_t sliceFeatures = 128, mostRegisters = 255, otherRegisters = 110;
  static int64_t pad(int64_t features) { return layout::SharedRows::padded(features); }

  /// Whether fragments of the queries may stay in registers, 4 for 32 bytes of features.
  bool keepsQueries() const { return planesQ == 1 && planesK == 1 && shared().q.rows.steps() <= 8; }
  int64_t warps() const { return rows / 16; }
  int64_t threads() const { return rows * 2; }
  int64_t elementBytes() const { return tf32 ? 4 : 2; }
  /// Features, or keys, of one product on tensor cores.
  int64_t depth() const { return tf32 ? 8 : 16; }
  layout::SharedMap shared() const {
    int64_t bytes = elementBytes();
    return {{rows, dot, bytes}, planesQ, {keys, dot, bytes}, planesK, {keys, value, bytes}, planesV, stages};
  }
  int64_t sharedBytes() const { return shared().bytes; }

  // Registers of a thread.
  int64_t accumulatorRegisters() const { return accs * layout::FragmentLayout::accumulator(pad(value)).registers(); }
  int64_t scoreRegisters() const { return layout::FragmentLayout::accumulator(keys).registers(); }
  /// Fragments that --tile-place has: queries by steps of 16 features, weights by plane.
  int64_t productRegisters() const {
    const int64_t bits = 8 * elementBytes(), right = layout::MatrixLoad::registers;
    const int64_t step = layout::FragmentLayout::left(bits, depth()).registers();
    int64_t ofScores = step * planesQ + right + (planesQ + planesK > 2 ? keys : 0);
    int64_t ofWeights = planesP * layout::FragmentLayout::left(bits, keys).registers();
    int64_t ofValues = accs ? accs * scoreRegisters() + ofWeights + right + (planesP + planesV > 2 ? 16 : 8) : 0;
    return std::max(ofScores, ofValues);
  }
  /// Eight features on their way from memory, as f32 and as planes; or four.
  int64_t loadRegisters() const { return planesK > 1 || planesV > 1 ? 28 : tf32 ? 12 : 0; }
  int64_t registers() const {
    return accumulatorRegisters() + scoreRegisters() + productRegisters() + loadRegisters() + otherRegisters;
  }
  /// CTAs that a multiprocessor holds: by registers, which are given out by eights, and by shared memory, of which each
  /// CTA takes 1 KiB more and a multiprocessor has 1 KiB more than one CTA can ask for.
  int64_t ctas(int64_t sharedLimit) const {
    constexpr int64_t all = 65536, kib = 1024;
    int64_t byRegisters = all / (threads() * ((std::min(registers(), mostRegisters) + 7) / 8 * 8));
    return std::clamp<int64_t>(std::min(byRegisters, (sharedLimit + kib) / (sharedBytes() + kib)), 1, 16);
  }

  mlir::Attribute toAttr(mlir::Builder &b) const;
  static GpuTiles fromAttr(mlir::Attribute attr);
  /// Of an attend: as many rows and keys as `sharedLimit` bytes hold; `rows`, `keys`: forced, or 0.
  static GpuTiles choose(AttendOp op, int64_t sharedLimit, int64_t rows, int64_t keys, F32Products f32Products);
};

} // namespace attn

#endif
