// The command line of attn-run.
#ifndef ATTN_TOOLS_RUN_OPTIONS_H
#define ATTN_TOOLS_RUN_OPTIONS_H

#include "attn/Support/Numbers.h"

#include "llvm/Support/Error.h"

#include <optional>
#include <string>
#include <vector>

namespace attn::run {

/// NAME=VALUE of one option.
struct Assignment {
  std::string name, value;
};

/// The input classes of the checks: how the scores of a row behave along the keys.
enum class Logits { Normal, Rising, Falling, Ties, Huge, Spikes, Steep };

struct Options {
  std::string file, kernel, variant, target;
  std::vector<Assignment> inputs, expects, saves, params;
  std::vector<std::string> pictures;
  std::vector<std::pair<std::string, int64_t>> sizes;
  bool check = false, bench = false, json = false, explain = false, help = false;
  int threads = 1;
  uint64_t seed = 0;
  std::optional<Element> dtype;
  int64_t blockRows = 0, blockKeys = 0, splitKeys = 0;
  std::string tokenOrder = "auto", f32Products = "split";
  std::optional<double> timeout, tolerance;
  Logits logits = Logits::Normal;
  uint64_t maxBytes = uint64_t(8) << 30;
  int rounds = 30;
};

extern const char *const usageText;
const char *nameOf(Logits logits);

/// `args` without the program's name.
llvm::Expected<Options> parseOptions(const std::vector<std::string> &args);

} // namespace attn::run

#endif
