// attn.repeat: text, rules, and its steps written out.
#include "Syntax.h"

using namespace mlir;
using namespace attn;
using namespace attn::syntax;

/// `3 (%m = %mu0, %x = %y : type) { .. }`
ParseResult RepeatOp::parse(OpAsmParser &parser, OperationState &result) {
  int64_t count;
  SmallVector<OpAsmParser::Argument> args;
  auto argument = [&]() -> ParseResult {
    OpAsmParser::Argument &arg = args.emplace_back();
    Value init;
    if (parser.parseArgument(arg) || parser.parseEqual() || parseCaptured(parser, init))
      return failure();
    arg.type = init.getType();
    result.operands.push_back(init);
    result.types.push_back(init.getType());
    return success();
  };
  if (parser.parseInteger(count) || parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Paren, argument) ||
      parser.parseRegion(*result.addRegion(), args) || parser.parseOptionalAttrDict(result.attributes))
    return failure();
  result.addAttribute("count", parser.getBuilder().getI64IntegerAttr(count));
  return success();
}

void RepeatOp::print(OpAsmPrinter &p) {
  p << ' ' << (int64_t)getCount() << " (";
  for (auto [n, init] : llvm::enumerate(getInit())) {
    p << (n ? ", " : "");
    if (n < getBody().getNumArguments())
      p << getBody().getArgument(n) << " = ";
    printCaptured(p, init);
  }
  p << ") ";
  p.printRegion(getBody(), /*printEntryBlockArgs=*/false);
  p.printOptionalAttrDict((*this)->getAttrs(), {"count"});
}

LogicalResult RepeatOp::verify() {
  if (int64_t count = getCount(); count < 1 || count > 64)
    return emitOpError("[repeat_c1] steps are repeated 1 to 64 times, not ") << count;
  if (getInit().empty() || getInit().getTypes() != getResultTypes() ||
      getBody().getArgumentTypes() != getInit().getTypes())
    return emitOpError("[repeat_c2] the region takes and returns values of the types of those it starts with, one or "
                       "more");
  return success();
}

LogicalResult RepeatOp::verifyRegions() {
  Block &block = getBody().front();
  auto yield = block.empty() ? YieldOp() : dyn_cast<YieldOp>(block.back());
  if (!yield || yield.getOperandTypes() != getResultTypes())
    return emitOpError("[repeat_c2] end the region with attn.yield of values of the types that it takes");
  for (Operation &op : block.without_terminator())
    if (!isStep(&op) && !isa<RepeatOp>(op))
      return op.emitOpError("[repeat_c3] is no step; the region of an attn.repeat holds attn.attend, attn.map, "
                            "attn.merge and attn.repeat");
  for (Value v : yield.getOperands())
    if (!v.getDefiningOp() || v.getParentBlock() != &block)
      return emitOpError("[repeat_c3] the region yields results of its own steps");
  return success();
}

LogicalResult attn::expandRepeats(ModuleOp module) {
  SmallVector<RepeatOp> repeats; // inner ones first
  module.walk([&](RepeatOp op) { repeats.push_back(op); });
  for (RepeatOp op : repeats) {
    OpBuilder b(op);
    SmallVector<Value> carried(op.getInit());
    Block &body = op.getBody().front();
    for (int64_t n = 0, count = op.getCount(); n < count; ++n) {
      IRMapping map;
      map.map(body.getArguments(), carried);
      for (Operation &inner : body.without_terminator())
        b.clone(inner, map);
      for (auto [to, from] : llvm::zip(carried, body.getTerminator()->getOperands()))
        to = map.lookup(from);
    }
    op->replaceAllUsesWith(carried);
    op.erase();
  }
  return success();
}
