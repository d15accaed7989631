// What q, k and v are for a token: a vector over the feature, each element of which may pass through a region.
//
// A load of such a region at an index of -1 makes the token absent: padding, as a page that is not there. One at any
// other index outside its tensor makes it absent too, and where nothing else takes the pair away that is reported.
#ifndef ATTN_LIB_INTERPRETER_OPERANDREADER_H
#define ATTN_LIB_INTERPRETER_OPERANDREADER_H

#include "Arithmetic.h"
#include "CompiledKernel.h"

namespace attn::interpreter {

/// In the order of what counts for a pair: padding takes it away without a report whatever else is wrong.
enum class TokenState : uint8_t { Present, Bad, Padding };
inline TokenState worst(TokenState a, TokenState b) { return std::max(a, b); }

template <typename A> class OperandReader {
public:
  using Acc = typename A::Acc;
  OperandReader(const CompiledKernel &kernel, const Part &part, const std::optional<Program> &region);

  /// `dims` has the batch indices and the token; the feature's is written and left 0. `out` is as long as the feature.
  TokenState read(llvm::MutableArrayRef<int64_t> dims, llvm::MutableArrayRef<Acc> out);

private:
  TokenState compute(llvm::MutableArrayRef<int64_t> dims, llvm::MutableArrayRef<Acc> out);

  /// A token that was computed: rows of one batch element read the same keys again and again.
  struct Computed {
    TokenState state;
    std::vector<Acc> vector;
  };
  const Part &part;
  const unsigned numBatch;
  const bool isStrided;
  std::optional<typename A::Machine> region;
  std::vector<int64_t> batch; // of what is computed
  llvm::DenseMap<int64_t, Computed> computed;
};

extern template class OperandReader<PlainF32>;
extern template class OperandReader<PlainF64>;
extern template class OperandReader<ExactF32>;
extern template class OperandReader<ExactF64>;

} // namespace attn::interpreter

#endif
