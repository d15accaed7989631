#include "StepsToTile.h"
#include "attn-rt/attn_rt.h"
#include "attn/Analysis/ArgumentFacts.h"
#include "attn/Dialect/Tile/Tile.h"

using namespace mlir;
using namespace attn;

/// Names of the arguments, then of the results.
static ArrayAttr allNames(KernelOp kernel, Builder &b) {
  SmallVector<Attribute> names(kernel.getArgNames().begin(), kernel.getArgNames().end());
  names.append(kernel.getResNames().begin(), kernel.getResNames().end());
  return b.getArrayAttr(names);
}

/// The block of a program or sequence: a kernel's arguments, which `args` maps, then its results as destinations.
static Block *openBody(KernelOp kernel, Region &region, IRMapping &args) {
  Block &block = region.emplaceBlock();
  for (BlockArgument arg : kernel.getBody().getArguments())
    args.map(arg, block.addArgument(arg.getType(), arg.getLoc()));
  for (Type type : kernel.getResultTypes())
    block.addArgument(type, kernel.getLoc());
  return &block;
}

static LogicalResult lowerMap(KernelOp kernel, MapOp map) {
  auto facts = argumentFacts(kernel, map);
  if (failed(facts))
    return failure();
  OpBuilder b(kernel);
  Location loc = map.getLoc();
  SmallVector<Attribute> packed;
  for (const ArgumentFact &fact : *facts)
    packed.push_back(b.getDenseI64ArrayAttr(fact.pack()));
  auto program = tile::ProgramOp::create(b, kernel.getLoc(), kernel.getSymName(), allNames(kernel, b), 1,
                                         map.getDimNames(), 0, ArrayRef<int64_t>{}, ArrayRef<int64_t>{},
                                         b.getArrayAttr(packed), kernel.getArgAttrsAttr());
  SymbolTable::setSymbolVisibility(program, SymbolTable::getSymbolVisibility(kernel));
  IRMapping args;
  Block *body = openBody(kernel, program.getBody(), args);
  b.setInsertionPointToEnd(body);
  // An element at a time is what a task is made of; how wide vectors are is for the target to say.
  IntegerAttr one = b.getI64IntegerAttr(1);
  auto variant = tile::VariantOp::create(b, loc, b.getStringAttr("map"), one, one, one, one, b.getF64FloatAttr(0));
  b.createBlock(&variant.getBody());
  auto phase =
      tile::PhaseOp::create(b, loc, TypeRange{}, b.getStringAttr("map"), one, UnitAttr(), IntegerAttr(), UnitAttr());
  b.createBlock(&phase.getBody());
  SmallVector<Value> inputs;
  for (Value input : map.getInputs())
    inputs.push_back(args.lookup(input));
  StringRef reduction = map.getReduction() == MapReduction::Sum   ? "sum"
                        : map.getReduction() == MapReduction::Max ? "max"
                                                                  : "none";
  auto lowered = tile::MapOp::create(b, loc, inputs, body->getArguments().back(), map.getInMapsAttr(),
                                     map.getOutMapAttr(), b.getStringAttr(reduction), map.getReducedAttr());
  tile::YieldOp::create(b, loc, ValueRange{});
  map.getBody().cloneInto(&lowered.getBody(), args);
  Operation *yield = lowered.getBody().front().getTerminator();
  b.setInsertionPoint(yield);
  tile::YieldOp::create(b, yield->getLoc(), yield->getOperands());
  yield->erase();
  kernel.erase();
  return success();
}

static LogicalResult lowerCalls(KernelOp kernel) {
  OpBuilder b(kernel);
  auto sequence = tile::SequenceOp::create(b, kernel.getLoc(), kernel.getSymName(), allNames(kernel, b),
                                           kernel.getResultTypes().size(), kernel.getArgAttrsAttr());
  IRMapping values;
  Block *body = openBody(kernel, sequence.getBody(), values);
  for (auto [n, v] : llvm::enumerate(kernel.getBody().front().getTerminator()->getOperands()))
    values.map(v, body->getArgument(kernel.getArgumentTypes().size() + n));
  b.setInsertionPointToEnd(body);
  unsigned tensors = kernel.getResultTypes().size(), scalars = 0;
  for (Type type : kernel.getArgumentTypes())
    (isa<RankedTensorType>(type) ? tensors : scalars)++;
  for (auto call : kernel.getBody().getOps<CallOp>()) {
    SmallVector<Value> inputs, dests;
    for (Value v : call.getOperands())
      inputs.push_back(values.lookup(v));
    for (Value v : call.getResults()) {
      if (!values.contains(v)) {
        values.map(v, tile::TemporaryOp::create(b, call.getLoc(), v.getType()).getResult());
        ++tensors;
      }
      dests.push_back(values.lookup(v));
    }
    tile::CallOp::create(b, call.getLoc(), call.getCalleeAttr(), inputs, dests);
  }
  if (tensors > ATTN_MAX_STEP_VALUES || scalars > ATTN_MAX_STEP_VALUES)
    return kernel.emitError("[unsupported_steps] a kernel of several steps has at most ")
           << ATTN_MAX_STEP_VALUES << " tensors, with those between its steps, and as many scalars, not " << tensors
           << " and " << scalars << "; make two kernels of it";
  kernel.erase();
  return success();
}

LogicalResult attn::lowerStepKernel(KernelOp kernel, bool &done) {
  SmallVector<Operation *> steps = stepsOf(kernel);
  done = true;
  if (!steps.empty() && llvm::all_of(steps, [](Operation *op) { return isa<CallOp>(op); }))
    return failure(failed(verifySteps(kernel)) || failed(lowerCalls(kernel)));
  if (Operation *step = getSingleStep(kernel); step && isa<MapOp>(step))
    return lowerMap(kernel, cast<MapOp>(step));
  done = false;
  return success();
}
