// --attn-split-kernel: a kernel of several steps becomes one private kernel a step, and calls of them.
//
// A step's kernel takes what the step uses: the arguments of the whole kernel in their order, then results of earlier
// steps in theirs. Names and facts of arguments stay, so that a step is lowered as if it stood alone.
#include "attn/Dialect/Attn/Attn.h"

#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace attn;

namespace {

class Splitter {
public:
  Splitter(KernelOp kernel, SymbolTable &symbols) : kernel(kernel), symbols(symbols), b(kernel.getContext()) {}

  void run() {
    nameValues();
    SmallVector<Operation *> steps = stepsOf(kernel);
    b.setInsertionPoint(kernel);
    for (auto [n, step] : llvm::enumerate(steps))
      split(step, (kernel.getSymName() + "__" + Twine(n)).str());
  }

private:
  /// Every value of the kernel has a name that no other has: that of the argument, of the result, or one made up.
  void nameValues() {
    llvm::StringSet<> taken;
    for (unsigned n = 0; n < kernel.getArgumentTypes().size(); ++n)
      taken.insert(names[kernel.getBody().getArgument(n)] = kernel.argName(n).str());
    for (auto [n, v] : llvm::enumerate(kernel.getBody().front().getTerminator()->getOperands()))
      taken.insert(names[v] = kernel.resName(n).str());
    unsigned next = 0;
    for (Operation *step : stepsOf(kernel))
      for (Value result : step->getResults())
        while (names[result].empty())
          if (std::string name = "t" + std::to_string(next++); taken.insert(name).second)
            names[result] = name;
  }

  /// What the step uses of the kernel, in its regions too.
  SmallVector<Value> usedBy(Operation *step) {
    llvm::SetVector<Value> used;
    used.insert_range(step->getOperands());
    getUsedValuesDefinedAbove(step->getRegions(), used);
    SmallVector<Value> ordered;
    for (BlockArgument arg : kernel.getBody().getArguments())
      if (used.contains(arg))
        ordered.push_back(arg);
    for (Operation &earlier : kernel.getBody().front())
      for (Value result : earlier.getResults())
        if (used.contains(result))
          ordered.push_back(result);
    return ordered;
  }

  void split(Operation *step, const std::string &name) {
    Location loc = step->getLoc();
    SmallVector<Value> used = usedBy(step);
    SmallVector<Attribute> argNames, resNames, facts;
    ArrayAttr attrs = kernel.getArgAttrsAttr();
    for (Value v : used) {
      argNames.push_back(b.getStringAttr(names[v]));
      auto arg = dyn_cast<BlockArgument>(v);
      facts.push_back(arg && attrs ? attrs[arg.getArgNumber()] : b.getDictionaryAttr({}));
    }
    for (Value v : step->getResults())
      resNames.push_back(b.getStringAttr(names[v]));
    auto type = b.getFunctionType(TypeRange(ValueRange(used)), step->getResultTypes());
    auto part = KernelOp::create(b, loc, name, type, b.getArrayAttr(argNames), b.getArrayAttr(resNames),
                                 attrs ? b.getArrayAttr(facts) : ArrayAttr(), ArrayAttr());
    SymbolTable::setSymbolVisibility(part, SymbolTable::Visibility::Private);
    symbols.insert(part); // under another name where there is a kernel of this name

    Block &body = part.getBody().emplaceBlock();
    IRMapping mapping;
    for (Value v : used)
      mapping.map(v, body.addArgument(v.getType(), v.getLoc()));
    OpBuilder inside = OpBuilder::atBlockEnd(&body);
    Operation *copy = inside.clone(*step, mapping);
    ReturnOp::create(inside, loc, copy->getResults());

    OpBuilder at(step);
    auto call = CallOp::create(at, loc, step->getResultTypes(), part.getSymName(), used);
    for (auto [from, to] : llvm::zip(step->getResults(), call.getResults())) {
      std::string own = std::move(names[from]);
      names.erase(from);
      names[to] = std::move(own);
    }
    step->replaceAllUsesWith(call);
    step->erase();
  }

  KernelOp kernel;
  SymbolTable &symbols;
  OpBuilder b;
  llvm::DenseMap<Value, std::string> names;
};

struct SplitKernel : PassWrapper<SplitKernel, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(SplitKernel)
  StringRef getArgument() const final { return "attn-split-kernel"; }
  StringRef getDescription() const final { return "make kernels of several steps calls of kernels of one step"; }
  void runOnOperation() final {
    SymbolTable symbols(getOperation());
    for (KernelOp kernel : llvm::make_early_inc_range(getOperation().getOps<KernelOp>())) {
      if (failed(verifySteps(kernel)))
        return signalPassFailure();
      bool isSplit = llvm::all_of(stepsOf(kernel), [](Operation *op) { return isa<CallOp>(op); });
      if (!isSplit && !getSingleStep(kernel))
        Splitter(kernel, symbols).run();
    }
  }
};

} // namespace

std::unique_ptr<Pass> attn::createAttnSplitKernelPass() { return std::make_unique<SplitKernel>(); }
