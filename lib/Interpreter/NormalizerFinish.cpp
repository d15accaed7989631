// Sums of values, and the finish on them, on weights of pairs and on sums of other numbers.
#include "NormalizerEvaluator.h"

#include "attn/Support/Philox.h"

// A contracted product would skip a rounding that the yardstick has.
#pragma clang fp contract(off)

using namespace mlir;
using namespace attn;
using namespace attn::interpreter;

/// What dropout makes of the weight of the pair (i, j): (random >= p) / (1 - p) times it.
template <typename A> typename A::Acc NormalizerEvaluator<A>::dropped(ArrayRef<int64_t> dims, Acc weight, int64_t j) {
  SmallVector<int64_t, 4> indices(dims.take_front(attend.keyDim()));
  indices.push_back(j);
  const bool keep = randomUnit(kernel.dropout->seed, indices) >= kernel.dropout->probability;
  Acc factor = Acc(keep) / (Acc(1) - (Acc)kernel.dropout->probability);
  return weight * factor;
}

/// A weight of exactly 0 takes no value, whatever it is. Behind a selection: the selected value.
template <typename A> void NormalizerEvaluator<A>::sumValues(MutableArrayRef<int64_t> dims, const CompiledStep &step) {
  constexpr int64_t block = 256;
  const size_t width = v.size();
  auto gatherAt = [&](size_t n) {
    dims[attend.keyDim()] = pairs->keys[n];
    valueReader.read(dims, v);
  };
  if (step.kind == CompiledStep::Select) {
    gatherAt(selected);
    values.assign(2, v);
    return;
  }
  const bool narrow = A::plain && is16Bit(p.v.view.format) && !p.v.region;
  const bool tf32 = A::plain && kernel.roundsWeights(p.v, p.v.region);
  values.assign(step.sums.size(), {});
  for (unsigned k = 0; k < step.sums.size(); ++k) {
    const CompiledSum &sum = step.sums[k];
    if (sum.kind != SumKind::Value)
      continue;
    values[k].assign(width, 0);
    partial.assign(width, 0);
    auto flush = [&] {
      for (size_t e = 0; e < width; ++e)
        values[k][e] += partial[e];
      partial.assign(width, 0);
    };
    for (size_t n = 0; n < pairs->size(); ++n) {
      if (A::plain && n > 0 && pairs->keys[n] / block != pairs->keys[n - 1] / block)
        flush();
      Acc weight = weights[sum.weight][n];
      if (weight == 0 || !pairs->inClass(n, sum.ofClass))
        continue;
      gatherAt(n);
      if (kernel.dropout)
        weight = dropped(dims, weight, pairs->keys[n]);
      if (narrow)
        weight = (Acc)roundTo<double>(p.v.view.format, weight);
      if (tf32) {
        weight = (Acc)roundToTf32(weight);
        for (Acc &x : v)
          x = (Acc)roundToTf32(x);
      }
      for (size_t e = 0; e < width; ++e) {
        Acc product = weight * v[e];
        partial[e] += product;
      }
    }
    flush();
    if (!seedSums.empty()) {
      const Acc scaled = seedScale * seedSums[k];
      for (Acc &value : values[k])
        value += scaled;
    }
  }
}

template <typename A> void NormalizerEvaluator<A>::runFinish(llvm::function_ref<Acc(unsigned k)> value) {
  const CompiledStep &last = normalizer.steps.back();
  setContext(finish, normalizer.finishArgs, context.size() - normalizer.parameters.size());
  if (last.kind == CompiledStep::Select) {
    finish.setReal(0, pairs->scores[selected]);
    finish.setReal(1, value(1));
  } else {
    unsigned arg = 0;
    if (last.hasReference)
      finish.setReal(arg++, reference);
    for (unsigned k = 0; k < last.sums.size(); ++k)
      finish.setReal(arg++, last.sums[k].kind == SumKind::Value ? value(k) : sums[k]);
  }
  finish.run();
}

template <typename A> void NormalizerEvaluator<A>::finishAt(size_t e) {
  // Where nothing that is asked for depends on values there are none to read.
  runFinish([&](unsigned k) { return kernel.needsValues ? values[k][e] : Acc(0); });
}

template <typename A> typename A::Acc NormalizerEvaluator<A>::weightOf(size_t n) {
  const CompiledStep &last = normalizer.steps.back();
  runFinish([&](unsigned k) {
    const CompiledSum &sum = last.sums[k];
    return pairs->inClass(n, sum.ofClass) ? weights[sum.weight][n] : Acc(0);
  });
  return finished(*normalizer.o);
}

template <typename A> typename A::Acc NormalizerEvaluator<A>::weighted(ArrayRef<Acc> f) {
  const CompiledStep &last = normalizer.steps.back();
  runFinish([&](unsigned k) {
    const CompiledSum &sum = last.sums[k];
    Sum<A> total;
    for (size_t n = 0; n < pairs->size(); ++n) {
      const Acc weight = weights[sum.weight][n];
      if (weight == 0 || !pairs->inClass(n, sum.ofClass))
        continue;
      const Acc product = weight * f[n];
      total.add(pairs->keys[n], product);
    }
    return total.total();
  });
  return finished(*normalizer.o);
}

// Of the members above: the others are in NormalizerEvaluator.cpp.
template class attn::interpreter::NormalizerEvaluator<PlainF32>;
template class attn::interpreter::NormalizerEvaluator<PlainF64>;
template class attn::interpreter::NormalizerEvaluator<ExactF32>;
template class attn::interpreter::NormalizerEvaluator<ExactF64>;
