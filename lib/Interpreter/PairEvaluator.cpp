#include "PairEvaluator.h"

#include <cmath>

// A contracted product would skip a rounding that the yardstick has.
#pragma clang fp contract(off)

using namespace mlir;
using namespace attn;
using namespace attn::interpreter;

template <typename A>
PairEvaluator<A>::PairEvaluator(const CompiledKernel &kernel)
    : kernel(kernel), p(kernel.problem), attend(p.attend), score(kernel.score), row(kernel.reductions.size()) {
  for (unsigned n = 0; n < p.q.size(); ++n) {
    queries.emplace_back(kernel, p.q[n], kernel.q[n]);
    keys.emplace_back(kernel, p.k[n], kernel.k[n]);
    q.emplace_back(p.q[n].extent);
    k.emplace_back(p.k[n].extent);
  }
  if (kernel.v && kernel.needsValues) {
    values.emplace(kernel, p.v, kernel.v);
    v.resize(p.v.extent);
  }
  if (kernel.dot)
    dotRegion.emplace(*kernel.dot);
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
    const Acc usual = kernel.dot ? Acc(1) : Acc(1) / std::sqrt((Acc)attend.dotExtent());
    scale = kernel.scaleValue ? (Acc)*kernel.scaleValue : usual;
  }
}

template <typename A> typename A::Acc PairEvaluator<A>::product(ArrayRef<Acc> q, ArrayRef<Acc> k) {
  Acc sum = 0;
  for (size_t c = 0; c < q.size(); ++c) {
    Acc product = q[c] * k[c];
    sum += product;
  }
  return sum;
}

template <typename A> typename A::Acc PairEvaluator<A>::dot(bool &good) {
  Acc sum = 0;
  if (!dotRegion) {
    for (unsigned n = 0; n < q.size(); ++n)
      sum += product(q[n], k[n]);
    return sum;
  }
  for (size_t c = 0; c < q[0].size(); ++c) {
    dotRegion->setReal(0, q[0][c]);
    dotRegion->setReal(1, k[0][c]);
    dotRegion->setInt(2 + attend.numBatch(), c);
    good &= dotRegion->run();
    sum += (Acc)dotRegion->real();
  }
  return sum;
}

/// What meets in a product of tf32.
template <typename A> void PairEvaluator<A>::round(std::vector<std::vector<Acc>> &parts) {
  if (A::plain && kernel.roundsOperands())
    for (std::vector<Acc> &part : parts)
      for (Acc &x : part)
        x = (Acc)roundToTf32(x);
}

template <typename A> TokenState PairEvaluator<A>::readQuery(MutableArrayRef<int64_t> dims) {
  TokenState state = TokenState::Present;
  for (unsigned n = 0; n < queries.size(); ++n) {
    q[n].resize(p.q[n].extent);
    state = worst(state, queries[n].read(dims, q[n]));
  }
  if (!p.bilinear) {
    round(q);
    return state;
  }
  // sum_cr q_c g_cr k_r = sum_r (sum_c q_c g_cr) k_r
  const int64_t numRows = p.q[0].extent, numColumns = p.k[0].extent;
  std::vector<Acc> sums(numColumns), column(numRows);
  for (int64_t r = 0; r < numColumns; ++r) {
    dims[p.k[0].feature] = r;
    gather<Acc>(p.bilinear->view, p.bilinear->offset(dims), p.bilinear->strideOf(p.q[0].feature), column);
    sums[r] = product(q[0], column);
  }
  dims[p.k[0].feature] = 0;
  q[0] = std::move(sums);
  round(q);
  return state;
}

template <typename A> TokenState PairEvaluator<A>::readKey(MutableArrayRef<int64_t> dims) {
  TokenState state = values ? values->read(dims, v) : TokenState::Present;
  for (unsigned n = 0; n < keys.size(); ++n)
    state = worst(state, keys[n].read(dims, k[n]));
  round(k);
  return state;
}

template <typename A>
unsigned PairEvaluator<A>::setRow(typename A::Machine &machine, unsigned numbers, ArrayRef<int64_t> dims) {
  for (int64_t index : dims.take_front(attend.keyDim()))
    machine.setInt(numbers++, index);
  return numbers;
}

template <typename A>
void PairEvaluator<A>::evaluate(MutableArrayRef<int64_t> dims, ArrayRef<int64_t> members, Pairs<A> &pairs,
                                RowResult &result) {
  pairs.keys.clear();
  pairs.scores.clear();
  pairs.classes.clear();
  pairs.numbers.assign(kernel.reductions.size(), {});
  const TokenState query = readQuery(dims);
  const unsigned key = attend.keyDim();
  setRow(score, 1, dims);
  if (classes)
    setRow(*classes, 0, dims);
  for (unsigned b = 0; dotRegion && b < attend.numBatch(); ++b)
    dotRegion->setInt(2 + b, dims[b]);
  for (auto &machine : numbers)
    if (machine)
      setRow(*machine, 1, dims);
  for (int64_t j : members) {
    dims[key] = j;
    if (TokenState state = worst(query, readKey(dims)); state != TokenState::Present) {
      result.badIndex |= state == TokenState::Bad;
      --result.visible;
      continue;
    }
    bool good = true;
    Acc product = dot(good), scaled = product * scale;
    score.setReal(0, scaled);
    score.setInt(1 + key, j);
    good &= score.run();
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
