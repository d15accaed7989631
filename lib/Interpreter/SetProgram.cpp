// Set regions: each named set by its formula, over Kleene values (Program.h).
#include "ProgramBuilder.h"

using namespace mlir;
using namespace attn;
using namespace attn::interpreter;

static unsigned queryArg(const Problem &p) { return AttendOp(p.attend).queryDim(); }
static unsigned keyArg(const Problem &p) { return AttendOp(p.attend).keyDim(); }

// Arguments of a set program are the batch indices, i and j.
uint32_t ProgramBuilder::query() const { return program.args[queryArg(problem)]; }
uint32_t ProgramBuilder::key() const { return program.args[keyArg(problem)]; }

uint32_t ProgramBuilder::equal(uint32_t a, uint32_t b) {
  Inst inst;
  inst.op = Opcode::CmpI;
  inst.predicate = (uint8_t)arith::CmpIPredicate::eq;
  inst.a = a;
  inst.b = b;
  return emit(Opcode::NonZeroI, emit(inst));
}

uint32_t ProgramBuilder::lessEqual(uint32_t a, uint32_t b, int64_t add) {
  return emit(Opcode::DiffLeq, a, b, constant(add));
}

uint32_t ProgramBuilder::divide(uint32_t a, int64_t divisor) {
  return divisor == 1 ? a : emit(Opcode::FloorDivS, a, constant(divisor));
}

SmallVector<uint32_t> ProgramBuilder::indicesOf(AffineMap map) {
  SmallVector<uint32_t> indices;
  for (AffineExpr e : map.getResults()) {
    AxisIndex index = axisIndex(e);
    indices.push_back(index.dim < 0 ? constant(index.constant) : divide(program.args[index.dim], index.divisor));
  }
  return indices;
}

/// The element of a length tensor for the first batch index; scalars are what they are.
uint32_t ProgramBuilder::perBatch(Value value, uint32_t bad) {
  if (isa<RankedTensorType>(value.getType()))
    return load(problem.tensors.lookup(value), program.args[0], bad);
  return at(value);
}

/// i (top_left), i + J - I, or i + klen[b] - qlen[b].
uint32_t ProgramBuilder::alignedQuery(Alignment alignment, Value q, Value k, uint32_t bad) {
  uint32_t i = query();
  if (alignment == Alignment::TopLeft)
    return i;
  if (!q)
    return emit(Opcode::AddI, i, constant(problem.extents[keyArg(problem)] - problem.extents[queryArg(problem)]));
  return emit(Opcode::AddI, i, emit(Opcode::SubI, perBatch(k, bad), perBatch(q, bad)));
}

uint32_t ProgramBuilder::segmentOf(Value tensor, uint32_t token, uint32_t bad) {
  const View view = problem.tensors.lookup(tensor);
  SmallVector<uint32_t> indices;
  if (view.rank == 2)
    indices.push_back(program.args[0]);
  indices.push_back(token);
  return load(view, indices, bad);
}

uint32_t ProgramBuilder::maskAt(SetMaskOp op, uint32_t bad) {
  const View view = problem.tensors.lookup(op.getMask());
  return emit(isFloat(view.format) ? Opcode::NonZeroF : Opcode::NonZeroI, load(view, indicesOf(op.getMap()), bad));
}

/// A load at a bad index inside makes this set unknown, and no other.
void ProgramBuilder::emitWhere(SetWhereOp op) {
  uint32_t bad = emit(Opcode::Clear, 0);
  Block &body = op.getBody().front();
  for (BlockArgument a : body.getArguments())
    registers[a] = program.args[a.getArgNumber()];
  emitBlock(body, bad);
  registers[op.getResult()] = emit(Opcode::TakeBad, at(body.getTerminator()->getOperand(0)), bad);
}

/// Sets of distances, blocks and first tokens.
std::optional<uint32_t> ProgramBuilder::emitTokenSet(Operation *op, uint32_t bad) {
  uint32_t i = query(), j = key();
  auto aligned = [&](auto o) { return alignedQuery(o.getAlignment(), o.getQLengths(), o.getKLengths(), bad); };
  auto first = [&](uint32_t token, Value length) { return lessEqual(token, perBatch(length, bad), -1); }; // <
  return llvm::TypeSwitch<Operation *, std::optional<uint32_t>>(op)
      .Case([&](SetDilatedOp o) { // (i' - j) mod step == 0
        uint32_t distance = emit(Opcode::SubI, aligned(o), j);
        return equal(emit(Opcode::RemS, distance, constant(o.getStep())), constant(0));
      })
      .Case([&](SetNotSelfOp o) { return emit(Opcode::SetNot, equal(j, aligned(o))); })
      .Case([&](SetBlockCausalOp o) { return lessEqual(divide(j, o.getBlock()), divide(aligned(o), o.getBlock())); })
      .Case([&](SetGlobalOp o) { return emit(Opcode::SetOr, first(i, o.getLength()), first(j, o.getLength())); })
      .Case([&](SetSinksOp o) { return first(j, o.getLength()); })
      .Case([&](SetSharedPrefixOp o) {
        uint32_t q = segmentOf(o.getQ(), i, bad), k = segmentOf(o.getK(), j, bad);
        uint32_t set = emit(Opcode::SetOr, equal(k, q), equal(k, at(o.getShared())));
        return o.getAll() ? emit(Opcode::SetOr, set, equal(q, at(o.getAll()))) : set;
      })
      .Default([](Operation *) { return std::nullopt; });
}

bool ProgramBuilder::emitSet(Operation *op, uint32_t bad) {
  if (op->getNumResults() != 1 || !isa<SetType>(op->getResult(0).getType()))
    return false;
  uint32_t i = query(), j = key();
  auto less = [&](uint32_t a, uint32_t b) { return lessEqual(a, b, -1); }; // a < b
  auto define = [&](uint32_t reg) { registers[op->getResult(0)] = reg; };
  llvm::TypeSwitch<Operation *>(op)
      .Case([&](SetFullOp) { define(constant(True)); })
      .Case([&](SetEmptyOp) { define(constant(False)); })
      .Case([&](SetAndOp o) { define(emit(Opcode::SetAnd, at(o.getLhs()), at(o.getRhs()))); })
      .Case([&](SetOrOp o) { define(emit(Opcode::SetOr, at(o.getLhs()), at(o.getRhs()))); })
      .Case([&](SetMinusOp o) { define(emit(Opcode::SetAnd, at(o.getLhs()), emit(Opcode::SetNot, at(o.getRhs())))); })
      .Case([&](SetNotOp o) { define(emit(Opcode::SetNot, at(o.getOperand()))); })
      .Case([&](SetCausalOp o) { // j - i' <= 0
        define(lessEqual(j, alignedQuery(o.getAlignment(), o.getQLengths(), o.getKLengths(), bad)));
      })
      .Case([&](SetWindowOp o) { // i' - left <= j and j - right <= i'
        uint32_t aligned = alignedQuery(o.getAlignment(), o.getQLengths(), o.getKLengths(), bad), set = constant(True);
        if (o.getLeft())
          set = emit(Opcode::DiffLeq, aligned, at(o.getLeft()), j);
        if (o.getRight())
          set = emit(Opcode::SetAnd, set, emit(Opcode::DiffLeq, j, at(o.getRight()), aligned));
        define(set);
      })
      .Case([&](SetPrefixOp o) { define(less(j, perBatch(o.getLength(), bad))); })
      .Case([&](SetLengthsOp o) {
        uint32_t set = constant(True);
        if (o.getQ())
          set = emit(Opcode::SetAnd, set, less(i, perBatch(o.getQ(), bad)));
        if (o.getK())
          set = emit(Opcode::SetAnd, set, less(j, perBatch(o.getK(), bad)));
        define(set);
      })
      .Case([&](SetSegmentOp o) { define(equal(segmentOf(o.getQ(), i, bad), segmentOf(o.getK(), j, bad))); })
      .Case([&](SetMaskOp o) { define(maskAt(o, bad)); })
      .Case([&](SetWhereOp o) { emitWhere(o); })
      .Default([&](Operation *o) {
        std::optional<uint32_t> set = emitTokenSet(o, bad);
        if (!set)
          set = emitGridSet(o);
        if (!set)
          set = emitListSet(o, bad);
        if (set)
          define(*set);
        else
          fail("the interpreter does not know the set '" + o->getName().getStringRef() + "'");
      });
  return true;
}

llvm::Expected<Program> attn::interpreter::buildSet(const Problem &problem) {
  AttendOp attend = problem.attend;
  ProgramBuilder builder(problem);
  for (unsigned d = 0; d < attend.numBatch() + 2; ++d)
    builder.arg();
  if (attend.getSet().empty())
    return builder.finish(builder.constant(True));
  builder.emitRegion(attend.getSet());
  builder.hoist();
  return builder.finish(builder.at(attend.getSet().front().getTerminator()->getOperand(0)));
}
