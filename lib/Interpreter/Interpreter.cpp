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
    result.badIndex = findKeys(batch, i);
    result.visible = keys.size();
    evaluator(precision).row(batch, i, keys, result);
    return result;
  }

  ColumnResult columns(ArrayRef<int64_t> batch, Precision precision) override {
    ColumnResult result;
    if (kernel->columns.empty() && kernel->aggregates.empty())
      return result;
    RowEvaluator &rows = evaluator(precision);
    rows.startColumns();
    for (int64_t i = 0, n = extents()[batch.size()]; i < n; ++i) {
      result.badIndex |= findKeys(batch, i);
      rows.addRow(batch, i, keys, result);
    }
    rows.finishColumns(result);
    return result;
  }

private:
  RowEvaluator &evaluator(Precision precision) {
    auto &evaluator = evaluators[(int)precision];
    if (!evaluator)
      evaluator = makeRowEvaluator(*kernel, precision);
    return *evaluator;
  }

  /// The members of the row's set; true where one hangs on a bad index, or a list of the row does not hold.
  bool findKeys(ArrayRef<int64_t> batch, int64_t i) {
    bool bad = false;
    start(batch, i);
    keys.clear();
    for (int64_t j = 0, n = extents()[batch.size() + 1]; j < n; ++j) {
      SetValue value = member(j);
      if (value == True)
        keys.push_back(j);
      bad |= value == Unknown;
    }
    SmallVector<int64_t> dims(batch);
    dims.push_back(i);
    return bad | llvm::any_of(lists, [&](const ListCheck &list) { return list.fails(dims); });
  }

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

bool CompiledKernel::roundsWeights(const Operand &values, bool hasRegion) const {
  const Format format = values.view.format;
  auto isUsedSo = [&](const Part &part) { return part.view.format == format && !part.region; };
  const bool same = is16Bit(format) && !hasRegion && llvm::all_of(problem.q, isUsedSo) &&
                    llvm::all_of(problem.k, isUsedSo) && !problem.bilinear;
  return roundsOperands() && !same;
}

llvm::Expected<std::unique_ptr<Interpreter>> Interpreter::create(KernelOp kernel, ArrayRef<attn_tensor> args,
                                                                 ArrayRef<attn_scalar> params, Products products) {
  auto problem = bind(kernel, args, params);
  if (!problem)
    return problem.takeError();
  auto compiled = compile(std::move(*problem));
  if (!compiled)
    return compiled.takeError();
  (*compiled)->products = products;
  return std::make_unique<KernelInterpreter>(std::move(*compiled));
}
