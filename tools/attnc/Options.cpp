// The command line of attnc: both `--name=value` and `--name value`, and an error line that says what would be right.
#include "Options.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace attnc;

static const char *const help = R"(attnc - the attention compiler

usage: attnc FILE [-o STEM] [options]       FILE is text, or MLIR bytecode you trust; - reads standard input

  -o STEM             every output is STEM and a suffix; absent: FILE's name without .mlir, in the current folder;
                      - writes a single kind to standard output
  --emit=KINDS        comma-separated, default o,h
                        o     object: attn_K, attn_K_workspace, attn_K_info for every kernel @K    STEM.o
                        a     static library of that object                                        STEM.a
                        h     C header                                                             STEM.h
                        s     assembly                                                             STEM.s
                        ll    LLVM IR                                                              STEM.ll
                        mlir  LLVM dialect, which attnc reads again                                STEM.llvm.mlir
                        ptx   for GPUs: device code as text                                        STEM.ptx
                        cubin for one GPU: device code, made by ptxas                              STEM.cubin
  --target=NAMES      comma-separated levels of x86-64, all in one object, of which the highest that the CPU has runs
                      (the environment variable ATTN_MAX_ISA forces a lower one): x86-64-v2, x86-64-v3, x86-64-v4,
                      x86-64-v4-bf16, x86-64-v4-amx; or native, that of this CPU; default x86-64-v3. Or GPUs, sm_80, sm_86, sm_89, sm_90, sm_100, sm_120: o and a then have
                      attn_K_gpu, attn_K_gpu_workspace, attn_K_gpu_info, with a cubin for each and PTX of the lowest for
                      others; ll is the device's. o, a and cubin need ptxas: ATTN_PTXAS, CUDA_HOME/bin/ptxas or on PATH
  --kernel=NAME       this kernel only; absent: all of the program
  --block-rows=N      queries of a block; absent: chosen by the schedule
  --block-keys=N      keys of a block; absent: chosen by the schedule
  --split-keys=N      chunks of the keys that are tasks of their own; absent: chosen by the schedule
  --f32-products=P    how tensor cores of GPUs multiply f32: split, each into three bf16, which loses nothing (default), or tf32,
                      rounded to 11 significant bits, in a third of the time
  --verify-each       verify the IR after every pass
  --llvm-passes=P     LLVM IR passes before code generation, as `opt -passes=` takes them; absent: none
  --help, --version

exit status: 0 done; 1 the program is wrong or a file cannot be read or written; 2 the command line is wrong;
3 valid, but not supported; 4 a needed program is missing; 70 a fault of the compiler. Outputs are all written or none.
)";

int attnc::fail(int code, const Twine &message) {
  errs() << "attnc: error: " << message << "\n";
  return code;
}

/// `--name=value` or `--name value`; n moves on over what it takes.
static int parseValue(ArrayRef<const char *> args, size_t &n, Options &options) {
  StringRef arg = args[n];
  auto [name, value] = arg.split('=');
  std::string *text = StringSwitch<std::string *>(name)
                          .Case("-o", &options.stem)
                          .Case("--emit", &options.emit)
                          .Case("--target", &options.compile.target)
                          .Case("--kernel", &options.compile.kernel)
                          .Case("--token-order", &options.compile.tokenOrder)
                          .Case("--f32-products", &options.compile.f32Products)
                          .Case("--llvm-passes", &options.compile.irPasses)
                          .Default(nullptr);
  int64_t *number = StringSwitch<int64_t *>(name)
                        .Case("--block-rows", &options.compile.blockRows)
                        .Case("--block-keys", &options.compile.blockKeys)
                        .Case("--split-keys", &options.compile.splitKeys)
                        .Default(nullptr);
  if (!text && !number)
    return fail(Usage, "there is no option '" + name + "'; see attnc --help");
  if (!arg.contains('=')) {
    if (++n == args.size())
      return fail(Usage, "option '" + name + "' needs a value");
    value = args[n];
  }
  if (value.empty())
    return fail(Usage, "option '" + name + "' needs a value");
  if (text)
    *text = value.str();
  else if (value.getAsInteger(10, *number) || *number <= 0)
    return fail(Usage, "option '" + name + "' needs a positive number, not '" + value + "'");
  return -1;
}

int attnc::parseCommandLine(ArrayRef<const char *> args, Options &options) {
  bool onlyNames = false;
  for (size_t n = 0; n < args.size(); ++n) {
    StringRef arg = args[n];
    if (onlyNames || arg == "-" || !arg.starts_with("-")) {
      if (!options.file.empty())
        return fail(Usage, "one program at a time; both '" + options.file + "' and '" + arg + "' are given");
      options.file = arg.str();
      if (arg.empty())
        return fail(Usage, "the program's name is empty");
      continue;
    }
    if (arg == "--") {
      onlyNames = true;
      continue;
    }
    if (arg == "--help" || arg == "-h")
      return outs() << help, Done;
    if (arg == "--version")
      return outs() << "attnc " ATTN_VERSION ", LLVM " LLVM_VERSION_STRING "\n", Done;
    if (arg == "--verify-each") {
      options.compile.verifyEach = true;
      continue;
    }
    if (int code = parseValue(args, n, options); code >= 0)
      return code;
  }
  if (options.file.empty())
    return fail(Usage, "no program is given; see attnc --help");
  if (options.stem.empty() && options.file == "-")
    return fail(Usage, "a program from standard input needs -o");
  if (options.stem.empty()) {
    StringRef base = sys::path::filename(options.file);
    base.consume_back(".mlir");
    options.stem = base.str();
  }
  for (StringRef kind : split(options.emit, ",")) {
    if (!is_contained(attn::emitKinds(), kind))
      return fail(Usage, "--emit has no kind '" + kind + "'; there is: " + join(attn::emitKinds(), ", "));
    if (!is_contained(options.kinds, kind))
      options.kinds.push_back(kind);
  }
  if (options.stem == "-" && options.kinds.size() != 1)
    return fail(Usage, "standard output takes one kind: give --emit=KIND with -o -");
  return -1;
}
