// .npy files on disk. Read with plain calls: a mapped file that shrinks under us would be a signal.
#include "attn/Support/Npy.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace attn;

namespace {

struct File {
  int fd;
  ~File() {
    if (fd >= 0)
      ::close(fd);
  }
};

llvm::Error error(const std::string &path, const std::string &what) {
  return llvm::createStringError(path + ": " + what);
}

std::string reason(int number) { return std::strerror(number); }

/// Reads exactly `bytes` at `offset`, or says that the file changed.
bool readAll(int fd, char *to, uint64_t bytes, uint64_t offset) {
  while (bytes) {
    const ssize_t n = ::pread(fd, to, std::min<uint64_t>(bytes, 1u << 30), off_t(offset));
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return false;
    to += n;
    offset += uint64_t(n);
    bytes -= uint64_t(n);
  }
  return true;
}

bool writeAll(int fd, const char *from, uint64_t bytes) {
  while (bytes) {
    const ssize_t n = ::write(fd, from, std::min<uint64_t>(bytes, 1u << 30));
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return false;
    from += n;
    bytes -= uint64_t(n);
  }
  return true;
}

} // namespace

llvm::Expected<NpyArray> attn::readNpy(const std::string &path, uint64_t maxBytes) {
  // Without O_NONBLOCK, opening a FIFO that nobody writes to would wait forever.
  File file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.fd < 0)
    return error(path, reason(errno));
  struct stat info;
  if (::fstat(file.fd, &info))
    return error(path, reason(errno));
  if (!S_ISREG(info.st_mode))
    return error(path, S_ISDIR(info.st_mode) ? "is a directory" : "is not a regular file");
  const auto fileBytes = uint64_t(info.st_size);
  std::string start(std::min<uint64_t>(fileBytes, npyMaxHeader + 12), '\0');
  if (!readAll(file.fd, start.data(), start.size(), 0))
    return error(path, "cannot be read: " + (errno ? reason(errno) : std::string("it changed")));

  auto header = parseNpyHeader(start, fileBytes);
  if (!header)
    return error(path, llvm::toString(header.takeError()));
  if (header->dataBytes > maxBytes)
    return error(path, fmt::format("{} bytes of data are more than the {} that --max-bytes leaves", header->dataBytes,
                                   maxBytes));
  NpyArray array{std::move(*header), Buffer::allocate(header->dataBytes)};
  if (!array.data.data())
    return error(path, fmt::format("no memory for {} bytes", array.header.dataBytes));
  if (!readAll(file.fd, array.data.data(), array.header.dataBytes, array.header.dataOffset))
    return error(path, "became shorter while it was read");
  return array;
}

llvm::Error attn::writeNpy(const std::string &path, Element element, llvm::ArrayRef<int64_t> shape, const void *data) {
  uint64_t bytes = uint64_t(bytesOf(element));
  for (int64_t n : shape)
    if (__builtin_mul_overflow(bytes, uint64_t(n), &bytes))
      return error(path, "the array is too large");
  bool created = true;
  File file{::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666)};
  if (file.fd < 0 && errno == EEXIST) { // devices and pipes are written as they are, files are replaced in place
    created = false;
    file.fd = ::open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC);
  }
  if (file.fd < 0)
    return error(path, "cannot be written: " + reason(errno));
  const std::string preamble = npyPreamble(element, shape);
  if (writeAll(file.fd, preamble.data(), preamble.size()) && writeAll(file.fd, static_cast<const char *>(data), bytes))
    return llvm::Error::success();
  const std::string why = reason(errno);
  if (created)
    ::unlink(path.c_str());
  return error(path, "cannot be written: " + why);
}
