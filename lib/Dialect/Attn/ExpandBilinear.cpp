// --attn-expand-bilinear: a bilinear score becomes a product, after a map that takes the tensor into one of its sides.
//
//   s_ij = sum_cr q_ic g_cr k_jr      on q:  y_ir = sum_c q_ic g_cr,  s_ij = sum_r y_ir k_jr
//                                     on k:  y_jc = sum_r k_jr g_cr,  s_ij = sum_c q_ic y_jc
//
// y is computed once for each of its rows, in the type that scores accumulate in. Of the two sides the one with fewer
// multiply-adds is taken, q where they are equal: extents of c times r for each row of y, whose batch indices are those
// of the side and of g, and the feature that is left for each pair. Of extents that types do not say, token axes are
// taken to have 1024 and batch dimensions 8: their ratios decide, heads that share keys, and features.
#include "attn/Dialect/Attn/ExpandBilinear.h"
#include "attn/Dialect/Attn/Attn.h"

#include "mlir/IR/AttrTypeSubElements.h"

#include "llvm/Support/ScopedPrinter.h"

#include <cmath>
#include <numeric>

using namespace mlir;
using namespace attn;

namespace {

class BilinearExpansion {
public:
  BilinearExpansion(AttendOp attend)
      : attend(attend), b(attend), loc(attend.getLoc()), nb(attend.numBatch()), c(attend.dotDim()), r(c + 1) {}

  LogicalResult run(StringRef forced) {
    bool either = forced != "q" && forced != "k";
    take(either ? bilinearCost(attend).prefersK() : forced == "k");
    if (std::string why = refusal(); !why.empty()) {
      std::string other;
      if (either) {
        take(!onK);
        other = refusal();
      }
      if (!either || !other.empty())
        return attend.emitError("[unsupported_bilinear] ")
               << (onK != either ? "k" : "q") << " is taken into the bilinear tensor by an attn.map; " << why;
    }
    double extent = attend.dotExtent();
    Value y = buildMap();
    replaceOperand(y);
    if (!attend.getScale() && !attend.getScaleValue())
      attend.setScaleValueAttr(b.getF64FloatAttr(1.0 / std::sqrt(extent)));
    return success();
  }

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

private:
  void take(bool k) {
    onK = k;
    side = onK ? attend.kPart(0) : attend.qPart(0);
  }

  /// Why the side cannot be mapped; empty where it can.
  std::string refusal() {
    Type element = cast<RankedTensorType>(side.tensor.getType()).getElementType(),
         ofTensor = cast<RankedTensorType>(attend.getBilinear().getType()).getElementType();
    for (Type t : {element, ofTensor})
      if (isa<FloatType>(t) && t.getIntOrFloatBitWidth() < 16)
        return "elements of " + llvm::to_string(t) + " must be widened before, by a map over them";
    bool token = false, feature = false;
    for (AffineExpr e : side.map.getResults()) {
      token |= e == b.getAffineDimExpr(side.token);
      feature |= e == b.getAffineDimExpr(side.feature);
    }
    if (!token || !feature)
      return ("index it by '" + attend.dimName(side.token) + "' and '" + attend.dimName(side.feature) + "' alone")
          .str();
    for (unsigned d = 0; d < nb; ++d) {
      int64_t divisor = divisorOf(d, side);
      bool found = divisor == 0; // an axis that says how many there are
      for (AffineMap map : {side.map, *attend.getBilinearMap()})
        for (AffineExpr e : map.getResults())
          found |= e.isFunctionOfDim(d) && divisorIn(e) == divisor;
      if (!found)
        return ("nothing that it is indexed by says how many '" + attend.dimName(d) +
                "' there are; index it, or the tensor, by '" + attend.dimName(d) + "' alone")
            .str();
    }
    if (!side.region)
      return "";
    bool bare = true;
    side.region->walk([&](LoadOp load) { bare &= llvm::all_of(load.getIndices(), llvm::IsaPred<BlockArgument>); });
    return bare ? "" : "its region loads by an index that may be out of bounds; write that as an attn.map of its own";
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
  SmallVector<AffineExpr> indices;
};

/// What a type says of a dimension's extent; 0: none does.
int64_t staticExtent(AttendOp attend, unsigned dim) {
  int64_t found = 0;
  auto look = [&](AffineMap map, Value tensor) {
    for (auto [axis, e] : llvm::enumerate(map.getResults()))
      if (auto d = dyn_cast<AffineDimExpr>(e); d && d.getPosition() == dim)
        if (int64_t n = cast<RankedTensorType>(tensor.getType()).getDimSize(axis); !ShapedType::isDynamic(n))
          found = n;
  };
  for (const AttendOp::Operand &x : {attend.qPart(0), attend.kPart(0), attend.vPart()})
    look(x.map, x.tensor);
  look(*attend.getBilinearMap(), attend.getBilinear());
  for (unsigned r = 0; r < attend.getNumResults(); ++r)
    look(attend.outMap(r), attend.getResult(r));
  return found;
}

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

BilinearCost attn::bilinearCost(AttendOp attend) {
  constexpr double kTokens = 1024, kBatch = 8;
  BilinearCost cost;
  SmallVector<double> extents;
  for (unsigned d = 0; d < attend.dotDim(); ++d) {
    int64_t known = staticExtent(attend, d);
    extents.push_back(known ? known : d < attend.numBatch() ? kBatch : kTokens);
    if (known)
      continue;
    cost.assumed +=
        (cost.assumed.empty() ? "" : ", ") + attend.dimName(d).str() + " = " + std::to_string((int64_t)extents.back());
  }
  BilinearExpansion expansion(attend);
  double features = (double)attend.featureExtent(attend.dotDim()) * attend.featureExtent(attend.dotDim() + 1);
  double pairs = 1;
  for (double n : extents)
    pairs *= n;
  auto on = [&](const AttendOp::Operand &side, unsigned left) {
    double rows = extents[side.token];
    for (unsigned d = 0; d < attend.numBatch(); ++d)
      if (int64_t divisor = expansion.divisorOf(d, side))
        rows *= std::ceil(extents[d] / divisor);
    return rows * features + pairs * attend.featureExtent(left);
  };
  cost.onQ = on(attend.qPart(0), attend.dotDim() + 1);
  cost.onK = on(attend.kPart(0), attend.dotDim());
  return cost;
}
