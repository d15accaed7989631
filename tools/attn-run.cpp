// attn-run: compiles an attention program, runs it on files or made inputs, checks it, times it, explains it.
#include "run/Failure.h"
#include "run/Guard.h"
#include "run/Session.h"

using namespace attn::run;

int main(int argc, char **argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  installCrashGuard(fmt::format("{}", fmt::join(args, " ")));
  auto options = parseOptions(args);
  if (!options) {
    fmt::print(stderr, "attn-run: error: {}\n", toFailure(options.takeError(), ExitUsage).message);
    return ExitUsage;
  }
  if (options->help) {
    fmt::print("{}", usageText);
    return ExitOk;
  }
  if (options->timeout)
    startTimeout(*options->timeout);
  const int code = runSession(*options);
  std::fflush(nullptr);
  return code;
}
