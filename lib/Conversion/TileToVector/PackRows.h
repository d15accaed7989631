// Where the keys of a block come from and where they go, for the pack phases.
#ifndef ATTN_LIB_CONVERSION_TILETOVECTOR_PACKROWS_H
#define ATTN_LIB_CONVERSION_TILETOVECTOR_PACKROWS_H

#include "OperandEmitter.h"

namespace attn {

/// A part's tokens by position of the block that begins with `first`.
struct PackRows {
  using V = mlir::Value;

  PackRows(TaskEmitter &t, OperandEmitter &part, V first) : t(t), e(t.e), part(part), first(first) {
    if (t.ordered())
      order = e.at(t.keyTable(0), e.mul(first, 4));
  }

  V row(V token) { return part.row(token); }
  /// The token at a position; negative if there is none.
  V token(V position) {
    if (!order)
      return e.add(first, position);
    V held = e.load(e.b.getI32Type(), e.at(order, e.mul(position, 4)));
    return mlir::arith::ExtSIOp::create(e.b, e.loc, e.i64Type(), held);
  }
  /// Calls `present` with the token at a position, `absent` where it holds none.
  void at(V position, llvm::function_ref<void(V token)> present, llvm::function_ref<void()> absent) {
    V held = token(position);
    if (!order)
      return present(held);
    e.choose(
        e.ge(held, e.i64(0)), {},
        [&] {
          present(held);
          return llvm::SmallVector<V>{};
        },
        [&] {
          absent();
          return llvm::SmallVector<V>{};
        });
  }
  /// Positions of the block: `lanes` at a time up to `grouped` where all hold a token, `together` with these, else
  /// `alone`.
  void eachGroup(V grouped, V count, llvm::function_ref<void(V position, llvm::SmallVector<V> tokens)> together,
                 llvm::function_ref<void(V position)> alone) {
    e.loop(e.i64(0), grouped, e.lanes, [&](V position) {
      llvm::SmallVector<V> tokens;
      V least = e.i64(0);
      for (int64_t n = 0; n < e.lanes; ++n) {
        tokens.push_back(token(e.add(position, n)));
        if (t.ordered())
          least = e.min(least, tokens.back());
      }
      if (!t.ordered())
        return together(position, tokens);
      e.choose(
          e.ge(least, e.i64(0)), {},
          [&] {
            together(position, tokens);
            return llvm::SmallVector<V>{};
          },
          [&] {
            e.loop(e.i64(0), e.i64(e.lanes), 1, [&](V n) { alone(e.add(position, n)); });
            return llvm::SmallVector<V>{};
          });
    });
    e.loop(grouped, count, 1, alone);
  }
  /// What no part or value of the key said before.
  void note(V position, const OperandEmitter::Absence &absence) {
    if (!t.absentKeys)
      return;
    V at = e.at(t.keyReason(), e.mul(e.add(first, position), 16));
    e.when(e.ne(absence.code, e.i64(0)), [&] {
      OperandEmitter::Absence all{e.loadI64(at), e.loadI64(at, 8)};
      OperandEmitter::join(e, all, absence);
      e.store(all.code, at);
      e.store(all.index, e.at(at, 8));
    });
  }

  TaskEmitter &t;
  Emit &e;
  OperandEmitter &part;
  V first, order;
};

/// Where the keys of a block go: one part of their features.
struct KeyPanels {
  using V = mlir::Value;

  KeyPanels(TaskEmitter &t, V first, int64_t feature)
      : e(t.e), l(t.layout), out(e.at(t.keysOf(first), feature * l.width * l.element)) {}

  V at(V key) {
    V panel = e.divUnsigned(key, l.width);
    V lane = e.sub(key, e.mul(panel, l.width));
    return e.at(out, e.add(e.mul(panel, l.keyPanelBytes()), e.mul(lane, l.element)));
  }
  void clear(V key, int64_t from, int64_t to) {
    V row = at(key);
    e.loop(e.i64(from), e.i64(to), 1, [&](V c) { e.store(e.scalar(0), e.at(row, e.mul(c, l.width * l.element))); });
  }

  Emit &e;
  const Layout &l;
  V out;
};

} // namespace attn

#endif
