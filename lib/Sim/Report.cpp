// Reports as JSON.
#include "attn/Sim/Launch.h"

#include <fmt/format.h>

using namespace attn::sim;

namespace {
std::string quoted(const std::string &text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\')
      out += fmt::format("\\{}", c);
    else if (uint8_t(c) < 32)
      out += fmt::format("\\u{:04x}", uint8_t(c));
    else
      out += c;
  }
  return out + "\"";
}

template <typename List, typename Each>
std::string listed(const List &list, const char *open, const char *close, Each each) {
  std::string out = open, between = "\n    ";
  for (const auto &x : list) {
    out += between + each(x);
    between = ",\n    ";
  }
  return out + (list.empty() ? "" : "\n  ") + close;
}
} // namespace

std::string attn::sim::toJson(const Report &r) {
  const auto counted = [](const auto &pair) { return fmt::format("{}: {}", quoted(pair.first), pair.second); };
  const auto finding = [](const Finding &f) {
    return fmt::format(R"({{"kind": {}, "line": {}, "instruction": {}, "message": {}, "mend": {}, "count": {}}})",
                       quoted(f.kind), f.line, quoted(f.instruction), quoted(f.message), quoted(f.hint), f.count);
  };
  const auto site = [](const SiteCounters &s) {
    return fmt::format(R"({{"line": {}, "instruction": {}, "executed": {}, "bytes": {}, "wavefronts": {}, )"
                       R"("ideal_wavefronts": {}, "sectors": {}, "ideal_sectors": {}}})",
                       s.line, quoted(s.instruction), s.executed, s.bytes, s.wavefronts, s.idealWavefronts, s.sectors,
                       s.idealSectors);
  };
  const auto guard = [](const GuardCounters &g) {
    return fmt::format(R"({{"line": {}, "lanes": {}, "on": {}}})", g.line, g.lanes, g.on);
  };
  std::string out = fmt::format("{{\n  \"clean\": {},\n", r.clean());
  out += "  \"findings\": " + listed(r.findings, "[", "]", finding) + ",\n";
  out += fmt::format("  \"ctas\": {},\n  \"steps\": {},\n  \"registers\": {},\n", r.ctas, r.steps, r.registers);
  out += fmt::format("  \"shared_static\": {},\n  \"local_bytes\": {},\n", r.sharedStatic, r.localBytes);
  out += "  \"instructions\": " + listed(r.instructions, "{", "}", counted) + ",\n";
  out += "  \"bytes\": " + listed(r.bytes, "{", "}", counted) + ",\n";
  out += "  \"sites\": " + listed(r.sites, "[", "]", site) + ",\n";
  out += "  \"guards\": " + listed(r.guards, "[", "]", guard) + ",\n";
  out += fmt::format("  \"executed_lines\": [{}]\n}}\n", fmt::join(r.executedLines, ", "));
  return out;
}
