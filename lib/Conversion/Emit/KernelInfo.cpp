// The constants and entries of the C ABI: attn_K_info, attn_K, attn_K_workspace. Field by field as in
// attn-rt/attn_rt.h, whose layout abi.c pins.
#include "attn/Conversion/KernelInfo.h"
#include "attn-rt/attn_rt.h"
#include "attn/Analysis/ArgumentFacts.h"
#include "attn/Conversion/ConstantEmitter.h"
#include "attn/Conversion/ProgramFacts.h"

using namespace mlir;
using namespace attn;
using V = Value;

namespace {

class InfoEmitter : ConstantEmitter {
public:
  using ConstantEmitter::ConstantEmitter;

  void run(tile::ProgramOp program, ArrayRef<KernelVariant> variants, int64_t isaLevel) {
    unsigned numDims = program.getDimNames().size();
    // Strings first: initializers may only refer to what exists.
    strings(program.getArgNames());
    strings(program.getDimNames());
    string(name);
    for (const KernelVariant &v : variants)
      string(v.name);

    bool isMap = (bool)mapOf(program);
    auto dimType = structOf({ptr, i32, i32, i64});
    array("dims", dimType, numDims, [&](unsigned d) {
      unsigned nb = program.getNumBatch();
      int32_t kind = isMap         ? ATTN_DIM_MAP
                     : d < nb      ? ATTN_DIM_BATCH
                     : d == nb     ? ATTN_DIM_QUERY
                     : d == nb + 1 ? ATTN_DIM_KEY
                                   : ATTN_DIM_FEATURE;
      return SmallVector<V>{addressOf(string(cast<StringAttr>(program.getDimNames()[d]).getValue())), c32(kind), c32(0),
                            c64(d < nb ? program.getShare()[d] : 1)};
    });
    SmallVector<ArgumentFact> facts;
    for (Attribute fact : program.getArgFacts())
      facts.push_back(ArgumentFact::unpack(cast<DenseI64ArrayAttr>(fact).asArrayRef()));
    arguments(program.getBody().getArguments(), program.getNumOutputs(), program.getArgNames(), facts,
              argumentFactsOf(program));

    auto phaseType = structOf({ptr, i32, i32, i64, i32, i32});
    for (unsigned v = 0; v < variants.size(); ++v)
      array("phases_" + std::to_string(v), phaseType, variants[v].phases.size(), [&](unsigned n) {
        const EmittedPhase &p = variants[v].phases[n];
        return SmallVector<V>{addressOf(p.function), c32(p.kind),   c32(p.descending),
                              c64(p.block),          c32(p.chunks), c32(p.together)};
      });
    variantArray(variants, /*runs=*/true);
    info(SymbolTable::getSymbolVisibility(program) == SymbolTable::Visibility::Public, variants.size(), isaLevel,
         numDims, 0, 0);
  }

  /// Of a kernel that runs others, whose constants exist.
  void run(tile::SequenceOp sequence, ArrayRef<StepInfo> known, int64_t isaLevel) {
    auto calls = llvm::to_vector(sequence.getBody().getOps<tile::CallOp>());
    auto infoOf = [&](tile::CallOp call) -> const StepInfo & {
      return *llvm::find_if(known, [&](const StepInfo &step) { return step.name == call.getCallee(); });
    };
    auto leading = llvm::find_if(calls, [&](tile::CallOp call) { return infoOf(call).hasKeys; });
    const StepInfo &leader = infoOf(leading == calls.end() ? calls.front() : *leading);
    strings(sequence.getArgNames());
    string(name);
    for (const KernelVariant &v : leader.variants)
      string(v.name);

    // Values: tensors in the order of the arguments, then temporaries. Extents of arguments are what the steps say.
    SmallVector<ArgumentFact> facts;
    llvm::DenseMap<V, unsigned> numbers;
    unsigned tensors = 0, scalarNumber = 0, temps = 0;
    for (BlockArgument arg : sequence.getBody().getArguments()) {
      facts.push_back(ArgumentFact::ofType(arg.getType()));
      numbers[arg] = isa_and_present<RankedTensorType>(arg.getType()) ? tensors++ : scalarNumber++;
    }
    for (auto temporary : sequence.getBody().getOps<tile::TemporaryOp>())
      numbers[temporary.getResult()] = tensors + temps++;
    arguments(sequence.getBody().getArguments(), sequence.getNumOutputs(), sequence.getArgNames(), facts,
              argumentFactsOf(sequence.getArgAttrsAttr()));
    array("dims", structOf({ptr, i32, i32, i64}), 0, [](unsigned) { return SmallVector<V>{}; });

    auto numbersOf = [&](unsigned step, const char *what, bool ofTensors) {
      SmallVector<V> list;
      for (V v : calls[step].getOperands())
        if (isa<RankedTensorType>(v.getType()) == ofTensors)
          list.push_back(v);
      std::string of = what + std::to_string(step);
      auto type = LLVM::LLVMArrayType::get(i32, list.size());
      global(symbol(of), type, LLVM::Linkage::Internal, [&] {
        SmallVector<V> fields;
        for (V v : list)
          fields.push_back(c32(numbers.lookup(v)));
        return aggregate(type, fields);
      });
    };
    for (unsigned n = 0; n < calls.size(); ++n) {
      numbersOf(n, "values_", true);
      numbersOf(n, "scalars_", false);
    }
    array("steps", structOf({ptr, ptr, ptr}), calls.size(), [&](unsigned n) {
      return SmallVector<V>{addressOf("attn_" + calls[n].getCallee().str() + "_info"),
                            addressOf(symbol("values_" + std::to_string(n))),
                            addressOf(symbol("scalars_" + std::to_string(n)))};
    });
    variantArray(leader.variants, /*runs=*/false);
    info(true, leader.variants.size(), isaLevel, 0, calls.size(), temps);
  }

private:
  using Facts = sets::Facts;

  /// The arrays of tensors and of scalars; `all`: arguments, then results.
  void arguments(ValueRange all, unsigned numOutputs, ArrayAttr names, ArrayRef<ArgumentFact> facts,
                 const Facts &promised) {
    SmallVector<unsigned> tensors, scalars;
    for (auto [n, arg] : llvm::enumerate(all))
      (isa_and_present<RankedTensorType>(arg.getType()) ? tensors : scalars).push_back(n);
    unsigned numInputs = all.size() - numOutputs;
    auto nameOf = [&](unsigned n) { return addressOf(string(cast<StringAttr>(names[n]).getValue())); };

    auto axisType = structOf({i32, i32, i64, i64, i64, i32, i32});
    auto axesType = LLVM::LLVMArrayType::get(axisType, ATTN_MAX_RANK);
    auto argType = structOf({ptr, i8, i8, i8, i8, i32, i32, i32, i64, i64, axesType});
    array("args", argType, tensors.size(), [&](unsigned n) {
      unsigned arg = tensors[n];
      auto type = cast<RankedTensorType>(all[arg].getType());
      const ArgumentFact &fact = facts[arg];
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
      return SmallVector<V>{nameOf(arg),
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
      Type t = all[scalars[n]].getType();
      auto [code, bits] = dtype(t.isIndex() ? (Type)i64 : t);
      return SmallVector<V>{nameOf(scalars[n]), c8(code), c8(bits), LLVM::ZeroOp::create(b, loc, padType)};
    });
    numTensors = tensors.size(), numScalars = scalars.size();
  }

  /// Where they do not `run`, they are only names and sizes.
  void variantArray(ArrayRef<KernelVariant> variants, bool runs) {
    auto variantType = structOf({ptr, ptr, ptr, ptr, i32, i32, i64, i64, i64, i64, i64, i64, i64, i64});
    array("variants", variantType, variants.size(), [&](unsigned n) {
      const KernelVariant &v = variants[n];
      return SmallVector<V>{addressOf(string(v.name)),
                            runs && !v.guard.empty() ? addressOf(v.guard) : null(),
                            runs ? addressOf(symbol("phases_" + std::to_string(n))) : null(),
                            runs && !v.sizes.empty() ? addressOf(v.sizes) : null(),
                            c32(runs ? v.phases.size() : 0),
                            c32(0),
                            c64(v.slotBase),
                            c64(v.slotPerPanel),
                            c64(v.panel),
                            c64(v.scratchBytes),
                            c64(v.tileRows),
                            c64(v.tileKeys),
                            c64(v.blockRows),
                            c64(v.blockKeys)};
    });
  }

  /// attn_K_info, and where the kernel is one of the text's own, its entries.
  void info(bool exported, unsigned numVariants, int64_t isaLevel, unsigned numDims, unsigned numSteps,
            unsigned numTemps) {
    auto infoType = structOf({i32, i32, ptr, ptr, ptr, ptr, ptr, i32, i32, i32, i32, i32, i32, ptr, i32, i32, ptr});
    std::string info = symbol("info");
    global(info, infoType, exported ? LLVM::Linkage::External : LLVM::Linkage::Internal, [&] {
      return aggregate(infoType, {c32(ATTN_RT_ABI_VERSION), c32(sizeof(attn_kernel_info)), addressOf(string(name)),
                                  addressOf(symbol("dims")), addressOf(symbol("args")), addressOf(symbol("params")),
                                  addressOf(symbol("variants")), c32(numDims), c32(numTensors), c32(numScalars),
                                  c32(numVariants), c32(isaLevel), c32(numTemps),
                                  numSteps ? addressOf(symbol("steps")) : null(), c32(numSteps), c32(0), null()});
    });
    if (!exported || !entries)
      return;
    entry("attn_" + name, "attn_rt_run", info, false);
    entry("attn_" + name + "_workspace", "attn_rt_workspace", info, true);
  }

  static std::pair<int, int> dtype(Type t) {
    if (t.isBF16())
      return {ATTN_BFLOAT, 16};
    if (isa<Float8E4M3FNType>(t))
      return {ATTN_FLOAT8_E4M3FN, 8};
    if (isa<Float8E5M2Type>(t))
      return {ATTN_FLOAT8_E5M2, 8};
    if (isa<FloatType>(t))
      return {ATTN_FLOAT, t.getIntOrFloatBitWidth()};
    if (t.isInteger(1))
      return {ATTN_BOOL, 8};
    return {ATTN_INT, t.getIntOrFloatBitWidth()};
  }

  unsigned numTensors = 0, numScalars = 0;

public:
  bool entries = true; // attn_K and attn_K_workspace
};

} // namespace

void attn::emitKernelInfo(ModuleOp module, tile::ProgramOp program, ArrayRef<KernelVariant> variants, int64_t isaLevel,
                          bool entries) {
  InfoEmitter info(module, program.getLoc(), program.getSymName());
  info.entries = entries;
  info.run(program, variants, isaLevel);
}

void attn::emitSequenceInfo(ModuleOp module, tile::SequenceOp sequence, ArrayRef<StepInfo> steps, int64_t isaLevel,
                            bool entries) {
  InfoEmitter info(module, sequence.getLoc(), sequence.getSymName());
  info.entries = entries;
  info.run(sequence, steps, isaLevel);
}
