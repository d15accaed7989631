// Random programs against the interpreter. ATTN_LONG=1 runs 20000; ATTN_SEED=n starts at seed n, ATTN_COUNT=n runs so
// many, ATTN_TARGET=x86-64-v4 compiles for wider vectors.
#include "FuzzProgram.h"

#include <cstdlib>

using namespace attn;
using namespace attn::test;

namespace {

int64_t environment(const char *name, int64_t otherwise) {
  const char *text = std::getenv(name);
  return text ? std::atoll(text) : otherwise;
}

/// What plain gets wrong in a few numbers may be very little by luck: the same program with other operands, all draws
/// judged as one tensor.
std::string moreDraws(Program &program, FuzzProgram &f, int64_t seed) {
  Comparison comparison(program);
  comparison.add(f.call);
  const double scale = f.queryScale;
  for (int n = 0; n < 40; ++n) {
    for (size_t t = 0; t < f.operands; ++t) {
      Random random(uint64_t(seed), uint64_t(1000 * n + int(t)));
      uint64_t at = 0;
      f.call.inputs[t].fill([&](auto) { return (t ? 1 : scale) * random.normal(at++); });
    }
    f.call.run(program);
    comparison.add(f.call);
  }
  return comparison.verdict();
}

/// NaN in every key that no row sees: what is absent does not count, whatever it holds.
void poisonUnseen(Program &program, FuzzProgram &f) {
  auto oracle = f.call.oracle(program);
  llvm::ArrayRef<int64_t> extents = oracle->extents();
  AttendOp attend = program.attend;
  const int64_t I = extents[attend.queryDim()], J = extents[attend.keyDim()];
  Index batch(attend.numBatch(), 0);
  std::vector<char> seen(size_t(J), 0);
  int64_t batches = 1;
  for (size_t d = 0; d < batch.size(); ++d)
    batches *= extents[d];
  for (int64_t n = 0; n < batches; ++n) {
    for (int64_t i = 0; i < I; ++i)
      for (int64_t j = 0; j < J; ++j)
        seen[size_t(j)] |= oracle->visible(batch, i, j);
    for (size_t d = batch.size(); d-- && ++batch[d] == extents[d];)
      batch[d] = 0;
  }
  for (size_t t : {1, 2}) {
    const int axis = t == 1 ? f.keyAxis : f.valueAxis;
    if (axis < 0)
      continue;
    Tensor &x = f.call.inputs[t];
    if (llvm::is_contained(x.stride, 0))
      continue; // elements stand for several keys
    x.each([&](llvm::ArrayRef<int64_t> at) {
      if (!seen[size_t(at[size_t(axis)])])
        x.setBits(at, poisonBits(x.element, Poison::QuietNaN));
    });
  }
}

TEST(Fuzz, ProgramsAgreeWithTheInterpreter) {
  const int64_t first = environment("ATTN_SEED", 1);
  const int64_t count = environment("ATTN_COUNT", environment("ATTN_LONG", 0) ? 20000 : 150);
  std::printf("seeds %lld to %lld\n", (long long)first, (long long)(first + count - 1));
  attn_pool *pool = attn_pool_create(2);
  int unsupported = 0;
  for (int64_t seed = first; seed < first + count; ++seed) {
    FuzzProgram f = makeFuzzProgram(uint64_t(seed));
    SCOPED_TRACE(f.summary);
    if (environment("ATTN_VERBOSE", 0))
      std::fprintf(stderr, "%s\n%s", f.summary.c_str(), f.text.c_str());
    std::string message;
    auto program = Program::make(f.text, f.blocks, message, f.tokenOrder);
    if (!program && message.find("[unsupported_") != std::string::npos) {
      ++unsupported;
      std::printf("%s\n", message.substr(0, message.find('\n')).c_str());
      continue;
    }
    if (!program) {
      ADD_FAILURE() << f.text << message;
      continue;
    }
    f.call.pool = f.call.workers > 1 ? pool : nullptr;
    if (seed % 4 == 0)
      poisonUnseen(*program, f);
    // Every variant in turn; one whose guard does not hold is refused and chosen by the guards instead.
    const int32_t variants = program->kernel().info().n_variants;
    f.call.variant = int32_t(seed % (variants + 1)) - 1;
    if (f.call.variant >= 0 && f.call.run(*program) == ATTN_E_VARIANT)
      f.call.variant = -1;
    std::string difference = check(*program, f.call);
    if (difference.find("max error") == 0 || difference.find("mean error") == 0)
      difference = moreDraws(*program, f, seed);
    EXPECT_EQ(difference, "") << f.text;
  }
  attn_pool_destroy(pool);
  std::printf("%d programs are not supported\n", unsupported);
}

} // namespace
