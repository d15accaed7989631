// The constants and entries of the C ABI: attn_K_info, attn_K, attn_K_workspace. Field by field as in
// attn-rt/attn_rt.h, whose layout abi.c pins.
#include "TaskEmitter.h"
#include "attn-rt/attn_rt.h"

using namespace mlir;
using namespace attn;
using V = Value;

namespace {

class InfoEmitter {
public:
  InfoEmitter(ModuleOp module, tile::ProgramOp program)
      : module(module), program(program), b(module.getContext()), loc(program.getLoc()),
        ptr(LLVM::LLVMPointerType::get(b.getContext())), i32(b.getI32Type()), i64(b.getI64Type()),
        i16(b.getIntegerType(16)), i8(b.getI8Type()), name(program.getSymName().str()) {
    b.setInsertionPointToEnd(module.getBody());
  }

  void run(ArrayRef<EmittedVariant> variants, int64_t isa) {
    unsigned numDims = program.getDimNames().size();
    SmallVector<std::string> names;
    for (Attribute a : program.getArgNames())
      names.push_back(cast<StringAttr>(a).getValue().str());

    // Strings first: initializers may only refer to what exists.
    for (auto &n : names)
      string(n);
    for (Attribute d : program.getDimNames())
      string(cast<StringAttr>(d).getValue());
    string(name);
    for (const EmittedVariant &v : variants)
      string(v.name);

    auto dimType = structOf({ptr, i32, i32, i64});
    array("dims", dimType, numDims, [&](unsigned d) {
      unsigned nb = program.getNumBatch();
      int32_t kind = d < nb ? ATTN_DIM_BATCH : d == nb ? ATTN_DIM_QUERY : d == nb + 1 ? ATTN_DIM_KEY : ATTN_DIM_FEATURE;
      return SmallVector<V>{addressOf(string(cast<StringAttr>(program.getDimNames()[d]).getValue())), c32(kind), c32(0),
                            c64(d < nb ? program.getShare()[d] : 1)};
    });

    SmallVector<unsigned> tensors, scalars;
    for (BlockArgument arg : program.getBody().getArguments())
      (isa_and_present<RankedTensorType>(arg.getType()) ? tensors : scalars).push_back(arg.getArgNumber());
    unsigned numInputs = program.getBody().getNumArguments() - program.getNumOutputs();

    auto axisType = structOf({i32, i32, i64, i64, i64, i32, i32});
    auto axesType = LLVM::LLVMArrayType::get(axisType, ATTN_MAX_RANK);
    auto argType = structOf({ptr, i8, i8, i8, i8, i32, i32, i32, i64, i64, axesType});
    const sets::Facts promised = argumentFactsOf(program);
    array("args", argType, tensors.size(), [&](unsigned n) {
      unsigned arg = tensors[n];
      auto type = cast<RankedTensorType>(program.getBody().getArgument(arg).getType());
      ArgumentFact fact = ArgumentFact::unpack(cast<DenseI64ArrayAttr>(program.getArgFacts()[arg]).asArrayRef());
      auto [code, bits] = dtype(type.getElementType());
      V axes = LLVM::UndefOp::create(b, loc, axesType);
      for (int64_t a = 0; a < ATTN_MAX_RANK; ++a) {
        AxisFact x = a < (int64_t)fact.axes.size() ? fact.axes[a] : AxisFact();
        V axis = aggregate(
            axisType, {c32(x.dim), c32(x.also), c64(x.divisor), c64(x.offset), c64(x.extent), c32(x.free), c32(0)});
        axes = LLVM::InsertValueOp::create(b, loc, axes, axis, ArrayRef<int64_t>{a});
      }
      bool output = arg >= numInputs;
      auto range = promised.range.find(arg);
      bool ranged = range != promised.range.end();
      return SmallVector<V>{addressOf(string(names[arg])),
                            c8(code),
                            c8(bits),
                            c8(output ? ATTN_ARG_OUTPUT : ATTN_ARG_INPUT),
                            c8(output),
                            c32(type.getRank()),
                            c32(fact.lengthOf),
                            c32((promised.sorted.count(arg) ? ATTN_FACT_SORTED : 0) | (ranged ? ATTN_FACT_RANGE : 0)),
                            c64(ranged ? range->second.first : 0),
                            c64(ranged ? range->second.second + 1 : 0),
                            axes};
    });

    auto padType = LLVM::LLVMArrayType::get(i8, 6);
    auto paramType = structOf({ptr, i8, i8, padType});
    array("params", paramType, scalars.size(), [&](unsigned n) {
      Type t = program.getBody().getArgument(scalars[n]).getType();
      auto [code, bits] = dtype(t.isIndex() ? (Type)i64 : t);
      return SmallVector<V>{addressOf(string(names[scalars[n]])), c8(code), c8(bits),
                            LLVM::ZeroOp::create(b, loc, padType)};
    });

    auto phaseType = structOf({ptr, i32, i32, i64, i32, i32});
    for (unsigned v = 0; v < variants.size(); ++v)
      array("phases_" + std::to_string(v), phaseType, variants[v].phases.size(), [&](unsigned n) {
        const EmittedPhase &p = variants[v].phases[n];
        return SmallVector<V>{addressOf(p.function), c32(p.kind),   c32(p.descending),
                              c64(p.block),          c32(p.chunks), c32(0)};
      });
    auto variantType = structOf({ptr, ptr, ptr, ptr, i32, i32, i64, i64, i64, i64, i64, i64, i64, i64});
    array("variants", variantType, variants.size(), [&](unsigned n) {
      const Layout &l = variants[n].layout;
      return SmallVector<V>{addressOf(string(variants[n].name)),
                            variants[n].guard.empty() ? null() : addressOf(variants[n].guard),
                            addressOf(symbol("phases_" + std::to_string(n))),
                            variants[n].sizes.empty() ? null() : addressOf(variants[n].sizes),
                            c32(variants[n].phases.size()),
                            c32(0),
                            c64(l.inPlace ? 0 : 128), // loads of lanes may reach past the last entry of a summary
                            c64(l.inPlace || l.packsInTasks ? 0 : l.panelBytes()),
                            c64(l.width),
                            c64(l.scratchBytes()),
                            c64(l.tileRows),
                            c64(l.width),
                            c64(l.blockRows),
                            c64(l.blockKeys)};
    });

    auto infoType = structOf({i32, i32, ptr, ptr, ptr, ptr, ptr, i32, i32, i32, i32, i32, i32});
    std::string info = "attn_" + name + "_info";
    global(info, infoType, LLVM::Linkage::External, [&] {
      return aggregate(infoType, {c32(ATTN_RT_ABI_VERSION), c32(sizeof(attn_kernel_info)), addressOf(string(name)),
                                  addressOf(symbol("dims")), addressOf(symbol("args")), addressOf(symbol("params")),
                                  addressOf(symbol("variants")), c32(numDims), c32(tensors.size()), c32(scalars.size()),
                                  c32(variants.size()), c32(isa), c32(0)});
    });

    entry("attn_" + name, "attn_rt_run", info, false);
    entry("attn_" + name + "_workspace", "attn_rt_workspace", info, true);
  }

private:
  std::string symbol(const std::string &what) { return "attn_" + name + "_" + what; }
  LLVM::LLVMStructType structOf(ArrayRef<Type> types) {
    return LLVM::LLVMStructType::getLiteral(b.getContext(), types);
  }
  V c32(int64_t v) { return LLVM::ConstantOp::create(b, loc, i32, b.getI32IntegerAttr(v)); }
  V c64(int64_t v) { return LLVM::ConstantOp::create(b, loc, i64, b.getI64IntegerAttr(v)); }
  V c8(int64_t v) { return LLVM::ConstantOp::create(b, loc, i8, b.getI8IntegerAttr(v)); }
  V null() { return LLVM::ZeroOp::create(b, loc, ptr); }
  V addressOf(const std::string &s) { return LLVM::AddressOfOp::create(b, loc, ptr, s); }

  V aggregate(Type type, ArrayRef<V> fields) {
    V v = LLVM::UndefOp::create(b, loc, type);
    for (auto [n, field] : llvm::enumerate(fields))
      v = LLVM::InsertValueOp::create(b, loc, v, field, ArrayRef<int64_t>{(int64_t)n});
    return v;
  }

  void global(const std::string &s, Type type, LLVM::Linkage linkage, llvm::function_ref<V()> init) {
    auto op = LLVM::GlobalOp::create(b, loc, type, /*isConstant=*/true, linkage, s, Attribute(), /*alignment=*/8);
    OpBuilder::InsertionGuard guard(b);
    b.createBlock(&op.getInitializerRegion());
    LLVM::ReturnOp::create(b, loc, init());
  }

  void array(const std::string &what, Type element, unsigned n, llvm::function_ref<SmallVector<V>(unsigned)> fields) {
    auto type = LLVM::LLVMArrayType::get(element, n);
    global(symbol(what), type, LLVM::Linkage::Internal, [&] {
      V v = LLVM::UndefOp::create(b, loc, type);
      for (unsigned k = 0; k < n; ++k)
        v = LLVM::InsertValueOp::create(b, loc, v, aggregate(element, fields(k)), ArrayRef<int64_t>{k});
      return v;
    });
  }

  /// The symbol of a zero-terminated string constant.
  std::string string(StringRef text) {
    auto it = strings.find(text.str());
    if (it != strings.end())
      return it->second;
    std::string s = symbol("s" + std::to_string(strings.size()));
    std::string zero = text.str() + '\0';
    LLVM::GlobalOp::create(b, loc, LLVM::LLVMArrayType::get(i8, zero.size()), true, LLVM::Linkage::Internal, s,
                           b.getStringAttr(zero), 1);
    return strings[text.str()] = s;
  }

  static std::pair<int, int> dtype(Type t) {
    if (t.isBF16())
      return {ATTN_BFLOAT, 16};
    if (isa<FloatType>(t))
      return {ATTN_FLOAT, t.getIntOrFloatBitWidth()};
    if (t.isInteger(1))
      return {ATTN_BOOL, 8};
    return {ATTN_INT, t.getIntOrFloatBitWidth()};
  }

  void entry(const std::string &s, const std::string &callee, const std::string &info, bool bytes) {
    SmallVector<Type> own{ptr}, theirs{ptr, ptr};
    if (bytes) {
      own.push_back(ptr);
      theirs.push_back(ptr);
    }
    if (!module.lookupSymbol(callee))
      LLVM::LLVMFuncOp::create(b, loc, callee, LLVM::LLVMFunctionType::get(i32, theirs));
    auto func = LLVM::LLVMFuncOp::create(b, loc, s, LLVM::LLVMFunctionType::get(i32, own));
    OpBuilder::InsertionGuard guard(b);
    Block *block = func.addEntryBlock(b);
    b.setInsertionPointToEnd(block);
    SmallVector<V> operands{block->getArgument(0), addressOf(info)};
    if (bytes)
      operands.push_back(block->getArgument(1));
    V status = LLVM::CallOp::create(b, loc, TypeRange{i32}, callee, operands).getResult();
    LLVM::ReturnOp::create(b, loc, status);
  }

  ModuleOp module;
  tile::ProgramOp program;
  OpBuilder b;
  Location loc;
  Type ptr, i32, i64, i16, i8;
  std::string name;
  std::map<std::string, std::string> strings;
};

} // namespace

void attn::emitKernelInfo(ModuleOp module, tile::ProgramOp program, ArrayRef<EmittedVariant> variants,
                          int64_t isaLevel) {
  InfoEmitter(module, program).run(variants, isaLevel);
}
