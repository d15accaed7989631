// The main phase of a variant for few rows: one strip or two, so that a key is met so seldom that to pack it would cost
// more than all that follows. Keys and values are read where they lie, once, converted in registers.
//
// A key's features go by vectors against those of the queries, a few keys by all rows of a strip at a time; the lanes
// of their sums are then added across (Product.cpp). Values go by vectors too. Nothing else differs from MainEmitter.h:
// a microtile holds the scores of the strip's rows and a panel of keys.
//
// Of a run of panels the values are added after all weights are known; by turns with that the products of the next run
// are made, which wait in scratch: two streams of memory then go on at once, and weights wait for no line of keys. A
// turn is a KiB of each: while one of the two is computed, the other's next KiB is on its way (multiplyBeside). A run
// whose products are not there, the first one or one behind a gap, makes them when it is weighed.
//
// Where elements are codes times what no feature changes, a scale for each token as a rule, codes are what is
// multiplied and added: the scale of a key multiplies its sum, that of a value its weight. That overflows, or is 0 *
// inf, where the text's own order may not: sums that are not finite are taken once more in that order.
//
// Where an operand's elements stand two to one of the tensor's (its feature is indexed `c floordiv 2`), or are bf16,
// two to a word of 32 bits, a vector holds the even features of two vectors, the next one the odd ones: lanes then need
// no shuffle, queries are put in that order once, and sums of values are put back once a run.
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
  /// Vectors of a part or of the values that are unrolled; beyond, runs of so many are the body of a loop.
  static constexpr int64_t kRun = 8;
  struct Source { // a part of the keys, or the values
    OperandEmitter part;
    int64_t vectors, pairs; // pairs: 2 where vectors hold even and odd features, else 1
    // Of the block, where tokens have a place: the first one's, and in bytes from a token to the next, and from the
    // first to the last there is.
    V first = {}, bytes = {}, most = {};
  };
  using Opened = std::optional<OperandEmitter::Token>;
  struct Row { // of a token
    V at;
    Opened opened;
  };
  void bindLists() override;
  void arrangeQuery(V row) override;
  void packBlock() override;
  int64_t panelsAtOnce() override;
  static constexpr int64_t kMostPanels = 16; // of a run
  static int64_t mostPanels(const Layout &l) { return std::min(kMostPanels, l.panelsPerBlock()); }
  static int64_t runVectors(const Layout &l) { return mostPanels(l) * 2 * l.tileRows * l.lanes; }
  llvm::SmallVector<V> dot(V panel) override;
  llvm::SmallVector<V> products(V position);
  bool asksByTurns();
  bool isWide() const { return e.lanes * e.bytes >= 64; }
  int64_t registers() const { return isWide() ? 32 : 16; }
  int64_t rowsAtOnce();
  int64_t keysAtOnce();
  int64_t valuesAtOnce();
  V productsAt(V position);
  void multiply(V position, bool exact);
  void multiplyKeys(V position, bool exact, bool inside);
  void multiplyRows(V position, int64_t r0, int64_t rows, bool exact, bool inside);
  void visitBlocks(V pass) override;
  V aheadAt(int64_t field);
  V stripPosition(V position);
  V isAhead(V position);
  V goesAhead(V from, V to);
  void noteAhead(V to);
  void accumulateFast(unsigned n, V values, V panelBytes, V from, V to) override;
  void accumulateGuarded(unsigned n, V values, V panelBytes, V from, V to) override;

  Source sourceOf(tile::PackOp op, unsigned n);
  int64_t pairsOf(OperandEmitter &part);
  Row open(Source &s, V position, bool inside = false);
  Row openNext(Source &s, const Row &before, V position, bool inside);
  V vectorOf(Source &s, const Row &row, int64_t n, V base, int64_t most, bool unscaled = false);
  void fetch(Source &s, V position, int64_t n);
  void fetchAhead(Source &s, V position, int64_t n);
  /// Calls `body` with vectors of the values, `run` at a time: their number, and the first.
  void eachRun(int64_t run, llvm::function_ref<void(int64_t count, V first, int64_t constant, int64_t most)> body);
  void addRun(V out, int64_t count, llvm::ArrayRef<V> sums);
  /// A vector of the run's sums in memory.
  V sumAt(int64_t row, V base, int64_t vector);
  void changeSums(int64_t r0, int64_t rows, int64_t count, V base, int64_t first,
                  llvm::function_ref<void(llvm::MutableArrayRef<V>)> change);
  void addSums(unsigned n);
  void addValues(unsigned n, V from, V to, bool beside);
  void multiplyBeside(V next, V key);

  std::vector<Source> keys, values;
};

} // namespace attn

#endif
