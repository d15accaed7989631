#include "PairEvaluator.h"

#include <cmath>

// A contracted product would skip a rounding that the yardstick has.
#pragma clang fp contract(off)

using namespace mlir;
using namespace attn;
using namespace attn::interpreter;

template <typename A>
PairEvaluator<A>::PairEvaluator(const CompiledKernel &kernel)
    : kernel(kernel), p(kernel.problem), attend(p.attend), score(kernel.score), q(p.extents[attend.dotDim()]),
      k(q.size()), row(kernel.reductions.size()) {
  if (kernel.classes)
    classes.emplace(*kernel.classes);
  for (const CompiledReduction &r : kernel.reductions) {
    auto &machine = numbers.emplace_back();
    if (r.f)
      machine.emplace(*r.f);
  }
  if (kernel.scale) {
    typename A::Machine machine(*kernel.scale);
    machine.run();
    scale = (Acc)machine.real();
  } else {
    scale = kernel.scaleValue ? (Acc)*kernel.scaleValue : Acc(1) / std::sqrt((Acc)q.size());
  }
}

template <typename A> typename A::Acc PairEvaluator<A>::dot() const {
  Acc sum = 0;
  for (size_t c = 0; c < q.size(); ++c) {
    Acc product = q[c] * k[c];
    sum += product;
  }
  return sum;
}

template <typename A>
unsigned PairEvaluator<A>::setRow(typename A::Machine &machine, unsigned numbers, ArrayRef<int64_t> dims) {
  for (int64_t index : dims.take_front(attend.keyDim()))
    machine.setInt(numbers++, index);
  return numbers;
}

template <typename A>
void PairEvaluator<A>::evaluate(MutableArrayRef<int64_t> dims, ArrayRef<int64_t> keys, Pairs<A> &pairs,
                                RowResult &result) {
  pairs.keys.clear();
  pairs.scores.clear();
  pairs.classes.clear();
  pairs.numbers.assign(kernel.reductions.size(), {});
  gather<Acc>(p.q.view, p.q.offset(dims), p.q.strideOf(attend.dotDim()), q);
  const unsigned key = attend.keyDim();
  setRow(score, 1, dims);
  if (classes)
    setRow(*classes, 0, dims);
  for (auto &machine : numbers)
    if (machine)
      setRow(*machine, 1, dims);
  for (int64_t j : keys) {
    dims[key] = j;
    gather<Acc>(p.k.view, p.k.offset(dims), p.k.strideOf(attend.dotDim()), k);
    Acc product = dot(), scaled = product * scale;
    score.setReal(0, scaled);
    score.setInt(1 + key, j);
    bool good = score.run();
    const auto s = (Acc)score.real();
    if (good && classes) {
      classes->setInt(key, j);
      good = classes->run();
    }
    for (unsigned r = 0; good && r < numbers.size(); ++r) {
      row[r] = s;
      if (!numbers[r])
        continue;
      numbers[r]->setReal(0, s);
      numbers[r]->setInt(1 + key, j);
      good = numbers[r]->run();
      row[r] = (Acc)numbers[r]->real();
    }
    if (!good) {
      result.badIndex = true;
      --result.visible;
      continue;
    }
    if (s == -std::numeric_limits<Acc>::infinity())
      continue;
    pairs.keys.push_back(j);
    pairs.scores.push_back(s);
    if (classes)
      pairs.classes.push_back(classes->integer());
    for (unsigned r = 0; r < numbers.size(); ++r)
      if (kernel.reductions[r].needed)
        pairs.numbers[r].push_back(row[r]);
  }
}

template class attn::interpreter::PairEvaluator<PlainF32>;
template class attn::interpreter::PairEvaluator<PlainF64>;
template class attn::interpreter::PairEvaluator<ExactF32>;
template class attn::interpreter::PairEvaluator<ExactF64>;
