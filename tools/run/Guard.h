// The last line of defence: a time limit, and crashes that become exit code 70 with a reproducer instead of a stack
// trace.
#ifndef ATTN_TOOLS_RUN_GUARD_H
#define ATTN_TOOLS_RUN_GUARD_H

#include <string>

namespace attn::run {

/// Catches SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT from here on. What they write is prepared now, for a handler may
/// not.
void installCrashGuard(const std::string &commandLine);
/// What the reproducer holds, as soon as there is a program.
void setReproducer(const std::string &program);
/// Writes the reproducer; its path, or "" if no folder takes it.
std::string writeReproducer(const std::string &extra = "");
/// After so many seconds the process ends with exit code 124.
void startTimeout(double seconds);

} // namespace attn::run

#endif
