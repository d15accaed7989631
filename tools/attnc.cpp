// attnc: programs to objects, headers, archives, assembly and IR.
#include "attnc/Files.h"
#include "attnc/Options.h"

#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/raw_ostream.h"

#include <unistd.h>

using namespace llvm;
using namespace attnc;

/// Says what is wrong; the exit code.
static int report(const attn::CompileError &error, const Options &options) {
  if (error.kind != attn::CompileFailure::Internal) {
    bool located = StringRef(error.message).contains(": error: ");
    errs() << (located ? "" : "attnc: ") << error.message << "\n";
    return static_cast<int>(error.kind);
  }
  errs() << "attnc: internal error: " << error.message << "\n";
  std::string path = options.stem + ".reproducer.mlir";
  if (options.stem != "-" && !error.reproducer.empty() && !errorToBool(writeAll(path, error.reproducer)))
    errs() << "attnc: what stage " << error.stage << " was given is in " << path << "; please report it\n";
  return Internal;
}

int main(int argc, char **argv) {
  install_fatal_error_handler([](void *, const char *reason, bool) {
    errs() << "attnc: internal error: " << reason << "\n";
    _exit(Internal);
  });
  Options options;
  if (int code = parseCommandLine(ArrayRef<const char *>(argv, argc).drop_front(argc > 0), options); code >= 0)
    return code;

  auto source = readAll(options.file);
  if (!source)
    return fail(BadInput, "cannot read '" + options.file + "': " + toString(source.takeError()));
  auto outputs = attn::emit(*source, options.compile, options.kinds, options.file == "-" ? "<stdin>" : options.file);
  if (!outputs) {
    int code = Internal;
    handleAllErrors(outputs.takeError(), [&](const attn::CompileError &error) { code = report(error, options); });
    return code;
  }
  if (options.stem == "-") {
    outs() << outputs->front();
    outs().flush();
    std::error_code code = outs().error();
    outs().clear_error(); // else the stream's destructor aborts
    return code ? fail(BadInput, "cannot write to standard output: " + code.message()) : Done;
  }
  std::vector<std::string> paths;
  for (StringRef kind : options.kinds)
    paths.push_back((options.stem + (kind == "mlir" ? ".llvm." : ".") + kind).str());
  if (Error e = writeAll(paths, *outputs))
    return fail(BadInput, "cannot write " + toString(std::move(e)));
  return Done;
}
