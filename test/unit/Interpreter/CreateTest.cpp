// What create refuses, as the runtime would.
#include "Harness.h"

using namespace attn::test;

namespace {

Tensor f32(std::vector<int64_t> shape) { return Tensor::random(Format::F32, shape, 1); }

void expectError(Program &program, const Call &call, const char *part) {
  auto created = call.tryCreate(program);
  ASSERT_FALSE((bool)created) << part;
  std::string message = llvm::toString(created.takeError());
  EXPECT_NE(message.find(part), std::string::npos) << message;
}

TEST(Create, Shapes) {
  Program p(simpleKernel(4, ""));
  expectError(p, {{f32({1, 2, 3, 4}), f32({1, 2, 5, 4}), f32({1, 2, 6, 4})}},
              "ATTN_E_SHAPE: axis 2 of 'v' has extent 6, expected 5");
  expectError(p, {{f32({2, 2, 3, 4}), f32({1, 2, 5, 4}), f32({2, 2, 5, 4})}}, "ATTN_E_SHAPE: axis 0 of 'k'");
  expectError(p, {{f32({1, 2, 3, 5}), f32({1, 2, 5, 4}), f32({1, 2, 5, 4})}},
              "ATTN_E_SHAPE: axis 3 of 'q' has extent 5, expected 4");
  expectError(p, {{f32({1, 2, 3}), f32({1, 2, 5, 4}), f32({1, 2, 5, 4})}}, "ATTN_E_RANK");
  expectError(p, {{Tensor::random(Format::F64, {1, 2, 3, 4}, 1), f32({1, 2, 5, 4}), f32({1, 2, 5, 4})}},
              "ATTN_E_DTYPE: 'q' must be f32");
  expectError(p, {{f32({1, 2, 3, 4})}}, "ATTN_E_ARGUMENT");
  expectError(p, {{f32({1, 2, 3, 4}), f32({1, 2, 5, 4}), f32({1, 2, 5, 4})}, {floatParam(1)}}, "ATTN_E_ARGUMENT");
}

TEST(Create, Strides) {
  Program p(simpleKernel(4, ""));
  Call call{{f32({1, 2, 3, 4}), f32({1, 2, 5, 4}), f32({1, 2, 5, 4})}};
  call.tensors[1].stride[2] = -4;
  expectError(p, call, "ATTN_E_STRIDE: 'k'");
}

TEST(Create, DerivedAxes) {
  auto p = Program::gallery("gqa");
  expectError(p, {{f32({1, 8, 2, 64}), f32({1, 3, 2, 64}), f32({1, 2, 2, 64})}},
              "ATTN_E_SHAPE: axis 1 of 'k' has extent 3, expected 2");
  auto created = Call{{f32({1, 6, 2, 64}), f32({1, 2, 2, 64}), f32({1, 2, 2, 64})}}.tryCreate(p);
  EXPECT_TRUE((bool)created);
  llvm::consumeError(created.takeError());
}

TEST(Create, CapturedTensors) {
  auto p = Program::gallery("varlen");
  auto call = [](std::vector<double> ql, std::vector<double> kl) {
    return Call{{f32({2, 1, 3, 64}), f32({2, 1, 5, 64}), f32({2, 1, 5, 64}),
                 Tensor(Format::I32, {(int64_t)ql.size()}, ql), Tensor(Format::I32, {(int64_t)kl.size()}, kl)}};
  };
  expectError(p, call({1, 2, 3}, {1, 2}), "ATTN_E_SHAPE: axis 0 of 'ql' has extent 3, expected 2");
  expectError(p, call({1, 4}, {1, 2}), "ATTN_E_LENGTH: length 4");
  expectError(p, call({1, 3}, {-1, 2}), "ATTN_E_LENGTH: length -1");
  auto document = Program::gallery("document");
  expectError(document,
              {{f32({1, 1, 3, 64}), f32({1, 1, 5, 64}), f32({1, 1, 5, 64}), Tensor(Format::I32, {1, 3}, {0, 0, 0})}},
              "ATTN_E_SHAPE: axis 1 of 'seg'");
}

TEST(Create, StaticResultExtents) {
  Program p("!t = tensor<?x4xf32>\nattn.kernel @f(%q: !t, %k: !t, %v: !t) -> (o: tensor<7x4xf32>) {\n"
            "%o = attn.attend dims(| i | j | c, e) q = %q[i, c] k = %k[j, c] v = %v[j, e] outputs o[i, e] : (!t, !t, "
            "!t) -> tensor<7x4xf32>\n"
            "attn.return %o : tensor<7x4xf32> }");
  expectError(p, {{f32({3, 4}), f32({2, 4}), f32({2, 4})}}, "ATTN_E_SHAPE: axis 0 of result 'o'");
}

TEST(Create, UnlinkedNormalizer) {
  Program p(simpleKernel(4, ""));
  for (auto n : llvm::make_early_inc_range(p.module->getOps<attn::NormalizerOp>()))
    n.erase();
  expectError(p, {{f32({1, 2, 3, 4}), f32({1, 2, 5, 4}), f32({1, 2, 5, 4})}}, "no normalizer @softmax");
}

} // namespace
