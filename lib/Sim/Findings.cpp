// What is found, in words.
#include "Machine.h"

#include <fmt/format.h>

using namespace attn::sim;

void Machine::note(const char *kind, const Instr &i, const std::string &message, const std::string &hint) {
  const auto key = std::pair{std::string(kind), uint64_t(pcOf(i))};
  if (auto found = findingIndex.find(key); found != findingIndex.end()) {
    ++report.findings[found->second].count;
    return;
  }
  if (report.findings.size() >= options.maxFindings)
    throw Stop();
  findingIndex[key] = report.findings.size();
  report.findings.push_back({kind, i.line, program.kindOf(i), message, hint, 1});
}

void Machine::stop(const char *kind, const Instr &i, const std::string &message, const std::string &hint) {
  note(kind, i, message, hint);
  throw Stop();
}

std::string Machine::who(const Warp &w, unsigned lane) const {
  return fmt::format("lane {} of warp {} of CTA ({},{},{})", lane, w.index, w.cta->id[0], w.cta->id[1], w.cta->id[2]);
}

std::string Machine::where(uint32_t pc) const {
  const Instr &i = program.code[pc];
  return fmt::format("line {} ({})", i.line, program.kindOf(i));
}

OriginId Machine::origin(std::string text) {
  if (origins.size() > 100000) // a kernel that is all poison
    return 1;
  origins.push_back(std::move(text));
  return OriginId(origins.size());
}

std::string attn::sim::describe(const Finding &f, const std::string &file) {
  return fmt::format("{}:{}: {}: {}: {}{}\n  mend: {}\n", file, f.line, f.kind, f.instruction, f.message,
                     f.count > 1 ? fmt::format(" ({} times)", f.count) : "", f.hint);
}
