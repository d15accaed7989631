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
// a partial panel, where the set is more than its lists. For the panels of a block there is an entry each: where its
// keys are packed, and its first key; and where its values are, for every panel of features. There are those of the
// block that follows, which is fetched ahead, too: the two take turns.
#include "MainEmitter.h"

using namespace mlir;
using namespace attn;
using V = Value;

enum Field : int64_t { kKeysAt = 0, kFirstKey = 8 };

/// Of a panel of the block, or of the next one.
V MainEmitter::listedEntry(V panel, int64_t field, bool next) {
  V at = e.at(e.at(t.scratch, l.listedEntries()), e.mul(e.add(panel, next ? nextListed : thisListed), l.kListedEntry));
  return e.at(at, field);
}

V MainEmitter::keyAt(V panel) {
  return listed ? e.loadI64(listedEntry(panel, kFirstKey)) : e.add(blockFirst, e.mul(panel, l.width));
}

V MainEmitter::keyPanelAt(V panel) {
  return listed ? e.load(e.ptrType(), listedEntry(panel, kKeysAt)) : e.at(blockKeysAt, e.mul(panel, l.keyPanelBytes()));
}

/// Where it is said where a panel's values are.
V MainEmitter::listedValuesAt(V featurePanel, V panel, bool next) {
  V row = e.at(e.at(t.scratch, l.listedValues()), e.mul(featurePanel, 2 * l.panelsPerBlock() * 8));
  return e.at(row, e.mul(e.add(panel, next ? nextListed : thisListed), 8));
}

/// The values of a key of the block, a panel of their features; `whole`: of the first key of its panel.
V MainEmitter::listedValues(V featurePanel, V key, bool whole) {
  V panel = e.divUnsigned(key, l.width), at = e.load(e.ptrType(), listedValuesAt(featurePanel, panel));
  return whole ? at : e.at(at, e.mul(e.sub(key, e.mul(panel, l.width)), l.width * l.weightBytes()));
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

/// Entries of the block that begins with the listed panel `from`, as the next one; behind the last they repeat it.
void MainEmitter::enterListed(V from, V count) {
  const int64_t panels = l.panelsPerBlock(), panelBytes = l.width * l.width * l.weightBytes();
  V last = e.sub(count, e.i64(1)), all = t.panels();
  e.loop(e.i64(0), e.i64(panels), 1, [&](V n) {
    V word = wordAt(e.min(e.add(from, n), last));
    V panel = e.divUnsigned(word, 4), first = e.mul(panel, l.width);
    e.store(t.keysOf(first), listedEntry(n, kKeysAt, /*next=*/true));
    e.store(first, listedEntry(n, kFirstKey, /*next=*/true));
    if (!l.packsValues)
      return;
    // Values of a block lie together, one panel of features after the other.
    V begin = e.mul(e.divUnsigned(panel, panels), panels);
    V stride = e.mul(e.min(e.sub(all, begin), e.i64(panels)), panelBytes);
    V values = e.at(t.valuesOf(e.mul(begin, l.width)), e.mul(e.sub(panel, begin), panelBytes));
    e.loop(e.i64(0), e.i64(l.valuePadded / l.width), 1, [&](V feature) {
      e.store(e.at(values, e.mul(feature, stride)), listedValuesAt(feature, n, /*next=*/true));
    });
  });
}

V MainEmitter::wordAt(V n) {
  V word = e.load(e.b.getI32Type(), e.at(members->listedTable, e.mul(n, 4)));
  return arith::ExtUIOp::create(e.b, e.loc, e.i64Type(), word);
}

void MainEmitter::visitListed() {
  V count = e.loadI64(e.at(t.scratch, l.listed())), statusAt = e.at(t.scratch, l.listedStatus());
  const int64_t panels = l.panelsPerBlock();
  nextListed = e.i64(0);
  e.when(e.lt(e.i64(0), count), [&] { enterListed(e.i64(0), count); });
  e.loop(e.i64(0), count, panels, ValueRange{e.i64(0)}, [&](V from, ValueRange turn) {
    thisListed = turn[0], nextListed = e.sub(e.i64(panels), thisListed);
    enterListed(e.add(from, panels), count);
    blockPanels = e.min(e.i64(panels), e.sub(count, from));
    V full = e.loop(e.i64(0), blockPanels, 1, ValueRange{e.eq(blockPanels, e.i64(panels))}, [&](V n, ValueRange all) {
      V status = e.both(wordAt(e.add(from, n)), e.i64(3));
      e.store(arith::TruncIOp::create(e.b, e.loc, e.b.getI8Type(), status), e.at(statusAt, n));
      return SmallVector<V>{e.both(all[0], e.eq(status, e.i64(2)))};
    })[0];
    keepBlockParts();
    e.loop(e.i64(0), strips, 1, [&](V strip) { visitStrip(strip, full); });
    if (l.nested()) {
      V block = e.divUnsigned(from, panels), group = e.divUnsigned(block, Layout::kGroupBlocks);
      V isLast = e.eq(e.sub(block, e.mul(group, Layout::kGroupBlocks)), e.i64(Layout::kGroupBlocks - 1));
      e.when(isLast, [&] { endGroup(/*last=*/false); });
    }
    return SmallVector<V>{nextListed};
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

/// The microtile's share of its panel's place in the next block: some lines of keys, and of one panel of features.
void MainEmitter::fetchListed(V strip, V panel) {
  const int64_t strips = std::max<int64_t>(l.blockRows / l.tileRows, 12),
                lineOfPanel = l.width * l.width * l.weightBytes() / 64;
  auto fetch = [&](V at, int64_t lines) {
    for (int64_t n = 0; n < lines; ++n)
      e.prefetch(e.at(at, n * 64), /*locality=*/2);
  };
  int64_t lines = llvm::divideCeil(l.keyPanelBytes(), 64 * strips);
  fetch(e.at(e.load(e.ptrType(), listedEntry(panel, kKeysAt, /*next=*/true)), e.mul(strip, lines * 64)), lines);
  if (accumulates.empty() || lineOfPanel == 0)
    return;
  const int64_t features = l.valuePadded / l.width;
  lines = std::min<int64_t>(llvm::PowerOf2Ceil(llvm::divideCeil(features * lineOfPanel, strips)), lineOfPanel);
  V line = e.mul(strip, lines), feature = e.min(e.divUnsigned(line, lineOfPanel), e.i64(features - 1));
  V inPanel = e.both(line, e.i64(lineOfPanel - 1));
  fetch(e.at(e.load(e.ptrType(), listedValuesAt(feature, panel, /*next=*/true)), e.mul(inPanel, 64)), lines);
}
