// Memory for tensors: aligned for any vector width, and a failure to get it is an answer instead of an abort.
#ifndef ATTN_SUPPORT_BUFFER_H
#define ATTN_SUPPORT_BUFFER_H

#include <cstdint>
#include <cstdlib>
#include <memory>

namespace attn {

class Buffer {
public:
  static constexpr size_t alignment = 64;

  Buffer() = default;
  /// Not initialized; data() is null if there is no such memory. Zero bytes have an address too.
  static Buffer allocate(uint64_t bytes) {
    Buffer b;
    void *p = nullptr;
    if (bytes < UINT64_MAX / 2 && !posix_memalign(&p, alignment, bytes ? bytes : 1))
      b.memory.reset(static_cast<char *>(p));
    b.bytes = b.memory ? bytes : 0;
    return b;
  }
  char *data() const { return memory.get(); }
  uint64_t size() const { return bytes; }

private:
  struct Free {
    void operator()(char *p) const { std::free(p); }
  };
  std::unique_ptr<char, Free> memory;
  uint64_t bytes = 0;
};

} // namespace attn

#endif
