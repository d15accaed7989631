// One run of attn-run, from its options to its exit code.
#ifndef ATTN_TOOLS_RUN_SESSION_H
#define ATTN_TOOLS_RUN_SESSION_H

#include "Options.h"

namespace attn::run {

/// Prints the report and, if there is one, the error. The exit code.
int runSession(const Options &options);

} // namespace attn::run

#endif
