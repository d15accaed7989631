#include "FewEmitter.h"
#include "attn/Schedule/Schedule.h"
#include "llvm/ADT/bit.h"

using namespace mlir;
using namespace attn;
using V = Value;

int64_t FewEmitter::pairsOf(OperandEmitter &part) {
  // bf16 elements are halves of words of 32 bits: the even ones need a shift, the odd ones a mask.
  bool halves = part.isPlain() ? part.element().isBF16() && e.real.isF32() : part.featureDivisor() == 2;
  return halves && part.extent % (2 * e.lanes) == 0 ? 2 : 1;
}

FewEmitter::Source FewEmitter::sourceOf(tile::PackOp op, unsigned n) {
  OperandEmitter part = partOf(t, op, n);
  int64_t pairs = pairsOf(part);
  return {part, part.extent / e.lanes, pairs};
}

/// Here addresses and strides of the task's tensors are made, ahead of all loops.
void FewEmitter::bindLists() {
  for (auto op : pack.getBody().getOps<tile::PackOp>())
    for (unsigned n = 0; n < op.getSources().size(); ++n)
      (op.getPanels().getType().getLanesKeys() ? keys : values).push_back(sourceOf(op, n));
}

/// Queries in the order of the keys' vectors.
void FewEmitter::arrangeQuery(V row) {
  int64_t vector = 0;
  for (Source &s : MutableArrayRef(keys).take_front(keys.size() / l.branches)) { // those of one branch are as of any
    for (int64_t n = 0; s.pairs == 2 && n < s.vectors; n += 2) {
      V at = e.at(row, (vector + n) * e.lanes * e.bytes), next = e.at(at, e.lanes * e.bytes);
      V x = e.load(e.vec, at), y = e.load(e.vec, next);
      SmallVector<int64_t> even, odd;
      for (int64_t lane = 0; lane < e.lanes; ++lane) {
        even.push_back(2 * lane);
        odd.push_back(2 * lane + 1);
      }
      e.store(vector::ShuffleOp::create(e.b, e.loc, x, y, even), at);
      e.store(vector::ShuffleOp::create(e.b, e.loc, x, y, odd), next);
    }
    vector += s.vectors;
  }
}

/// Nothing is packed, but what all loops over the block's tokens begin with is made once, ahead of them.
void FewEmitter::packBlock() {
  for (std::vector<Source> *sources : {&keys, &values})
    for (Source &s : *sources) {
      s.first = s.part.place(blockFirst);
      if (!s.first)
        continue;
      s.bytes = e.mul(s.part.tokenStride, s.part.size());
      s.most = e.mul(e.sub(e.sub(t.positions, e.i64(1)), blockFirst), s.bytes);
    }
}

/// The token at a position of the block. Behind the last key stands the last once more, with a weight of 0; `inside`:
/// it is none of these.
FewEmitter::Row FewEmitter::open(Source &s, V position, bool inside) {
  if (!s.part.isPlain())
    return {V(), s.part.open(e.min(e.add(blockFirst, position), e.sub(t.positions, e.i64(1))))};
  // Bytes instead of tokens, from the block's first: they go up by a constant from key to key.
  V offset = e.mul(position, s.bytes);
  return {e.at(s.first, inside ? offset : e.min(offset, s.most)), std::nullopt};
}

/// The token at a position, which follows that of `before`. The fewer instructions between loads, the more lines are on
/// their way at once: where one query meets many keys, that is the time it takes.
FewEmitter::Row FewEmitter::openNext(Source &s, const Row &before, V position, bool inside) {
  if (s.part.isPlain() && inside)
    return {e.at(before.at, s.bytes), std::nullopt};
  return open(s, position, inside);
}

/// Vector `base` + n, in the order above; `base` is null for 0, else a multiple of kRun and `most` at most.
V FewEmitter::vectorOf(Source &s, const Row &row, int64_t n, V base, int64_t most, bool unscaled) {
  if (s.part.isPlain()) {
    V at = e.at(row.at, n / s.pairs * s.pairs * e.lanes * s.part.size());
    if (base)
      at = e.at(at, e.mul(base, e.lanes * s.part.size()));
    if (s.pairs == 1)
      return e.loadElements(s.part.element(), at);
    VectorType words = e.vecOf(e.b.getI32Type()); // which need not be aligned as such
    V both = e.bitcast(e.load(VectorType::get({2 * e.lanes}, e.b.getI16Type()), at), words);
    return e.bitcast(n % 2 ? (V)arith::AndIOp::create(e.b, e.loc, both, e.splatInt(words, 0xffff0000))
                           : (V)arith::ShLIOp::create(e.b, e.loc, both, e.splatInt(words, 16)),
                     e.vec);
  }
  FeatureLanes feature;
  for (int64_t lane = 0; lane < e.lanes; ++lane)
    feature.at.push_back(s.pairs == 2 ? (n / 2 * e.lanes + lane) * 2 + n % 2 : n * e.lanes + lane);
  if (base) {
    feature.base = e.mul(base, e.lanes);
    feature.multiple = kRun * e.lanes;
    feature.most = most * e.lanes;
  }
  return s.part.vectorAt(*row.opened, feature, unscaled);
}

/// Asks for all lines of a token's row, for the second level. `n`: which of the tokens that are met together; of rows
/// that share a line one asks.
void FewEmitter::fetch(Source &s, V position, int64_t n) {
  if (!s.first)
    return s.part.fetch(e.min(e.add(blockFirst, position), e.sub(t.positions, e.i64(1))));
  int64_t bytes = s.part.rowBytes();
  if (bytes < 64 && n * bytes % 64)
    return;
  V at = e.at(s.first, e.mul(position, s.bytes));
  for (int64_t line = 0; line < bytes; line += 64)
    e.prefetch(e.at(at, line), /*locality=*/2);
}

/// Where a stream is read beside the other: some way ahead. On a Xeon with 480 MiB of L3, plain elements 4 KiB ahead
/// come at 0.92 of a read loop's speed (bf16, two threads), by turns at 0.69; on Zen 3 parts of a page far ahead are
/// worse than nothing, and near enough what fetches by itself sees one stream with that of the loads. Rows of pages are
/// no stream.
void FewEmitter::fetchAhead(Source &s, V position, int64_t n) {
  const bool far = !s.first || (s.part.isPlain() && isWide());
  fetch(s, e.add(position, std::max<int64_t>(1, (far ? 4096 : 768) / s.part.rowBytes())), n);
}

/// Panels of a run, whose scores are made beside the sums of the run before. Between runs nothing is read, so they are
/// long: 32 KiB of values.
int64_t FewEmitter::panelsAtOnce() {
  int64_t panels = values.empty() ? kMostPanels : 32768 / (l.width * values[0].part.rowBytes());
  return llvm::bit_floor<uint64_t>(std::clamp<int64_t>(panels, 1, mostPanels(l)));
}

/// Sums of a run's products, from and to where they are there (aheadAt), sums of values.
int64_t FewEmitter::stagedVectors(const Layout &l) { return runVectors(l) + 2 + l.tileRows * (l.value / l.lanes); }

/// Few rows, of the number of queries alone; rows of features that are contiguous; no group a short one; and where keys
/// are split, many of them.
V attn::emitFewGuard(TaskEmitter &t, tile::VariantOp variant, tile::PhaseOp pack, tile::PhaseOp main) {
  Emit &e = t.e;
  V good = main.getChunks() || t.layout.together
               ? arith::TruncIOp::create(e.b, e.loc, e.b.getI1Type(),
                                         t.layout.together ? emitTogetherGuard(t, main) : emitSplitGuard(t, main))
               : e.i1(true);
  int64_t most = cast<IntegerAttr>(variant->getAttr(kFewAttr)).getInt();
  good = e.both(good, e.le(t.extents[t.queryDim()], e.i64(most)));
  for (auto op : pack.getBody().getOps<tile::PackOp>())
    for (unsigned n = 0; n < op.getSources().size(); ++n)
      if (V fast = partOf(t, op, n).isContiguous())
        good = e.both(good, fast);
  return arith::ExtUIOp::create(e.b, e.loc, e.b.getI32Type(), good);
}

int64_t attn::fewVectors(const Layout &layout) { return FewEmitter::stagedVectors(layout); }

LogicalResult attn::emitFewPhase(TaskEmitter &t, tile::VariantOp variant, tile::PhaseOp pack, tile::PhaseOp main,
                                 tile::PhaseOp twin, ModuleOp module, StringRef prefix) {
  return FewEmitter(t, variant, pack, main, module, prefix).run(twin);
}
