// What ptxas says, read; and the table of GPUs.
#include "attn/Target/NVPTX/NVPTX.h"

#include <gtest/gtest.h>

using namespace attn;
using namespace attn::nvptx;

namespace {

TEST(PtxasReport, Entries) {
  PtxasReport report = parsePtxasReport(R"(ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function 'first' for 'sm_90'
ptxas info    : Function properties for first
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 168 registers, used 1 barriers
ptxas info    : Compile time = 19.258 ms
ptxas info    : Compiling entry function 'second' for 'sm_90'
ptxas info    : Function properties for second
    320 bytes stack frame, 312 bytes spill stores, 308 bytes spill loads
ptxas info    : Used 255 registers, used 2 barriers, 320 bytes cumulative stack size, 4096 bytes smem, 416 bytes cmem[0], 8 bytes cmem[2]
)");
  ASSERT_EQ(report.entries.size(), 2u);
  EXPECT_EQ(report.entries[0].entry, "first");
  EXPECT_EQ(report.entries[0].registers, 168);
  EXPECT_EQ(report.entries[0].barriers, 1);
  EXPECT_EQ(report.entries[0].spillStores + report.entries[0].spillLoads + report.entries[0].stackBytes, 0);
  EXPECT_EQ(report.entries[0].sharedBytes, 0);
  EXPECT_EQ(report.entries[1].entry, "second");
  EXPECT_EQ(report.entries[1].registers, 255);
  EXPECT_EQ(report.entries[1].barriers, 2);
  EXPECT_EQ(report.entries[1].stackBytes, 320);
  EXPECT_EQ(report.entries[1].spillStores, 312);
  EXPECT_EQ(report.entries[1].spillLoads, 308);
  EXPECT_EQ(report.entries[1].sharedBytes, 4096);
  EXPECT_EQ(report.entries[1].constantBytes, 416);
  EXPECT_TRUE(report.notes.empty());
}

TEST(PtxasReport, Notes) {
  PtxasReport report = parsePtxasReport(
      R"(ptxas info    : (C7510) Potential Performance Loss: wgmma.mma_async instructions are serialized
ptxas a.ptx, line 7; warning : Unresolved extern variable 'x' in whole program compilation, ignoring extern qualifier
ptxas info    : Compiling entry function 'k' for 'sm_80'
)");
  ASSERT_EQ(report.notes.size(), 2u);
  EXPECT_NE(report.notes[0].find("C7510"), std::string::npos);
  EXPECT_NE(report.notes[1].find("line 7"), std::string::npos);
  EXPECT_EQ(report.entries.size(), 1u);
}

TEST(NvidiaMachine, Table) {
  EXPECT_EQ(lookupNvidiaMachine("sm_75"), nullptr);
  EXPECT_EQ(lookupNvidiaMachine("sm_90a"), nullptr);
  EXPECT_EQ(nvidiaMachineNames(), "sm_80, sm_86, sm_89, sm_90, sm_100, sm_120");
  for (const char *name : {"sm_80", "sm_86", "sm_89", "sm_90", "sm_100", "sm_120"}) {
    const NvidiaMachine *machine = lookupNvidiaMachine(name);
    ASSERT_NE(machine, nullptr) << name;
    EXPECT_EQ("sm_" + std::to_string(machine->sm), name);
    // One CTA with all that it can ask for just fits.
    EXPECT_EQ(machine->sharedPerCta + machine->sharedPerCtaReserved, machine->sharedPerMultiprocessor);
    EXPECT_EQ(machine->registers, 65536);
  }
}

} // namespace
