#include "OperandReader.h"

using namespace mlir;
using namespace attn;
using namespace attn::interpreter;

/// Numbers that are kept at most, over all tokens.
static constexpr size_t kMostNumbers = 1 << 22;

template <typename A>
OperandReader<A>::OperandReader(const CompiledKernel &kernel, const Part &part, const std::optional<Program> &program)
    : part(part), numBatch(AttendOp(kernel.problem.attend).numBatch()), isStrided(part.isStrided()) {
  if (program)
    region.emplace(*program);
}

template <typename A> TokenState OperandReader<A>::read(MutableArrayRef<int64_t> dims, MutableArrayRef<Acc> out) {
  if (isStrided) {
    gather<Acc>(part.view, part.offset(dims), part.strideOf(part.feature), out);
    return TokenState::Present;
  }
  ArrayRef<int64_t> here = dims.take_front(numBatch);
  if (ArrayRef<int64_t>(batch) != here || computed.size() * out.size() > kMostNumbers) {
    batch.assign(here.begin(), here.end());
    computed.clear();
  }
  auto [it, isNew] = computed.try_emplace(dims[part.token]);
  if (isNew) {
    it->second.vector.resize(out.size());
    it->second.state = compute(dims, it->second.vector);
  }
  llvm::copy(it->second.vector, out.begin());
  return it->second.state;
}

template <typename A> TokenState OperandReader<A>::compute(MutableArrayRef<int64_t> dims, MutableArrayRef<Acc> out) {
  TokenState state = TokenState::Present;
  for (size_t c = 0; c < out.size(); ++c) {
    dims[part.feature] = c;
    const int64_t offset = part.offset(dims);
    if (!region) {
      out[c] = (Acc)readFloat(part.view, offset);
      continue;
    }
    if (isFloat(part.view.format))
      region->setReal(0, readFloat(part.view, offset));
    else
      region->setInt(0, readInt(part.view, offset));
    unsigned arg = 1;
    for (int64_t index : dims.take_front(numBatch))
      region->setInt(arg++, index);
    region->setInt(arg++, dims[part.token]);
    region->setInt(arg++, c);
    if (!region->run())
      state = worst(state, region->padded() ? TokenState::Padding : TokenState::Bad);
    out[c] = (Acc)region->real();
  }
  dims[part.feature] = 0;
  return state;
}

template class attn::interpreter::OperandReader<PlainF32>;
template class attn::interpreter::OperandReader<PlainF64>;
template class attn::interpreter::OperandReader<ExactF32>;
template class attn::interpreter::OperandReader<ExactF64>;
