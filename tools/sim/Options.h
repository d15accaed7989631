// attn-sim's command line.
#ifndef ATTN_TOOLS_SIM_OPTIONS_H
#define ATTN_TOOLS_SIM_OPTIONS_H

#include "attn/Sim/Launch.h"
#include "attn/Support/Numbers.h"

#include <optional>
#include <string>
#include <vector>

namespace attn::simtool {

enum Exit : int { ExitClean = 0, ExitFinding = 1, ExitUsage = 2 };

/// One --arg as written: a scalar, a file to read, a made output, or both.
struct ArgumentText {
  enum Kind : uint8_t { Scalar, Input, InOut, Output } kind = Scalar;
  std::string text;               ///< for messages
  std::vector<uint8_t> value;     ///< of a scalar
  std::string input, output;      ///< files
  Element element = Element::F32; ///< of an output
  std::vector<int64_t> shape;
};

struct Options {
  bool help = false;
  std::string file, kernel, report;
  sim::LaunchOptions launch;
  std::vector<ArgumentText> arguments;
  bool quiet = false, list = false;
};

extern const char *const usageText;

/// Wrong usage is a sentence in `error`.
std::optional<Options> parseOptions(const std::vector<std::string> &args, std::string &error);

} // namespace attn::simtool

#endif
