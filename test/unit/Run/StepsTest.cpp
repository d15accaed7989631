// Kernels of several steps: extents across steps, made inputs, the check.
#include "run/Steps.h"
#include "run/Failure.h"

#include "llvm/Support/FileSystem.h"

#include <gtest/gtest.h>

using namespace attn;
using namespace attn::run;

namespace {

using Sizes = std::vector<std::pair<std::string, int64_t>>;

/// Blocks of keys are summed up, each query picks blocks by a list, and a map gates what comes out.
const char *const kText = R"(
!t = tensor<?x?x?x4xf32>
attn.kernel @f(%q: !t, %k: !t, %v: !t, %w: tensor<?x?xf32>, %ids: tensor<?x?xi32>, %p: index, %unused: tensor<3x?xf32>)
    -> (y: tensor<?x?x4xf32>, ids2: tensor<?x?xi32>) {
  %pooled = attn.map dims(b, h, n, e) (%x = %k[b, h, n, e]) { attn.yield %x : f32 } -> [b, h, n, e] : (!t) -> !t
  %next = attn.map dims(b, n) (%x : i32 = %ids[b, n]) { attn.yield %x : i32 } -> [b, n] : (tensor<?x?xi32>) -> tensor<?x?xi32>
  %o = attn.attend dims(b, h | i | j | c, e) q = %q[b, h, i, c] k = %pooled[b, h floordiv 2, j, c] v = %v[b, h floordiv 2, j, e]
    set = blocks<%next[b] : tensor<?x?xi32>, block = 16> or prefix<%p> outputs o[b, h, i, e] : (!t, !t, !t) -> !t
  %y = attn.map dims(b, h, i, e) sum(h) (%x = %o[b, h, i, e], %g = %w[b, h]) {
    %z = arith.mulf %x, %g : f32
    attn.yield %z : f32
  } -> [b, i, e] : (!t, tensor<?x?xf32>) -> tensor<?x?x4xf32>
  attn.return %y, %next : tensor<?x?x4xf32>, tensor<?x?xi32>
}
)";

class Made {
public:
  explicit Made(Sizes sizes, std::string text = kText) : text(std::move(text)) { options.sizes = std::move(sizes); }

  llvm::Error make() {
    llvm::SmallString<128> path;
    int file;
    if (llvm::sys::fs::createTemporaryFile("attn-run-test", "mlir", file, path))
      llvm::report_fatal_error("no temporary file");
    llvm::raw_fd_ostream(file, /*shouldClose=*/true) << text;
    options.file = path.str();
    auto loaded = loadProgram(options);
    llvm::sys::fs::remove(path);
    if (!loaded)
      return loaded.takeError();
    program = std::move(*loaded);
    auto made = makeProblem(program, options);
    if (!made)
      return made.takeError();
    problem = std::move(*made);
    return llvm::Error::success();
  }

  std::string error() {
    llvm::Error e = make();
    return e ? toFailure(std::move(e)).message : "";
  }

  std::vector<int64_t> shape(llvm::StringRef name) { return problem.find(name)->shape; }

  /// The results as the interpreter has them in plain precision, rounded as they are stored.
  void writeResults(interpreter::Steps &steps) {
    KernelOp kernel = program.kernel;
    for (unsigned r = 0; r < kernel.getResultTypes().size(); ++r) {
      auto [step, own] = steps.source(r);
      llvm::cantFail(steps.prepare(step, interpreter::Precision::Plain));
      const Tensor &t = problem.output(r);
      const mlir::AffineMap map = steps.map(step, own);
      for (int64_t row = 0; row < steps.rows(step); ++row) {
        auto at = steps.indicesAt(step, row);
        const auto values = steps.row(step, row, interpreter::Precision::Plain).results[own].numbers;
        for (size_t n = 0; n < values.size(); ++n) {
          if (steps.along(step, own) >= 0)
            at[size_t(steps.along(step, own))] = int64_t(n);
          int64_t offset = 0;
          for (auto [axis, e] : llvm::enumerate(map.getResults()))
            offset += at[llvm::cast<mlir::AffineDimExpr>(e).getPosition()] * t.strides[axis];
          storeNumber(t.data.data(), t.element, offset, values[n]);
        }
      }
    }
  }

  std::string text;
  Options options;
  Program program;
  Problem problem;
};

TEST(Steps, ExtentsGoThroughAllSteps) {
  Made made({{"b", 2}, {"h.3", 6}, {"i", 40}, {"j", 100}});
  ASSERT_EQ(made.error(), "");
  EXPECT_EQ(made.shape("q"), (std::vector<int64_t>{2, 6, 40, 4}));
  EXPECT_EQ(made.shape("k"), (std::vector<int64_t>{2, 3, 100, 4}));
  EXPECT_EQ(made.shape("v"), (std::vector<int64_t>{2, 3, 100, 4}));
  EXPECT_EQ(made.shape("w"), (std::vector<int64_t>{2, 6}));
  EXPECT_EQ(made.shape("ids"), (std::vector<int64_t>{2, 1})); // a quarter of 7 blocks
  EXPECT_EQ(made.shape("y"), (std::vector<int64_t>{2, 40, 4}));
  EXPECT_EQ(made.shape("ids2"), (std::vector<int64_t>{2, 1}));
  EXPECT_EQ(made.shape("unused"), (std::vector<int64_t>{3, 1}));
}

TEST(Steps, NamesOfOneStepAndOfTheOthers) {
  Made made({{"h", 2}, {"n", 33}}); // h is first that of step 1, n a dimension of it: keys
  ASSERT_EQ(made.error(), "");
  EXPECT_EQ(made.shape("k"), (std::vector<int64_t>{1, 2, 33, 4}));
  EXPECT_EQ(made.shape("q"), (std::vector<int64_t>{1, 4, 512, 4}));
  EXPECT_EQ(made.problem.dimNames, (std::vector<std::string>{"b", "h", "n", "e", "n.2", "h.3", "i", "j", "c", "h.4"}));
}

TEST(Steps, TensorAxes) {
  Made made({{"ids.1", 5}, {"j", 64}});
  ASSERT_EQ(made.error(), "");
  EXPECT_EQ(made.shape("ids"), (std::vector<int64_t>{1, 5}));
}

TEST(Steps, Disagreement) {
  EXPECT_EQ(Made({{"j", 64}, {"k.2", 65}}).error(),
            "an extent is 64 by --size j and 65 by --size k.2; make them agree");
  EXPECT_EQ(Made({{"x", 64}}).error(),
            "--size x: no such dimension; there are b, h, n, e, i, j, c, n (all token axes), "
            "NAME.STEP (steps from 1) and TENSOR.AXIS");
}

TEST(Steps, InputsAreMadeByWhatUsesThem) {
  Made made({{"i", 40}, {"j", 160}});
  ASSERT_EQ(made.error(), "");
  const Tensor &w = *made.problem.find("w"), &q = *made.problem.find("q");
  EXPECT_NE(loadNumber(w.data.data(), w.element, 0), 0);
  EXPECT_NE(loadNumber(q.data.data(), q.element, 1), 0);
  EXPECT_EQ(made.problem.scalars[0].value.i, 40) << "a prefix is a quarter of the keys";
  Made param({{"j", 160}});
  param.options.params = {{"p", "7"}};
  ASSERT_EQ(param.error(), "");
  EXPECT_EQ(param.problem.scalars[0].value.i, 7);
}

TEST(Steps, TheCheckFindsWhatIsWrong) {
  Made made({{"h.3", 2}, {"i", 20}, {"j", 30}});
  ASSERT_EQ(made.error(), "");
  auto steps = llvm::cantFail(makeSteps(made.program, made.problem, made.options));
  made.writeResults(*steps);
  auto good = llvm::cantFail(checkSteps(made.program, made.problem, *steps, 0));
  EXPECT_TRUE(good.ok()) << good.outputs[0].report.what;
  EXPECT_EQ(good.outputs.size(), 2u);
  EXPECT_EQ(good.rows, good.of);
  for (llvm::StringRef name : {"y", "ids2"}) {
    const Tensor &t = *made.problem.find(name);
    const double before = loadNumber(t.data.data(), t.element, t.elements() - 1);
    storeNumber(t.data.data(), t.element, t.elements() - 1, before + 1);
    auto bad = llvm::cantFail(checkSteps(made.program, made.problem, *steps, 0));
    EXPECT_FALSE(bad.ok());
    EXPECT_EQ(bad.outputs[name == "y" ? 0 : 1].report.ok, false);
    storeNumber(t.data.data(), t.element, t.elements() - 1, before);
  }
}

TEST(Steps, PairsOfEveryAttend) {
  Made made({{"i", 40}, {"j", 160}});
  made.options.params = {{"p", "160"}};
  made.options.explain = true;
  ASSERT_EQ(made.error(), "");
  auto steps = llvm::cantFail(makeSteps(made.program, made.problem, made.options));
  auto surveys = llvm::cantFail(surveySteps(made.program, made.problem, *steps, made.options));
  ASSERT_EQ(surveys.size(), 1u);
  EXPECT_EQ(surveys[0]->step, 3u);
  EXPECT_EQ(surveys[0]->pairs->visible, 8 * 40 * 160);
  EXPECT_TRUE(surveys[0]->survey->map.has_value());
}

} // namespace
