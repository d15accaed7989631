// NVIDIA's assembler: where it is, and running it.
#include "attn/Target/NVPTX/NVPTX.h"

#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/Regex.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace attn;
using namespace attn::nvptx;

char ToolchainError::ID = 0;
void ToolchainError::log(raw_ostream &os) const { os << text; }
std::error_code ToolchainError::convertToErrorCode() const { return inconvertibleErrorCode(); }

static Error missing(const Twine &message) { return make_error<ToolchainError>("[toolchain_ptxas] " + message.str()); }
static Error error(const Twine &message) { return createStringError(inconvertibleErrorCode(), message); }

static std::string environment(const char *name) {
  const char *value = ::getenv(name);
  return value ? value : "";
}

Expected<std::string> attn::nvptx::findPtxas() {
  // What the user named is used or refused, never passed over.
  if (std::string named = environment("ATTN_PTXAS"); !named.empty()) {
    if (sys::fs::can_execute(named))
      return named;
    return missing("ATTN_PTXAS is '" + named + "', which is no program");
  }
  if (std::string home = environment("CUDA_HOME"); !home.empty()) {
    SmallString<128> path(home);
    sys::path::append(path, "bin", "ptxas");
    if (sys::fs::can_execute(path))
      return path.str().str();
  }
  if (auto found = sys::findProgramByName("ptxas"))
    return *found;
  return missing("there is no ptxas: neither ATTN_PTXAS nor bin/ptxas of CUDA_HOME nor one on PATH; install CUDA's, or "
                 "ask for PTX alone (--emit=ptx)");
}

/// Output and errors of `program`, which is run without a shell; files are made in `folder`.
static Expected<std::string> run(StringRef program, ArrayRef<StringRef> args, StringRef folder, int &status) {
  SmallString<128> log(folder);
  sys::path::append(log, "log");
  SmallVector<StringRef> all{program};
  all.append(args.begin(), args.end());
  std::optional<StringRef> redirects[] = {StringRef(""), StringRef(log), StringRef(log)};
  std::string why;
  bool failed = false;
  status = sys::ExecuteAndWait(program, all, std::nullopt, redirects, /*SecondsToWait=*/600, 0, &why, &failed);
  if (failed)
    return missing("'" + program + "' cannot be run: " + why);
  auto text = MemoryBuffer::getFile(log);
  std::string said = text ? (*text)->getBuffer().str() : "";
  if (status < 0)
    return error("'" + program + "' was ended: " + why + "\n" + said);
  return said;
}

Expected<Cubin> attn::nvptx::assemble(StringRef ptx, const NvidiaMachine &machine) {
  auto program = findPtxas();
  if (!program)
    return program.takeError();
  SmallString<128> folder;
  if (std::error_code code = sys::fs::createUniqueDirectory("attn-ptxas", folder))
    return createFileError(folder.empty() ? "a temporary folder" : folder.str(), code);
  scope_exit remove([&] { sys::fs::remove_directories(folder); });
  SmallString<128> input(folder), output(folder);
  sys::path::append(input, "kernels.ptx");
  sys::path::append(output, "kernels.cubin");
  std::error_code code;
  if (raw_fd_ostream os(input, code); code)
    return createFileError(input, code);
  else
    os << ptx;

  int status = 0;
  auto version = run(*program, {"--version"}, folder, status);
  if (!version)
    return version.takeError();
  SmallVector<StringRef> groups;
  if (status || !Regex("V([0-9]+\\.[0-9]+\\.[0-9]+)").match(*version, &groups))
    return missing("'" + *program + "' is no ptxas: asked for its version it says '" + StringRef(*version).trim() +
                   "'");
  Cubin cubin;
  cubin.sm = machine.sm;
  cubin.ptxas = groups[1].str();

  std::string arch = "--gpu-name=" + std::string(machine.name);
  auto log = run(*program, {"-O3", "-v", arch, "--output-file", output, input}, folder, status);
  if (!log)
    return log.takeError();
  if (status) {
    StringRef said = StringRef(*log).trim().take_front(2000);
    if (said.contains("is not defined for option 'gpu-name'") || said.contains("Unsupported .version"))
      return missing("ptxas " + cubin.ptxas + " is too old for " + machine.name + ": " + said);
    return error("ptxas " + cubin.ptxas + " refuses the code for " + machine.name + ": " + said);
  }
  auto bytes = MemoryBuffer::getFile(output, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!bytes)
    return createFileError(output, bytes.getError());
  cubin.bytes = (*bytes)->getBuffer().str();
  cubin.report = parsePtxasReport(*log);
  return cubin;
}
