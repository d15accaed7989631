// How attn-run fails: an exit code and one line that says what is wrong and what would mend it.
#ifndef ATTN_TOOLS_RUN_FAILURE_H
#define ATTN_TOOLS_RUN_FAILURE_H

#include "llvm/Support/Error.h"

#include <fmt/format.h>

namespace attn::run {

enum ExitCode {
  ExitOk = 0,
  ExitBadInput = 1,
  ExitUsage = 2,
  ExitUnsupported = 3,
  ExitToolchain = 4,
  ExitCheckFailed = 5,
  ExitInternal = 70,
  ExitTimeout = 124
};

class Failure : public llvm::ErrorInfo<Failure> {
public:
  static char ID;
  Failure(ExitCode code, std::string message) : code(code), message(std::move(message)) {}
  void log(llvm::raw_ostream &os) const override;
  std::error_code convertToErrorCode() const override { return llvm::inconvertibleErrorCode(); }

  ExitCode code;
  std::string message;
};

template <typename... Args> llvm::Error fail(ExitCode code, fmt::format_string<Args...> text, Args &&...args) {
  return llvm::make_error<Failure>(code, fmt::format(text, std::forward<Args>(args)...));
}

/// The failure that `error` is; what is no Failure of its own gets `code`.
Failure toFailure(llvm::Error error, ExitCode code = ExitBadInput);

} // namespace attn::run

#endif
