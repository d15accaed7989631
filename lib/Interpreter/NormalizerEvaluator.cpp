// The steps. What follows them: NormalizerFinish.cpp.
#include "NormalizerEvaluator.h"

#include <cmath>

// A contracted product would skip a rounding that the yardstick has.
#pragma clang fp contract(off)

using namespace mlir;
using namespace attn;
using namespace attn::interpreter;

template <typename A>
NormalizerEvaluator<A>::NormalizerEvaluator(const CompiledKernel &kernel)
    : kernel(kernel), normalizer(kernel.normalizer), p(kernel.problem), attend(p.attend), finish(normalizer.finish),
      valueReader(kernel, p.v, kernel.v), v(p.v.extent) {
  for (const CompiledStep &step : normalizer.steps) {
    Machines &m = machines.emplace_back();
    if (step.kind == CompiledStep::Select)
      continue;
    m.phi.emplace(step.phi);
    if (step.kind == CompiledStep::Root)
      m.to.emplace(step.to);
    if (step.gauge)
      m.gauge.emplace(*step.gauge);
    if (step.seed)
      m.seed.emplace(*step.seed);
    if (step.stat)
      m.stat.emplace(*step.stat);
  }
}

/// Parameters and the first `numStats` statistics behind a program's own arguments.
template <typename A>
void NormalizerEvaluator<A>::setContext(typename A::Machine &machine, unsigned numArgs, unsigned numStats) {
  for (unsigned n = 0, end = normalizer.parameters.size() + numStats; n < end; ++n)
    machine.setReal(numArgs + n, context[n]);
}

template <typename A> void NormalizerEvaluator<A>::evaluate(MutableArrayRef<int64_t> dims, const Pairs<A> &row) {
  pairs = &row;
  seeded = false;
  lseReference = -std::numeric_limits<Acc>::infinity();
  lseNumber = 0;
  context.clear();
  for (const CompiledParameter &parameter : normalizer.parameters) {
    Acc value = (Acc)parameter.constant;
    if (parameter.tensor)
      value = (Acc)readFloat(parameter.tensor->view, parameter.tensor->offset(dims));
    context.push_back(value);
  }
  // Edge contract 3, whatever phi makes of such a score. A selection takes it as it is.
  const bool bad =
      llvm::any_of(row.scores, [](Acc s) { return std::isnan(s) || s == std::numeric_limits<Acc>::infinity(); });
  if (bad && !normalizer.selects()) {
    rowState = RowState::NotFinite;
    return;
  }
  for (unsigned n = 0; n < normalizer.steps.size(); ++n) {
    const CompiledStep &step = normalizer.steps[n];
    if (step.kind == CompiledStep::Select) {
      if (row.size())
        select();
    } else if (step.kind == CompiledStep::Root) {
      context.push_back(root(step, machines[n]));
    } else if (!pass(step, machines[n])) {
      rowState = RowState::NotFinite;
      return;
    }
  }
  const bool empty = row.size() == 0 && (normalizer.selects() || !seeded);
  rowState = empty ? RowState::Empty : RowState::Computed;
  if (rowState == RowState::Computed && kernel.needsValues)
    sumValues(dims, normalizer.steps.back());
}

template <typename A> typename A::Acc NormalizerEvaluator<A>::gauge(typename A::Machine &machine, Acc from, Acc to) {
  machine.setReal(0, from);
  machine.setReal(1, to);
  machine.run();
  return (Acc)machine.real();
}

/// False where a seed's reference is NaN or +inf.
template <typename A> bool NormalizerEvaluator<A>::pass(const CompiledStep &step, Machines &m) {
  constexpr Acc infinity = std::numeric_limits<Acc>::infinity();
  reference = -infinity;
  for (Acc s : pairs->scores)
    reference = std::max(reference, s);
  const unsigned numWeights = step.phi.results.size(), numArgs = step.hasReference ? 2 : 1;
  setContext(*m.phi, numArgs, step.statsBefore);
  weights.assign(numWeights, std::vector<Acc>(pairs->size()));
  for (size_t n = 0; n < pairs->size(); ++n) {
    m.phi->setReal(0, pairs->scores[n]);
    if (step.hasReference)
      m.phi->setReal(1, reference);
    m.phi->run();
    for (unsigned w = 0; w < numWeights; ++w)
      weights[w][n] = (Acc)m.phi->real(w);
  }
  seedSums.clear();
  seedScale = 0;
  if (step.seed) {
    setContext(*m.seed, 0, step.statsBefore);
    m.seed->run();
    const auto from = (Acc)m.seed->real();
    if (step.lseSum) {
      lseReference = from;
      lseNumber = (Acc)m.seed->real(1 + *step.lseSum);
    }
    if (std::isnan(from) || from == infinity)
      return false;
    if (from > -infinity)
      mergeSeed(step, m);
  }
  sums.assign(step.sums.size(), 0);
  for (unsigned k = 0; k < step.sums.size(); ++k) {
    const CompiledSum &sum = step.sums[k];
    if (sum.kind == SumKind::Value)
      continue;
    Sum<A> total;
    for (size_t n = 0; n < pairs->size(); ++n)
      if (pairs->inClass(n, sum.ofClass))
        total.add(pairs->keys[n], sum.kind == SumKind::Count ? Acc(1) : weights[sum.weight][n]);
    sums[k] = total.total();
    if (!seedSums.empty()) {
      Acc scaled = sum.kind == SumKind::Count ? seedSums[k] : seedScale * seedSums[k];
      sums[k] += scaled;
    }
  }
  if (!step.stat)
    return true;
  unsigned arg = 0;
  if (step.hasReference)
    m.stat->setReal(arg++, reference);
  for (unsigned k = 0; k < step.sums.size(); ++k)
    if (step.sums[k].kind != SumKind::Value)
      m.stat->setReal(arg++, sums[k]);
  setContext(*m.stat, arg, step.statsBefore);
  m.stat->run();
  for (unsigned n = 0; n < step.numStats; ++n)
    context.push_back((Acc)m.stat->real(n));
  return true;
}

/// Moves the weights of the keys, and the seed, to the larger reference of both.
template <typename A> void NormalizerEvaluator<A>::mergeSeed(const CompiledStep &step, Machines &m) {
  const auto from = (Acc)m.seed->real();
  const Acc to = std::max(reference, from);
  setContext(*m.gauge, 2, step.statsBefore);
  if (pairs->size()) {
    const Acc scale = gauge(*m.gauge, reference, to);
    for (std::vector<Acc> &list : weights)
      for (Acc &w : list)
        w *= scale;
  }
  seedScale = gauge(*m.gauge, from, to);
  for (unsigned k = 0; k < step.sums.size(); ++k)
    seedSums.push_back((Acc)m.seed->real(1 + k));
  reference = to;
  seeded = true;
}

template <typename A> typename A::Acc NormalizerEvaluator<A>::root(const CompiledStep &step, Machines &m) {
  setContext(*m.to, 0, step.statsBefore);
  setContext(*m.phi, 2, step.statsBefore);
  m.to->run();
  const auto target = (Acc)m.to->real(0);
  Acc lo = (Acc)m.to->real(1), hi = (Acc)m.to->real(2);
  if (std::isnan(lo) || std::isnan(hi))
    return std::numeric_limits<Acc>::quiet_NaN();
  auto reaches = [&](Acc x) {
    Sum<A> total;
    for (size_t n = 0; n < pairs->size(); ++n) {
      m.phi->setReal(0, pairs->scores[n]);
      m.phi->setReal(1, x);
      m.phi->run();
      total.add(pairs->keys[n], (Acc)m.phi->real());
    }
    return total.total() >= target;
  };
  if (reaches(hi))
    return hi;
  const int digits = !A::plain ? 60 : p.accumulation == Format::F64 ? 48 : 22;
  const Acc width = std::ldexp(std::max(std::abs(lo), std::abs(hi)), -digits);
  while (hi - lo > width) {
    const Acc middle = lo + (hi - lo) / 2;
    if (!(middle > lo && middle < hi))
      break;
    (reaches(middle) ? lo : hi) = middle;
  }
  return lo;
}

template <typename A> void NormalizerEvaluator<A>::select() {
  selected = 0;
  for (size_t n = 1; n < pairs->size() && !std::isnan(pairs->scores[selected]); ++n)
    if (std::isnan(pairs->scores[n]) || pairs->scores[n] > pairs->scores[selected])
      selected = n;
}

template class attn::interpreter::NormalizerEvaluator<PlainF32>;
template class attn::interpreter::NormalizerEvaluator<PlainF64>;
template class attn::interpreter::NormalizerEvaluator<ExactF32>;
template class attn::interpreter::NormalizerEvaluator<ExactF64>;
