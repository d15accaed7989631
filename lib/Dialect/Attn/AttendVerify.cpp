// Rules of attn.attend, by label.
#include "attn/Dialect/Attn/Attn.h"

#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace attn;

namespace {

/// How an operand's axis is indexed.
struct Axis {
  int dim = -1;         // -1: constant
  int64_t divisor = 1;  // of a batch dimension
};

std::optional<Axis> classify(AffineExpr e) {
  if (auto constant = dyn_cast<AffineConstantExpr>(e))
    return constant.getValue() >= 0 ? std::optional<Axis>(Axis{}) : std::nullopt;
  if (auto dim = dyn_cast<AffineDimExpr>(e))
    return Axis{(int)dim.getPosition(), 1};
  if (auto binary = dyn_cast<AffineBinaryOpExpr>(e)) {
    auto dim = dyn_cast<AffineDimExpr>(binary.getLHS());
    auto divisor = dyn_cast<AffineConstantExpr>(binary.getRHS());
    if (binary.getKind() == AffineExprKind::FloorDiv && dim && divisor && divisor.getValue() >= 1)
      return Axis{(int)dim.getPosition(), divisor.getValue()};
  }
  return std::nullopt;
}

class AttendVerifier {
public:
  explicit AttendVerifier(AttendOp op) : op(op), extents(op.numDims(), ShapedType::kDynamic) {}

  LogicalResult run() {
    return failure(failed(names()) || failed(operands()) || failed(outputs()) || failed(elementTypes()) || failed(regions()) ||
                   failed(normalizer()));
  }

private:
  LogicalResult names() { // attend_c1
    unsigned n = op.numDims();
    if (n < op.numBatch() + 3 || n > op.numBatch() + 4 || op.numBatch() > 4)
      return op.emitOpError("[attend_c1] dims are up to 4 batch dimensions, one query, one key, one or two features");
    llvm::StringSet<> seen;
    for (unsigned d = 0; d < n; ++d)
      if (!seen.insert(op.dimName(d)).second)
        return op.emitOpError("[attend_c1] the dimension name '") << op.dimName(d) << "' is used twice";
    return success();
  }

  /// Maps cover each axis, static extents agree, every dimension at most once. Fills `used`.
  LogicalResult map(StringRef what, AffineMap m, Type type, SmallVectorImpl<bool> &used) {
    auto tensor = cast<RankedTensorType>(type);
    used.assign(op.numDims(), false);
    if (m.getNumDims() != op.numDims() || m.getNumSymbols() != 0 || (int64_t)m.getNumResults() != tensor.getRank())
      return op.emitOpError("[attend_c2] ") << what << " has rank " << tensor.getRank() << " and " << m.getNumResults() << " indices";
    for (auto [axis, e] : llvm::enumerate(m.getResults())) {
      auto a = classify(e);
      if (!a || (a->divisor != 1 && a->dim >= (int)op.numBatch()))
        return op.emitOpError("[attend_c2] index ") << axis << " of " << what
                                                    << " must be a dimension, a constant, or a batch dimension floordiv a constant";
      int64_t extent = tensor.getDimSize(axis);
      if (a->dim < 0) {
        if (!tensor.isDynamicDim(axis) && cast<AffineConstantExpr>(e).getValue() >= extent)
          return op.emitOpError("[attend_c6] constant index ") << cast<AffineConstantExpr>(e).getValue() << " of " << what << " is outside extent " << extent;
        continue;
      }
      if (used[a->dim])
        return op.emitOpError("[attend_c4] ") << what << " is indexed twice by '" << op.dimName(a->dim) << "'";
      used[a->dim] = true;
      bool feature = a->dim >= (int)op.numBatch() + 2;
      if (feature && tensor.isDynamicDim(axis)) // attend_c3
        return op.emitOpError("[attend_c3] feature '") << op.dimName(a->dim) << "' of " << what << " has a dynamic extent; write it in the type, e.g. tensor<?x?x64xf32>";
      if (tensor.isDynamicDim(axis) || a->divisor != 1)
        continue;
      int64_t &known = extents[a->dim];
      if (known != ShapedType::kDynamic && known != extent) // attend_c6
        return op.emitOpError("[attend_c6] dimension '") << op.dimName(a->dim) << "' has extent " << known << " elsewhere and " << extent << " in " << what;
      known = extent;
    }
    return success();
  }

  LogicalResult need(StringRef what, ArrayRef<bool> used, unsigned dim, bool wanted) {
    if (used[dim] == wanted)
      return success();
    return op.emitOpError("[attend_c4] ") << what << (wanted ? " must be indexed by '" : " may not be indexed by '") << op.dimName(dim) << "'";
  }

  LogicalResult operands() {
    SmallVector<bool> q, k, v;
    if (failed(map("q", op.getQMap(), op.getQ().getType(), q)) || failed(map("k", op.getKMap(), op.getK().getType(), k)) ||
        failed(map("v", op.getVMap(), op.getV().getType(), v)))
      return failure();
    for (unsigned b = 0; b < op.numBatch(); ++b)
      if (failed(need("q", q, b, true)) || classify(op.getQMap().getResult(0)) == std::nullopt)
        return failure();
    for (AffineExpr e : op.getQMap().getResults())
      if (classify(e)->divisor != 1)
        return op.emitOpError("[attend_c4] q is indexed by plain dimensions, without floordiv");
    unsigned i = op.queryDim(), j = op.keyDim(), c = op.dotDim(), e = op.valueDim();
    if (failed(need("q", q, i, true)) || failed(need("q", q, c, true)) || failed(need("q", q, j, false)) || failed(need("k", k, j, true)) ||
        failed(need("k", k, c, true)) || failed(need("k", k, i, false)) || failed(need("v", v, j, true)) || failed(need("v", v, e, true)) ||
        failed(need("v", v, i, false)))
      return failure();
    if (c != e && (failed(need("q", q, e, false)) || failed(need("k", k, e, false)) || failed(need("v", v, c, false))))
      return failure();
    for (unsigned f : {c, e})
      if (extents[f] < 1)
        return op.emitOpError("[attend_c3] feature '") << op.dimName(f) << "' must have a static extent of at least 1";
    return success();
  }

  LogicalResult outputs() { // attend_c5
    if (op.getOutNames().size() != op.getNumResults() || op.getOutMaps().size() != op.getNumResults() || op.getNumResults() == 0)
      return op.emitOpError("[attend_c5] one result type for every output");
    llvm::StringSet<> seen;
    for (unsigned r = 0; r < op.getNumResults(); ++r) {
      StringRef name = op.outName(r);
      if (!seen.insert(name).second)
        return op.emitOpError("[attend_c5] output '") << name << "' is listed twice";
      SmallVector<bool> used;
      if (failed(map(name, op.outMap(r), op.getResult(r).getType(), used)))
        return failure();
      for (AffineExpr e : op.outMap(r).getResults())
        if (!isa<AffineDimExpr>(e))
          return op.emitOpError("[attend_c5] output '") << name << "' is indexed by plain dimensions";
      for (unsigned d = 0; d < op.numDims(); ++d) {
        bool wanted = d < op.numBatch() || d == op.queryDim() || (name == "o" && d == op.valueDim());
        if (used[d] != wanted)
          return op.emitOpError("[attend_c5] output '") << name << (wanted ? "' must be indexed by '" : "' may not be indexed by '") << op.dimName(d) << "'";
      }
    }
    return success();
  }

  static Type element(Type t) { return cast<RankedTensorType>(t).getElementType(); }

  LogicalResult elementTypes() { // attend_c8
    Type q = element(op.getQ().getType()), k = element(op.getK().getType()), v = element(op.getV().getType());
    bool f64 = q.isF64() && k.isF64() && v.isF64();
    auto narrow = [](Type t) { return t.isF32() || t.isBF16() || t.isF16(); };
    if (!f64 && !(narrow(q) && narrow(k) && narrow(v)))
      return op.emitOpError("[attend_c8] q, k, v have element types ") << q << ", " << k << ", " << v << "; use f64 for all three, or f32, bf16, f16";
    for (unsigned r = 0; r < op.getNumResults(); ++r) {
      Type t = element(op.getResult(r).getType());
      bool ok = f64 ? t.isF64() : op.outName(r) == "o" ? narrow(t) : t.isF32();
      if (!ok)
        return op.emitOpError("[attend_c8] output '") << op.outName(r) << "' has element type " << t << "; expected "
                                                      << (f64 ? "f64" : op.outName(r) == "o" ? "f32, bf16 or f16" : "f32");
    }
    return success();
  }

  LogicalResult pureRegion(Region &region) { // attend_c9
    WalkResult result = region.walk([&](Operation *inner) {
      StringRef dialect = inner->getName().getDialectNamespace();
      bool known = isa<LoadOp, YieldOp, SetWhereOp>(inner) || inner->getName().getStringRef().starts_with("attn.set.") || dialect == "arith" ||
                   dialect == "math";
      if (!known) {
        inner->emitOpError("[attend_c9] is not allowed here; sets and scores are written in arith, math and attn.load");
        return WalkResult::interrupt();
      }
      for (Type t : inner->getResultTypes())
        if (!isa<SetType>(t) && !t.isIntOrIndexOrFloat()) {
          inner->emitOpError("[attend_c9] works on scalars here, not on ") << t;
          return WalkResult::interrupt();
        }
      return WalkResult::advance();
    });
    return failure(result.wasInterrupted());
  }

  LogicalResult regions() { // attend_c7
    if (!op.getSet().empty()) {
      auto yield = dyn_cast<YieldOp>(op.getSet().front().back());
      if (!yield || yield.getNumOperands() != 1 || !isa<SetType>(yield.getOperand(0).getType()) || op.getSet().getNumArguments() != 0)
        return op.emitOpError("[attend_c7] the set region has no arguments and yields one !attn.set");
    }
    if (!op.getScore().empty()) {
      Block &block = op.getScore().front();
      Type acc = op.accumulationType();
      if (block.getNumArguments() != op.numBatch() + 3)
        return op.emitOpError("[attend_c7] the score region takes the score and one index for each batch, query and key dimension");
      if (block.getArgument(0).getType() != acc)
        return op.emitOpError("[attend_c7] scores of these operands are ") << acc << "; write `score(%s : " << acc << ", ...)`";
      auto yield = dyn_cast<YieldOp>(block.back());
      if (!yield || yield.getNumOperands() != 1 || yield.getOperand(0).getType() != acc)
        return op.emitOpError("[attend_c7] end the score region with `attn.yield %t : ") << acc << "`";
    }
    return failure(failed(pureRegion(op.getSet())) || failed(pureRegion(op.getScore())));
  }

  LogicalResult normalizer() { // attend_c10
    auto module = op->getParentOfType<ModuleOp>();
    auto found = module ? module.lookupSymbol<NormalizerOp>(op.normalizerName()) : NormalizerOp();
    if (!found) {
      // The library is linked by a pass; here only its names count.
      if (!normalizerLibraryText().contains(("attn.normalizer @" + op.normalizerName() + " {").str()))
        return op.emitOpError("[attend_c10] there is no normalizer @") << op.normalizerName() << " in the module or the library";
      for (unsigned r = 0; r < op.getNumResults(); ++r)
        if (op.outName(r) != "o" && op.outName(r) != "lse")
          return op.emitOpError("[attend_c10] @") << op.normalizerName() << " has no output '" << op.outName(r) << "'; there are o, lse";
      return success();
    }
    auto finish = found.getBody().front().empty() ? FinishOp() : dyn_cast<FinishOp>(found.getBody().front().back());
    for (unsigned r = 0; finish && r < op.getNumResults(); ++r)
      if (!llvm::is_contained(finish.getOutNames(), cast<Attribute>(op.getOutNames()[r])))
        return op.emitOpError("[attend_c10] @") << op.normalizerName() << " has no output '" << op.outName(r) << "'";
    return success();
  }

  AttendOp op;
  SmallVector<int64_t> extents;
};

} // namespace

LogicalResult AttendOp::verify() { return AttendVerifier(*this).run(); }

int64_t AttendOp::featureExtent(unsigned dim) {
  auto find = [&](AffineMap map, Type type) -> int64_t {
    for (auto [axis, e] : llvm::enumerate(map.getResults()))
      if (auto d = dyn_cast<AffineDimExpr>(e); d && d.getPosition() == dim)
        return cast<RankedTensorType>(type).getDimSize(axis);
    return -1;
  };
  return dim == dotDim() ? find(getQMap(), getQ().getType()) : find(getVMap(), getV().getType());
}

FloatType AttendOp::accumulationType() {
  bool f64 = cast<RankedTensorType>(getQ().getType()).getElementType().isF64();
  return f64 ? (FloatType)Float64Type::get(getContext()) : (FloatType)Float32Type::get(getContext());
}
