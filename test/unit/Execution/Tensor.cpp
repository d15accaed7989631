#include "Tensor.h"

#include "attn/Support/Random.h"

#include "llvm/Support/ErrorHandling.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <sys/mman.h>
#include <unistd.h>

using namespace attn;
using namespace attn::test;

test::Tensor::Tensor(Element element, Index dims, const MemoryLayout &layout)
    : element(element), shape(std::move(dims)), stride(shape.size()), beside(layout.beside), offset(layout.offset),
      gapPattern(~uint64_t(0)) {
  Index order = layout.order;
  if (order.empty()) {
    order.resize(shape.size());
    std::iota(order.begin(), order.end(), 0);
  }
  int64_t next = layout.step;
  span = 1;
  for (size_t n = order.size(); n--;) {
    const int64_t axis = order[n];
    if (llvm::is_contained(layout.broadcast, axis))
      continue;
    stride[axis] = next;
    span += std::max<int64_t>(shape[axis] - 1, 0) * next;
    next *= std::max<int64_t>(shape[axis], 1) + (layout.pad.empty() ? 0 : layout.pad[axis]);
  }
  allocate();
  if (beside != Beside::Sparse)
    std::memset(memory.get(), 0xff, size_t(bytes));
  if (size())
    each([&](llvm::ArrayRef<int64_t> at) { setBits(at, 0); });
}

void test::Tensor::allocate() {
  const int64_t used = (offset + span) * bytesOf(element);
  front = beside == Beside::Poison ? kGuard : 0;
  bytes = used + 2 * front;
  if (beside == Beside::Poison) {
    void *p = nullptr;
    if (posix_memalign(&p, 64, size_t(bytes)))
      llvm::report_fatal_error("no memory for a test tensor");
    memory = {static_cast<char *>(p), std::free};
    return;
  }
  const int64_t page = sysconf(_SC_PAGESIZE), inner = (used + page - 1) / page * page, all = inner + 2 * page;
  char *base =
      static_cast<char *>(mmap(nullptr, size_t(all), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  if (base == MAP_FAILED || mprotect(base + page, size_t(inner), PROT_READ | PROT_WRITE))
    llvm::report_fatal_error("no pages for a test tensor");
  char *start = base + page + (beside == Beside::PageAfter ? inner - used : 0);
  memory = {start, [base, all](char *) { munmap(base, size_t(all)); }};
}

test::Tensor::Tensor(const Tensor &other)
    : element(other.element), shape(other.shape), stride(other.stride), null(other.null), claimed(other.claimed),
      beside(other.beside), offset(other.offset), span(other.span), gapPattern(other.gapPattern) {
  allocate();
  if (beside == Beside::Sparse)
    each([&](llvm::ArrayRef<int64_t> at) { setBits(at, other.bits(at)); });
  else
    std::memcpy(memory.get(), other.memory.get(), size_t(bytes));
}

test::Tensor test::Tensor::of(Element element, Index shape, llvm::ArrayRef<double> values, const MemoryLayout &layout) {
  Tensor t(element, std::move(shape), layout);
  size_t n = 0;
  t.each([&](llvm::ArrayRef<int64_t> at) { t.set(at, values[n++]); });
  return t;
}

test::Tensor test::Tensor::normal(Element element, Index shape, uint64_t seed, double scale,
                                  const MemoryLayout &layout) {
  Tensor t(element, std::move(shape), layout);
  Random random(seed, "normal");
  uint64_t n = 0;
  t.each([&](llvm::ArrayRef<int64_t> at) { t.set(at, scale * random.normal(n++)); });
  return t;
}

test::Tensor test::Tensor::integers(Element element, Index shape, uint64_t seed, int64_t lo, int64_t hi,
                                    const MemoryLayout &layout) {
  Tensor t(element, std::move(shape), layout);
  Random random(seed, "integers");
  uint64_t n = 0;
  t.each([&](llvm::ArrayRef<int64_t> at) { t.set(at, double(random.integer(n++, lo, hi))); });
  return t;
}

int64_t test::Tensor::size() const {
  return std::accumulate(shape.begin(), shape.end(), int64_t(1), std::multiplies<>());
}

int64_t test::Tensor::offsetOf(llvm::ArrayRef<int64_t> index) const {
  return std::inner_product(index.begin(), index.end(), stride.begin(), int64_t(0));
}

double test::Tensor::get(llvm::ArrayRef<int64_t> index) const { return loadNumber(data(), element, offsetOf(index)); }

void test::Tensor::set(llvm::ArrayRef<int64_t> index, double value) {
  storeNumber(data(), element, offsetOf(index), value);
}

uint64_t test::Tensor::bits(llvm::ArrayRef<int64_t> index) const {
  uint64_t x = 0;
  std::memcpy(&x, data() + offsetOf(index) * bytesOf(element), size_t(bytesOf(element)));
  return x;
}

void test::Tensor::setBits(llvm::ArrayRef<int64_t> index, uint64_t bits) {
  std::memcpy(data() + offsetOf(index) * bytesOf(element), &bits, size_t(bytesOf(element)));
}

void test::Tensor::fill(llvm::function_ref<double(llvm::ArrayRef<int64_t>)> value) {
  each([&](llvm::ArrayRef<int64_t> at) { set(at, value(at)); });
}

void test::Tensor::each(llvm::function_ref<void(llvm::ArrayRef<int64_t>)> visit) const {
  Index at(shape.size());
  for (int64_t n = 0, end = size(); n < end; ++n) {
    visit(at);
    for (size_t axis = at.size(); axis-- && ++at[axis] == shape[axis];)
      at[axis] = 0;
  }
}

std::vector<uint64_t> test::Tensor::elements() const {
  std::vector<uint64_t> all;
  each([&](llvm::ArrayRef<int64_t> at) { all.push_back(bits(at)); });
  return all;
}

std::vector<char> test::Tensor::addressed() const {
  std::vector<char> flags(static_cast<size_t>(bytes));
  const int64_t size = bytesOf(element);
  each([&](llvm::ArrayRef<int64_t> at) {
    std::fill_n(flags.begin() + (data() - memory.get()) + offsetOf(at) * size, size, 1);
  });
  return flags;
}

void test::Tensor::poisonGaps(uint64_t pattern) {
  gapPattern = pattern;
  const std::vector<char> flags = addressed();
  for (int64_t n = 0; n < bytes; ++n)
    if (!flags[n])
      memory.get()[n] = reinterpret_cast<const char *>(&gapPattern)[n % bytesOf(element)];
}

bool test::Tensor::gapsUntouched() const {
  if (beside == Beside::Sparse)
    return true;
  const std::vector<char> flags = addressed();
  for (int64_t n = 0; n < bytes; ++n)
    if (!flags[n] && memory.get()[n] != reinterpret_cast<const char *>(&gapPattern)[n % bytesOf(element)])
      return false;
  return true;
}

attn_tensor test::Tensor::abi() const {
  attn_tensor t{};
  t.data = null ? nullptr : data();
  t.code = element == Element::F8E4M3FN ? ATTN_FLOAT8_E4M3FN
           : element == Element::F8E5M2 ? ATTN_FLOAT8_E5M2
           : isFloat(element)           ? (element == Element::BF16 ? ATTN_BFLOAT : ATTN_FLOAT)
                                        : (element == Element::I1 ? ATTN_BOOL : ATTN_INT);
  t.bits = uint8_t(8 * bytesOf(element));
  t.lanes = 1;
  t.rank = int32_t(shape.size());
  std::copy(shape.begin(), shape.end(), t.shape);
  const Index &said = claimed.empty() ? stride : claimed;
  std::copy(said.begin(), said.end(), t.stride);
  return t;
}

uint64_t test::poisonBits(Element element, Poison poison) {
  const bool minus = poison == Poison::MinusInf, inf = minus || poison == Poison::PlusInf;
  const bool quiet = poison == Poison::QuietNaN;
  switch (element) {
  case Element::F64:
    return (minus ? 0xfff0000000000000u : 0x7ff0000000000000u) | (inf ? 0 : quiet ? 0x0008000000000000u : 1u);
  case Element::F32:
    return (minus ? 0xff800000u : 0x7f800000u) | (inf ? 0u : quiet ? 0x00400000u : 1u);
  case Element::F16:
    return (minus ? 0xfc00u : 0x7c00u) | (inf ? 0u : quiet ? 0x0200u : 1u);
  case Element::BF16:
    return (minus ? 0xff80u : 0x7f80u) | (inf ? 0u : quiet ? 0x0040u : 1u);
  default:
    return ~uint64_t(0);
  }
}
