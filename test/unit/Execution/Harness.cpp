#include "Harness.h"

#include <map>
#include <xmmintrin.h>

using namespace mlir;
using namespace attn;
using namespace attn::test;

Element test::elementOf(const std::string &name) {
  for (Element e :
       {Element::F64, Element::F32, Element::F16, Element::BF16, Element::I64, Element::I32, Element::I8, Element::I1})
    if (name == nameOf(e))
      return e;
  llvm::report_fatal_error("no element type has this name");
}

std::string test::Attention::text() const {
  const std::string acc = element == "f64" ? "f64" : "f32", d = std::to_string(this->d), dv = std::to_string(this->dv);
  std::string t = "!q = tensor<?x?x?x" + d + "x" + element + ">\n!v = tensor<?x?x?x" + dv + "x" + element + ">\n";
  t += "!o = tensor<?x?x?x" + dv + "x" + (out.empty() ? element : out) + ">\n!l = tensor<?x?x?x" + acc + ">\n";
  t += "attn.kernel @k(%q: !q, %k: !q, %v: !v" + args + ") -> (o: !o, lse: !l) {\n";
  t += "  %o, %lse = attn.attend dims(b, h | i | j | c, e)\n    q = %q[b, h, i, c] k = %k[b, " + heads +
       ", j, c] v = %v[b, " + heads + ", j, e]\n";
  if (!set.empty())
    t += "    set = " + set + "\n";
  if (!score.empty())
    t += "    " + score + "\n";
  if (!scale.empty())
    t += "    scale = " + scale + "\n";
  return t + "    outputs o[b, h, i, e], lse[b, h, i] : (!q, !q, !v) -> (!o, !l)\n  attn.return %o, %lse : !o, !l\n}\n";
}

std::unique_ptr<test::Program> test::Program::make(const std::string &text, Blocks blocks, std::string &message,
                                                   const std::string &tokenOrder, const std::string &target) {
  CompileOptions options;
  options.tokenOrder = tokenOrder;
  options.target = target;
  options.blockRows = blocks.rows;
  options.blockKeys = blocks.keys;
  options.splitKeys = blocks.split;
  auto kernel = attn::compile(text, options);
  if (!kernel) {
    message = llvm::toString(kernel.takeError());
    return nullptr;
  }
  DialectRegistry registry;
  registry.insert<AttnDialect, arith::ArithDialect, math::MathDialect>();
  auto p = std::make_unique<Program>();
  p->text = text;
  p->compiled = std::make_unique<Kernel>(std::move(*kernel));
  p->context = std::make_unique<MLIRContext>(registry, MLIRContext::Threading::DISABLED);
  p->module = parseSourceString<ModuleOp>(text, ParserConfig(p->context.get()));
  if (!p->module || failed(linkNormalizers(*p->module)))
    llvm::report_fatal_error("what compiles does not parse");
  p->parsed = *p->module->getOps<KernelOp>().begin();
  p->attend = *p->parsed.getBody().getOps<AttendOp>().begin();
  return p;
}

test::Program &test::program(const std::string &text, Blocks blocks, const std::string &tokenOrder) {
  static std::map<std::tuple<std::string, int64_t, int64_t, int64_t, std::string>, std::unique_ptr<Program>> cache;
  auto &slot = cache[{text, blocks.rows, blocks.keys, blocks.split, tokenOrder}];
  std::string message;
  if (!slot && !(slot = Program::make(text, blocks, message, tokenOrder)))
    llvm::report_fatal_error(llvm::Twine(text) + message);
  return *slot;
}

std::vector<test::Tensor> test::makeOutputs(Program &program, const std::vector<Tensor> &inputs) {
  AttendOp attend = program.attend;
  std::vector<int64_t> extents(attend.numDims(), 0);
  auto inputOf = [&](Value v) -> const Tensor & {
    // Tensor arguments are numbered without the scalars between them.
    unsigned n = 0;
    for (BlockArgument arg : program.parsed.getBody().getArguments())
      if (arg == v)
        break;
      else
        n += isa<RankedTensorType>(arg.getType());
    return inputs[n];
  };
  auto learn = [&](Value v, AffineMap map) {
    for (auto [axis, e] : llvm::enumerate(map.getResults()))
      if (auto dim = dyn_cast<AffineDimExpr>(e))
        extents[dim.getPosition()] = inputOf(v).shape[axis];
  };
  attend->walk([&](LoadOp load) { // of what no operand is indexed by
    for (auto [axis, index] : llvm::enumerate(load.getIndices()))
      if (auto arg = dyn_cast<BlockArgument>(index); arg && attend.dimOf(arg) >= 0)
        extents[attend.dimOf(arg)] = inputOf(load.getTensor()).shape[axis];
  });
  for (unsigned n = 0; n < attend.numParts(); ++n)
    learn(attend.kPart(n).tensor, attend.kPart(n).map);
  learn(attend.getV(), attend.getVMap());
  for (unsigned n = attend.numParts(); n-- > 0;)
    learn(attend.qPart(n).tensor, attend.qPart(n).map);
  for (unsigned d = attend.dotDim(); d < attend.numDims(); ++d) // may be written, and less than an axis
    extents[d] = attend.featureExtent(d);
  std::vector<Tensor> outputs;
  for (unsigned r = 0; r < attend.getNumResults(); ++r) {
    Index shape;
    for (AffineExpr e : attend.outMap(r).getResults())
      shape.push_back(isa<AffineSymbolExpr>(e) ? attend.reductionCount(*topkOf(attend, attend.outName(r)))
                                               : extents[cast<AffineDimExpr>(e).getPosition()]);
    Type type = cast<RankedTensorType>(attend.getResult(r).getType()).getElementType();
    Element element = type.isInteger(64)   ? Element::I64
                      : type.isInteger(32) ? Element::I32
                      : type.isF64()       ? Element::F64
                      : type.isF32()       ? Element::F32
                      : type.isBF16()      ? Element::BF16
                                           : Element::F16;
    outputs.emplace_back(element, shape);
    outputs.back().fill([](auto) { return 12345; });
  }
  return outputs;
}

attn_status test::Call::run(Program &program) {
  if (outputs.empty())
    outputs = makeOutputs(program, inputs);
  std::vector<attn_tensor> args;
  std::vector<std::vector<uint64_t>> before;
  for (const Tensor &t : inputs) {
    args.push_back(t.abi());
    if (t.size() < 100000)
      before.push_back(t.elements());
  }
  for (const Tensor &t : outputs)
    args.push_back(t.abi());

  attn_call call{};
  call.abi_version = ATTN_RT_ABI_VERSION;
  call.size = sizeof call;
  call.args = args.data();
  call.params = params.data();
  call.n_args = int32_t(args.size());
  call.n_params = int32_t(params.size());
  call.workers = workers;
  call.pool = pool;
  call.variant = variant;
  call.stats = &stats;
  call.error = &error;
  stats = {};
  error = {-2, -2, -2, -2};

  uint64_t bytes = 0;
  status = program.kernel().workspace(call, bytes);
  if (status)
    bytes = 0;
  constexpr size_t guard = 256;
  std::vector<unsigned char> workspace(bytes + 2 * guard, 0xff); // NaN wherever it is read before it is written
  call.workspace = workspace.data() + guard;
  call.workspace_bytes = bytes;

  const unsigned environment = _mm_getcsr() & ~0x3fu;
  status = program.kernel().run(call);
  EXPECT_EQ(_mm_getcsr() & ~0x3fu, environment) << "rounding, FTZ and DAZ as found";
  bool intact = true;
  for (size_t n = 0; n < guard; ++n)
    intact &= workspace[n] == 0xff && workspace[guard + bytes + n] == 0xff;
  EXPECT_TRUE(intact) << "written outside of the workspace\n" << program.text;
  for (const Tensor &t : outputs)
    EXPECT_TRUE(t.gapsUntouched()) << "written between the elements of an output\n" << program.text;
  size_t n = 0;
  for (const Tensor &t : inputs)
    if (t.size() < 100000)
      EXPECT_EQ(t.elements(), before[n++]) << "an input was written";
  return status;
}

std::unique_ptr<interpreter::Interpreter> test::Call::oracle(Program &program) const {
  std::vector<attn_tensor> args;
  for (const Tensor &t : inputs)
    args.push_back(t.abi());
  auto made = interpreter::Interpreter::create(program.parsed, args, params);
  if (!made)
    llvm::report_fatal_error(llvm::Twine(program.text) + llvm::toString(made.takeError()));
  return std::move(*made);
}

std::vector<test::Tensor> test::normalInputs(const Attention &a, int64_t B, int64_t H, int64_t I, int64_t J,
                                             uint64_t seed, double scale, int64_t keyHeads) {
  const Element e = elementOf(a.element);
  keyHeads = keyHeads ? keyHeads : H;
  std::vector<Tensor> t;
  t.push_back(Tensor::normal(e, {B, H, I, a.d}, 3 * seed, scale));
  t.push_back(Tensor::normal(e, {B, keyHeads, J, a.d}, 3 * seed + 1));
  t.push_back(Tensor::normal(e, {B, keyHeads, J, a.dv}, 3 * seed + 2));
  return t;
}

::testing::AssertionResult test::sameBits(const Call &a, const Call &b) {
  if (a.status != b.status)
    return ::testing::AssertionFailure() << "status " << a.status << " and " << b.status;
  for (size_t r = 0; r < a.outputs.size(); ++r) {
    const auto x = a.outputs[r].elements(), y = b.outputs[r].elements();
    if (x.size() != y.size())
      return ::testing::AssertionFailure() << "sizes differ";
    int64_t n = 0, differ = 0, first = -1;
    for (; n < int64_t(x.size()); ++n)
      if (x[n] != y[n] && !differ++)
        first = n;
    if (differ)
      return ::testing::AssertionFailure()
             << differ << " of " << n << " elements of output " << r << " differ, the first is " << first;
  }
  return ::testing::AssertionSuccess();
}
