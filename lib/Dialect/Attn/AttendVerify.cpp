// Rules of attn.attend, by label.
#include "AttendRules.h"

#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace attn;
using namespace attn::rules;

namespace {

/// Types of values inside regions; i128 or f80 would mean something else to every tool.
bool isComputed(Type t) {
  return t.isIndex() || t.isSignlessInteger(1) || t.isSignlessInteger(8) || t.isSignlessInteger(16) ||
         t.isSignlessInteger(32) || t.isSignlessInteger(64) || t.isF16() || t.isBF16() || t.isF32() || t.isF64();
}

class AttendVerifier {
public:
  explicit AttendVerifier(AttendOp op) : op(op), extents(op) {}

  /// What holds before the ops of the regions are verified themselves.
  LogicalResult signature() {
    return failure(failed(names()) || failed(verifyOperands(op, extents)) || failed(outputs()) ||
                   failed(elementTypes()) || failed(verifyClauses(op)));
  }

  /// What holds once they are.
  LogicalResult contents() {
    // Once more for the extents.
    return failure(failed(verifyOperands(op, extents)) || failed(outputs()) || failed(extents.grids()) ||
                   failed(regions()) || failed(verifyOutputs(op, extents, isComputed)) ||
                   failed(verifyOperandRegions(op, extents, isComputed)));
  }

private:
  LogicalResult names() { // attend_c1
    uint64_t n = op.numDims(), batch = op.getNumBatch();
    if (batch > 4 || n < batch + 3)
      return op.emitOpError("[attend_c1] dims are up to 4 batch dimensions, one query, one key, one or two features");
    if (failed(verifyOperandCounts(op)))
      return failure();
    uint64_t contracted = op.getBilinear() ? 2 : op.numParts(), features = n - batch - 2;
    bool shared = contracted == 1 && features == 1; // by q, k and v
    if (op.getValueless() && features != contracted)
      return op.emitOpError("[attend_c20] without v there is one feature, or one for each part of q and k");
    if (!op.getValueless() && features != contracted + 1 && !shared)
      return op.emitOpError("[attend_c1] dims have one or two features; with parts of q and k or a bilinear tensor ")
             << contracted << " contracted ones and the value's, not " << features;
    if (op.getFeatureExtents() && (op.getFeatureExtents()->size() != features ||
                                   llvm::any_of(*op.getFeatureExtents(), [](int64_t extent) { return extent < 0; })))
      return op.emitOpError("[attend_c3] one extent for each feature, 0 where dims writes none");
    llvm::StringSet<> seen;
    for (unsigned d = 0; d < n; ++d) {
      if (!isIdentifier(op.dimName(d)))
        return op.emitOpError("[attend_c1] '")
               << op.dimName(d) << "' is no identifier; name dimensions with letters, digits and _";
      if (!seen.insert(op.dimName(d)).second)
        return op.emitOpError("[attend_c1] the dimension name '") << op.dimName(d) << "' is used twice";
    }
    return success();
  }

  /// Maps cover each axis, static extents agree, every dimension at most once. Fills `used`.
  LogicalResult map(StringRef what, AffineMap m, Type type, SmallVectorImpl<bool> &used) {
    auto tensor = cast<RankedTensorType>(type);
    used.assign(op.numDims(), false);
    if (m.getNumDims() != op.numDims() || m.getNumSymbols() != 0 || (int64_t)m.getNumResults() != tensor.getRank())
      return op.emitOpError("[attend_c2] ")
             << what << " has rank " << tensor.getRank() << " and " << m.getNumResults() << " indices";
    for (auto [axis, e] : llvm::enumerate(m.getResults())) {
      auto a = classify(e);
      if (!a || (a->divisor != 1 && a->dim >= (int)op.numBatch()))
        return op.emitOpError("[attend_c2] index ")
               << axis << " of " << what
               << " must be a dimension, a constant, or a batch dimension floordiv a constant";
      int64_t extent = tensor.getDimSize(axis);
      if (a->dim < 0) {
        if (failed(extents.constant(what, a->constant, extent)))
          return failure();
        continue;
      }
      if (used[a->dim])
        return op.emitOpError("[attend_c4] ") << what << " is indexed twice by '" << op.dimName(a->dim) << "'";
      used[a->dim] = true;
      bool feature = a->dim >= (int)op.numBatch() + 2;
      if (feature && tensor.isDynamicDim(axis)) // attend_c3
        return op.emitOpError("[attend_c3] feature '")
               << op.dimName(a->dim) << "' of " << what
               << " has a dynamic extent; write it in the type, e.g. tensor<?x?x64xf32>";
      if (a->divisor == 1 && failed(extents.agree(what, a->dim, extent)))
        return failure();
    }
    return success();
  }

  LogicalResult outputs() { // attend_c5
    if (op.getOutNames().size() != op.getNumResults() || op.getOutMaps().size() != op.getNumResults() ||
        op.getNumResults() == 0)
      return op.emitOpError("[attend_c5] one result type for every output");
    llvm::StringSet<> seen;
    for (unsigned r = 0; r < op.getNumResults(); ++r) {
      StringRef name = op.outName(r);
      if (!seen.insert(name).second)
        return op.emitOpError("[attend_c5] output '") << name << "' is listed twice";
      SmallVector<bool> used;
      AffineMap m = op.outMap(r);
      Type type = op.getResult(r).getType();
      if (auto topk = topkOf(op, name); topk && failed(withoutRank(name, *topk, m, type)))
        return failure();
      if (failed(map(name, m, type, used)))
        return failure();
      for (AffineExpr e : m.getResults())
        if (!isa<AffineDimExpr>(e))
          return op.emitOpError("[attend_c5] output '") << name << "' is indexed by plain dimensions";
      bool column = isNamed(op.getColumnNames(), name) || isNamed(op.getAggregateNames(), name);
      bool weights = name == "p" && !isNamed(op.getEpilogueOuts(), name) && !isNamed(op.getReduceNames(), name);
      for (unsigned d = 0; d <= op.keyDim(); ++d) {
        bool wanted = d < op.numBatch() || (d == op.queryDim() ? !column : column || weights);
        if (used[d] != wanted)
          return indexed(name, d, wanted);
      }
      // Which outputs have a feature is known with the normalizer; of these two it always is.
      if (name == "lse" && used[op.valueDim()])
        return indexed(name, op.valueDim(), false);
      bool renamed = isNamed(op.getEpilogueOuts(), name) || isNamed(op.getReduceNames(), name) || column;
      if (name == "o" && !op.getValueless() && !renamed && !used[op.valueDim()])
        return indexed(name, op.valueDim(), true);
      for (unsigned d = op.dotDim(); d < op.numDims(); ++d)
        if (d != op.valueDim() && used[d] && !isNamed(op.getAggregateNames(), name))
          return indexed(name, d, false);
    }
    return success();
  }

  /// attend_c24: the rank is the last index, and its extent the count. Leaves the other axes.
  LogicalResult withoutRank(StringRef name, unsigned topk, AffineMap &m, Type &type) {
    auto tensor = cast<RankedTensorType>(type);
    int64_t count = op.reductionCount(topk);
    if (m.getNumResults() == 0 || (int64_t)m.getNumResults() != tensor.getRank() ||
        !isa<AffineSymbolExpr>(m.getResults().back()) || tensor.getShape().back() != count)
      return op.emitOpError("[attend_c24] the last index of output '")
             << name << "' is its rank '" << op.reductionRank(topk) << "', of extent " << count << " in the type";
    m = AffineMap::get(m.getNumDims(), 0, m.getResults().drop_back(), op.getContext());
    type = RankedTensorType::get(tensor.getShape().drop_back(), tensor.getElementType());
    return success();
  }

  static bool isNamed(std::optional<ArrayAttr> names, StringRef name) {
    return names && llvm::any_of(*names, [&](Attribute a) { return cast<StringAttr>(a).getValue() == name; });
  }

  LogicalResult indexed(StringRef name, unsigned d, bool wanted) {
    return op.emitOpError("[attend_c5] output '")
           << name << (wanted ? "' must be indexed by '" : "' may not be indexed by '") << op.dimName(d) << "'";
  }

  /// Whether a result is the key of an argmax, or the keys of a topk.
  bool isKey(StringRef name) {
    for (unsigned n = 0; n < op.numReductions() && op.getReduceKinds() && n < op.getReduceKinds()->size(); ++n)
      if (op.reductionName(n) == name && !isNamed(op.getEpilogueOuts(), name))
        return op.reductionKind(n) == ReduceKind::Argmax || op.reductionKind(n) == ReduceKind::TopK;
    return false;
  }

  static Type element(Type t) { return cast<RankedTensorType>(t).getElementType(); }

  LogicalResult elementTypes() { // attend_c8
    if (failed(verifyOperandTypes(op)))
      return failure();
    bool f64 = op.accumulationType().isF64();
    auto narrow = [](Type t) { return t.isF32() || t.isBF16() || t.isF16(); };
    for (unsigned r = 0; r < op.getNumResults(); ++r) {
      Type t = element(op.getResult(r).getType());
      AffineMap m = op.outMap(r);
      // What is as large as o, or larger, may be stored in 16 bits.
      bool large = m.isFunctionOfDim(op.valueDim()) || m.isFunctionOfDim(op.dotDim()) ||
                   (m.isFunctionOfDim(op.keyDim()) && m.isFunctionOfDim(op.queryDim()));
      bool key = isKey(op.outName(r));
      bool ok = key     ? t.isSignlessInteger(32) || t.isSignlessInteger(64)
                : f64   ? t.isF64()
                : large ? narrow(t)
                        : t.isF32();
      if (!ok)
        return op.emitOpError("[attend_c8] output '") << op.outName(r) << "' has element type " << t << "; expected "
                                                      << (key     ? "i32 or i64"
                                                          : f64   ? "f64"
                                                          : large ? "f32, bf16 or f16"
                                                                  : "f32");
    }
    return success();
  }

  LogicalResult regions() { // attend_c7
    if (!op.getSet().empty() && failed(setRegion(op.getSet().front())))
      return failure();
    if (op.getScore().empty())
      return success();
    Block &block = op.getScore().front();
    Type acc = op.accumulationType();
    if (block.getNumArguments() != op.numBatch() + 3 ||
        llvm::any_of(llvm::drop_begin(block.getArgumentTypes()), [](Type t) { return !t.isIndex(); }))
      return op.emitOpError(
          "[attend_c7] the score region takes the score and one index for each batch, query and key dimension");
    if (block.getArgument(0).getType() != acc)
      return op.emitOpError("[attend_c7] scores of these operands are ")
             << acc << "; write `score(%s : " << acc << ", ...)`";
    auto yield = dyn_cast<YieldOp>(block.back());
    if (!yield || yield.getNumOperands() != 1 || yield.getOperand(0).getType() != acc)
      return op.emitOpError("[attend_c7] end the score region with `attn.yield %t : ") << acc << "`";
    return verifyScalarRegion(op.getScore(), "attend_c9", /*loads=*/true, isComputed);
  }

  LogicalResult setRegion(Block &block) {
    auto yield = dyn_cast<YieldOp>(block.back());
    if (!yield || yield.getNumOperands() != 1 || !isa<SetType>(yield.getOperand(0).getType()) ||
        block.getNumArguments() != 0)
      return op.emitOpError("[attend_c7] the set region has no arguments and yields one !attn.set");
    for (Operation &inner : block) {
      bool isSet = inner.getName().getStringRef().starts_with("attn.set.");
      bool isConstant = isa<arith::ConstantOp>(inner) &&
                        (inner.getResult(0).getType().isIntOrIndex() || inner.getResult(0).getType().isF32());
      if (&inner != yield.getOperation() && !isSet && !isConstant)
        return inner.emitOpError(
            "[attend_c7] is not allowed in a set; write sets and, inside `where`, arith, math, attn.load, attn.member "
            "and attn.random");
      for (Value v : inner.getOperands())
        if (isa<SetType>(v.getType()) && (!v.getDefiningOp() || v.getDefiningOp()->getBlock() != &block))
          return inner.emitOpError("[attend_c7] takes a set from outside its set region");
      if (failed(verifyCaptured(op, &inner, extents)))
        return failure();
      if (auto where = dyn_cast<SetWhereOp>(inner))
        if (failed(verifyScalarRegion(where.getBody(), "attend_c9", /*loads=*/true, isComputed)))
          return failure();
    }
    return success();
  }

  AttendOp op;
  Extents extents;
};

} // namespace

LogicalResult AttendOp::verify() { return AttendVerifier(*this).signature(); }
LogicalResult AttendOp::verifyRegions() { return AttendVerifier(*this).contents(); }
