// A tensor of any layout whose every byte that is no element is poison.
#ifndef ATTN_TEST_UNIT_EXECUTION_TENSOR_H
#define ATTN_TEST_UNIT_EXECUTION_TENSOR_H

#include "attn-rt/attn_rt.h"
#include "attn/Support/Numbers.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"

#include <memory>
#include <vector>

namespace attn::test {

using Index = std::vector<int64_t>;

/// What lies beside the elements.
enum class Beside {
  Poison,     // 128 bytes on both sides, checked by gapsUntouched
  PageAfter,  // a page that cannot be read right behind the last element
  PageBefore, // and right before the first one
  Sparse      // untouched pages all around and in between: spans of many GiB; gaps are zeros and not checked
};

/// How the axes lie in memory. The innermost axis has stride `step`; every other axis follows the ones inside of it.
struct MemoryLayout {
  Index order = {};     // axes from the outermost to the innermost; empty: as written
  Index pad = {};       // elements that are skipped after each axis; empty: none
  Index broadcast = {}; // axes of stride 0
  int64_t step = 1;
  int64_t offset = 0; // elements between an address aligned to 64 bytes and the first element
  Beside beside = Beside::Poison;
};

class Tensor {
public:
  Tensor(Element element, Index shape, const MemoryLayout &layout = {});
  static Tensor of(Element element, Index shape, llvm::ArrayRef<double> values, const MemoryLayout &layout = {});
  static Tensor normal(Element element, Index shape, uint64_t seed, double scale = 1, const MemoryLayout &layout = {});
  /// Uniform integers in lo..hi.
  static Tensor integers(Element element, Index shape, uint64_t seed, int64_t lo, int64_t hi,
                         const MemoryLayout &layout = {});
  Tensor(const Tensor &other);
  Tensor(Tensor &&) = default;
  Tensor &operator=(const Tensor &other) { return *this = Tensor(other); }
  Tensor &operator=(Tensor &&) = default;

  double get(llvm::ArrayRef<int64_t> index) const;
  void set(llvm::ArrayRef<int64_t> index, double value);
  uint64_t bits(llvm::ArrayRef<int64_t> index) const;
  void setBits(llvm::ArrayRef<int64_t> index, uint64_t bits);
  void fill(llvm::function_ref<double(llvm::ArrayRef<int64_t>)> value);
  /// Every index in C order.
  void each(llvm::function_ref<void(llvm::ArrayRef<int64_t>)> visit) const;

  /// The bits of all elements in C order: what tests compare.
  std::vector<uint64_t> elements() const;
  /// Every byte outside of the elements gets the pattern, element by element.
  void poisonGaps(uint64_t pattern);
  /// Whether every byte outside of the elements is still what it was made.
  bool gapsUntouched() const;

  attn_tensor abi() const;
  int64_t offsetOf(llvm::ArrayRef<int64_t> index) const;
  int64_t size() const;

  Element element;
  Index shape, stride;
  bool null = false;  // abi() has no data: an output nobody wants
  Index claimed = {}; // strides that abi() says, where they are not the truth

private:
  char *data() const { return memory.get() + front + offset * bytesOf(element); }
  std::vector<char> addressed() const; // one flag a byte of memory
  void allocate();

  static constexpr int64_t kGuard = 128;
  Beside beside;
  int64_t offset = 0, span = 0, front = 0, bytes = 0;
  uint64_t gapPattern;
  std::shared_ptr<char> memory; // never shared, but it keeps its deleter
};

enum class Poison { SignallingNaN, QuietNaN, PlusInf, MinusInf };
constexpr Poison kPoisons[] = {Poison::SignallingNaN, Poison::QuietNaN, Poison::PlusInf, Poison::MinusInf};
uint64_t poisonBits(Element element, Poison poison);

} // namespace attn::test

#endif
