// One kernel for each kind of thing that is found, and its neighbour that is good.
#include "Run.h"

using namespace attn::sim;

namespace {
const std::string store = "st.global.u64 [%out], %rd1;";
const std::string mine = "mov.u32 %r1, memory;\nmad.lo.u32 %r2, %tid, 4, %r1;\n"; // %r2: the thread's own word
std::vector<uint64_t> iota(size_t n) {
  std::vector<uint64_t> v(n);
  for (size_t i = 0; i < n; ++i)
    v[i] = i;
  return v;
}
} // namespace

TEST(Poison, FlowsToWhereItDecides) {
  EXPECT_TRUE(runBody("mov.u64 %rd1, 5;" + store).report.clean());
  auto o = runBody(store);
  EXPECT_TRUE(o.found("poison", "the value stored to global memory in register %rd1 is poison")) << o.text();
  // Selected away it does no harm; added it does, and the report names the shared byte.
  EXPECT_TRUE(runBody("setp.eq.u64 %p1, %x, %x;\nselp.b64 %rd1, %x, %rd2, %p1;" + store).report.clean());
  o = runBody(mine + "ld.shared.u32 %r3, [%r2];\nadd.u32 %r4, %r3, 1;\ncvt.u64.u32 %rd1, %r4;" + store);
  EXPECT_TRUE(o.found("poison", "it comes from shared byte 0, which was never written, read at line")) << o.text();
  // Through shared memory, a shuffle and mma.
  o = runBody(mine + "st.shared.u32 [%r2], %r5;\nld.shared.u32 %r3, [%r2];\ncvt.u64.u32 %rd1, %r3;" + store);
  EXPECT_TRUE(o.found("poison", "register %r5, which was never written, stored at line")) << o.text();
  EXPECT_TRUE(runBody("add.u64 %rd3, %rd2, %in;\nld.global.u64 %rd1, [%rd3];" + store).found("poison", "the address"));
  EXPECT_TRUE(runBody("@%p1 mov.u64 %rd1, 1;\nmov.u64 %rd1, 1;" + store).found("poison", "the predicate that decides"));
  EXPECT_TRUE(runBody("mov.u64 %rd1, 1;\nbar.sync %r3;" + store).found("poison", "the barrier's number"));
}

TEST(Bounds, NameLaneAddressAllocation) {
  auto o = runBody("mad.wide.u32 %rd2, %tid, 8, %out;\nst.global.u64 [%rd2], %x;");
  EXPECT_TRUE(o.found("bounds", "lane 16 of warp 0 of CTA (0,0,0) accesses 8 bytes")) << o.text();
  EXPECT_TRUE(o.found("bounds", "0 bytes behind the end of 'out' (256 bytes")) << o.text();
  EXPECT_TRUE(runBody("ld.global.u64 %rd1, [%out+1];").found("misaligned", "no multiple of 8"));
  EXPECT_TRUE(runBody("mov.u32 %r1, 4096;\nst.shared.u32 [%r1], %tid;")
                  .found("bounds", "shared offset 4096, and there are 4096"));
  EXPECT_TRUE(runBody("mov.u64 %rd2, 64;\nld.global.u32 %r1, [%rd2];").found("bounds"));
  EXPECT_TRUE(runBody("ld.param.u32 %r1, [in+16];").found("bounds", "param offset 16"));
}

TEST(Race, SharedMemoryNeedsABarrier) {
  const std::string exchange =
      mine +
      "st.shared.u32 [%r2], %tid;\n%BARRIER\nmov.u32 %r4, 63;\nsub.u32 %r3, %r4, %tid;\nmad.lo.u32 %r3, %r3, 4, %r1;\n"
      "ld.shared.u32 %r5, [%r3];\ncvt.u64.u32 %rd1, %r5;" +
      store;
  const auto with = [&](const std::string &barrier) {
    std::string text = exchange;
    return runBody(text.replace(text.find("%BARRIER"), 8, barrier), 64);
  };
  auto o = with("bar.sync 0;");
  EXPECT_TRUE(o.report.clean()) << o.text();
  EXPECT_EQ(o.out[0], 63u);
  EXPECT_TRUE(with("").found("race", "nothing orders the two")) << with("").text();
  EXPECT_TRUE(with("bar.warp.sync 0xffffffff;").found("race", "of warp")); // orders the warp alone
  EXPECT_TRUE(with("membar.cta;").found("race"));                          // a fence waits for nobody
}

TEST(Race, LanesOfOneWarpAreThreads) {
  const std::string reverse =
      mine +
      "st.shared.u32 [%r2], %tid;\n%SYNC\nmov.u32 %r4, 31;\nsub.u32 %r3, %r4, %tid;\nmad.lo.u32 %r3, %r3, 4, %r1;\n"
      "ld.shared.u32 %r5, [%r3];\ncvt.u64.u32 %rd1, %r5;" +
      store;
  const auto with = [&](const std::string &sync) {
    std::string text = reverse;
    return runBody(text.replace(text.find("%SYNC"), 5, sync));
  };
  EXPECT_TRUE(with("bar.warp.sync 0xffffffff;").report.clean());
  EXPECT_TRUE(with("").found("race", "of the same warp"));
  EXPECT_TRUE(with("shfl.sync.idx.b32 %r6, %tid, 0, 31, 0xffffffff;").found("race")); // orders no memory
  EXPECT_TRUE(runBody(mine + "st.shared.u32 [%r1], %tid;\n").found("race", "of the same warp"));
  // ldmatrix reads for the whole warp: one's own row is not enough.
  const std::string matrix =
      "mov.u32 %r1, memory;\nmad.lo.u32 %r2, %tid, 16, %r1;\nst.shared.v2.b64 [%r2], {%x, %x};\n%SYNC\n"
      "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r3, %r4, %r5, %r6}, [%r2];";
  std::string good = matrix, bad = matrix;
  EXPECT_TRUE(runBody(good.replace(good.find("%SYNC"), 5, "bar.warp.sync 0xffffffff;")).report.clean());
  EXPECT_TRUE(runBody(bad.replace(bad.find("%SYNC"), 5, "")).found("race"));
}

TEST(Race, ReleaseAndAcquireOrderCtas) {
  // CTA 0 writes data and signals, the other waits: the data are ordered only with both halves of the pattern.
  const auto text = [](const std::string &signal, const std::string &wait) {
    return kernelOf(
        "mov.u32 %r1, %ctaid.x;\nsetp.ne.u32 %p1, %r1, 0;\nsetp.ne.u32 %p2, %tid, 0;\n@%p2 bra DONE;\n@%p1 bra WAIT;\n"
        "st.global.u32 [data], 7;\n" +
            signal + "bra DONE;\nWAIT:\n" + wait +
            "setp.eq.u32 %p3, %r2, 0;\n@%p3 bra WAIT;\nld.global.u32 %r3, [data];\nDONE:",
        ".global .u32 data;\n.global .u32 flag;\n");
  };
  LaunchOptions two;
  two.grid = {2, 1, 1};
  const auto clean = [&](const std::string &signal, const std::string &wait) {
    bool good = true;
    for (two.seed = 1; two.seed < 5; ++two.seed)
      good &= runText(text(signal, wait), 32, {}, two).report.clean();
    return good;
  };
  EXPECT_TRUE(clean("st.release.gpu.global.u32 [flag], 1;\n", "ld.acquire.gpu.global.u32 %r2, [flag];\n"));
  EXPECT_TRUE(clean("fence.acq_rel.gpu;\nst.relaxed.gpu.global.u32 [flag], 1;\n",
                    "ld.relaxed.gpu.global.u32 %r2, [flag];\nfence.acq_rel.gpu;\n"));
  EXPECT_TRUE(clean("membar.gl;\nred.global.add.u32 [flag], 1;\n", "atom.global.or.b32 %r2, [flag], 0;\nmembar.gl;\n"));
  EXPECT_FALSE(clean("st.relaxed.gpu.global.u32 [flag], 1;\n", "ld.acquire.gpu.global.u32 %r2, [flag];\n"));
  EXPECT_FALSE(clean("st.release.gpu.global.u32 [flag], 1;\n", "ld.relaxed.gpu.global.u32 %r2, [flag];\n"));
  EXPECT_FALSE(clean("st.release.cta.global.u32 [flag], 1;\n",
                     "ld.acquire.cta.global.u32 %r2, [flag];\n")); // the scope leaves the other CTA out
  EXPECT_FALSE(
      clean("membar.gl;\nst.global.u32 [flag], 1;\n", "ld.acquire.gpu.global.u32 %r2, [flag];\n")); // a weak flag
}

TEST(Async, CopiesNeedTheirWait) {
  const std::string copy = "mov.u32 %r1, memory;\nmad.lo.u32 %r2, %tid, 16, %r1;\nmad.wide.u32 %rd2, %tid, 16, %in;\n"
                           "cp.async.cg.shared.global [%r2], [%rd2], 16;\n";
  const std::string read = "ld.shared.u64 %rd1, [%r2];\n" + store;
  for (AsyncTime when : {AsyncTime::Earliest, AsyncTime::Latest, AsyncTime::Random}) {
    LaunchOptions o;
    o.async = when;
    const auto good = runBody(copy + "cp.async.commit_group;\ncp.async.wait_group 0;\n" + read, 32, iota(64), o);
    EXPECT_TRUE(good.report.clean()) << good.text();
    EXPECT_EQ(good.out[3], 6u);
    EXPECT_TRUE(runBody(copy + "cp.async.commit_group;\n" + read, 32, iota(64), o)
                    .found("async", "the destination of a copy that has not been waited for"));
    EXPECT_TRUE(
        runBody(copy + "cp.async.wait_group 0;\n" + read, 32, iota(64), o).found("async")); // nothing was committed
    EXPECT_TRUE(runBody(copy + "cp.async.wait_all;\n" + read, 32, iota(64), o).report.clean());
    EXPECT_TRUE(runBody(copy + "st.global.u64 [%rd2], %x;\ncp.async.wait_all;\n" + read, 32, iota(64), o)
                    .found("async", "the source of a copy"));
    EXPECT_TRUE(
        runBody(copy + "st.shared.u64 [%r2], %x;\ncp.async.wait_all;\n" + read, 32, iota(64), o).found("async"));
    // Waiting makes the copy visible to its issuer alone.
    const std::string other =
        "mov.u32 %r4, 63;\nsub.u32 %r3, %r4, %tid;\nmad.lo.u32 %r3, %r3, 16, %r1;\nld.shared.u64 %rd1, [%r3];\n" +
        store;
    EXPECT_TRUE(runBody(copy + "cp.async.wait_all;\nbar.sync 0;\n" + other, 64, iota(128), o).report.clean());
    const auto early = runBody(copy + "bar.sync 0;\ncp.async.wait_all;\n" + other, 64, iota(128), o);
    EXPECT_TRUE(early.found("race") || early.found("async")) << early.text();
  }
}

TEST(Async, RefillsNeedABarrier) {
  // The buffer is read by the other warp; the next copy into it must not overtake that read.
  const std::string text = "mov.u32 %r1, memory;\nmad.lo.u32 %r2, %tid, 16, %r1;\nmad.wide.u32 %rd2, %tid, 16, "
                           "%in;\nmov.u32 %r4, 63;\nsub.u32 %r3, %r4, %tid;\n"
                           "mad.lo.u32 %r3, %r3, 16, %r1;\ncp.async.cg.shared.global [%r2], [%rd2], "
                           "16;\ncp.async.wait_all;\nbar.sync 0;\nld.shared.u64 %rd1, [%r3];\n%BARRIER\n"
                           "cp.async.cg.shared.global [%r2], [%rd2], 16;\ncp.async.wait_all;\n" +
                           store;
  std::string good = text, bad = text;
  EXPECT_TRUE(runBody(good.replace(good.find("%BARRIER"), 8, "bar.sync 0;"), 64).report.clean());
  EXPECT_TRUE(runBody(bad.replace(bad.find("%BARRIER"), 8, ""), 64).found("race"));
}

TEST(Async, SourceSizesAndPredicates) {
  const std::string start = "mov.u32 %r1, memory;\nmad.lo.u32 %r2, %tid, 16, %r1;\nmad.wide.u32 %rd2, %tid, 16, %in;\n";
  const std::string end = "cp.async.wait_all;\nld.shared.u64 %rd1, [%r2];\n" + store;
  auto o = runBody(start + "mov.u32 %r3, 1;\ncp.async.cg.shared.global [%r2], [%rd2], 16, %r3;\n" + end, 32,
                   std::vector<uint64_t>(64, 0x1122334455667788));
  EXPECT_TRUE(o.report.clean() && o.out[0] == 0x88) << o.text(); // the rest is zero
  o = runBody(start + "setp.ne.u32 %p1, %tid, 1;\ncp.async.cg.shared.global [%r2], [%rd2], 16, %p1;\n" + end, 32,
              std::vector<uint64_t>(64, 5));
  EXPECT_TRUE(o.report.clean() && o.out[0] == 0 && o.out[1] == 5) << o.text();
  EXPECT_TRUE(runBody(start + "cp.async.cg.shared.global [%r2], [%rd2], 16, 17;\n" + end)
                  .found("undefined", "copies 17 of 16 bytes"));
}

TEST(Divergence, NamesWhoIsMissing) {
  EXPECT_TRUE(runBody("setp.eq.u32 %p1, %tid, 3;\n@%p1 bar.sync 0;")
                  .found("divergence", "the guard of this instruction is false in lane 0"));
  EXPECT_TRUE(runBody("setp.eq.u32 %p1, %tid, 3;\n@%p1 exit;\nbar.sync 0;")
                  .found("divergence", "lane 3 of warp 0 of CTA (0,0,0) has exited"));
  auto o = runBody("setp.lt.u32 %p1, %tid, 16;\n@%p1 bra A;\nbar.sync 0;\nbra B;\nA:\nbar.sync 0;\nB:");
  EXPECT_TRUE(o.found("divergence", "wait at line")) << o.text();
  // Lanes that were apart meet again, in order or not.
  o = runBody("mov.u64 %rd1, 0;\nsetp.lt.u32 %p1, %tid, 5;\n@%p1 bra A;\nadd.u64 %rd1, %rd1, 1;\nbra B;\nA:\nadd.u64 "
              "%rd1, %rd1, 2;\nB:\nbar.sync 0;\n"
              "activemask.b32 %r3;\ncvt.u64.u32 %rd2, %r3;\nadd.u64 %rd1, %rd1, %rd2;" +
              store);
  EXPECT_TRUE(o.report.clean() && o.out[0] == 0x100000001 && o.out[5] == 0x100000000) << o.text();
  EXPECT_TRUE(runBody("setp.lt.u32 %p1, %tid, 16;\n@%p1 shfl.sync.idx.b32 %r1, %tid, 0, 31, 0xffff;").report.clean());
  EXPECT_TRUE(runBody("setp.lt.u32 %p1, %tid, 16;\n@%p1 shfl.sync.idx.b32 %r1, %tid, 0, 31, 0xff;")
                  .found("divergence", "not in its member mask"));
  o = runBody("setp.lt.u32 %p1, %tid, 16;\nmov.u32 %r1, %tid;\n@%p1 shfl.sync.idx.b32 %r1, %tid, 20, 31, "
              "0xffff;\ncvt.u64.u32 %rd1, %r1;" +
              store);
  EXPECT_TRUE(o.found("poison", "read lane 20, which takes no part in it")) << o.text();
}

TEST(Deadlock, SaysWhoWaitsForWhat) {
  auto o = runBody("setp.lt.u32 %p1, %tid, 32;\n@%p1 bra A;\nbar.sync 1;\nA:", 64);
  EXPECT_TRUE(o.found("deadlock", "warp 1 lanes 0xffffffff wait at line")) << o.text();
  EXPECT_TRUE(o.found("deadlock", "for barrier 1: 32 of 64 threads have arrived")) << o.text();
  EXPECT_TRUE(runBody("L:\nbra L;", 32, {},
                      [] {
                        LaunchOptions l;
                        l.maxSteps = 1000;
                        return l;
                      }())
                  .found("endless"));
}

TEST(Barrier, CountsAndGenerations) {
  EXPECT_TRUE(runBody("bar.sync 1, 48;", 64).found("barrier", "counts are multiples of 32"));
  EXPECT_TRUE(runBody("bar.sync 16;").found("barrier", "there is no barrier 16"));
  EXPECT_TRUE(
      runBody(
          "setp.lt.u32 %p1, %tid, 32;\n@%p1 bra A;\nbar.sync 1, 64;\nbra B;\nA:\nbar.sync 1, 32;\nbar.sync 1, 64;\nB:",
          64)
          .found("barrier"));
  EXPECT_TRUE(runBody("setp.ge.u32 %p1, %tid, 32;\n@%p1 bra A;\nbar.arrive 1, 64;\nbar.sync 1, 64;\nA:", 64)
                  .found("barrier", "arrives twice"));
  const auto o =
      runBody("setp.lt.u32 %p1, %tid, 20;\nbar.red.popc.u32 %r1, 0, %p1;\nbar.red.or.pred %p2, 0, "
              "%p1;\nbar.red.and.pred %p3, 0, !%p1;\nselp.u32 %r2, 100, 0, %p2;\n"
              "selp.u32 %r3, 1000, 0, %p3;\nadd.u32 %r1, %r1, %r2;\nadd.u32 %r1, %r1, %r3;\ncvt.u64.u32 %rd1, %r1;" +
                  store,
              64);
  EXPECT_TRUE(o.report.clean() && o.out[40] == 120) << o.text();
}

TEST(MBarrier, OrdersAndCounts) {
  const std::string init = "mov.u32 %r1, memory;\nadd.u32 %r2, %r1, 64;\nmad.lo.u32 %r3, %tid, 4, %r1;\nadd.u32 %r3, "
                           "%r3, 1024;\nsetp.ne.u32 %p1, %tid, 0;\n"
                           "@!%p1 mbarrier.init.shared.b64 [%r2], 64;\nbar.sync 0;\n";
  const std::string wait = "W:\nmbarrier.try_wait.parity.shared.b64 %p2, [%r2], 0;\n@!%p2 bra W;\n";
  const std::string exchange = "mov.u32 %r5, 63;\nsub.u32 %r5, %r5, %tid;\nmad.lo.u32 %r5, %r5, 4, %r1;\nld.shared.u32 "
                               "%r4, [%r5+1024];\ncvt.u64.u32 %rd1, %r4;" +
                               store;
  auto o =
      runBody(init + "st.shared.u32 [%r3], %tid;\nmbarrier.arrive.shared.b64 %rd2, [%r2];\n" + wait + exchange, 64);
  EXPECT_TRUE(o.report.clean() && o.out[1] == 62) << o.text();
  EXPECT_TRUE(
      runBody(init + "mbarrier.arrive.shared.b64 %rd2, [%r2];\nst.shared.u32 [%r3], %tid;\n" + wait + exchange, 64)
          .found("race"));
  EXPECT_TRUE(runBody(init + "setp.eq.u32 %p3, %tid, 5;\n@!%p3 mbarrier.arrive.shared.b64 %rd2, [%r2];\n" + wait, 64)
                  .found("deadlock", "1 arrivals and 0 bytes pending"));
  EXPECT_TRUE(runBody(init + "mbarrier.arrive.shared.b64 %rd2, [%r2], 2;\n", 64).report.clean()); // two phases
  EXPECT_TRUE(
      runBody(init + "mbarrier.arrive.shared.b64 %rd2, [%r2], 3;\n", 64).found("mbarrier", "no arrival is pending"));
  EXPECT_TRUE(runBody(init + "@!%p1 mbarrier.init.shared.b64 [%r2], 64;\n", 64).found("mbarrier", "again"));
  EXPECT_TRUE(runBody(init + "ld.shared.u64 %rd1, [%r2];\n", 64).found("mbarrier", "which is an mbarrier"));
  EXPECT_TRUE(runBody("mov.u32 %r2, memory;\nmbarrier.arrive.shared.b64 %rd2, [%r2];\n")
                  .found("mbarrier", "no initialized mbarrier"));
  std::string unordered = init;
  unordered.erase(unordered.find("bar.sync 0;\n"), 12);
  EXPECT_FALSE(runBody(unordered + "mbarrier.arrive.shared.b64 %rd2, [%r2];\n", 64).report.clean());
}

TEST(MBarrier, CopiesArrive) {
  for (AsyncTime when : {AsyncTime::Earliest, AsyncTime::Latest, AsyncTime::Random})
    for (const bool noinc : {false, true}) {
      LaunchOptions options;
      options.async = when;
      const std::string text =
          std::string("mov.u32 %r1, memory;\nadd.u32 %r2, %r1, 2048;\nmad.lo.u32 %r3, %tid, 16, %r1;\nmad.wide.u32 "
                      "%rd2, %tid, 16, %in;\nsetp.ne.u32 %p1, %tid, 0;\n"
                      "@!%p1 mbarrier.init.shared.b64 [%r2], 64;\nbar.sync 0;\ncp.async.cg.shared.global [%r3], "
                      "[%rd2], 16;\n") +
          (noinc ? "cp.async.mbarrier.arrive.noinc.shared.b64 [%r2];\n"
                 : "cp.async.mbarrier.arrive.shared.b64 [%r2];\nmbarrier.arrive.shared.b64 _, [%r2];\n");
      const std::string wait = "W:\nmbarrier.try_wait.parity.shared.b64 %p2, [%r2], 0;\n@!%p2 bra W;\n";
      const std::string read =
          "mov.u32 %r5, 63;\nsub.u32 %r5, %r5, %tid;\nmad.lo.u32 %r5, %r5, 16, %r1;\nld.shared.u64 %rd1, [%r5];\n" +
          store;
      const auto good = runBody(text + wait + read, 64, iota(128), options);
      EXPECT_TRUE(good.report.clean() && good.out[0] == 126) << good.text();
      EXPECT_FALSE(runBody(text + read, 64, iota(128), options).report.clean());
      const auto own = runBody(text + "ld.shared.u64 %rd1, [%r3];\n" + wait + store, 64, iota(128), options);
      EXPECT_TRUE(own.found("async")) << own.text();
    }
}
