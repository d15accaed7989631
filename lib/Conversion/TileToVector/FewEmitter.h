// The main phase of a variant for few rows: one strip or two, so that a key is met so seldom that to pack it would cost
// more than all that follows. Keys and values are read where they lie, once, converted in registers.
//
// A key's features go by vectors against those of the queries, a few keys by all rows of a strip at a time; the lanes
// of their sums are then added across (Product.cpp). Values go by vectors too. Nothing else differs from MainEmitter.h:
// a microtile holds the scores of the strip's rows and a panel of keys.
//
// Where elements are codes times what no feature changes, a scale for each token as a rule, codes are what is
// multiplied and added: the scale of a key multiplies its sum, that of a value its weight. That overflows, or is 0 *
// inf, where the text's own order may not: sums that are not finite are taken once more in that order.
//
// Where an operand's elements stand two to one of the tensor's (its feature is indexed `c floordiv 2`), or are bf16,
// two to a word of 32 bits, a vector holds the even features of two vectors, the next one the odd ones: lanes then need
// no shuffle, queries are put in that order once, and sums of values are put back once a panel.
#ifndef ATTN_LIB_CONVERSION_TILETOVECTOR_FEWEMITTER_H
#define ATTN_LIB_CONVERSION_TILETOVECTOR_FEWEMITTER_H

#include "MainEmitter.h"

namespace attn {

class FewEmitter : public MainEmitter {
public:
  using MainEmitter::MainEmitter;
  /// Vectors of scratch.
  static int64_t stagedVectors(const Layout &l);

private:
  struct Source { // a part of the keys, or the values
    OperandEmitter part;
    int64_t vectors, pairs; // pairs: 2 where vectors hold even and odd features, else 1
  };
  using Opened = std::optional<OperandEmitter::Token>;
  struct Row { // of a token
    V at;
    Opened opened;
  };
  void bindLists() override;
  void arrangeQuery(V row) override;
  void packBlock() override {}
  int64_t panelsAtOnce() override;
  llvm::SmallVector<V> dot(V panel) override;
  llvm::SmallVector<V> products(V panel, bool exact);
  void accumulateFast(unsigned n, V values, V panelBytes, V from, V to) override;
  void accumulateGuarded(unsigned n, V values, V panelBytes, V from, V to) override;

  Source sourceOf(tile::PackOp op, unsigned n);
  int64_t pairsOf(OperandEmitter &part);
  Row open(Source &s, V position);
  V vectorOf(Source &s, const Row &row, int64_t n, V base, int64_t most, bool unscaled = false);
  void fetchAhead(Source &s, V position, int64_t n, V base = {});
  /// Calls `body` with vectors of the values, `run` at a time: their number, and the first.
  void eachRun(int64_t run, llvm::function_ref<void(int64_t count, V first, int64_t constant, int64_t most)> body);
  void addRun(V out, int64_t count, llvm::ArrayRef<V> sums);

  std::vector<Source> keys, values;
};

} // namespace attn

#endif
