// What a call needs beyond the constants of its variant: positions of the key axis, bitmaps, the order of a head's
// keys.
#include "Members.h"
#include "RowLists.h"
#include "attn-rt/attn_rt.h"
#include "attn/Schedule/Schedule.h"

using namespace mlir;
using namespace attn;
using V = Value;

static tile::ForOp forOf(tile::PhaseOp main) { return *main.getBody().getOps<tile::ForOp>().begin(); }

bool attn::mayListPanels(tile::PhaseOp main, const Layout &l) {
  if (main.getBody().getOps<tile::ForOp>().empty()) // refused later on, with a reason
    return false;
  tile::ForOp loop = forOf(main);
  TokenAxes axes = tokenAxes(loop);
  if (l.inPlace || l.together || l.tiles || l.asksForTiny() || main.getChunks() || loop.getOrder())
    return false;
  SetPredicate predicate = buildSetPredicate(loop.getSet(), axes);
  unsigned queryDim = main->getParentOfType<tile::ProgramOp>().getNumBatch();
  return !predicate.answerables.empty() && Members::areSameForTasks(predicate, queryDim, l.taskRows);
}

bool attn::needsSizes(tile::PhaseOp main) {
  tile::ForOp loop = forOf(main);
  TokenAxes axes = tokenAxes(loop);
  if (loop.getOrder() || main.getChunks() || axes.absentKeys || main->getParentOp()->hasAttr(kTogetherAttr))
    return true;
  SetPredicate predicate = buildSetPredicate(loop.getSet(), axes);
  return llvm::any_of(predicate.answerables, [](auto &atom) { return std::holds_alternative<MemberAtom>(atom); });
}

LogicalResult attn::emitSizes(TaskEmitter &t, tile::PhaseOp main, V sizes) {
  Emit &e = t.e;
  tile::ForOp loop = forOf(main);
  SetPredicate predicate = buildSetPredicate(loop.getSet(), tokenAxes(loop));
  e.store(t.positions, e.at(sizes, (int64_t)offsetof(attn_sizes, keys)));
  if (t.layout.together)
    e.store(t.rowsTogether(), e.at(sizes, (int64_t)offsetof(attn_sizes, queries)));
  V scratch = Members(t, predicate).scratchBytes();
  if (t.layout.ordersInTasks)
    scratch = e.add(scratch, t.orderBytes());
  if (t.lists)
    scratch = e.add(scratch, RowLists(t).scratchBytes());
  e.store(scratch, e.at(sizes, (int64_t)offsetof(attn_sizes, scratch_bytes)));
  if (main.getChunks())
    e.store(stateBytes(t), e.at(sizes, (int64_t)offsetof(attn_sizes, state_bytes)));
  V slot = t.absentKeys ? t.keyAbsentBytes() : e.i64(0);
  const bool inSlot = t.ordered() && !t.layout.ordersInTasks;
  if (inSlot) {
    // Tables over positions; of a list also a bit for every value of an element.
    V bytes = e.mul(t.keyTableBytes(), 1 + t.numAxes());
    if (t.boxes)
      bytes = e.add(bytes, e.mul(t.queryTableBytes(), 1 + t.numAxes()));
    else
      bytes = e.add(bytes, e.mul(e.divUnsigned(e.add(t.orderLimit(), 63), 64), 8));
    slot = e.add(slot, e.add(bytes, 128));
  }
  if (t.absentKeys || inSlot)
    e.store(slot, e.at(sizes, (int64_t)offsetof(attn_sizes, slot_bytes)));
  return success();
}
