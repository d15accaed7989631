// Blocks of keys that are made of listed panels.
//
// Where every conjunct of the set needs a list, and lists are the same for all rows of a task, what a task sees lies
// scattered: 64 keys here, 64 there. Its panels are listed first, over all blocks that marks lead to, once for all of
// its strips; blocks are then made of them, as many as fit, whichever they are:
//
//   listed[n] = 4 panel + status              status as of a microtile: 1 partial, 2 full
//   block b   = listed[B b], .., listed[B b + B - 1]                       B panels of a block
//
// So sums of values go through registers as seldom as where all is seen, and nothing is asked about strip by strip: but
// a partial panel, where the set is more than its lists. For the panels of a block, and of the one that follows, which
// is fetched ahead, there is an entry each: where its keys are packed, where its values, how far apart their panels of
// features are, and its first key.
#include "MainEmitter.h"

using namespace mlir;
using namespace attn;
using V = Value;

enum Field : int64_t { kKeysAt = 0, kValuesAt = 8, kValueStride = 16, kFirstKey = 24 };

static V bytesOf(Emit &e, V count) { return e.mul(count, Layout::kListedEntry); }

V MainEmitter::listedEntry(V panel, int64_t field) {
  return e.at(e.at(e.at(t.scratch, l.listedEntries()), bytesOf(e, panel)), field);
}

V MainEmitter::keyAt(V panel) {
  return listed ? e.loadI64(listedEntry(panel, kFirstKey)) : e.add(blockFirst, e.mul(panel, l.width));
}

V MainEmitter::keyPanelAt(V panel) {
  return listed ? e.load(e.ptrType(), listedEntry(panel, kKeysAt)) : e.at(blockKeysAt, e.mul(panel, l.keyPanelBytes()));
}

/// The values of a key of the block, a panel of their features.
V MainEmitter::listedValues(V featurePanel, V key) {
  V panel = e.divUnsigned(key, l.width), inPanel = e.sub(key, e.mul(panel, l.width));
  V at = e.load(e.ptrType(), listedEntry(panel, kValuesAt));
  V feature = e.mul(featurePanel, e.loadI64(listedEntry(panel, kValueStride)));
  return e.at(e.at(at, feature), e.mul(inPanel, l.width * l.weightBytes()));
}

/// Those of the block that begins with `blockFirst`.
void MainEmitter::listPanels(const Box &box, V full) {
  V statusAt = e.at(t.scratch, l.status()), countAt = e.at(t.scratch, l.listed());
  e.choose(
      full, {},
      [&] {
        fillStatus(statusAt);
        return SmallVector<V>{};
      },
      [&] {
        classify(box, blockFirst, e.i64(0), blockPanels, l.width, SetEmitter::kPanel, statusAt);
        return SmallVector<V>{};
      });
  V firstPanel = e.divUnsigned(blockFirst, l.width);
  V count = e.loop(e.i64(0), blockPanels, 1, ValueRange{e.loadI64(countAt)}, [&](V panel, ValueRange n) {
    V status = arith::ExtUIOp::create(e.b, e.loc, e.i64Type(), e.load(e.b.getI8Type(), e.at(statusAt, panel)));
    V word = e.add(e.mul(e.add(firstPanel, panel), 4), status);
    e.store(arith::TruncIOp::create(e.b, e.loc, e.b.getI32Type(), word), e.at(members->listedTable, e.mul(n[0], 4)));
    return SmallVector<V>{e.add(n[0], arith::ExtUIOp::create(e.b, e.loc, e.i64Type(), e.ne(status, e.i64(0))))};
  })[0];
  e.store(count, countAt);
}

/// Entries of the block that begins with the listed panel `from`, and of the next one; behind the last they repeat it.
void MainEmitter::enterListed(V from, V count) {
  const int64_t panels = l.panelsPerBlock();
  V last = e.sub(count, e.i64(1)), all = t.panels(), statusAt = e.at(t.scratch, l.listedStatus());
  e.loop(e.i64(0), e.i64(2 * panels), 1, [&](V n) {
    V at = e.at(members->listedTable, e.mul(e.min(e.add(from, n), last), 4));
    V word = arith::ExtUIOp::create(e.b, e.loc, e.i64Type(), e.load(e.b.getI32Type(), at));
    V panel = e.divUnsigned(word, 4), first = e.mul(panel, l.width);
    // Values of a block lie together, feature panel by feature panel.
    V begin = e.mul(e.divUnsigned(panel, panels), panels);
    V held = e.min(e.sub(all, begin), e.i64(panels)); // panels of that block
    V values = e.at(t.valuesOf(e.mul(begin, l.width)), e.mul(e.sub(panel, begin), l.width * l.width * l.weightBytes()));
    e.store(t.keysOf(first), listedEntry(n, kKeysAt));
    e.store(values, listedEntry(n, kValuesAt));
    e.store(e.mul(held, l.width * l.width * l.weightBytes()), listedEntry(n, kValueStride));
    e.store(first, listedEntry(n, kFirstKey));
    e.when(e.lt(n, e.i64(panels)), [&] {
      V status = e.both(word, e.i64(3));
      e.store(arith::TruncIOp::create(e.b, e.loc, e.b.getI8Type(), status), e.at(statusAt, n));
    });
  });
}

void MainEmitter::visitListed() {
  V count = e.loadI64(e.at(t.scratch, l.listed())), statusAt = e.at(t.scratch, l.listedStatus());
  const int64_t panels = l.panelsPerBlock();
  e.loop(e.i64(0), count, panels, [&](V from) {
    enterListed(from, count);
    blockPanels = e.min(e.i64(panels), e.sub(count, from));
    V full = e.loop(e.i64(0), blockPanels, 1, ValueRange{e.eq(blockPanels, e.i64(panels))}, [&](V n, ValueRange all) {
      V status = arith::ExtUIOp::create(e.b, e.loc, e.i64Type(), e.load(e.b.getI8Type(), e.at(statusAt, n)));
      return SmallVector<V>{e.both(all[0], e.eq(status, e.i64(2)))};
    })[0];
    keepBlockParts();
    e.loop(e.i64(0), strips, 1, [&](V strip) { visitStrip(strip, full); });
    if (l.nested()) {
      V block = e.divUnsigned(from, panels), group = e.divUnsigned(block, Layout::kGroupBlocks);
      V isLast = e.eq(e.sub(block, e.mul(group, Layout::kGroupBlocks)), e.i64(Layout::kGroupBlocks - 1));
      e.when(isLast, [&] { endGroup(/*last=*/false); });
    }
  });
  if (l.nested())
    endGroup(/*last=*/false);
}

/// Status of the block's panels for the strip; how many there are.
V MainEmitter::fillListed(V at) {
  Type i8 = e.b.getI8Type();
  V statusAt = e.at(t.scratch, l.listedStatus());
  // Lists are the same for all rows of the task; bounds and other conditions are not.
  bool listsAlone = llvm::all_of(solution.conjuncts, [](const sets::Conjunct &c) {
    return c.boundAtoms.empty() && c.rowAtoms.empty() && llvm::all_of(c.keyAtoms, [](const sets::Pred &p) {
             return p.is(sets::PredKind::Opaque) && (p.opaqueId() & sets::Pred::answerable);
           });
  });
  std::optional<Box> box;
  if (!listsAlone)
    box = makeBox(rowLo, rowHi);
  e.loop(e.i64(0), blockPanels, 1, [&](V panel) {
    V status = e.load(i8, e.at(statusAt, panel));
    e.store(status, e.at(at, panel));
    if (!box)
      return;
    V one = arith::ConstantOp::create(e.b, e.loc, e.b.getI8IntegerAttr(1));
    e.when(e.eq(status, one), [&] {
      RegionEmitter region = makeRegion();
      V first = keyAt(panel);
      auto [may, must] = this->status(*box, region.make(first, 0, INT32_MAX - 1),
                                      region.make(e.add(first, l.width - 1), 0, INT32_MAX - 1), SetEmitter::kPanel);
      V sum = e.add(arith::ExtUIOp::create(e.b, e.loc, i8, may), arith::ExtUIOp::create(e.b, e.loc, i8, must));
      e.store(sum, e.at(at, panel));
    });
  });
  return blockPanels;
}

/// The microtile's share of its panel's place in the next block.
void MainEmitter::fetchListed(V strip, V panel) {
  V next = e.add(panel, l.panelsPerBlock());
  auto shareOf = [&](int64_t bytes) {
    return llvm::divideCeil(bytes, 64 * std::max<int64_t>(l.blockRows / l.tileRows, 12));
  };
  int64_t lines = shareOf(l.keyPanelBytes());
  V keys = e.at(e.load(e.ptrType(), listedEntry(next, kKeysAt)), e.mul(strip, lines * 64));
  for (int64_t n = 0; n < lines; ++n)
    e.prefetch(e.at(keys, n * 64), /*locality=*/2);
  if (accumulates.empty())
    return;
  lines = shareOf(l.width * l.packedRowBytes());
  V values = e.load(e.ptrType(), listedEntry(next, kValuesAt)), stride = e.loadI64(listedEntry(next, kValueStride));
  int64_t panelLines = std::max<int64_t>(l.width * l.width * l.weightBytes() / 64, 1);
  for (int64_t n = 0; n < lines; ++n) {
    V line = e.add(e.mul(strip, lines), n), feature = e.divUnsigned(line, panelLines);
    V inPanel = e.sub(line, e.mul(feature, panelLines));
    e.prefetch(e.at(e.at(values, e.mul(feature, stride)), e.mul(inPanel, 64)), /*locality=*/2);
  }
}
