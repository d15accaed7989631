#include "ProgramBuilder.h"

#include "llvm/Support/ScopedPrinter.h"

using namespace mlir;
using namespace attn;
using namespace attn::interpreter;

ProgramBuilder::ProgramBuilder(const Problem &problem, bool normalizer) : problem(problem), normalizer(normalizer) {
  program.bad = 0; // register 0 is the program's own
}

void ProgramBuilder::fail(const Twine &why) {
  if (message.empty())
    message = why.str();
}

uint32_t ProgramBuilder::arg(Value v) {
  uint32_t reg = program.numRegs++;
  program.args.push_back(reg);
  if (v)
    registers[v] = reg;
  return reg;
}

uint32_t ProgramBuilder::constant(int64_t value) {
  program.constants.push_back({program.numRegs, false, value, 0});
  return program.numRegs++;
}

uint32_t ProgramBuilder::emit(Inst inst) {
  inst.dst = program.numRegs++;
  program.insts.push_back(inst);
  return inst.dst;
}

uint32_t ProgramBuilder::emit(Opcode op, uint32_t a, uint32_t b, uint32_t c) {
  Inst inst;
  inst.op = op;
  inst.a = a;
  inst.b = b;
  inst.c = c;
  return emit(inst);
}

uint32_t ProgramBuilder::load(const View &view, ArrayRef<uint32_t> indices, uint32_t bad) {
  program.loads.push_back({view, SmallVector<uint32_t, ATTN_MAX_RANK>(indices)});
  return emit(Opcode::Load, program.loads.size() - 1, bad);
}

uint32_t ProgramBuilder::member(ListAccess list, uint32_t value, uint32_t bad) {
  program.lists.push_back(std::move(list));
  return emit(Opcode::Member, program.lists.size() - 1, value, bad);
}

uint32_t ProgramBuilder::random(uint32_t seed, ArrayRef<uint32_t> indices) {
  program.randoms.push_back({SmallVector<uint32_t, 4>(indices)});
  return emit(Opcode::Random, program.randoms.size() - 1, seed);
}

/// f32 of a normalizer is the accumulation type.
std::optional<Format> ProgramBuilder::floatFormat(Type type) const {
  auto format = formatOf(type);
  if (!format || !isFloat(*format))
    return std::nullopt;
  return normalizer && *format == Format::F32 ? problem.accumulation : format;
}

/// The register of a value: emitted before, or a scalar argument of the kernel.
uint32_t ProgramBuilder::at(Value v) {
  auto it = registers.find(v);
  if (it != registers.end())
    return it->second;
  auto scalar = problem.scalars.find(v);
  if (scalar == problem.scalars.end()) {
    fail("the interpreter finds no value for an operand of type " + (v ? llvm::to_string(v.getType()) : "?"));
    return 0;
  }
  // What a kernel receives: the scalar narrowed to its type.
  Constant c{program.numRegs++, isa<FloatType>(v.getType()), 0, 0};
  if (c.isFloat)
    c.f = roundTo(*formatOf(v.getType()), scalar->second.f);
  else
    c.i = v.getType().isInteger(32) ? (int32_t)scalar->second.i : scalar->second.i;
  program.constants.push_back(c);
  return registers[v] = c.reg;
}

void ProgramBuilder::emitLive(Block *block, ArrayRef<Value> roots) {
  // Dead operations mean nothing: a load that nobody uses is no read.
  SmallVector<Operation *> work;
  auto add = [&](Value v) {
    if (Operation *op = v.getDefiningOp(); op && live.insert(op).second)
      work.push_back(op);
  };
  llvm::for_each(roots, add);
  while (!work.empty()) {
    Operation *op = work.pop_back_val();
    llvm::for_each(op->getOperands(), add);
    if (auto where = dyn_cast<SetWhereOp>(op))
      llvm::for_each(where.getBody().front().getTerminator()->getOperands(), add);
  }
  emitBlock(KernelOp(problem.kernel).getBody().front(), program.bad);
  if (block)
    emitBlock(*block, program.bad);
}

void ProgramBuilder::emitRegion(Region &region) {
  SmallVector<Value> roots(region.front().getTerminator()->getOperands());
  emitLive(&region.front(), roots);
}

void ProgramBuilder::emitBlock(Block &block, uint32_t bad) {
  for (Operation &op : block)
    if (live.contains(&op) && message.empty() && (op.getNumResults() == 0 || !registers.contains(op.getResult(0))))
      emitOp(&op, bad);
}

void ProgramBuilder::emitOp(Operation *op, uint32_t bad) {
  if (emitSet(op, bad))
    return;
  for (Type type :
       llvm::concat<const Type>(SmallVector<Type>(op->getOperandTypes()), SmallVector<Type>(op->getResultTypes())))
    if (!isa<RankedTensorType>(type) && !floatFormat(type) &&
        !(type.isIndex() || (type.isSignlessInteger() && type.getIntOrFloatBitWidth() <= 64)))
      return fail("the interpreter does not know the type " + llvm::to_string(type) + " of '" +
                  op->getName().getStringRef() + "'");
  if (auto load = dyn_cast<LoadOp>(op)) {
    SmallVector<uint32_t> indices;
    for (Value index : load.getIndices())
      indices.push_back(at(index));
    registers[load.getResult()] = this->load(problem.tensors.lookup(load.getTensor()), indices, bad);
    return;
  }
  if (auto member = dyn_cast<MemberOp>(op))
    return emitMember(member, bad);
  if (auto random = dyn_cast<RandomOp>(op)) {
    SmallVector<uint32_t> indices;
    for (Value index : random.getIndices())
      indices.push_back(at(index));
    registers[random.getResult()] = this->random(at(random.getSeed()), indices);
    return;
  }
  if (auto extent = dyn_cast<ExtentOp>(op)) {
    unsigned dim =
        cast<BlockArgument>(extent.getIndex()).getArgNumber() - cast<MapOp>(op->getParentOp()).getInputs().size();
    const int64_t n = problem.extents[dim];
    Constant c{program.numRegs++, !extent.getType().isIndex(), n, 0};
    if (c.isFloat)
      c.f = roundTo(*formatOf(extent.getType()), (double)n);
    program.constants.push_back(c);
    registers[extent.getResult()] = c.reg;
    return;
  }
  if (auto constant = dyn_cast<arith::ConstantOp>(op))
    return emitConstant(constant);
  if (auto code = lookupOp(op->getName().getStringRef()); code && op->getNumResults() == 1)
    return emitSimple(op, *code);
  emitMultiple(op);
}

void ProgramBuilder::emitConstant(arith::ConstantOp op) {
  Constant c{program.numRegs++, false, 0, 0};
  if (auto f = dyn_cast<FloatAttr>(op.getValue())) {
    llvm::APFloat value = f.getValue();
    bool inexact;
    value.convert(llvm::APFloat::IEEEdouble(), llvm::APFloat::rmNearestTiesToEven, &inexact);
    c.isFloat = true;
    c.f = value.convertToDouble();
  } else if (auto i = dyn_cast<IntegerAttr>(op.getValue())) {
    c.i = i.getValue().getSExtValue();
  } else {
    fail("the interpreter knows scalar constants only");
  }
  program.constants.push_back(c);
  registers[op.getResult()] = c.reg;
}

static unsigned widthOf(Type type) { return isa<IntegerType>(type) ? type.getIntOrFloatBitWidth() : 64; }

/// Operands are registers, formats and widths are the types'.
void ProgramBuilder::emitSimple(Operation *op, Opcode code) {
  Inst inst;
  inst.op = code;
  Type result = op->getResult(0).getType(), first = op->getOperand(0).getType();
  if (auto format = floatFormat(result))
    inst.format = *format;
  else if (auto format = floatFormat(first))
    inst.format = *format;
  inst.from = widthOf(first);
  inst.to = widthOf(result);
  if (auto cmp = dyn_cast<arith::CmpIOp>(op))
    inst.predicate = (uint8_t)cmp.getPredicate();
  if (auto cmp = dyn_cast<arith::CmpFOp>(op))
    inst.predicate = (uint8_t)cmp.getPredicate();
  uint32_t *fields[] = {&inst.a, &inst.b, &inst.c};
  for (auto [n, v] : llvm::enumerate(op->getOperands()))
    *fields[n] = at(v);
  registers[op->getResult(0)] = emit(inst);
}

/// Ops with two results are two instructions, and a bitcast is one of three.
void ProgramBuilder::emitMultiple(Operation *op) {
  auto both = [&](Opcode low, Opcode high) {
    Inst inst;
    inst.from = inst.to = widthOf(op->getOperand(0).getType());
    inst.format = floatFormat(op->getResult(0).getType()).value_or(Format::F64);
    inst.a = at(op->getOperand(0));
    inst.b = op->getNumOperands() > 1 ? at(op->getOperand(1)) : 0;
    inst.op = low;
    registers[op->getResult(0)] = emit(inst);
    inst.op = high;
    inst.to = widthOf(op->getResult(1).getType());
    registers[op->getResult(1)] = emit(inst);
  };
  if (isa<arith::AddUIExtendedOp>(op))
    return both(Opcode::AddI, Opcode::CarryI);
  if (isa<arith::MulSIExtendedOp>(op))
    return both(Opcode::MulI, Opcode::MulHiS);
  if (isa<arith::MulUIExtendedOp>(op))
    return both(Opcode::MulI, Opcode::MulHiU);
  if (isa<math::SincosOp>(op))
    return both(Opcode::Sin, Opcode::Cos);
  if (auto cast = dyn_cast<arith::BitcastOp>(op)) {
    bool from = isa<FloatType>(cast.getIn().getType()), to = isa<FloatType>(cast.getType());
    if (from && to && cast.getIn().getType() != cast.getType())
      return fail("the interpreter knows arith.bitcast between integers and floats only");
    return emitSimple(op, from && to ? Opcode::CopyF : from ? Opcode::FToBits : to ? Opcode::BitsToF : Opcode::Sext);
  }
  fail("the interpreter does not know '" + op->getName().getStringRef() + "'");
}

void ProgramBuilder::hoist() {
  llvm::DenseSet<uint32_t> changing{program.args.back()};
  auto changes = [&](uint32_t reg) { return changing.contains(reg); };
  std::vector<Inst> rest;
  for (const Inst &inst : program.insts) {
    // A field that is no register may look like one: then the instruction stays, which is never wrong.
    bool stays = changes(inst.a) || changes(inst.b) || changes(inst.c);
    if (inst.op == Opcode::Random)
      stays |= llvm::any_of(program.randoms[inst.a].indices, changes);
    if (inst.op == Opcode::Load || inst.op == Opcode::Member || inst.op == Opcode::Clear)
      stays = true; // they write a flag beside their result
    (stays ? rest : program.first).push_back(inst);
    if (stays)
      changing.insert(inst.dst);
  }
  program.insts = std::move(rest);
}

llvm::Expected<Program> ProgramBuilder::finish(ArrayRef<uint32_t> results) {
  if (!message.empty())
    return makeError(message);
  program.results.assign(results.begin(), results.end());
  return std::move(program);
}

llvm::Expected<Program> attn::interpreter::buildScore(const Problem &problem) {
  AttendOp attend = problem.attend;
  ProgramBuilder builder(problem);
  Region &region = attend.getScore();
  if (region.empty()) {
    uint32_t score = builder.arg();
    for (unsigned d = 0; d < attend.numBatch() + 2; ++d)
      builder.arg();
    return builder.finish(score);
  }
  for (BlockArgument a : region.getArguments())
    builder.arg(a);
  builder.emitRegion(region);
  return builder.finish(builder.at(region.front().getTerminator()->getOperand(0)));
}
