// Conditions of the set that are the same for all queries: a mask of padding, what a `where` says of the key alone.
//
// Such a condition (KeyAtom) is evaluated once for every key of a block, before the block is visited. A microtile loads
// what it has of it, instead of asking once more for each of its rows; and a panel that it holds for no key of is left
// out, one that it holds for all keys of needs no mask, as where the text itself says so.
#include "MainEmitter.h"

using namespace mlir;
using namespace attn;
using V = Value;

static unsigned countKeyAtoms(const SetPredicate &predicate) {
  return llvm::count_if(predicate.answerables, [](auto &a) { return std::holds_alternative<KeyAtom>(a); });
}

void attn::countKeyConditions(tile::PhaseOp phase, Layout &l) {
  phase.walk([&](tile::ForOp loop) {
    TokenAxes axes = tokenAxes(loop);
    axes.keyDims = llvm::to_vector(llvm::seq(axes.numBatch));
    l.keyConditions = std::max(l.keyConditions, countKeyAtoms(buildSetPredicate(loop.getSet(), axes)));
  });
}

/// Batch dimensions that are one for all rows of a task. None where blocks are not made of the keys in their order.
std::optional<SmallVector<unsigned>> MainEmitter::keyDims() {
  if (t.keysAreAnywhere() || l.listsPanels)
    return std::nullopt;
  SmallVector<unsigned> dims;
  for (unsigned d = 0; d < t.program.getNumBatch(); ++d)
    if (!l.together || t.program.getShare()[d] == 1)
      dims.push_back(d);
  return dims;
}

const KeyAtom *MainEmitter::keyAtom(unsigned id) { return std::get_if<KeyAtom>(&predicate.answerables[id]); }

/// Arguments of `where` regions.
void MainEmitter::bindConditions(RegionEmitter &region, const Val &query, const Val &key) {
  for (SetPredicate::Opaque &o : predicate.opaques)
    if (o.condition)
      if (auto where = o.condition.getParentRegion()->getParentOfType<SetWhereOp>())
        for (BlockArgument arg : where.getBody().getArguments()) {
          unsigned d = arg.getArgNumber();
          region.bind(arg, d == t.queryDim() ? query : d == t.keyDim() ? key : region.indexScalar(t.index[d], d));
        }
}

V MainEmitter::keyConditionAt(unsigned id) {
  auto before = ArrayRef(predicate.answerables).take_front(id);
  unsigned n = llvm::count_if(before, [](auto &a) { return std::holds_alternative<KeyAtom>(a); });
  return e.at(t.scratch, l.keyCondition(n));
}

/// Of the block.
void MainEmitter::keepKeyConditions() {
  if (!countKeyAtoms(predicate))
    return;
  VectorType words = e.vecOf(e.b.getIntegerType(e.bytes * 8));
  e.loop(e.i64(0), blockPanels, 1, [&](V panel) {
    SmallVector<V> some(predicate.answerables.size()), all(predicate.answerables.size());
    for (unsigned half = 0; half < 2; ++half) {
      RegionEmitter region = makeRegion();
      SetEmitter set = makeSet(region);
      bindCommon(region, set);
      Val key = bindKey(region, set, e.add(keyAt(panel), half * e.lanes));
      bindConditions(region, region.indexScalar(first, t.queryDim()), key); // whichever query
      for (unsigned id = 0; id < predicate.answerables.size(); ++id) {
        const KeyAtom *atom = keyAtom(id);
        if (!atom)
          continue;
        V holds = region.asVector(set.pred(sets::Pred::opaque(atom->opaque)));
        V word = arith::ExtSIOp::create(e.b, e.loc, words, holds);
        e.store(word, e.at(e.at(keyConditionAt(id), e.mul(panel, l.width * e.bytes)), half * e.lanes * e.bytes));
        some[id] = half ? e.either(some[id], holds) : holds;
        all[id] = half ? e.both(all[id], holds) : holds;
      }
      assert(region.checks.empty() && "an atom of keys reads what the call has checked");
    }
    for (unsigned id = 0; id < predicate.answerables.size(); ++id)
      if (keyAtom(id)) {
        auto flag = [&](V x, int64_t at) {
          V number = arith::ExtUIOp::create(e.b, e.loc, e.b.getI32Type(), x);
          e.store(number, e.at(e.at(keyConditionAt(id), at), e.mul(panel, 4)));
        };
        V ones = e.splatInt(e.vecOf(e.b.getI1Type()), 1);
        flag(e.anyLane(some[id]), l.keyConditionSome());
        flag(e.invert(e.anyLane(arith::XOrIOp::create(e.b, e.loc, all[id], ones))), l.keyConditionAll());
      }
  });
}

/// For a panel of the block, or one for each lane; wider spans are met before their keys are.
V MainEmitter::askKeys(unsigned id, bool must, const Val &keyLo, SetEmitter::Span span) {
  if (span != SetEmitter::kPanel)
    return e.i1(!must);
  V from = keyLo.isVector() ? (V)vector::ExtractOp::create(e.b, e.loc, keyLo.v, ArrayRef<int64_t>{0}) : keyLo.v;
  if (!from.getType().isInteger(64))
    from = arith::ExtSIOp::create(e.b, e.loc, e.i64Type(), from);
  V panel = e.divUnsigned(e.sub(from, blockFirst), l.width);
  V at = e.at(e.at(keyConditionAt(id), must ? l.keyConditionAll() : l.keyConditionSome()), e.mul(panel, 4));
  Type i32 = e.b.getI32Type();
  if (!keyLo.isVector())
    return e.ne(e.load(i32, at), arith::ConstantOp::create(e.b, e.loc, e.b.getI32IntegerAttr(0)));
  return e.ne(e.load(e.vecOf(i32), at), e.splatInt(e.vecOf(i32), 0));
}

/// Vector `half` of a panel of the block.
V MainEmitter::lanesOfKeys(unsigned id, V keyLo, unsigned half) {
  VectorType words = e.vecOf(e.b.getIntegerType(e.bytes * 8));
  V at = e.at(e.at(keyConditionAt(id), e.mul(e.sub(keyLo, blockFirst), e.bytes)), half * e.lanes * e.bytes);
  return e.cmp(arith::CmpIPredicate::slt, e.load(words, at), e.splatInt(words, 0));
}

bool MainEmitter::isOfKeysAlone(const sets::Pred &p) {
  if (p.is(sets::PredKind::Opaque))
    return (p.opaqueId() & sets::Pred::answerable) && keyAtom(p.opaqueId() & ~sets::Pred::answerable);
  return p.isTrue() || (!p.isAtom() && llvm::all_of(p.operands(), [&](auto &x) { return isOfKeysAlone(x); }));
}
