// What an object may refer to, and archives.
#include "attn/Target/X86/X86.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSet.h"
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

/// Adds the names of what `bytes` needs and of what it has for others.
static Error collectSymbols(ArrayRef<char> bytes, SmallVector<std::string> &undefined, StringSet<> &defined) {
  auto object = object::ObjectFile::createObjectFile(MemoryBufferRef(StringRef(bytes.data(), bytes.size()), "object"));
  if (!object)
    return object.takeError();
  for (const object::SymbolRef &symbol : (*object)->symbols()) {
    auto flags = symbol.getFlags();
    if (!flags)
      return flags.takeError();
    auto name = symbol.getName();
    if (!name)
      return name.takeError();
    // The linker's own names, such as the table of offsets, carry no code.
    if (name->empty() || *name == "_GLOBAL_OFFSET_TABLE_")
      continue;
    if (*flags & object::SymbolRef::SF_Undefined)
      undefined.push_back(name->str());
    else if (*flags & object::SymbolRef::SF_Global)
      defined.insert(*name);
  }
  return Error::success();
}

Error attn::x86::checkUndefinedSymbols(ArrayRef<SmallVector<char, 0>> objects) {
  SmallVector<std::string> undefined;
  StringSet<> defined;
  for (const SmallVector<char, 0> &object : objects)
    if (Error e = collectSymbols(object, undefined, defined))
      return e;
  llvm::erase_if(undefined, [&](const std::string &name) {
    return defined.contains(name) || is_contained(runtimeSymbols(), name) || is_contained(memorySymbols(), name) ||
           is_contained(make_first_range(tileFunctions()), StringRef(name));
  });
  if (undefined.empty())
    return Error::success();
  return createStringError(inconvertibleErrorCode(),
                           "the code refers to symbols that no runtime library provides: " + join(undefined, ", "));
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
