// Small kernels from a body: parse, launch, look.
#ifndef ATTN_TEST_UNIT_SIM_RUN_H
#define ATTN_TEST_UNIT_SIM_RUN_H

#include "attn/Sim/Launch.h"

#include <gtest/gtest.h>

#include <cstring>

namespace attn::sim {

/// A kernel `k(in, out)` of 64-bit words: %x is the thread's own input, %tid its number; the body stores what it wants
/// at [%out].
inline std::string kernelOf(const std::string &body, const std::string &before = "") {
  return ".version 8.4\n.target sm_90\n.address_size 64\n" + before +
         ".visible .entry k(.param .u64 in, .param .u64 out) {\n"
         ".reg .b64 %rd<16>, %in, %out, %x, %y;\n.reg .b32 %r<16>, %tid;\n.reg .b16 %h<8>;\n.reg .f32 %f<8>;\n.reg "
         ".f64 %d<8>;\n.reg .pred %p<8>;\n"
         ".shared .align 128 .b8 memory[4096];\n"
         "ld.param.u64 %in, [in];\nld.param.u64 %out, [out];\nmov.u32 %tid, %tid.x;\n"
         "mad.wide.u32 %rd0, %tid, 16, %in;\nld.global.v2.b64 {%x, %y}, [%rd0];\nmad.wide.u32 %out, %tid, 8, %out;\n" +
         body + "\nret;\n}\n";
}

struct Outcome {
  Report report;
  std::vector<uint64_t> out;
  std::string error;

  bool found(const std::string &kind, const std::string &words = "") const {
    for (const Finding &f : report.findings)
      if (f.kind == kind && f.message.find(words) != std::string::npos && !f.hint.empty() && f.line)
        return true;
    return false;
  }
  std::string text() const {
    std::string all = error;
    for (const Finding &f : report.findings)
      all += describe(f, "k.ptx");
    return all;
  }
};

/// Two input words a thread, one output word.
inline Outcome runText(const std::string &text, uint32_t threads, std::vector<uint64_t> words,
                       LaunchOptions options = {}) {
  Outcome result;
  options.block = {threads, 1, 1};
  words.resize(size_t(threads) * 2 * options.grid[0]);
  std::vector<Argument> arguments(2);
  arguments[0].name = "in";
  arguments[0].isBuffer = true;
  arguments[0].data.resize(words.size() * 8);
  memcpy(arguments[0].data.data(), words.data(), words.size() * 8);
  arguments[1].name = "out";
  arguments[1].isBuffer = true;
  arguments[1].defined = false;
  arguments[1].data.resize(size_t(threads) * 8 * options.grid[0]);
  try {
    const Module module = parseModule(text);
    result.report = launch(module, "k", arguments, options);
  } catch (const Error &e) {
    result.error = std::to_string(e.place.line) + ":" + std::to_string(e.place.column) + ": " + e.what();
    return result;
  }
  result.out.resize(arguments[1].data.size() / 8);
  memcpy(result.out.data(), arguments[1].data.data(), arguments[1].data.size());
  return result;
}

inline Outcome runBody(const std::string &body, uint32_t threads = 32, std::vector<uint64_t> words = {},
                       LaunchOptions options = {}) {
  return runText(kernelOf(body), threads, std::move(words), options);
}

} // namespace attn::sim

#endif
