// Files of attnc.
#include "Files.h"

#include "attn/Compiler/Compiler.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

Expected<std::string> attnc::readAll(StringRef file) {
  auto handle =
      file == "-" ? Expected<sys::fs::file_t>(sys::fs::getStdinHandle()) : sys::fs::openNativeFileForRead(file);
  if (!handle)
    return handle.takeError();
  std::string text;
  while (text.size() <= attn::maxSourceBytes) {
    size_t size = text.size();
    text.resize(size + (64 << 10));
    auto got = sys::fs::readNativeFile(*handle, MutableArrayRef<char>(text.data() + size, 64 << 10));
    text.resize(size + (got ? *got : 0));
    if (!got)
      return got.takeError();
    if (*got == 0)
      break;
  }
  return text;
}

Error attnc::writeAll(ArrayRef<std::string> paths, ArrayRef<std::string> contents) {
  SmallVector<sys::fs::TempFile> files;
  llvm::scope_exit discard([&] {
    for (sys::fs::TempFile &file : files)
      consumeError(file.discard()); // nothing to do for those that were kept
  });
  for (auto [path, content] : zip(paths, contents)) {
    auto file = sys::fs::TempFile::create(path + ".tmp%%%%%%");
    if (!file)
      return createFileError(path, file.takeError());
    files.push_back(std::move(*file));
    raw_fd_ostream os(files.back().FD, /*shouldClose=*/false);
    os << content;
    os.flush();
    if (std::error_code code = os.error()) {
      os.clear_error();
      return createFileError(path, code);
    }
  }
  for (auto [path, file] : zip(paths, files))
    if (Error e = file.keep(path))
      return createFileError(path, std::move(e));
  return Error::success();
}
