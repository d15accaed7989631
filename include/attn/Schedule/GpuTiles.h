//===- GpuTiles.h - What one CTA holds --------------------------------------===//
//
// A CTA takes `rows` queries, 16 to a warp, against blocks of `keys` keys. Queries, keys and values lie in shared
// memory as 16-bit numbers, features padded to whole steps of 16 and each row followed by 16 bytes, so that the eight
// rows that an ldmatrix reads begin in eight different groups of four banks.
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
// Registers. A thread holds, of each of its two rows, a quarter of the scores and of the accumulators: keys / 2 and
// values / 2 numbers. Accumulators of more than `sliceFeatures` value features do not fit: CTAs of their own take the
// rest and compute the scores again.
//
//===----------------------------------------------------------------------===//
#ifndef ATTN_SCHEDULE_GPUTILES_H
#define ATTN_SCHEDULE_GPUTILES_H

#include "attn/Dialect/Attn/Attn.h"

namespace attn {

struct GpuTiles {
  int64_t rows = 64, keys = 64; // of a CTA, of a block
  int64_t dot = 0, value = 0;   // features: contracted ones, of a value slice
  int64_t allValues = 0, slices = 1;
  int64_t planesQ = 1, planesK = 1, planesV = 1, planesP = 1;
  bool f16 = false;   // the 16-bit format; else bf16
  int64_t stages = 1; // blocks of keys in shared memory: 2 where the next one is copied while one is used
  bool whole = true;  // products on tensor cores; else element by element in f32

  static constexpr int64_t sliceFeatures = 128;
  static int64_t pad(int64_t features) { return (features + 15) / 16 * 16; }

  /// Whether fragments of the queries stay in registers, 4 for 16 features.
  bool keepsQueries() const { return planesQ == 1 && planesK == 1 && pad(dot) <= 128; }
  int64_t warps() const { return rows / 16; }
  int64_t threads() const { return rows * 2; }
  int64_t dotRowBytes() const { return pad(dot) * 2 + 16; }
  int64_t valueRowBytes() const { return pad(value) * 2 + 16; }
  // Shared memory, in bytes from its start; keys and values are those of the first stage. A query or key that is absent
  // for an index of its own has two words, why and which index.
  int64_t q(int64_t plane = 0) const { return plane * rows * dotRowBytes(); }
  int64_t k(int64_t plane = 0) const { return q(planesQ) + plane * keys * dotRowBytes(); }
  int64_t v(int64_t plane = 0) const { return k(planesK) + plane * keys * valueRowBytes(); }
  int64_t stageBytes() const { return keys * (planesK * dotRowBytes() + planesV * valueRowBytes()); }
  int64_t weights() const {
    return k() + stages * stageBytes();
  } // f32 [rows][keys], where products go element by element
  int64_t queryAbsent() const { return weights() + rows * keys * 4; }
  int64_t keyAbsent() const { return queryAbsent() + rows * 16; }
  int64_t flags() const { return keyAbsent() + keys * 16; } // i32 a warp
  int64_t sharedBytes() const { return flags() + 64; }

  mlir::Attribute toAttr(mlir::Builder &b) const;
  static GpuTiles fromAttr(mlir::Attribute attr);
  /// Of an attend: as many rows and keys as `sharedLimit` bytes hold; `rows`, `keys`: forced, or 0.
  static GpuTiles choose(AttendOp op, int64_t sharedLimit, int64_t rows, int64_t keys);
};

} // namespace attn

#endif
