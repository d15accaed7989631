// Sets, scores, normalizers, outputs, element types, layouts, head dims, lengths, dropout: every two members of two of
// these in one program at least once, in every variant, with tiny blocks, by one thread and by two, against the
// interpreter. ATTN_LONG=1 runs the whole plan. ATTN_SEED=n makes another plan; ATTN_FIRST=n and ATTN_COUNT=n run a
// part of it, so ATTN_FIRST=n ATTN_COUNT=1 the one that a failure names; ATTN_ONLY=TEXT those whose summary has the
// text.
#include "PairsProgram.h"

#include <cstdlib>
#include <map>
#include <set>

using namespace attn;
using namespace attn::test;

namespace {

constexpr int64_t kAll = 1600;

int64_t environment(const char *name, int64_t otherwise) {
  const char *text = std::getenv(name);
  return text ? std::atoll(text) : otherwise;
}

/// What plain gets wrong in a few numbers may be very little by luck: the same program with other operands, all draws
/// judged as one tensor.
std::string moreDraws(Program &program, PairsProgram &p, uint64_t seed) {
  Comparison comparison(program);
  comparison.add(p.call);
  for (uint64_t n = 1; n <= 40; ++n) {
    fillOperands(p, seed + 7919 * n);
    p.call.run(program);
    comparison.add(p.call);
  }
  fillOperands(p, seed);
  return comparison.verdict();
}

/// All variants of a program; "" or what is wrong.
std::string checkPairs(Program &program, PairsProgram &p, uint64_t seed, attn_pool *pool) {
  const int32_t variants = program.kernel().info().n_variants;
  int ran = 0;
  for (int32_t variant = -1; variant < variants; ++variant) {
    if (variant < 0 && variants == 1)
      continue; // the same as 0
    p.call.variant = variant;
    p.call.workers = 1;
    p.call.pool = nullptr;
    if (p.call.run(program) == ATTN_E_VARIANT && variant >= 0)
      continue; // its guard does not hold
    ++ran;
    std::string difference = compare(program, p.call);
    if (difference.find("max error") == 0 || difference.find("mean error") == 0)
      difference = moreDraws(program, p, seed);
    if (!difference.empty())
      return "variant " + std::to_string(variant) + ": " + difference;
    p.call.run(program);
    Call two = p.call;
    two.workers = 2;
    two.pool = pool;
    two.run(program);
    if (auto same = sameBits(p.call, two); !same)
      return "variant " + std::to_string(variant) + ", two threads: " + same.message();
  }
  return ran ? "" : "no variant ran";
}

/// The label of what the compiler refuses as not supported; "" if it is something else.
std::string unsupported(const std::string &message) {
  const size_t from = message.find("[unsupported_");
  return from == std::string::npos ? "" : message.substr(from, message.find(']', from) + 1 - from);
}

/// What is not there yet.
const std::set<std::string> kRefused = {"[unsupported_columns]"};

std::unique_ptr<Program> make(const PairsProgram &p, std::string &message) {
  message.clear();
  return Program::make(p.text, p.blocks, message, p.tokenOrder);
}

TEST(Pairs, ProgramsAgreeWithTheInterpreter) {
  const uint64_t seed = uint64_t(environment("ATTN_SEED", 1));
  const int64_t first = environment("ATTN_FIRST", 0),
                count = environment("ATTN_COUNT", environment("ATTN_LONG", 0) ? kAll : 130);
  const char *only = std::getenv("ATTN_ONLY");
  const std::vector<Choice> plan = makePlan(seed, size_t(first + count));
  std::printf("plan %llu, programs %lld to %lld\n", (unsigned long long)seed, (long long)first,
              (long long)(first + count - 1));
  attn_pool *pool = attn_pool_create(2);
  std::map<std::string, int> refused;
  int64_t ran = 0;
  for (int64_t n = first; n < first + count; ++n) {
    const uint64_t programSeed = seed * 100000 + uint64_t(n);
    PairsProgram p = makePairsProgram(plan[size_t(n)], programSeed);
    p.summary = "program " + std::to_string(n) + " (ATTN_FIRST=" + std::to_string(n) + " ATTN_COUNT=1), " + p.summary;
    if (only && p.summary.find(only) == std::string::npos)
      continue;
    SCOPED_TRACE(p.summary);
    if (environment("ATTN_VERBOSE", 0))
      std::fprintf(stderr, "%s\n%s", p.summary.c_str(), p.text.c_str());
    std::string message;
    auto program = make(p, message);
    if (!program && unsupported(message) == "[unsupported_split]") { // normalizers of several passes, say
      p.blocks.split = 0;
      program = make(p, message);
    }
    if (!program) {
      if (const std::string label = unsupported(message); kRefused.count(label))
        ++refused[label];
      else
        ADD_FAILURE() << p.text << message;
      continue;
    }
    ++ran;
    EXPECT_EQ(checkPairs(*program, p, programSeed, pool), "") << p.text;
  }
  attn_pool_destroy(pool);
  std::printf("%lld programs ran\n", (long long)ran);
  for (const auto &[label, times] : refused)
    std::printf("%d programs are refused with %s\n", times, label.c_str());
}

TEST(Pairs, ThePlanHasEveryPair) {
  const Coverage c = coverage(makePlan(uint64_t(environment("ATTN_SEED", 1)), size_t(kAll)));
  EXPECT_EQ(c.covered, c.possible) << c.missing;
  std::printf("%zu pairs\n", c.possible);
}

} // namespace
