// --attn-expand-bilinear: a bilinear score becomes a product, after a map that takes the tensor into one of its sides.
//
//   s_ij = sum_cr q_ic g_cr k_jr      on q:  y_ir = sum_c q_ic g_cr,  s_ij = sum_r y_ir k_jr
//                                     on k:  y_jc = sum_r k_jr g_cr,  s_ij = sum_c q_ic y_jc
//
// y is computed once for each of its rows, in the type that scores accumulate in. It is made on k where k has fewer
// rows, its batch indices with those of g being fewer or divided; on q otherwise.
#include "attn/Dialect/Attn/ExpandBilinear.h"
#include "attn/Dialect/Attn/Attn.h"

#include "mlir/IR/AttrTypeSubElements.h"

#include <numeric>

using namespace mlir;
using namespace attn;

namespace {

class BilinearExpansion {
public:
  BilinearExpansion(AttendOp attend)
      : attend(attend), b(attend), loc(attend.getLoc()), nb(attend.numBatch()), c(attend.dotDim()), r(c + 1) {}

  LogicalResult run(StringRef forced) {
    onK = forced == "k" || (forced != "q" && keysAreFewer());
    side = onK ? attend.kPart(0) : attend.qPart(0);
    what = onK ? "k" : "q";
    if (failed(check()))
      return failure();
    double extent = attend.dotExtent();
    Value y = buildMap();
    replaceOperand(y);
    if (!attend.getScale() && !attend.getScaleValue())
      attend.setScaleValueAttr(b.getF64FloatAttr(1.0 / std::sqrt(extent)));
    return success();
  }

private:
  /// What batch dimension d is divided by in the map that would be made: 0 where it does not occur.
  int64_t divisorOf(unsigned d, const AttendOp::Operand &of) {
    int64_t divisor = 0;
    for (AffineMap map : {of.map, *attend.getBilinearMap()})
      for (AffineExpr e : map.getResults()) {
        if (!e.isFunctionOfDim(d))
          continue;
        auto binary = dyn_cast<AffineBinaryOpExpr>(e);
        divisor = std::gcd(divisor, binary ? cast<AffineConstantExpr>(binary.getRHS()).getValue() : 1);
      }
    return of.region && !of.region->getArgument(1 + d).use_empty() ? 1 : divisor;
  }

  bool keysAreFewer() {
    AttendOp::Operand q = attend.qPart(0), k = attend.kPart(0);
    bool fewer = false;
    for (unsigned d = 0; d < nb; ++d) {
      int64_t ofQ = divisorOf(d, q), ofK = divisorOf(d, k);
      if (ofQ == ofK)
        continue;
      if (ofQ == 0 || (ofK != 0 && ofK < ofQ))
        return false;
      fewer = true;
    }
    return fewer;
  }

  InFlightDiagnostic refuse() {
    return attend.emitError("[unsupported_bilinear] ") << what << " is taken into the bilinear tensor by an attn.map; ";
  }

  LogicalResult check() {
    Type element = cast<RankedTensorType>(side.tensor.getType()).getElementType(),
         ofTensor = cast<RankedTensorType>(attend.getBilinear().getType()).getElementType();
    for (Type t : {element, ofTensor})
      if (isa<FloatType>(t) && t.getIntOrFloatBitWidth() < 16)
        return refuse() << "elements of " << t << " must be widened before, by a map over them";
    bool token = false, feature = false;
    for (AffineExpr e : side.map.getResults()) {
      token |= e == b.getAffineDimExpr(side.token);
      feature |= e == b.getAffineDimExpr(side.feature);
    }
    if (!token || !feature)
      return refuse() << "index it by '" << attend.dimName(side.token) << "' and '" << attend.dimName(side.feature)
                      << "' alone";
    for (unsigned d = 0; d < nb; ++d) {
      int64_t divisor = divisorOf(d, side);
      bool found = divisor == 0; // an axis that says how many there are
      for (AffineMap map : {side.map, *attend.getBilinearMap()})
        for (AffineExpr e : map.getResults())
          found |= e.isFunctionOfDim(d) && divisorIn(e) == divisor;
      if (!found)
        return refuse() << "nothing that it is indexed by says how many '" << attend.dimName(d)
                        << "' there are; index it, or the tensor, by '" << attend.dimName(d) << "' alone";
    }
    if (!side.region)
      return success();
    bool bare = true;
    side.region->walk([&](LoadOp load) { bare &= llvm::all_of(load.getIndices(), llvm::IsaPred<BlockArgument>); });
    return bare ? success()
                : LogicalResult(refuse() << "its region loads by an index that may be out of bounds; write that as an "
                                            "attn.map of its own");
  }

  static int64_t divisorIn(AffineExpr e) {
    auto binary = dyn_cast<AffineBinaryOpExpr>(e);
    return binary ? cast<AffineConstantExpr>(binary.getRHS()).getValue() : 1;
  }

  /// The map; fills `indices`, the new operand's in the attend as it was.
  Value buildMap() {
    MLIRContext *context = b.getContext();
    unsigned kept = onK ? c : r;
    SmallVector<StringRef> names;
    SmallVector<int64_t> shape, divisors(attend.numDims(), 1);
    SmallVector<unsigned> dims; // of the attend
    for (unsigned d = 0; d < nb; ++d)
      if (int64_t divisor = divisorOf(d, side)) {
        dims.push_back(d);
        divisors[d] = divisor;
        shape.push_back(ShapedType::kDynamic);
        AffineExpr e = b.getAffineDimExpr(d);
        indices.push_back(divisor == 1 ? e : e.floorDiv(divisor));
      }
    dims.append({side.token, kept});
    shape.append({ShapedType::kDynamic, attend.featureExtent(kept)});
    indices.append({b.getAffineDimExpr(side.token), b.getAffineDimExpr(kept)});
    unsigned rank = dims.size();
    dims.push_back(side.feature); // which is summed over
    SmallVector<unsigned> place(attend.numDims(), 0);
    for (auto [n, d] : llvm::enumerate(dims)) {
      names.push_back(attend.dimName(d));
      place[d] = n;
    }
    auto renamed = [&](AffineMap map) {
      SmallVector<AffineExpr> results;
      for (AffineExpr e : map.getResults()) {
        if (isa<AffineConstantExpr>(e)) {
          results.push_back(e);
          continue;
        }
        auto binary = dyn_cast<AffineBinaryOpExpr>(e);
        unsigned d = cast<AffineDimExpr>(binary ? binary.getLHS() : e).getPosition();
        int64_t divisor = divisorIn(e) / divisors[d];
        AffineExpr dim = b.getAffineDimExpr(place[d]);
        results.push_back(divisor == 1 ? dim : dim.floorDiv(divisor));
      }
      return AffineMap::get(dims.size(), 0, results, context);
    };
    FloatType real = attend.accumulationType();
    Value inputs[] = {side.tensor, attend.getBilinear()};
    auto made = MapOp::create(b, loc, RankedTensorType::get(shape, real), inputs, b.getStrArrayAttr(names),
                              b.getAffineMapArrayAttr({renamed(side.map), renamed(*attend.getBilinearMap())}),
                              AffineMapAttr::get(AffineMap::get(dims.size(), 0, identity(rank), context)),
                              MapReductionAttr::get(context, MapReduction::Sum), b.getDenseI64ArrayAttr({rank}));
    OpBuilder::InsertionGuard guard(b);
    Block *block = b.createBlock(&made.getBody());
    SmallVector<Value> factors;
    for (unsigned n = 0; n < 2; ++n)
      factors.push_back(block->addArgument(made.elementArgType(n), loc));
    for (unsigned n = 0; n < dims.size(); ++n)
      block->addArgument(b.getIndexType(), loc);
    if (side.region) {
      Block &from = side.region->front();
      IRMapping map;
      map.map(from.getArgument(0), factors[0]);
      for (unsigned d : dims)
        if (d < nb)
          map.map(from.getArgument(1 + d), block->getArgument(2 + place[d]));
      map.map(from.getArgument(1 + nb), block->getArgument(2 + place[side.token]));
      map.map(from.getArgument(2 + nb), block->getArgument(2 + place[side.feature]));
      for (Operation &op : from.without_terminator())
        b.clone(op, map);
      factors[0] = map.lookupOrDefault(from.getTerminator()->getOperand(0));
    }
    YieldOp::create(b, loc, arith::MulFOp::create(b, loc, factors[0], factors[1]).getResult());
    return made.getResult();
  }

  SmallVector<AffineExpr> identity(unsigned n) {
    SmallVector<AffineExpr> dims;
    for (unsigned d = 0; d < n; ++d)
      dims.push_back(b.getAffineDimExpr(d));
    return dims;
  }

  /// y for q or k; the feature that was summed over is no dimension any more.
  void replaceOperand(Value y) {
    unsigned before = attend.numDims(), gone = side.feature;
    if (side.region) {
      Region &region = *side.region;
      region.dropAllReferences();
      region.getBlocks().clear();
    }
    (onK ? attend.getKMutable() : attend.getQMutable()).assign(y);
    AffineMap map = AffineMap::get(before, 0, indices, b.getContext());
    if (onK)
      attend.setKMap(map);
    else
      attend.setQMap(map);
    if (onK && attend.getValueless()) { // k stands for values
      attend.getVMutable().assign(y);
      attend.setVMap(map);
    }
    attend.getBilinearMutable().clear();
    attend.removeBilinearMapAttr();
    SmallVector<Attribute> names(attend.getDimNames().getValue());
    names.erase(names.begin() + gone);
    if (auto extents = attend.getFeatureExtents()) {
      SmallVector<int64_t> left(*extents);
      left.erase(left.begin() + (gone - c));
      attend.setFeatureExtents(left);
    }
    AttrTypeReplacer replacer;
    replacer.addReplacement([&](AffineMapAttr a) -> std::pair<Attribute, WalkResult> {
      AffineMap m = a.getValue();
      if (m.getNumDims() != before)
        return {a, WalkResult::skip()};
      SmallVector<AffineExpr> dims;
      for (unsigned d = 0; d < before; ++d)
        dims.push_back(b.getAffineDimExpr(d > gone ? d - 1 : d));
      return {AffineMapAttr::get(m.replaceDimsAndSymbols(dims, {}, before - 1, 0)), WalkResult::skip()};
    });
    replacer.recursivelyReplaceElementsIn(attend, /*replaceAttrs=*/true);
    attend.setDimNamesAttr(b.getArrayAttr(names));
  }

  AttendOp attend;
  OpBuilder b;
  Location loc;
  unsigned nb, c, r; // batch dimensions; the features of q and of k
  bool onK = false;
  AttendOp::Operand side;
  StringRef what;
  SmallVector<AffineExpr> indices;
};

struct ExpandBilinear : PassWrapper<ExpandBilinear, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ExpandBilinear)
  ExpandBilinear() = default;
  ExpandBilinear(const ExpandBilinear &other) : PassWrapper(other) {}
  StringRef getArgument() const final { return "attn-expand-bilinear"; }
  StringRef getDescription() const final { return "write bilinear scores as products, after an attn.map on q or k"; }
  Option<std::string> operand{*this, "operand", llvm::cl::desc("which is mapped: auto, q, k"), llvm::cl::init("auto")};

  void runOnOperation() final {
    if (operand != "auto" && operand != "q" && operand != "k") {
      getOperation().emitError("[option] operand is auto, q or k, not ") << operand;
      return signalPassFailure();
    }
    SmallVector<AttendOp> found;
    getOperation().walk([&](AttendOp op) {
      if (op.getBilinear())
        found.push_back(op);
    });
    for (AttendOp op : found)
      if (failed(BilinearExpansion(op).run(operand)))
        return signalPassFailure();
  }
};

} // namespace

std::unique_ptr<Pass> attn::createAttnExpandBilinearPass() { return std::make_unique<ExpandBilinear>(); }
