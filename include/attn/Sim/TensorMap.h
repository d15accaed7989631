//===- TensorMap.h - What a TMA copy knows of its tensor -------------------------===//
//
// A tensor of rank 1 to 5 in global memory and a box of it, as cuTensorMapEncodeTiled takes them (no interleave).
// Dimension 0 is the contiguous one everywhere. A copy moves ceil(box[i] / elementStrides[i]) elements along dimension
// i, element n of dimension i from coordinate c[i] + n elementStrides[i] (dimension 0 always with stride 1); outside of
// 0..dims[i]-1 in any dimension a load fills and a store writes nothing. In shared memory rows follow each other
// densely, but one row a swizzle span where that is longer; then chunks of 16 bytes move by the swizzle of the absolute
// address.
//
//===----------------------------------------------------------------------===//
#ifndef ATTN_SIM_TENSORMAP_H
#define ATTN_SIM_TENSORMAP_H

#include <cstdint>
#include <string>
#include <vector>

namespace attn::sim {

struct TensorMap {
  uint32_t elementBytes = 2;
  std::vector<uint64_t> dims, strides; ///< strides in bytes, of dimensions 1 and on
  std::vector<uint32_t> box, elementStrides;
  uint32_t swizzle = 0; ///< 0, 32, 64, 128
  bool fillNan = false;
  uint64_t address = 0; ///< of the tensor; a launch sets it from `buffer`
  size_t buffer = 0;    ///< index of the argument that holds the tensor
  uint64_t offset = 0;  ///< of the tensor in that buffer, bytes

  /// The first rule of the encoder that is broken, or nothing.
  std::string problem() const;
  uint64_t rowBytes() const { return uint64_t(box[0]) * elementBytes; }
  uint64_t rowPitch() const { return rowBytes() > swizzle ? rowBytes() : swizzle; }
  uint64_t rows() const;
  uint64_t transactionBytes() const { return rows() * rowBytes(); }
};

} // namespace attn::sim

#endif
