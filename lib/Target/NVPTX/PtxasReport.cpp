// What `ptxas -v` prints, line by line:
//
//   ptxas info    : Compiling entry function 'k' for 'sm_80'
//   ptxas info    : Function properties for k
//       0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
//   ptxas info    : Used 13 registers, used 1 barriers, 64 bytes smem, 416 bytes cmem[0]
#include "attn/Target/NVPTX/NVPTX.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Regex.h"

using namespace llvm;
using namespace attn::nvptx;

/// The number in front of `unit`; 0 where the line has none.
static int64_t numberBefore(StringRef line, StringRef unit) {
  SmallVector<StringRef> groups;
  int64_t number = 0;
  if (Regex("([0-9]+) " + unit.str()).match(line, &groups))
    groups[1].getAsInteger(10, number);
  return number;
}

PtxasReport attn::nvptx::parsePtxasReport(StringRef log) {
  static const Regex entry("Compiling entry function '([^']*)'"), note("warning|Warning|\\(C[0-9]+\\)");
  PtxasReport report;
  SmallVector<StringRef> lines, groups;
  log.split(lines, '\n', -1, /*KeepEmpty=*/false);
  for (StringRef line : lines) {
    if (note.match(line))
      report.notes.push_back(line.trim().str());
    if (entry.match(line, &groups)) {
      report.entries.emplace_back();
      report.entries.back().entry = groups[1].str();
    }
    if (report.entries.empty())
      continue;
    EntryResources &last = report.entries.back();
    // A function beside the entries has lines of its own, which come after its entry's; what it spills counts.
    if (line.contains("bytes stack frame")) {
      last.stackBytes += numberBefore(line, "bytes stack frame");
      last.spillStores += numberBefore(line, "bytes spill stores");
      last.spillLoads += numberBefore(line, "bytes spill loads");
    } else if (line.contains(": Used ")) {
      last.registers = numberBefore(line, "registers");
      last.barriers = numberBefore(line, "barriers");
      last.sharedBytes = numberBefore(line, "bytes smem");
      last.constantBytes = numberBefore(line, "bytes cmem\\[0\\]");
    }
  }
  return report;
}
