#include "Members.h"

using namespace mlir;
using namespace attn;
using sets::Expr;
using sets::Pred;
using V = Value;
using Val = RegionEmitter::Val;

/// Moves the summands that mention the row from both ends to `shift`; false where they differ or are no plain +-row.
static bool separate(Expr &lo, Expr &hi, Expr &shift, unsigned queryDim) {
  auto split = [&](const Expr &e, Expr &element, Expr &row) {
    sets::LinearForm form = sets::linearForm(e), rest;
    rest.constant = form.constant;
    row = Expr::constant(0);
    for (const auto &term : form.terms) {
      if (!sets::mentions(term.first, queryDim))
        rest.terms.push_back(term);
      else if (term.first.is(sets::ExprKind::Var) && (term.second == 1 || term.second == -1))
        row = row + term.first * term.second;
      else
        return false;
    }
    element = sets::fromLinear(rest);
    return true;
  };
  Expr a, b, rowA, rowB;
  if (!split(lo, a, rowA) || !split(hi, b, rowB) || rowA != rowB)
    return false;
  lo = a, hi = b, shift = rowA;
  return true;
}

Members::Bitmap Members::bitmapFor(unsigned id, const MemberAtom &atom, unsigned queryDim, int64_t taskRows) {
  Bitmap m;
  m.id = id;
  m.atom = &atom;
  unsigned axis = atom.ofRows ? queryDim : kLogicalKey;
  auto bounds = sets::solveAtom(sets::eq(atom.value, Expr::var(kElement)), axis);
  std::vector<Expr> lower, upper;
  for (const sets::AxisBound &bound : *bounds)
    (bound.isLower ? lower : upper).push_back(bound.bound);
  m.lo = sets::maxOf(lower);
  m.hi = sets::minOf(upper);
  // One list for all rows of a task, and elements that stand for the same keys but for a shift.
  bool shared = !atom.offsets && separate(m.lo, m.hi, m.shift, queryDim);
  for (const Expr &index : atom.indices)
    if (sets::mentions(index, queryDim))
      shared &= index.is(sets::ExprKind::FloorDiv) && index.operand(0).is(sets::ExprKind::Var) &&
                index.value() % taskRows == 0;
  m.perRow = !shared && !atom.ofRows;
  if (m.perRow) {
    m.lo = sets::maxOf(lower);
    m.hi = sets::minOf(upper);
    m.shift = Expr::constant(0);
  }
  return m;
}

Members::Members(TaskEmitter &t, const SetPredicate &predicate)
    : t(t), e(t.e), l(t.layout), predicate(predicate), queryDim(t.queryDim()), keyDim(t.keyDim()) {
  for (auto [id, atom] : llvm::enumerate(predicate.answerables))
    if (auto *member = std::get_if<MemberAtom>(&atom))
      bitmaps.push_back(bitmapFor(id, *member, queryDim, l.taskRows));
}

bool Members::areSameForTasks(const SetPredicate &predicate, unsigned queryDim, int64_t taskRows) {
  return llvm::all_of(predicate.answerables, [&](auto &atom) {
    auto *member = std::get_if<MemberAtom>(&atom);
    if (!member || member->ofRows)
      return false;
    Bitmap m = bitmapFor(0, *member, queryDim, taskRows);
    return !m.perRow && m.shift.isConst();
  });
}

/// Bases and sizes: bitmaps of one atom after another, each on lines of its own, then the atom's marks.
V Members::layOut() {
  auto lines = [&](V bytes) { return e.mul(e.divUnsigned(e.add(bytes, 63), 64), 64); };
  V at = start();
  V keys = t.extents[keyDim];
  for (Bitmap &m : bitmaps) {
    // Loads reach past the last key by a panel and the bytes of a word.
    m.bytes = lines(e.add(e.divUnsigned(e.add(keys, l.blockRows + 2 * l.width), 8), 16));
    m.base = at;
    at = e.add(at, e.mul(m.bytes, m.perRow ? l.blockRows : 1));
    m.marks = at;
    at = e.add(at, lines(e.add(e.divUnsigned(keys, 8 * l.blockKeys), 16)));
  }
  if (l.listsPanels) { // an i32 each, and one that is written before it is known whether it is one
    listedTable = at;
    at = e.add(at, lines(e.add(e.mul(t.panels(), 4), 4)));
  }
  return at;
}

V Members::start() {
  V at = e.i64(l.scratchBytes());
  return l.ordersInTasks ? (V)e.add(at, t.orderBytes()) : at;
}

V Members::scratchBytes() { return bitmaps.empty() ? e.i64(0) : e.sub(layOut(), start()); }

const Members::Bitmap &Members::bitmapOf(unsigned id) const {
  return *llvm::find_if(bitmaps, [&](const Bitmap &m) { return m.id == id; });
}

void Members::build(V firstRow, V numRows, Bind bind, llvm::function_ref<SetEmitter(RegionEmitter &)> makeSet) {
  layOut();
  first = firstRow;
  rows = numRows;
  for (Bitmap &m : bitmaps) {
    m.base = e.at(t.scratch, m.base);
    m.marks = e.at(t.scratch, m.marks);
    RegionEmitter region(e, t.tensors, t.params, V());
    SetEmitter set = makeSet(region);
    bind(region, set);
    V a = shiftOf(m, first, set), z = shiftOf(m, e.sub(e.add(first, rows), e.i64(1)), set);
    m.shiftLo = e.min(a, z);
    m.shiftHi = e.max(a, z);
    walk(m, true, bind, makeSet);
  }
  if (listedTable)
    listedTable = e.at(t.scratch, listedTable);
}

void Members::clear(Bind bind, llvm::function_ref<SetEmitter(RegionEmitter &)> makeSet) {
  for (const Bitmap &m : bitmaps)
    walk(m, false, bind, makeSet);
}

V Members::shiftOf(const Bitmap &m, V row, SetEmitter &set) {
  if (m.shift.isConst())
    return e.i64(m.shift.value());
  set.bindScalar(queryDim, row);
  return set.scalar(m.shift);
}

/// Sets or clears bits lo..hi; clearing works on whole words, for all of them are cleared.
void Members::touch(V words, V lo, V hi, bool set, bool single) {
  auto word = [&](V w, V mask) {
    V at = e.at(words, e.mul(w, 8));
    e.store(set ? e.either(e.loadI64(at), mask) : e.i64(0), at);
  };
  auto shl = [&](V a, V by) -> V { return arith::ShLIOp::create(e.b, e.loc, a, by); };
  V ones = e.i64(-1);
  if (single) {
    e.when(e.le(lo, hi), [&] { word(e.divUnsigned(lo, 64), shl(e.i64(1), e.both(lo, e.i64(63)))); });
    return;
  }
  e.when(e.le(lo, hi), [&] {
    V from = e.divUnsigned(lo, 64), to = e.divUnsigned(hi, 64);
    e.loop(from, e.add(to, 1), 1, [&](V w) {
      V head = e.select(e.eq(w, from), shl(ones, e.both(lo, e.i64(63))), ones);
      V left = e.sub(e.i64(63), e.both(hi, e.i64(63)));
      V tail = e.select(e.eq(w, to), (V)arith::ShRUIOp::create(e.b, e.loc, ones, left), ones);
      word(w, e.both(head, tail));
    });
  });
}

void Members::walk(const Bitmap &m, bool setting, Bind bind, llvm::function_ref<SetEmitter(RegionEmitter &)> makeSet) {
  TensorRef &list = t.tensor(m.atom->list);
  unsigned last = list.type.getRank() - 1;
  Type element = list.type.getElementType();
  int64_t size = Emit::elementBytes(element);
  V keys = t.extents[keyDim];
  e.loop(e.i64(0), m.perRow ? rows : e.i64(1), 1, [&](V r) {
    V row = e.add(first, r);
    RegionEmitter region(e, t.tensors, t.params, V());
    SetEmitter set = makeSet(region);
    bind(region, set);
    set.bind(queryDim, region.indexScalar(row, queryDim));
    V offset = e.i64(0);
    for (auto [axis, index] : llvm::enumerate(m.atom->indices))
      offset = e.add(offset, e.mul(set.scalar(index), list.strides[axis]));
    V base = e.at(list.data, e.mul(offset, size));
    V from = e.i64(0), to = list.extents[last];
    if (m.atom->offsets) {
      TensorRef &offsets = t.tensor(*m.atom->offsets);
      V at = e.mul(t.queryAt(row), offsets.strides.back());
      for (auto [axis, index] : llvm::enumerate(m.atom->indices))
        at = e.add(at, e.mul(set.scalar(index), offsets.strides[axis]));
      std::tie(from, to) = t.csrRow(offsets, at, to, setting);
    }
    V bits = m.perRow ? e.at(m.base, e.mul(r, m.bytes)) : m.base;
    // How many bits there are; bit 0 is key 0 of the row with the largest shift.
    V count = m.atom->ofRows ? rows : e.add(keys, e.sub(m.shiftHi, m.shiftLo));
    bool single = m.lo == m.hi;
    e.loop(from, to, 1, [&](V n) {
      V value = e.loadInteger(element, e.at(base, e.mul(e.mul(n, list.strides[last]), size)));
      auto each = [&](V v) {
        RegionEmitter inner(e, t.tensors, t.params, V());
        SetEmitter here = makeSet(inner);
        bind(inner, here);
        here.bind(queryDim, inner.indexScalar(row, queryDim));
        here.bind(kElement, inner.make(v, -(RegionEmitter::Int(1) << 40), RegionEmitter::Int(1) << 40));
        V lo = here.scalar(m.lo), hi = single ? lo : here.scalar(m.hi);
        if (m.atom->ofRows) { // bit i - first
          lo = e.sub(lo, first), hi = single ? lo : e.sub(hi, first);
          V none = e.i64(0);
          V least = e.max(lo, none), most = e.min(hi, e.sub(count, e.i64(1)));
          return touch(bits, least, most, setting, single);
        }
        // Bits.
        V first = e.max(e.add(lo, m.shiftHi), e.i64(0)), end = e.min(e.add(hi, m.shiftHi), e.sub(count, e.i64(1)));
        touch(bits, first, end, setting, single);
        // Marks of the keys that some row reaches.
        V least = e.max(e.add(lo, m.shiftLo), e.i64(0)), most = e.min(e.add(hi, m.shiftHi), e.sub(keys, e.i64(1)));
        e.when(e.le(least, most), [&] {
          touch(m.marks, e.divUnsigned(least, l.blockKeys), e.divUnsigned(most, l.blockKeys), setting, false);
        });
      };
      if (m.atom->limit) {
        V limit = set.scalar(*m.atom->limit);
        V inside = e.both(e.ge(value, e.i64(0)), e.lt(value, limit));
        if (setting)
          t.reportIndex(t.isBadElement(inside, value, (bool)m.atom->offsets), list.argument, last, value);
        e.when(inside, [&] { each(value); });
      } else {
        each(e.min(e.max(value, e.i64(-(int64_t(1) << 40))), e.i64(int64_t(1) << 40)));
      }
    });
  });
}

std::optional<unsigned> Members::leader(const sets::Conjunct &c) const {
  if (t.keysAreAnywhere())
    return std::nullopt;
  for (const Pred &p : c.keyAtoms)
    if (p.is(sets::PredKind::Opaque) && (p.opaqueId() & Pred::answerable) && !p.negated()) {
      unsigned id = p.opaqueId() & ~Pred::answerable;
      auto *member = std::get_if<MemberAtom>(&predicate.answerables[id]);
      if (member && !member->ofRows)
        return id;
    }
  return std::nullopt;
}

V Members::marked(unsigned id, V block, int64_t blocks) {
  const Bitmap &m = bitmapOf(id);
  if (blocks > 1) { // a group of 16 starts at a whole half-word
    V half = e.load(e.b.getIntegerType(16), e.at(m.marks, e.mul(e.divUnsigned(block, 16), 2)));
    return e.ne(arith::ExtUIOp::create(e.b, e.loc, e.i64Type(), half), e.i64(0));
  }
  return bitAt(m.marks, block);
}

/// One bit as an i1.
V Members::bitAt(V bitmap, V bit) {
  V byte = e.load(e.b.getI8Type(), e.at(bitmap, e.divUnsigned(bit, 8)));
  V wide = arith::ExtUIOp::create(e.b, e.loc, e.i64Type(), byte);
  V moved = arith::ShRUIOp::create(e.b, e.loc, wide, e.both(bit, e.i64(7)));
  return e.ne(e.both(moved, e.i64(1)), e.i64(0));
}

/// 57 bits or fewer from `bit` on, in the low bits of an i64; higher ones are of no meaning.
V Members::bitsAt(V bitmap, V bit) {
  V word = e.load(e.i64Type(), e.at(bitmap, e.divUnsigned(bit, 8)));
  return arith::ShRUIOp::create(e.b, e.loc, word, e.both(bit, e.i64(7)));
}

V Members::toMask(V bits) {
  V low = arith::TruncIOp::create(e.b, e.loc, e.b.getIntegerType(e.lanes), bits);
  return LLVM::BitcastOp::create(e.b, e.loc, e.vecOf(e.b.getI1Type()), low);
}

V Members::lanes(unsigned id, V row, V firstKey, const Val &key, SetEmitter &set, RegionEmitter &region) {
  const auto &atom = predicate.answerables[id];
  if (auto *random = std::get_if<RandomAtom>(&atom))
    return draw(*random, set.expr(random->rowBlock), set.expr(random->keyBlock), set, region);
  // By an order the keys of a vector are anywhere: bit by bit.
  auto eachLane = [&](llvm::function_ref<V(V key)> bitOf) {
    V bits = e.i64(0), lanesOfKey = region.wide(key), last = e.sub(t.extents[keyDim], e.i64(1));
    for (int64_t n = 0; n < e.lanes; ++n) {
      V j = vector::ExtractOp::create(e.b, e.loc, lanesOfKey, ArrayRef<int64_t>{n});
      V bit = bitOf(e.min(e.max(j, e.i64(0)), last));
      bits = e.either(bits, e.select(bit, e.i64(int64_t(1) << n), e.i64(0)));
    }
    return toMask(bits);
  };
  if (auto *words = std::get_if<BitsAtom>(&atom)) {
    if (!t.keysAreAnywhere())
      return toMask(wordBits(*words, row, firstKey, e.lanes, set));
    return eachLane([&](V j) { return e.ne(e.both(wordBits(*words, row, j, 1, set), e.i64(1)), e.i64(0)); });
  }
  const Bitmap &m = bitmapOf(id);
  if (m.atom->ofRows)
    return bitAt(m.base, e.sub(row, first));
  V bitmap = m.perRow ? e.at(m.base, e.mul(e.sub(row, first), m.bytes)) : m.base;
  V move = e.sub(m.shiftHi, shiftOf(m, row, set));
  if (!t.keysAreAnywhere())
    return toMask(bitsAt(bitmap, e.add(firstKey, move)));
  return eachLane([&](V j) { return bitAt(bitmap, e.add(j, move)); });
}

/// `count` bits (at most 57) of a row's words from key `firstKey` on, 0 beyond the last word.
V Members::wordBits(const BitsAtom &atom, V row, V firstKey, int64_t count, SetEmitter &set) {
  TensorRef &words = t.tensor(atom.words);
  unsigned last = words.type.getRank() - 1;
  int64_t size = Emit::elementBytes(words.type.getElementType());
  set.bindScalar(queryDim, row);
  V offset = e.i64(0);
  for (auto [axis, index] : llvm::enumerate(atom.indices))
    offset = e.add(offset, e.mul(set.scalar(index), words.strides[axis]));
  V total = e.mul(words.extents[last], size), bits = e.i64(0);
  V byte = e.divUnsigned(firstKey, 8);
  for (int64_t n = 0; n < (count + 14) / 8; ++n) {
    V at = e.add(byte, n), inside = e.lt(at, total), safe = e.select(inside, at, e.i64(0));
    V word = e.divUnsigned(safe, size);
    V address = e.add(e.mul(e.add(offset, e.mul(word, words.strides[last])), size), e.sub(safe, e.mul(word, size)));
    V loaded = arith::ExtUIOp::create(e.b, e.loc, e.i64Type(), e.load(e.b.getI8Type(), e.at(words.data, address)));
    V shifted = arith::ShLIOp::create(e.b, e.loc, loaded, e.i64(8 * n));
    bits = e.either(bits, e.select(inside, shifted, e.i64(0)));
  }
  return arith::ShRUIOp::create(e.b, e.loc, bits, e.both(firstKey, e.i64(7)));
}

V Members::ask(unsigned id, bool must, const Box &box, SetEmitter &set, RegionEmitter &region) {
  const auto &atom = predicate.answerables[id];
  if (auto *random = std::get_if<RandomAtom>(&atom))
    return askRandom(*random, must, box, set, region);
  if (auto *member = std::get_if<MemberAtom>(&atom); member && member->ofRows && box.keys) {
    V answer;
    for (int64_t r = 0; r < l.tileRows; ++r) {
      V bit = bitAt(bitmapOf(id).base, e.sub(e.min(e.add(box.rowLo, r), box.rowHi), first));
      answer = !answer ? bit : must ? e.both(answer, bit) : e.either(answer, bit);
    }
    return answer;
  }
  if (t.keysAreAnywhere() || !box.keys)
    return e.i1(!must);
  V keyLo = region.wide(box.keyLo), ones = e.i64(-1);
  // Over all rows of the strip: any bit of the union, all bits of the intersection.
  auto eachRow = [&](llvm::function_ref<V(V row)> bitsOf) {
    V panel = e.i64(box.keys == 64 ? -1 : (int64_t(1) << box.keys) - 1);
    V all = must ? ones : e.i64(0);
    for (int64_t r = 0; r < l.tileRows; ++r) {
      V bits = bitsOf(e.min(e.add(box.rowLo, r), box.rowHi));
      all = must ? e.both(all, bits) : e.either(all, bits);
    }
    all = e.both(all, panel);
    return must ? e.eq(all, panel) : e.ne(all, e.i64(0));
  };
  if (auto *words = std::get_if<BitsAtom>(&atom))
    return eachRow([&](V row) { return wordBits(*words, row, keyLo, box.keys, set); });
  const Bitmap &m = bitmapOf(id);
  if (m.perRow)
    return eachRow([&](V row) { return bitsAt(e.at(m.base, e.mul(e.sub(row, first), m.bytes)), keyLo); });
  V a = shiftOf(m, box.rowLo, set), z = shiftOf(m, box.rowHi, set);
  V least = e.min(a, z), most = e.max(a, z);
  V width = e.add(e.sub(most, least), box.keys);
  V mask = arith::ShRUIOp::create(e.b, e.loc, ones, e.sub(e.i64(64), width));
  V bits = e.both(bitsAt(m.base, e.add(keyLo, e.sub(m.shiftHi, most))), mask);
  return must ? e.eq(bits, mask) : e.ne(bits, e.i64(0));
}

/// u < p for one block of pairs, or for lanes of them.
V Members::draw(const RandomAtom &atom, const Val &rowBlock, const Val &keyBlock, SetEmitter &set,
                RegionEmitter &region) {
  SmallVector<Val> indices;
  for (const Expr &b : atom.batch)
    indices.push_back(set.expr(b));
  indices.append({rowBlock, keyBlock});
  V u = region.random(region.wide(*region.emit(atom.seed)), indices).v, p;
  if (auto table = dyn_cast<RankedTensorType>(atom.probability.getType())) {
    TensorRef &ref = t.tensor(cast<BlockArgument>(atom.probability).getArgNumber());
    Val distance = region.combine("sub", rowBlock, keyBlock);
    distance = region.combine("max", distance, region.combine("sub", keyBlock, rowBlock));
    Val last = region.make(e.max(e.sub(ref.extents[0], e.i64(1)), e.i64(0)), 0, INT32_MAX);
    size_t checked = region.checks.size();
    p = region.loadAt(ref, {region.combine("min", distance, last)})->v;
    region.checks.erase(region.checks.begin() + checked, region.checks.end());
  } else {
    p = region.emit(atom.probability)->v;
  }
  if (isa<VectorType>(u.getType()) || isa<VectorType>(p.getType()))
    u = region.asVector(u), p = region.asVector(p);
  return e.cmpf(arith::CmpFPredicate::OLT, u, p);
}

V Members::askRandom(const RandomAtom &atom, bool must, const Box &box, SetEmitter &set, RegionEmitter &region) {
  // Blocks of both ends of both sides are all there are, if those are neighbours.
  Val rowLo = set.exprWith(atom.rowBlock, queryDim, region.make(box.rowLo, 0, INT32_MAX)),
      rowHi = set.exprWith(atom.rowBlock, queryDim, region.make(box.rowHi, 0, INT32_MAX));
  Val keyLo = set.exprWith(atom.keyBlock, keyDim, box.keyLo), keyHi = set.exprWith(atom.keyBlock, keyDim, box.keyHi);
  if (t.keysAreAnywhere() || !box.keys)
    return e.i1(!must);
  auto logic = [&](V a, V c, bool both) -> V {
    if (isa<VectorType>(a.getType()) || isa<VectorType>(c.getType()))
      a = region.asVector(a), c = region.asVector(c);
    return both ? e.both(a, c) : e.either(a, c);
  };
  using P = arith::CmpIPredicate;
  Val one = region.constantInt(1);
  V near = logic(region.compare(P::sle, rowHi, region.combine("add", rowLo, one)),
                 region.compare(P::sle, keyHi, region.combine("add", keyLo, one)), true);
  bool oneRow = atom.rowBlock.is(sets::ExprKind::FloorDiv) && atom.rowBlock.value() % l.taskRows == 0;
  bool oneKey = atom.keyBlock.is(sets::ExprKind::FloorDiv) && atom.keyBlock.value() % box.keys == 0;
  V answer;
  for (const Val *r : {&rowLo, &rowHi})
    for (const Val *k : {&keyLo, &keyHi}) {
      if ((oneRow && r == &rowHi) || (oneKey && k == &keyHi))
        continue;
      V one = draw(atom, *r, *k, set, region);
      answer = answer ? logic(answer, one, must) : one;
    }
  if (oneRow && oneKey)
    return answer;
  V far = isa<VectorType>(near.getType()) ? (V)arith::XOrIOp::create(e.b, e.loc, near, region.asVector(e.i1(true)))
                                          : e.invert(near);
  return must ? logic(answer, near, true) : logic(answer, far, false);
}
