//===- Npy.h - Reading and writing .npy files -----------------------------===//
//
// Files are untrusted: a malformed one is an error with a reason, never a crash, and nothing is allocated before the
// header is known to agree with the size of the file.
//
//   "\x93NUMPY"  major minor  length (2 bytes in version 1, 4 in 2 and 3)  header, a Python dict literal  data
//   {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
//
// Read: versions 1.0, 2.0, 3.0; little endian f8 f4 f2 i8 i4 i1 b1, and u2 as the bits of bf16, u1 as those of an 8-bit
// float, for which numpy has no types (of the two, u1 is read as f8E4M3FN); either order of axes (as strides). Not
// read: other types, structured and object types, pickles.
//
//===----------------------------------------------------------------------===//
#ifndef ATTN_SUPPORT_NPY_H
#define ATTN_SUPPORT_NPY_H

#include "attn/Support/Buffer.h"
#include "attn/Support/Numbers.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <string>
#include <vector>

namespace attn {

struct NpyHeader {
  Element element = Element::F32;
  bool fortranOrder = false;
  std::vector<int64_t> shape, strides; // strides count elements
  uint64_t dataOffset = 0, dataBytes = 0;
};

struct NpyArray {
  NpyHeader header;
  Buffer data;
};

constexpr uint64_t npyMaxHeader = 64 * 1024;
constexpr size_t npyMaxRank = 32;

/// `start` is the beginning of the file: all of it, or at least npyMaxHeader + 12 bytes.
llvm::Expected<NpyHeader> parseNpyHeader(llvm::StringRef start, uint64_t fileBytes);

/// Errors name the path. A file whose data exceeds `maxBytes` is refused before anything is allocated.
llvm::Expected<NpyArray> readNpy(const std::string &path, uint64_t maxBytes);

/// The bytes before the data of a C-ordered version 1.0 file, a multiple of 64.
std::string npyPreamble(Element element, llvm::ArrayRef<int64_t> shape);
/// C-ordered `data`. A file that this call created does not stay behind if it cannot be completed.
llvm::Error writeNpy(const std::string &path, Element element, llvm::ArrayRef<int64_t> shape, const void *data);

/// numpy's name of the type: "float32"; "uint16" for bf16, "uint8" for 8-bit floats.
const char *numpyName(Element element);

} // namespace attn

#endif
