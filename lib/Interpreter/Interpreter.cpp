#include "attn/Interpreter/Interpreter.h"

#include "ListChecks.h"
#include "Machine.h"
#include "RowEvaluator.h"

using namespace mlir;
using namespace attn;
using namespace attn::interpreter;

namespace {

class KernelInterpreter final : public Interpreter {
public:
  /// Membership is a fact of the text: sets are evaluated in their nominal types whatever the precision of the row.
  explicit KernelInterpreter(std::unique_ptr<CompiledKernel> compiled)
      : kernel(std::move(compiled)), set(kernel->set), lists(listChecks(kernel->problem)) {}

  ArrayRef<int64_t> extents() const override { return kernel->problem.extents; }

  bool visible(ArrayRef<int64_t> batch, int64_t i, int64_t j) override {
    start(batch, i);
    return member(j) == True;
  }

  RowResult row(ArrayRef<int64_t> batch, int64_t i, Precision precision) override {
    RowResult result;
    start(batch, i);
    keys.clear();
    for (int64_t j = 0, n = extents()[batch.size() + 1]; j < n; ++j) {
      SetValue value = member(j);
      if (value == True)
        keys.push_back(j);
      result.badIndex |= value == Unknown;
    }
    result.visible = keys.size();
    SmallVector<int64_t> dims(batch);
    dims.push_back(i);
    result.badIndex |= llvm::any_of(lists, [&](const ListCheck &list) { return list.fails(dims); });
    auto &evaluator = evaluators[(int)precision];
    if (!evaluator)
      evaluator = makeRowEvaluator(*kernel, precision);
    evaluator->row(batch, i, keys, result);
    return result;
  }

private:
  void start(ArrayRef<int64_t> batch, int64_t i) {
    assert(batch.size() + 2 == kernel->set.args.size() && i >= 0 && i < extents()[batch.size()] &&
           "indices of another program");
    unsigned arg = 0;
    for (int64_t b : batch)
      set.setInt(arg++, b);
    set.setInt(arg, i);
    set.startRow();
  }
  SetValue member(int64_t j) {
    set.setInt(kernel->set.args.size() - 1, j);
    bool good = set.run();
    return good ? (SetValue)set.integer() : Unknown;
  }

  std::unique_ptr<CompiledKernel> kernel;
  Machine<double, true> set;
  std::vector<ListCheck> lists;
  std::unique_ptr<RowEvaluator> evaluators[2];
  std::vector<int64_t> keys;
};

} // namespace

llvm::Expected<std::unique_ptr<Interpreter>> Interpreter::create(KernelOp kernel, ArrayRef<attn_tensor> args,
                                                                 ArrayRef<attn_scalar> params) {
  auto problem = bind(kernel, args, params);
  if (!problem)
    return problem.takeError();
  auto compiled = compile(std::move(*problem));
  if (!compiled)
    return compiled.takeError();
  return std::make_unique<KernelInterpreter>(std::move(*compiled));
}
