// Split keys: what a CTA leaves of its chunk (tile.save), and one state of every row out of those of all chunks
// (tile.merge). A state is what each thread holds, number by number, in the workspace behind the status words: the CTA
// of a merge has its threads hold the same elements. Of rows that are none nothing is kept: a decode has few of a
// CTA's.
#include "CtaEmitter.h"

using namespace mlir;
using namespace attn;
using V = Value;

int64_t CtaEmitter::stateBytes() { return (int64_t)startOf(phase).flat().size() * t.threads() * 4; }

/// Where the thread's numbers of a chunk begin.
V CtaEmitter::stateOf(V ofChunk, V chunks, int64_t numbers) {
  // As CTAs of the main phase are numbered.
  V number = e.add(e.mul(batchNumber, t.slices), slice);
  number = e.add(e.mul(number, chunks), ofChunk);
  number = e.add(e.mul(number, blocks), block);
  V base = e.add(e.mul(number, numbers * t.threads() * 4), 64);
  return e.at(workspace, e.add(base, e.mul(thread, 4)));
}

void CtaEmitter::save() {
  SmallVector<V> numbers = last.flat();
  V base = stateOf(chunk, chunks, numbers.size());
  SmallVector<unsigned> rows = last.rows();
  for (unsigned r = 0; r < 2; ++r)
    e.when(live[r], [&] {
      for (unsigned n = 0; n < numbers.size(); ++n) {
        if (rows[n] != r)
          continue;
        V word = numbers[n];
        if (word.getType().isInteger(1))
          word = arith::ExtUIOp::create(e.b, e.loc, e.b.getI32Type(), word);
        e.store(word, e.at(base, (int64_t)n * t.threads() * 4));
      }
    });
}

// r = max_n ref_n; sum = sum_n gauge(ref_n - r) sum_n, in ascending order of the chunks
void CtaEmitter::merge(tile::MergeOp op) {
  auto main = op.getState().getDefiningOp<tile::PhaseOp>();
  V chunks = e.i64(main.getChunks().value());
  State begin = startOf(main);
  SmallVector<V> init = begin.flat();
  hasRef = (bool)op.getRef();
  SmallVector<int64_t> kinds(op.getSumOps()), phis(op.getSumPhis());
  auto load = [&](V n) {
    V base = stateOf(n, chunks, init.size());
    SmallVector<V> numbers(init);
    SmallVector<unsigned> rows = begin.rows();
    for (unsigned r = 0; r < 2; ++r) {
      SmallVector<V> nothing, kept;
      for (unsigned k = 0; k < init.size(); ++k)
        if (rows[k] == r)
          nothing.push_back(init[k]);
      kept = e.choose(
          live[r], ValueRange(nothing).getTypes(),
          [&] {
            SmallVector<V> loaded;
            for (unsigned k = 0; k < init.size(); ++k) {
              if (rows[k] != r)
                continue;
              Type type = init[k].getType();
              V word =
                  e.load(type.isInteger(1) ? (Type)e.b.getI32Type() : type, e.at(base, (int64_t)k * t.threads() * 4));
              loaded.push_back(type.isInteger(1) ? e.ne(word, i32(0)) : word);
            }
            return loaded;
          },
          [&] { return nothing; });
      for (unsigned k = 0, at = 0; k < init.size(); ++k)
        if (rows[k] == r)
          numbers[k] = kept[at++];
    }
    return begin.with(numbers);
  };
  auto done = e.loop(e.i64(0), chunks, 1, init, [&](V n, ValueRange args) {
    State so = begin.with(args), one = load(n);
    for (unsigned r = 0; r < 2; ++r) {
      V own, of;
      if (hasRef) {
        V to = arith::MaximumFOp::create(e.b, e.loc, so.ref[r], one.ref[r]);
        own = gaugeOf(op.getGauge(), so.ref[r], to), of = gaugeOf(op.getGauge(), one.ref[r], to);
        so.ref[r] = to;
      } else {
        so.seen[r] = e.either(so.seen[r], one.seen[r]);
      }
      auto add = [&](V a, V b, bool weighed) {
        return weighed && hasRef ? e.fadd(e.fmul(a, own), e.fmul(b, of)) : e.fadd(a, b);
      };
      unsigned slot = 0;
      for (auto [kind, phi] : llvm::zip(kinds, phis)) {
        V &a = so.sums[slot][r], b = one.sums[slot][r];
        if (kind == 0) {
          a = add(a, b, phi >= 0);
        } else if (kind == 3) {
          V &k = so.sums[slot + 1][r], l = one.sums[slot + 1][r];
          V take = isBetter(b, l, a, k);
          a = e.select(take, b, a), k = e.select(take, l, k);
          ++slot;
        } else {
          a = kind == 1 ? (V)arith::MaximumFOp::create(e.b, e.loc, a, b)
                        : (V)arith::MinimumFOp::create(e.b, e.loc, a, b);
        }
        ++slot;
      }
      for (auto [acc, from] : llvm::zip(so.accs, one.accs))
        for (unsigned k = 0; k < acc.size(); ++k)
          if (halfOf(k) == r)
            acc[k] = add(acc[k], from[k], true);
    }
    return so.flat();
  });
  last = begin.with(done);
  place(op.getRef(), op.getSums(), op.getAccs(), kinds, phis);
}
