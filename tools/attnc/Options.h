// The command line of attnc.
#ifndef ATTN_TOOLS_ATTNC_OPTIONS_H
#define ATTN_TOOLS_ATTNC_OPTIONS_H

#include "attn/Compiler/Compiler.h"

namespace attnc {

/// Beside the values of attn::CompileFailure.
enum ExitCode { Done = 0, BadInput = 1, Usage = 2, Internal = 70 };

struct Options {
  std::string file, stem, emit = "o,h";
  std::vector<llvm::StringRef> kinds; // of emit
  attn::CompileOptions compile;
};

/// One line on stderr; gives `code` back.
int fail(int code, const llvm::Twine &message);

/// The exit code where there is nothing more to do, or -1.
int parseCommandLine(llvm::ArrayRef<const char *> args, Options &options);

} // namespace attnc

#endif
