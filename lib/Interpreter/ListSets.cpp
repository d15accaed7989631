// Sets by lists that the caller gives, and what is drawn at random.
#include "ProgramBuilder.h"

using namespace mlir;
using namespace attn;
using namespace attn::interpreter;

/// columns[.., n] for n in [offsets[.., i], offsets[.., i + 1]), clipped to the columns that there are.
uint32_t ProgramBuilder::csrRow(SetCsrOp op, uint32_t bad) {
  const View offsets = problem.tensors.lookup(op.getOffsets());
  ListAccess list{problem.tensors.lookup(op.getColumns()), indicesOf(op.getMap())};
  const int64_t count = list.view.shape[list.view.rank - 1];
  auto end = [&](uint32_t row) {
    SmallVector<uint32_t> at(list.indices.begin(), list.indices.end());
    at.push_back(row);
    return emit(Opcode::MinS, emit(Opcode::MaxS, load(offsets, at, bad), constant(0)), constant(count));
  };
  list.ranged = true;
  list.from = end(query());
  list.to = end(emit(Opcode::AddI, query(), constant(1)));
  return emit(Opcode::NonZeroI, member(std::move(list), key(), bad));
}

/// Bit j mod w of word j floordiv w.
uint32_t ProgramBuilder::bitOf(SetBitsOp op, uint32_t bad) {
  const View words = problem.tensors.lookup(op.getWords());
  const int64_t width = 8 * formatBytes(words.format);
  SmallVector<uint32_t> at = indicesOf(op.getMap());
  at.push_back(divide(key(), width));
  uint32_t shifted = emit(Opcode::ShRS, load(words, at, bad), emit(Opcode::RemS, key(), constant(width)));
  return emit(Opcode::NonZeroI, emit(Opcode::AndI, shifted, constant(1)));
}

/// random(seed; batch indices, i floordiv B0, j floordiv B1) < p, or < p[D] with D the distance of the blocks.
uint32_t ProgramBuilder::randomBlock(SetRandomBlocksOp op, uint32_t bad) {
  uint32_t a = divide(query(), op.getBlock()[0]), b = divide(key(), op.getBlock()[1]);
  SmallVector<uint32_t> indices(ArrayRef<uint32_t>(program.args).take_front(AttendOp(problem.attend).numBatch()));
  indices.append({a, b});
  Value probability = op.getProbability();
  Inst less;
  if (isa<RankedTensorType>(probability.getType())) {
    const View view = problem.tensors.lookup(probability);
    uint32_t distance = emit(Opcode::AbsI, emit(Opcode::SubI, a, b));
    less.b = load(view, emit(Opcode::MinS, distance, constant(view.shape[0] - 1)), bad);
  } else {
    less.b = at(probability);
  }
  less.op = Opcode::CmpF;
  less.predicate = (uint8_t)arith::CmpFPredicate::OLT;
  less.a = random(at(op.getSeed()), indices);
  return emit(Opcode::NonZeroI, emit(less));
}

std::optional<uint32_t> ProgramBuilder::emitListSet(Operation *op, uint32_t bad) {
  return llvm::TypeSwitch<Operation *, std::optional<uint32_t>>(op)
      .Case([&](SetListOp o) { // no entry outside [0, ceil(J / block)) is the block of a key
        ListAccess list{problem.tensors.lookup(o.getList()), indicesOf(o.getMap())};
        return emit(Opcode::NonZeroI, member(std::move(list), divide(key(), o.getBlock()), bad));
      })
      .Case([&](SetDiagonalsOp o) {
        ListAccess list{problem.tensors.lookup(o.getList()), indicesOf(o.getMap())};
        uint32_t aligned = alignedQuery(o.getAlignment(), o.getQLengths(), o.getKLengths(), bad);
        uint32_t distance = emit(Opcode::SubI, aligned, key());
        if (o.getSymmetric())
          distance = emit(Opcode::AbsI, distance);
        return emit(Opcode::NonZeroI, member(std::move(list), distance, bad));
      })
      .Case([&](SetCsrOp o) { return csrRow(o, bad); })
      .Case([&](SetBitsOp o) { return bitOf(o, bad); })
      .Case([&](SetRandomBlocksOp o) { return randomBlock(o, bad); })
      .Default([](Operation *) { return std::nullopt; });
}

void ProgramBuilder::emitMember(MemberOp op, uint32_t bad) {
  ListAccess list{problem.tensors.lookup(op.getList()), {}};
  for (Value index : op.getIndices())
    list.indices.push_back(at(index));
  if (op.getFrom()) {
    list.ranged = true;
    list.from = at(op.getFrom());
    list.to = at(op.getTo());
  }
  registers[op.getResult()] = member(std::move(list), at(op.getValue()), bad);
}
