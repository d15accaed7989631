// Answers about lists, words of bits and random blocks: for a lane, and for a box of rows and keys.
//
// A list that a task reads becomes a bitmap over keys in the task's scratch: bit j - C(i) + Cmax of a bitmap that all
// rows of the task share, where an element v stands for the keys A(v) + C(i) (C is the row's part: i + s for diagonals,
// nothing for blocks and tokens), or bit j of a bitmap of the row where each row has a list of its own. Elements may so
// repeat and stand in any order, and a lane's mask is one unaligned load. Setting and clearing bits costs the length of
// the list. A value that is the row's alone gets a bit for each row of the task instead. Beside it, marks: a bit for
// every block of keys that an element reaches from some row of the task; where the list must hold, the key loop goes
// from mark to mark.
#ifndef ATTN_LIB_CONVERSION_TILETOVECTOR_MEMBERS_H
#define ATTN_LIB_CONVERSION_TILETOVECTOR_MEMBERS_H

#include "TaskEmitter.h"
#include "attn/Conversion/SetEmitter.h"

namespace attn {

class Members {
public:
  using V = mlir::Value;
  using Val = RegionEmitter::Val;
  using Bind = std::function<void(RegionEmitter &, SetEmitter &)>;

  Members(TaskEmitter &t, const SetPredicate &predicate);
  bool any() const { return !predicate.answerables.empty(); }
  bool hasBitmaps() const { return !bitmaps.empty(); }
  /// Whether every atom is a list of keys that is the same for all rows of a task, whichever it is.
  static bool areSameForTasks(const SetPredicate &predicate, unsigned queryDim, int64_t taskRows);

  /// Bytes of scratch for all bitmaps and marks, and the table of listed panels (see Listed.cpp).
  V scratchBytes();
  V listedTable;

  /// For the task's rows: sets the bits of every list, or clears them again. `bind` gives batch indices, scalars and
  /// extents to an emitter of expressions.
  void build(V firstRow, V rows, Bind bind, llvm::function_ref<SetEmitter(RegionEmitter &)> makeSet);
  void clear(Bind bind, llvm::function_ref<SetEmitter(RegionEmitter &)> makeSet);

  /// The atom whose marks lead the key loop of a conjunct; none if nothing does.
  std::optional<unsigned> leader(const sets::Conjunct &c) const;
  /// Whether a block of keys, or any of a group of blocks (both powers of 2 apart), is marked.
  V marked(unsigned id, V block, int64_t blocks);

  struct Box {
    V rowLo, rowHi; // i64
    Val keyLo, keyHi;
    int64_t keys = 0; // width where it is a panel, 0: wider
  };
  /// May or must the atom hold in the box.
  V ask(unsigned id, bool must, const Box &box, SetEmitter &set, RegionEmitter &region);
  /// One row and a vector of positions; `firstKey` is the first of them.
  V lanes(unsigned id, V row, V firstKey, const Val &key, SetEmitter &set, RegionEmitter &region);

private:
  struct Bitmap {
    unsigned id;
    const MemberAtom *atom;
    sets::Expr lo, hi, shift; // of an element; `shift` of the row
    bool perRow;
    V base, bytes, marks; // bytes of one bitmap
    V shiftLo, shiftHi;   // over the task's rows
  };
  const Bitmap &bitmapOf(unsigned id) const;
  /// The bitmap of an atom for tasks of so many rows.
  static Bitmap bitmapFor(unsigned id, const MemberAtom &atom, unsigned queryDim, int64_t taskRows);
  V start();
  /// The end of the last.
  V layOut();
  void walk(const Bitmap &m, bool set, Bind bind, llvm::function_ref<SetEmitter(RegionEmitter &)> makeSet);
  void touch(V words, V lo, V hi, bool set, bool single);
  V shiftOf(const Bitmap &m, V row, SetEmitter &set);
  V bitsAt(V bitmap, V bit);
  V bitAt(V bitmap, V bit);
  V wordBits(const BitsAtom &atom, V row, V firstKey, int64_t count, SetEmitter &set);
  V draw(const RandomAtom &atom, const Val &rowBlock, const Val &keyBlock, SetEmitter &set, RegionEmitter &region);
  V askRandom(const RandomAtom &atom, bool must, const Box &box, SetEmitter &set, RegionEmitter &region);
  V toMask(V bits);

  TaskEmitter &t;
  Emit &e;
  const Layout &l;
  const SetPredicate &predicate;
  unsigned queryDim, keyDim;
  llvm::SmallVector<Bitmap> bitmaps;
  V first, rows;
};

} // namespace attn

#endif
