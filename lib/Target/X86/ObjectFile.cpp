// What an object may refer to, and archives.
#include "attn/Target/X86/X86.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Object/ArchiveWriter.h"
#include "llvm/Object/ObjectFile.h"

using namespace llvm;
using namespace attn;

ArrayRef<StringRef> attn::x86::runtimeSymbols() {
  static const StringRef names[] = {"attn_rt_run", "attn_rt_workspace", "attn_rt_gpu_run", "attn_rt_gpu_workspace"};
  return names;
}

ArrayRef<StringRef> attn::x86::memorySymbols() {
  static const StringRef names[] = {"memcpy", "memmove", "memset", "memcmp"};
  return names;
}

Error attn::x86::checkUndefinedSymbols(ArrayRef<char> bytes) {
  auto object = object::ObjectFile::createObjectFile(MemoryBufferRef(StringRef(bytes.data(), bytes.size()), "object"));
  if (!object)
    return object.takeError();
  SmallVector<std::string> foreign;
  for (const object::SymbolRef &symbol : (*object)->symbols()) {
    auto flags = symbol.getFlags();
    if (!flags)
      return flags.takeError();
    auto name = symbol.getName();
    if (!name)
      return name.takeError();
    // The linker's own names, such as the table of offsets, carry no code.
    if (!(*flags & object::SymbolRef::SF_Undefined) || name->empty() || *name == "_GLOBAL_OFFSET_TABLE_")
      continue;
    if (!is_contained(runtimeSymbols(), *name) && !is_contained(memorySymbols(), *name))
      foreign.push_back(name->str());
  }
  if (foreign.empty())
    return Error::success();
  return createStringError(inconvertibleErrorCode(),
                           "the code refers to symbols that no runtime library provides: " + join(foreign, ", "));
}

Expected<std::string> attn::x86::archive(ArrayRef<char> object, StringRef memberName) {
  std::string warning;
  NewArchiveMember member(MemoryBufferRef(StringRef(object.data(), object.size()), memberName));
  auto buffer =
      writeArchiveToBuffer(member, SymtabWritingMode::NormalSymtab, object::Archive::K_GNU, /*Deterministic=*/true,
                           /*Thin=*/false, [&](Error e) { warning = toString(std::move(e)); });
  if (!buffer)
    return buffer.takeError();
  if (!warning.empty())
    return createStringError(inconvertibleErrorCode(), warning);
  return (*buffer)->getBuffer().str();
}
