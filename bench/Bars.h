// The bars: figures that the kernels of this project have to reach on x86, each with the number it is held against.
#ifndef ATTN_BENCH_BARS_H
#define ATTN_BENCH_BARS_H

#include <string>

namespace attn::bench {

struct BarOptions {
  std::string gallery = "gallery";
  std::string store;  // a JSON file that keeps every figure as soon as it is there; empty: none
  std::string only;   // bars whose name has this in it
  std::string note;   // kept with the figures
  std::string target; // as attn-run takes it; empty: its default
  double seconds = 5;
  bool json = false;
};

/// Measures and prints them one by one; the exit status of the tool: a bar that is missed is no failure of it.
int runBars(const BarOptions &options);

} // namespace attn::bench

#endif
