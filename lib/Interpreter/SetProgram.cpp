// Set regions: each named set by its formula, over Kleene values (Program.h).
#include "ProgramBuilder.h"

using namespace mlir;
using namespace attn;
using namespace attn::interpreter;

// Arguments of a set program are the batch indices, i and j.
static unsigned queryArg(const Problem &p) { return AttendOp(p.attend).queryDim(); }
static unsigned keyArg(const Problem &p) { return AttendOp(p.attend).keyDim(); }

/// The element of a length tensor for the first batch index; scalars are what they are.
uint32_t ProgramBuilder::perBatch(Value value, uint32_t bad) {
  if (isa<RankedTensorType>(value.getType()))
    return load(problem.tensors.lookup(value), program.args[0], bad);
  return at(value);
}

/// i (top_left), i + J - I, or i + klen[b] - qlen[b].
uint32_t ProgramBuilder::alignedQuery(Alignment alignment, Value q, Value k, uint32_t bad) {
  uint32_t i = program.args[queryArg(problem)];
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
  SmallVector<uint32_t> indices;
  for (AffineExpr e : op.getMap().getResults()) {
    AxisIndex index = axisIndex(e);
    uint32_t reg = index.dim < 0 ? constant(index.constant) : program.args[index.dim];
    indices.push_back(index.divisor == 1 ? reg : emit(Opcode::FloorDivS, reg, constant(index.divisor)));
  }
  const View view = problem.tensors.lookup(op.getMask());
  return emit(isFloat(view.format) ? Opcode::NonZeroF : Opcode::NonZeroI, load(view, indices, bad));
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

bool ProgramBuilder::emitSet(Operation *op, uint32_t bad) {
  if (op->getNumResults() != 1 || !isa<SetType>(op->getResult(0).getType()))
    return false;
  uint32_t i = program.args[queryArg(problem)], j = program.args[keyArg(problem)];
  auto less = [&](uint32_t a, uint32_t b) { return emit(Opcode::DiffLeq, a, b, constant(-1)); }; // a < b
  auto define = [&](uint32_t reg) { registers[op->getResult(0)] = reg; };
  llvm::TypeSwitch<Operation *>(op)
      .Case([&](SetFullOp) { define(constant(True)); })
      .Case([&](SetEmptyOp) { define(constant(False)); })
      .Case([&](SetAndOp o) { define(emit(Opcode::SetAnd, at(o.getLhs()), at(o.getRhs()))); })
      .Case([&](SetOrOp o) { define(emit(Opcode::SetOr, at(o.getLhs()), at(o.getRhs()))); })
      .Case([&](SetMinusOp o) { define(emit(Opcode::SetAnd, at(o.getLhs()), emit(Opcode::SetNot, at(o.getRhs())))); })
      .Case([&](SetNotOp o) { define(emit(Opcode::SetNot, at(o.getOperand()))); })
      .Case([&](SetCausalOp o) { // j - i' <= 0
        define(emit(Opcode::DiffLeq, j, alignedQuery(o.getAlignment(), o.getQLengths(), o.getKLengths(), bad),
                    constant(0)));
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
      .Case([&](SetSegmentOp o) {
        Inst equal;
        equal.op = Opcode::CmpI;
        equal.predicate = (uint8_t)arith::CmpIPredicate::eq;
        equal.a = segmentOf(o.getQ(), i, bad);
        equal.b = segmentOf(o.getK(), j, bad);
        define(emit(Opcode::NonZeroI, emit(equal)));
      })
      .Case([&](SetMaskOp o) { define(maskAt(o, bad)); })
      .Case([&](SetWhereOp o) { emitWhere(o); })
      .Default(
          [&](Operation *o) { fail("the interpreter does not know the set '" + o->getName().getStringRef() + "'"); });
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
  return builder.finish(builder.at(attend.getSet().front().getTerminator()->getOperand(0)));
}
