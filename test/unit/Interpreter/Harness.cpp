#include "Harness.h"

#include <fstream>
#include <random>
#include <sstream>

using namespace mlir;
using namespace attn;
using namespace attn::test;
using namespace attn::interpreter;

test::Program::Program(StringRef text) {
  DialectRegistry registry;
  registry.insert<AttnDialect, arith::ArithDialect, math::MathDialect>();
  context = std::make_unique<MLIRContext>(registry, MLIRContext::Threading::DISABLED);
  module = parseSourceString<ModuleOp>(text, ParserConfig(context.get()));
  if (!module || failed(linkNormalizers(*module)))
    llvm::report_fatal_error("a test program does not parse");
  kernel = *module->getOps<KernelOp>().begin();
}

test::Program test::Program::gallery(StringRef name) {
  std::ifstream file(ATTN_SOURCE_DIR "/gallery/" + name.str() + ".mlir");
  std::stringstream text;
  text << file.rdbuf();
  return Program(text.str());
}

Tensor::Tensor(Format format, std::vector<int64_t> dims, ArrayRef<double> values)
    : shape(std::move(dims)), stride(shape.size()), format(format) {
  int64_t size = 1;
  for (int axis = (int)shape.size() - 1; axis >= 0; --axis) {
    stride[axis] = size;
    size *= shape[axis];
  }
  bytes = std::make_shared<std::vector<char>>(size * formatBytes(format));
  for (int64_t n = 0; n < size; ++n) {
    int64_t bits = isFloat(format) ? bitsOf(format, values[n]) : (int64_t)values[n];
    std::memcpy(bytes->data() + n * formatBytes(format), &bits, formatBytes(format));
  }
}

Tensor Tensor::random(Format format, std::vector<int64_t> shape, unsigned seed) {
  std::mt19937 generator(seed);
  int64_t size = 1;
  for (int64_t n : shape)
    size *= n;
  std::vector<double> values(size);
  for (double &x : values)
    x = (double)generator() / 0x80000000u - 1;
  return Tensor(format, shape, values);
}

static int64_t offsetOf(const Tensor &t, ArrayRef<int64_t> index) {
  int64_t offset = 0;
  for (auto [i, s] : llvm::zip_equal(index, t.stride))
    offset += i * s;
  return offset;
}

double Tensor::operator()(ArrayRef<int64_t> index) const {
  View view;
  view.data = bytes->data();
  view.format = format;
  return readFloat(view, offsetOf(*this, index));
}

void Tensor::set(ArrayRef<int64_t> index, double value) {
  int64_t bits = isFloat(format) ? bitsOf(format, value) : (int64_t)value;
  std::memcpy(bytes->data() + offsetOf(*this, index) * formatBytes(format), &bits, formatBytes(format));
}

Tensor Tensor::permuted(ArrayRef<unsigned> order) const {
  Tensor t = *this;
  for (auto [n, axis] : llvm::enumerate(order)) {
    t.shape[n] = shape[axis];
    t.stride[n] = stride[axis];
  }
  return t;
}

attn_tensor Tensor::abi() const {
  attn_tensor t = {};
  t.data = bytes->data();
  t.code = formatCode(format) / 256;
  t.bits = formatCode(format) % 256;
  t.lanes = 1;
  t.rank = shape.size();
  llvm::copy(shape, t.shape);
  llvm::copy(stride, t.stride);
  return t;
}

llvm::Expected<std::unique_ptr<Interpreter>> Call::tryCreate(test::Program &program) const {
  std::vector<attn_tensor> args;
  for (const Tensor &t : tensors)
    args.push_back(t.abi());
  return Interpreter::create(program.kernel, args, params);
}

std::unique_ptr<Interpreter> Call::create(test::Program &program) const { return llvm::cantFail(tryCreate(program)); }

test::Expected test::softmaxRow(ArrayRef<Pair> pairs, int64_t width) {
  long double top = -kInf, total = 0;
  for (const Pair &p : pairs)
    top = std::max<long double>(top, p.score);
  Expected row{std::vector<double>(width, 0), -kInf};
  if (pairs.empty() || top == -kInf)
    return row;
  std::vector<long double> sums(width, 0);
  for (const Pair &p : pairs) {
    long double weight = std::exp(p.score - top);
    total += weight;
    for (int64_t e = 0; e < width; ++e)
      sums[e] += weight * p.value(e);
  }
  for (int64_t e = 0; e < width; ++e)
    row.o[e] = sums[e] / total;
  row.lse = top + std::log(total);
  return row;
}

void test::expectValue(double got, double want, double tolerance, StringRef what) {
  if (std::isnan(want))
    EXPECT_TRUE(std::isnan(got)) << what.str() << ": " << got;
  else if (std::isinf(want))
    EXPECT_EQ(got, want) << what.str();
  else
    EXPECT_NEAR(got, want, tolerance * std::max(1.0, std::abs(want))) << what.str();
}

void test::expectRow(const RowResult &got, const Expected &want, double tolerance, StringRef what) {
  const auto &o = got.outputs.at("o");
  ASSERT_EQ(o.size(), want.o.size()) << what.str();
  for (size_t e = 0; e < o.size(); ++e)
    expectValue(o[e], want.o[e], tolerance, what.str() + " o" + std::to_string(e));
  if (got.outputs.count("lse"))
    expectValue(got.outputs.at("lse").at(0), want.lse, tolerance, what.str() + " lse");
}

std::string test::simpleKernel(int64_t d, StringRef clauses, StringRef moreArgs, StringRef element) {
  std::string lse = element == "f64" ? "f64" : "f32";
  std::string text =
      "!t = tensor<?x?x?x" + std::to_string(d) + "x" + element.str() + ">\n!l = tensor<?x?x?x" + lse + ">\n";
  return text + "attn.kernel @simple(%q: !t, %k: !t, %v: !t" + moreArgs.str() + ") -> (o: !t, lse: !l) {\n" +
         "%o, %lse = attn.attend dims(b, h | i | j | c, e) q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]\n" +
         clauses.str() +
         " outputs o[b, h, i, e], lse[b, h, i] : (!t, !t, !t) -> (!t, !l)\nattn.return %o, %lse : !t, !l\n}\n";
}

std::string SetCase::text() const {
  std::string text = simpleKernel(1, first + " set = " + set, args);
  const std::string plain = "| i | j |";
  return text.replace(text.find(plain), plain.size(), "| i" + queryGrid + " | j" + keyGrid + " |");
}

Call SetCase::call() const {
  Call call{{Tensor::random(Format::F32, {2, 2, I, 1}, 1), Tensor::random(Format::F32, {2, 2, J, 1}, 2),
             Tensor::random(Format::F32, {2, 2, J, 1}, 3)},
            params};
  call.tensors.insert(call.tensors.end(), captured.begin(), captured.end());
  return call;
}

void test::checkSet(const SetCase &c, Member member) {
  SCOPED_TRACE(c.set);
  Program program(c.text());
  auto interpreter = c.call().create(program);
  for (int64_t b = 0; b < 2; ++b)
    for (int64_t h = 0; h < 2; ++h)
      for (int64_t i = 0; i < c.I; ++i)
        for (int64_t j = 0; j < c.J; ++j)
          EXPECT_EQ(interpreter->visible({b, h}, i, j), member(b, h, i, j))
              << "batch " << b << " head " << h << " pair " << i << ", " << j;
}

void test::expectBad(const SetCase &c, int64_t b, int64_t h, int64_t i, bool bad, int64_t visible) {
  SCOPED_TRACE(c.set);
  Program program(c.text());
  RowResult row = c.call().create(program)->row({b, h}, i, Precision::Double);
  EXPECT_EQ(row.badIndex, bad) << "batch " << b << " head " << h << " row " << i;
  if (visible >= 0)
    EXPECT_EQ(row.visible, visible) << "batch " << b << " head " << h << " row " << i;
}
