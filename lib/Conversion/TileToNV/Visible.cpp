// Which pairs are visible: the set's predicate for one query and one key.
#include "CtaEmitter.h"

using namespace mlir;
using namespace attn;
using V = Value;
using Val = RegionEmitter::Val;

V CtaEmitter::visible(unsigned r, V j) {
  RegionEmitter region = makeRegion();
  SetEmitter set = makeSet(region);
  bindCommon(region, set);
  V last = e.max(e.sub(extents[keyDim()], e.i64(1)), e.i64(0));
  V inside = e.both(live[r], e.lt(j, extents[keyDim()]));
  j = e.min(j, last);
  Val query = region.indexScalar(rowAt[r], queryDim()), key = region.indexScalar(j, keyDim());
  set.bind(queryDim(), query);
  set.bind(keyDim(), key);
  set.bind(kLogicalKey, key);
  set.logicalKey = key, set.logicalQuery = query;
  set.answer = [&](unsigned id, SetEmitter::Question) { return answer(id, j, set, region); };
  for (SetPredicate::Opaque &o : predicate.opaques)
    if (o.condition)
      if (auto where = o.condition.getParentRegion()->getParentOfType<SetWhereOp>())
        for (BlockArgument arg : where.getBody().getArguments()) {
          unsigned d = arg.getArgNumber();
          region.bind(arg, d == queryDim() ? query : d == keyDim() ? key : region.indexScalar(index[d], d));
        }
  V sees = e.both(inside, set.pred(predicate.pred, false));
  if (set.hasUnknown()) { // the pair is absent, and at fault if the answer hangs on what could not be read
    V unknown = e.both(e.both(inside, set.pred(predicate.pred, true)), e.invert(sees));
    for (const RegionEmitter::BoundsCheck &check : region.checks)
      report(e.both(unknown, e.invert(check.ok)), e.i64(check.argument), e.i64(check.axis), check.index);
  }
  auto absent = [&](V at) {
    V code = loadShared(e.i64Type(), at);
    V bad = e.both(sees, e.lt(e.i64(0), code)), word = e.sub(code, e.i64(1)), argument = e.divUnsigned(word, 8);
    report(bad, argument, e.both(word, e.i64(7)), loadShared(e.i64Type(), e.add(at, 8)));
    sees = e.both(sees, e.eq(code, e.i64(0)));
  };
  if (checksKeys)
    absent(e.add(e.mul(e.sub(j, blockFirst), 16), placed.map.keyAbsent));
  if (checksQueries)
    absent(e.add(e.mul(numberOf(r), 16), placed.map.queryAbsent));
  return sees;
}

V CtaEmitter::answer(unsigned id, V j, SetEmitter &set, RegionEmitter &region) {
  const auto &atom = predicate.answerables[id];
  if (auto *member = std::get_if<MemberAtom>(&atom))
    return isMember(*member, set);
  if (auto *random = std::get_if<RandomAtom>(&atom)) {
    Val rowBlock = set.expr(random->rowBlock), keyBlock = set.expr(random->keyBlock);
    SmallVector<Val> indices;
    for (const sets::Expr &b : random->batch)
      indices.push_back(set.expr(b));
    indices.push_back(rowBlock);
    indices.push_back(keyBlock);
    Val u = region.random(region.wide(*region.emit(random->seed)), indices);
    V probability;
    if (isa<RankedTensorType>(random->probability.getType())) {
      TensorRef &table = tensorOf(random->probability);
      Val distance = region.combine("sub", rowBlock, keyBlock);
      distance = region.combine("max", distance, region.combine("sub", keyBlock, rowBlock));
      Val end = region.make(e.max(e.sub(table.extents[0], e.i64(1)), e.i64(0)), 0, INT32_MAX);
      size_t before = region.checks.size();
      probability = region.loadAt(table, {region.combine("min", distance, end)})->v;
      region.checks.truncate(before);
    } else {
      probability = region.emit(random->probability)->v;
    }
    return e.cmpf(arith::CmpFPredicate::OLT, u.v, probability);
  }
  // Bit (key mod width) of words[indices, key floordiv width].
  const auto &bits = std::get<BitsAtom>(atom);
  TensorRef &words = tensor(bits.words);
  unsigned last = words.type.getRank() - 1;
  Type element = words.type.getElementType();
  int64_t width = element.getIntOrFloatBitWidth();
  V offset = e.i64(0);
  for (auto [axis, at] : llvm::enumerate(bits.indices))
    offset = e.add(offset, e.mul(set.scalar(at), words.strides[axis]));
  V word = e.divUnsigned(j, width), in = e.lt(word, words.extents[last]);
  V loaded = e.choose(
      in, {e.i64Type()},
      [&] {
        V at = e.mul(e.add(offset, e.mul(word, words.strides[last])), width / 8);
        return SmallVector<V>{e.loadInteger(element, e.at(words.data, at))};
      },
      [&] { return SmallVector<V>{e.i64(0)}; })[0];
  V shifted = arith::ShRUIOp::create(e.b, e.loc, loaded, e.both(j, e.i64(width - 1)));
  return e.ne(e.both(shifted, e.i64(1)), e.i64(0));
}

/// value is an element of list[indices, :], or of the row's part of it: looked for from one end to the other.
V CtaEmitter::isMember(const MemberAtom &atom, SetEmitter &set) {
  TensorRef &list = tensor(atom.list);
  unsigned last = list.type.getRank() - 1;
  Type element = list.type.getElementType();
  V offset = e.i64(0), from = e.i64(0), to = list.extents[last];
  for (auto [axis, at] : llvm::enumerate(atom.indices))
    if (axis < last)
      offset = e.add(offset, e.mul(set.scalar(at), list.strides[axis]));
  if (atom.offsets) { // offsets[indices, i], offsets[indices, i + 1]
    TensorRef &offsets = tensor(*atom.offsets);
    unsigned rowAxis = offsets.type.getRank() - 1;
    V at = e.mul(set.scalar(sets::Expr::var(queryDim())), offsets.strides[rowAxis]);
    for (auto [axis, n] : llvm::enumerate(atom.indices))
      if (axis < rowAxis)
        at = e.add(at, e.mul(set.scalar(n), offsets.strides[axis]));
    int64_t bytes = Emit::elementBytes(offsets.type.getElementType());
    auto end = [&](V n) { return e.loadInteger(offsets.type.getElementType(), e.at(offsets.data, e.mul(n, bytes))); };
    V lo = end(at), hi = end(e.add(at, offsets.strides[rowAxis])), number = e.i64(offsets.argument);
    report(e.either(e.lt(lo, e.i64(0)), e.lt(hi, lo)), number, e.i64(rowAxis), lo);
    report(e.lt(to, hi), number, e.i64(rowAxis), hi);
    from = e.min(e.max(lo, e.i64(0)), to);
    to = e.max(from, e.min(hi, to));
  }
  V sought = set.scalar(atom.value), limit = atom.limit ? set.scalar(*atom.limit) : V();
  int64_t bytes = Emit::elementBytes(element);
  return e.loop(from, to, 1, e.i1(false), [&](V n, ValueRange found) {
    V x = e.loadInteger(element, e.at(list.data, e.mul(e.add(offset, e.mul(n, list.strides[last])), bytes)));
    if (limit) {
      V bad = e.invert(e.both(e.ge(x, e.i64(0)), e.lt(x, limit)));
      if (!atom.offsets) // padding
        bad = e.both(bad, e.ne(x, e.i64(-1)));
      report(bad, e.i64(list.argument), e.i64(last), x);
      return SmallVector<V>{e.either(found[0], e.both(e.eq(x, sought), e.invert(bad)))};
    }
    return SmallVector<V>{e.either(found[0], e.eq(x, sought))};
  })[0];
}
