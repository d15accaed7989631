// Text of the sets that the caller gives as lists, bits or a seed.
#include "SetParser.h"

using namespace mlir;
using namespace attn;
using namespace attn::syntax;

/// `tokens<%list[b, h], sorted>`, `blocks<%ids[b], block = 64>`, `pages<%table[b], block = 16>`.
static ParseResult parseList(SetParser &p, Location at, StringRef name, Value &result) {
  SMLoc where = p.parser.getCurrentLocation();
  Value list;
  AffineMap map;
  std::optional<int64_t> block;
  bool sorted = false, unique = false;
  SmallVector<NamedArgument, 3> arguments = {{"sorted", &sorted}, {"unique", &unique}};
  if (name == "tokens")
    block = 1;
  else
    arguments.insert(arguments.begin(), {"block", &block});
  if (p.parseIndexed(list, map) || p.parseArguments(arguments, false))
    return failure();
  if (!block)
    return p.parser.emitError(where) << "[list_c2] give the keys of one element: `" << name
                                     << "<%list[b], block = " << (name == "pages" ? "16" : "64") << ">`";
  result = SetListOp::create(p.builder, at, p.type(), list, map, *block, name, sorted, unique);
  return success();
}

/// `diagonals<top_left, %offsets[h], symmetric>`.
static ParseResult parseDiagonals(SetParser &p, Location at, StringRef, Value &result) {
  AlignmentAttr alignment;
  Value list, q, k;
  AffineMap map;
  bool symmetric = false, sorted = false, unique = false;
  if (p.parseAlignment(alignment) || p.parser.parseComma() || p.parseIndexed(list, map) ||
      p.parseArguments({{"symmetric", &symmetric}, {"sorted", &sorted}, {"unique", &unique}, {"q", &q}, {"k", &k}},
                       false))
    return failure();
  result =
      SetDiagonalsOp::create(p.builder, at, p.type(), alignment.getValue(), list, map, symmetric, sorted, unique, q, k);
  return success();
}

/// `csr<%offsets[b], %columns[b]>`.
static ParseResult parseCsr(SetParser &p, Location at, StringRef, Value &result) {
  SMLoc where = p.parser.getCurrentLocation();
  Value offsets, columns;
  AffineMap map, columnMap;
  if (p.parseIndexed(offsets, map) || p.parser.parseComma() || p.parseIndexed(columns, columnMap) ||
      p.parser.parseGreater())
    return failure();
  if (map != columnMap)
    return p.parser.emitError(where, "[csr_c1] offsets and columns go by the same indices: "
                                     "`csr<%offsets[b], %columns[b]>`");
  result = SetCsrOp::create(p.builder, at, p.type(), offsets, columns, map);
  return success();
}

/// `bits<%words[b, h, i]>`.
static ParseResult parseBits(SetParser &p, Location at, StringRef, Value &result) {
  Value words;
  AffineMap map;
  if (p.parseIndexed(words, map) || p.parser.parseGreater())
    return failure();
  result = SetBitsOp::create(p.builder, at, p.type(), words, map);
  return success();
}

/// `random_blocks<seed = %s, probability = 0.5, block = [64, 64]>`.
static ParseResult parseRandomBlocks(SetParser &p, Location at, StringRef, Value &result) {
  SMLoc where = p.parser.getCurrentLocation();
  Value seed, probability;
  SmallVector<int64_t> block;
  if (p.parseArguments({{"seed", &seed}, {"probability", RealSlot{&probability}}, {"block", &block}}, true))
    return failure();
  StringRef missing = !seed           ? "[random_blocks_c1] give a seed"
                      : !probability  ? "[random_blocks_c2] give a probability"
                      : block.empty() ? "[random_blocks_c3] give the block"
                                      : "";
  if (!missing.empty())
    return p.parser.emitError(where) << missing << ": `random_blocks<seed = %s, probability = 0.5, block = [64, 64]>`";
  result = SetRandomBlocksOp::create(p.builder, at, p.type(), seed, probability, block);
  return success();
}

ArrayRef<NamedSet> attn::syntax::listSets() {
  static constexpr NamedSet sets[] = {{"tokens", parseList},
                                      {"blocks", parseList},
                                      {"pages", parseList},
                                      {"diagonals", parseDiagonals},
                                      {"csr", parseCsr},
                                      {"bits", parseBits},
                                      {"random_blocks", parseRandomBlocks}};
  return sets;
}

bool attn::syntax::printListSet(OpAsmPrinter &p, Operation *op, ArrayAttr dims) {
  auto promises = [&](auto o) { p << (o.getSorted() ? ", sorted" : "") << (o.getUnique() ? ", unique" : ""); };
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case([&](SetListOp o) {
        p << o.getKind() << "<";
        printIndexed(p, o.getList(), o.getMap(), dims);
        if (o.getKind() != "tokens")
          p << ", block = " << (int64_t)o.getBlock();
        promises(o);
        p << ">";
        return true;
      })
      .Case([&](SetDiagonalsOp o) {
        p << "diagonals<" << stringifyAlignment(o.getAlignment()) << ", ";
        printIndexed(p, o.getList(), o.getMap(), dims);
        p << (o.getSymmetric() ? ", symmetric" : "");
        promises(o);
        printParameters(p, {{"q", o.getQLengths()}, {"k", o.getKLengths()}}, false);
        p << ">";
        return true;
      })
      .Case([&](SetCsrOp o) {
        p << "csr<";
        printIndexed(p, o.getOffsets(), o.getMap(), dims);
        p << ", ";
        printIndexed(p, o.getColumns(), o.getMap(), dims);
        p << ">";
        return true;
      })
      .Case([&](SetBitsOp o) {
        p << "bits<";
        printIndexed(p, o.getWords(), o.getMap(), dims);
        p << ">";
        return true;
      })
      .Case([&](SetRandomBlocksOp o) {
        p << "random_blocks<";
        printParameters(p, {{"seed", o.getSeed()}, {"probability", o.getProbability()}}, true);
        p << ", block = [";
        llvm::interleaveComma(o.getBlock(), p);
        p << "]>";
        return true;
      })
      .Default(false);
}
