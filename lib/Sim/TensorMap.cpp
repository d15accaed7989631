// Rules and sizes of tensor maps.
#include "attn/Sim/TensorMap.h"

using namespace attn::sim;

std::string TensorMap::problem() const {
  const size_t rank = dims.size();
  if (rank < 1 || rank > 5 || box.size() != rank || elementStrides.size() != rank || strides.size() != rank - 1)
    return "rank must be 1..5, the same for sizes, box and element strides, and one stride less";
  if (address % 16)
    return "global address must be a multiple of 16";
  for (const uint64_t d : dims)
    if (d < 1 || d > uint64_t(1) << 32)
      return "dimension sizes must be 1..2^32";
  for (const uint64_t s : strides)
    if (s % 16 || s >= uint64_t(1) << 40)
      return "strides must be multiples of 16 below 2^40";
  for (const uint32_t b : box)
    if (b < 1 || b > 256)
      return "box sizes must be 1..256";
  if (rowBytes() % 16)
    return "box[0] * element size must be a multiple of 16";
  for (const uint32_t s : elementStrides)
    if (s < 1 || s > 8)
      return "element strides must be 1..8";
  if (swizzle && rowBytes() > swizzle)
    return "box[0] * element size must not exceed the swizzle span";
  return "";
}

uint64_t TensorMap::rows() const {
  uint64_t n = 1;
  for (size_t d = 1; d < box.size(); ++d)
    n *= (box[d] + elementStrides[d] - 1) / elementStrides[d];
  return n;
}
