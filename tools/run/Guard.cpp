// Signals and the clock.
#include "Guard.h"
#include "Failure.h"

#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <thread>
#include <unistd.h>

using namespace attn::run;

namespace {

// Read by the signal handler: never freed, changed only where nothing can go wrong.
std::string *contents, *header, *paths[2];

void put(const char *text) {
  if (::write(2, text, std::strlen(text)) < 0)
    return; // nobody is left to tell
}

/// Async-signal-safe.
const char *writeFile(const std::string *first, const std::string *second) {
  for (const std::string *path : paths) {
    const int fd = ::open(path->c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
      continue;
    bool good = true;
    for (const std::string *part : {static_cast<const std::string *>(header), first, second})
      good &= !part || ::write(fd, part->data(), part->size()) == ssize_t(part->size());
    ::close(fd);
    if (good)
      return path->c_str();
    ::unlink(path->c_str());
  }
  return nullptr;
}

void onSignal(int number) {
  std::signal(number, SIG_DFL); // a second one ends the process
  put("attn-run: error: internal error (");
  put(number == SIGSEGV  ? "invalid memory access"
      : number == SIGBUS ? "bus error"
      : number == SIGFPE ? "arithmetic exception"
      : number == SIGILL ? "illegal instruction"
                         : "aborted");
  const char *path = contents ? writeFile(contents, nullptr) : nullptr;
  put(path ? "); please report it with " : "); there was no program yet to reproduce it with");
  put(path ? path : "");
  put("\n");
  ::_exit(ExitInternal);
}

} // namespace

void attn::run::installCrashGuard(const std::string &commandLine) {
  header = new std::string("// attn-run " + commandLine + "\n");
  paths[0] = new std::string(fmt::format("attn-run-reproducer-{}.mlir", ::getpid()));
  paths[1] = new std::string("/tmp/" + *paths[0]);
  // The stack may be what overflowed.
  static char stack[64 * 1024];
  stack_t alternative{};
  alternative.ss_sp = stack;
  alternative.ss_size = sizeof stack;
  ::sigaltstack(&alternative, nullptr);
  struct sigaction action{};
  action.sa_handler = onSignal;
  action.sa_flags = SA_ONSTACK | SA_NODEFER;
  for (int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT})
    ::sigaction(number, &action, nullptr);
}

void attn::run::setReproducer(const std::string &program) { contents = new std::string(program); }

std::string attn::run::writeReproducer(const std::string &extra) {
  std::string more;
  if (!extra.empty())
    more = "\n// ---- the IR that the failing stage was given ----\n" + extra;
  const char *path = contents ? writeFile(contents, &more) : nullptr;
  return path ? path : "";
}

void attn::run::startTimeout(double seconds) {
  std::thread([seconds] {
    std::this_thread::sleep_for(std::chrono::duration<double>(std::min(seconds, 1e9)));
    const std::string line =
        fmt::format("attn-run: error: no result within {} s; raise --timeout or choose smaller --size\n", seconds);
    put(line.c_str());
    ::_exit(ExitTimeout);
  }).detach();
}
