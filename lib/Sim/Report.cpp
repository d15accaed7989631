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
  return fmt::format(
      "{{\n  \"clean\": {},\n  \"findings\": {},\n  \"ctas\": {},\n  \"steps\": {},\n  \"registers\": {},\n  "
      "\"shared_static\": {},\n  \"local_bytes\": {},\n"
      "  \"instructions\": {},\n  \"bytes\": {},\n  \"sites\": {}\n}}\n",
      r.clean(),
      listed(r.findings, "[", "]",
             [](const Finding &f) {
               return fmt::format(
                   "{{\"kind\": {}, \"line\": {}, \"instruction\": {}, \"message\": {}, \"mend\": {}, \"count\": {}}}",
                   quoted(f.kind), f.line, quoted(f.instruction), quoted(f.message), quoted(f.hint), f.count);
             }),
      r.ctas, r.steps, r.registers, r.sharedStatic, r.localBytes, listed(r.instructions, "{", "}", counted),
      listed(r.bytes, "{", "}", counted), listed(r.sites, "[", "]", [](const SiteCounters &s) {
        return fmt::format("{{\"line\": {}, \"instruction\": {}, \"executed\": {}, \"bytes\": {}, \"wavefronts\": {}, "
                           "\"ideal_wavefronts\": {}, \"sectors\": {}, "
                           "\"ideal_sectors\": {}}}",
                           s.line, quoted(s.instruction), s.executed, s.bytes, s.wavefronts, s.idealWavefronts,
                           s.sectors, s.idealSectors);
      }));
}
