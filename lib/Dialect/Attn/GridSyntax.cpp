// Text of the sets over the grids of the token axes.
#include "SetParser.h"

using namespace mlir;
using namespace attn;
using namespace attn::syntax;

static ParseResult parseNeighborhood(SetParser &p, Location at, StringRef, Value &result) {
  SMLoc where = p.parser.getCurrentLocation();
  SmallVector<int64_t> size, dilation, stride, causal;
  if (p.parseArguments({{"size", &size}, {"dilation", &dilation}, {"stride", &stride}, {"causal", &causal}}, true))
    return failure();
  if (size.empty())
    return p.parser.emitError(where, "[neighborhood_c2] give one size for each grid axis: "
                                     "`neighborhood<size = [7, 7]>`");
  // The usual values stand in the op, so that a reader of the IR need not know them.
  for (auto *list : {&dilation, &stride, &causal})
    if (list->empty())
      list->assign(size.size(), list == &causal ? 0 : 1);
  result = SetNeighborhoodOp::create(p.builder, at, p.type(), size, dilation, stride, causal);
  return success();
}

static ParseResult parseHalo(SetParser &p, Location at, StringRef, Value &result) {
  SMLoc where = p.parser.getCurrentLocation();
  SmallVector<int64_t> block, halo;
  bool padded = false;
  if (p.parseArguments({{"block", &block}, {"halo", &halo}, {"padded", &padded}}, true))
    return failure();
  if (block.empty() || halo.empty())
    return p.parser.emitError(where, "[halo_c2] give one block and one halo for each grid axis: "
                                     "`halo<block = [8, 8], halo = [3, 3]>`");
  result = SetHaloOp::create(p.builder, at, p.type(), block, halo, padded);
  return success();
}

static ParseResult parseDisc(SetParser &p, Location at, StringRef, Value &result) {
  SMLoc where = p.parser.getCurrentLocation();
  Value radius;
  if (p.parseArguments({{"radius", &radius}}, true))
    return failure();
  if (!radius)
    return p.parser.emitError(where, "[disc_c2] give the radius: `disc<radius = 8>`");
  result = SetDiscOp::create(p.builder, at, p.type(), radius);
  return success();
}

ArrayRef<NamedSet> attn::syntax::gridSets() {
  static constexpr NamedSet sets[] = {{"neighborhood", parseNeighborhood}, {"halo", parseHalo}, {"disc", parseDisc}};
  return sets;
}

bool attn::syntax::printGridSet(OpAsmPrinter &p, Operation *op, ArrayAttr) {
  auto list = [&](StringRef name, ArrayRef<int64_t> values) {
    p << name << " = [";
    llvm::interleaveComma(values, p);
    p << "]";
  };
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case([&](SetNeighborhoodOp o) {
        p << "neighborhood<";
        list("size", o.getSize());
        size_t rank = o.getSize().size();
        // Only what differs from the usual values.
        auto unusual = [&](StringRef name, ArrayRef<int64_t> values, int64_t usual) {
          if (values.size() != rank || llvm::any_of(values, [&](int64_t v) { return v != usual; }))
            list((", " + name).str(), values);
        };
        unusual("dilation", o.getDilation(), 1);
        unusual("stride", o.getStride(), 1);
        unusual("causal", o.getCausal(), 0);
        p << ">";
        return true;
      })
      .Case([&](SetHaloOp o) {
        p << "halo<";
        list("block", o.getBlock());
        list(", halo", o.getHalo());
        p << (o.getPadded() ? ", padded>" : ">");
        return true;
      })
      .Case([&](SetDiscOp o) {
        p << "disc<";
        printParameters(p, {{"radius", o.getRadius()}}, true);
        p << ">";
        return true;
      })
      .Default(false);
}
