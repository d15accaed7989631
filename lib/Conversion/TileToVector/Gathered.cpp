// Keys that go by a list and are packed by the task that meets them.
//
// Where one task has all queries that share a list, it packs the listed keys itself, block by block, in scratch, where
// they stay in the cache. (To read values from their rows instead was slower by a tenth: these lie anywhere, so the
// machine fetches none of them ahead.) What a list says comes from far away, and the task would wait for it: while a
// block is swept over, rows of the next one are asked for.
#include "MainEmitter.h"

using namespace mlir;
using namespace attn;
using V = Value;

/// The operands that the task packs from.
void MainEmitter::bindGathered() {
  if (!t.list || !t.packsHere)
    return;
  for (auto pack : this->pack.getBody().getOps<tile::PackOp>())
    for (unsigned n = 0; n < pack.getSources().size(); ++n)
      if (auto part = std::make_unique<OperandEmitter>(partOf(t, pack, n)); part->isPlain())
        gathered.push_back(std::move(part));
}

void MainEmitter::packBlock() {
  if (t.packsHere)
    e.when(t.packsHere, [&] { callPackFunction(t, packFunction(prefix), blockFirst, blockKeysAt, blockValuesAt); });
}

void MainEmitter::fetchRows(V position) {
  V token = e.max(e.loadInteger(e.b.getI32Type(), e.at(t.keyTable(0), e.mul(position, 4))), e.i64(0));
  for (auto &part : gathered) {
    V row = part->row(token);
    for (int64_t at = 0; at < part->extent * part->size(); at += 64)
      e.prefetch(e.at(row, at), /*locality=*/2);
  }
}

/// The first block's, before anything else needs them.
void MainEmitter::fetchFirst() {
  if (gathered.empty())
    return;
  e.when(t.packsHere, [&] {
    e.loop(e.i64(0), e.min(e.i64(l.blockKeys), t.positions), 1, [&](V position) { fetchRows(position); });
  });
}

/// Every microtile asks for some rows of its panel's place in the next block.
void MainEmitter::fetchGathered(V strip, V panel) {
  const int64_t strips = std::max<int64_t>(l.blockRows / l.tileRows, 1), each = llvm::divideCeil(l.width, strips);
  V last = e.sub(t.positions, e.i64(1)), inPanel = e.mul(strip, each);
  for (int64_t n = 0; n < each; ++n) {
    V place = e.add(e.mul(panel, l.width), e.min(e.add(inPanel, n), e.i64(l.width - 1)));
    fetchRows(e.min(e.add(nextFirst, place), last));
  }
}
