// Rules of attn.map and attn.merge, by label.
#include "Rules.h"

#include "llvm/ADT/StringSet.h"

#include <cmath>

using namespace mlir;
using namespace attn;
using namespace attn::rules;

namespace {

bool isElement(Type t) {
  return t.isF64() || t.isF32() || t.isBF16() || t.isF16() || t.isSignlessInteger(64) || t.isSignlessInteger(32) ||
         t.isSignlessInteger(8) || t.isSignlessInteger(1);
}

/// As in the regions of an attend.
bool isComputed(Type t) { return isElement(t) || t.isIndex() || t.isSignlessInteger(16); }

Type elementOf(Type t) { return cast<RankedTensorType>(t).getElementType(); }

constexpr unsigned kMostDims = 8;

/// What the maps and the merges share: names, maps, static extents of the dimensions.
template <typename Op> class Dims {
public:
  explicit Dims(Op op) : op(op), known(op.numDims(), ShapedType::kDynamic) {}

  InFlightDiagnostic error(StringRef label) { return op.emitOpError("[") << label << "] "; }

  LogicalResult names(StringRef label) {
    if (op.numDims() > kMostDims)
      return error(label) << op.numDims() << " dimensions; there are at most " << kMostDims;
    llvm::StringSet<> seen;
    for (unsigned d = 0; d < op.numDims(); ++d) {
      if (!isIdentifier(op.dimName(d)))
        return error(label) << "'" << op.dimName(d) << "' is no identifier; name dimensions with letters, digits and _";
      if (!seen.insert(op.dimName(d)).second)
        return error(label) << "the dimension name '" << op.dimName(d) << "' is used twice";
    }
    return success();
  }

  /// One index an axis: a dimension, a dimension floordiv a constant, a constant.
  LogicalResult indices(StringRef label, const Twine &what, AffineMap map, Type type) {
    int64_t rank = cast<RankedTensorType>(type).getRank();
    if (map.getNumDims() != op.numDims() || map.getNumSymbols() != 0 || (int64_t)map.getNumResults() != rank)
      return error(label) << what << " has rank " << rank << " and " << map.getNumResults() << " indices";
    for (AffineExpr e : map.getResults())
      if (!classify(e))
        return error(label) << what
                            << " is indexed by dimensions, dimensions floordiv a constant, and constants of at least 0";
    return success();
  }

  /// Plain dimensions, each at most once. Fills `used`.
  LogicalResult plain(StringRef label, const Twine &what, AffineMap map, Type type, llvm::SmallBitVector &used) {
    used = llvm::SmallBitVector(op.numDims());
    if (failed(indices(label, what, map, type)))
      return failure();
    for (AffineExpr e : map.getResults()) {
      auto dim = dyn_cast<AffineDimExpr>(e);
      if (!dim)
        return error(label) << what << " is indexed by plain dimensions";
      if (used.test(dim.getPosition()))
        return error(label) << what << " is indexed twice by '" << op.dimName(dim.getPosition()) << "'";
      used.set(dim.getPosition());
    }
    return success();
  }

  /// Axes that a dimension indexes alone agree.
  LogicalResult agree(StringRef label, const Twine &what, AffineMap map, Type type) {
    for (auto [axis, e] : llvm::enumerate(map.getResults())) {
      Axis a = *classify(e);
      int64_t extent = cast<RankedTensorType>(type).getDimSize(axis);
      if (a.dim < 0 || a.divisor != 1 || ShapedType::isDynamic(extent))
        continue;
      if (!ShapedType::isDynamic(known[a.dim]) && known[a.dim] != extent)
        return error(label) << "dimension '" << op.dimName(a.dim) << "' has extent " << known[a.dim]
                            << " elsewhere and " << extent << " in " << what;
      known[a.dim] = extent;
    }
    return success();
  }

  /// The other axes: known extents decide.
  LogicalResult fits(StringRef label, const Twine &what, AffineMap map, Type type) {
    for (auto [axis, e] : llvm::enumerate(map.getResults())) {
      Axis a = *classify(e);
      int64_t extent = cast<RankedTensorType>(type).getDimSize(axis);
      if (ShapedType::isDynamic(extent))
        continue;
      if (a.dim < 0 && a.constant >= extent)
        return error(label) << "constant index " << a.constant << " of " << what << " is outside extent " << extent;
      if (a.dim < 0 || a.divisor == 1 || ShapedType::isDynamic(known[a.dim]))
        continue;
      if (int64_t need = llvm::divideCeil(known[a.dim], a.divisor); need != extent)
        return error(label) << "an axis of " << what << " has extent " << extent << " where dimension '"
                            << op.dimName(a.dim) << "' of extent " << known[a.dim] << " floordiv " << a.divisor
                            << " needs " << need;
    }
    return success();
  }

  int64_t extent(unsigned dim) const { return known[dim]; }

private:
  Op op;
  SmallVector<int64_t> known;
};

std::string operandName(unsigned n) { return ("operand " + Twine(n)).str(); }

class MapVerifier {
public:
  explicit MapVerifier(MapOp op) : op(op), dims(op) {}

  LogicalResult signature() {
    if (failed(dims.names("map_c1")))
      return failure();
    if (op.getInMaps().size() != op.getInputs().size())
      return dims.error("map_c2") << "one index list for every operand";
    for (auto [n, input] : llvm::enumerate(op.getInputs()))
      if (failed(dims.indices("map_c2", operandName(n), op.inMap(n), input.getType())))
        return failure();
    return failure(failed(result()) || failed(types()) || failed(extents()));
  }

  LogicalResult region() { // map_c6, map_c7
    Block &block = op.getBody().front();
    unsigned inputs = op.getInputs().size();
    if (block.getNumArguments() != inputs + op.numDims())
      return dims.error("map_c6") << "the region takes one element of every operand and one index for each dimension";
    for (unsigned n = 0; n < block.getNumArguments(); ++n) {
      Type want = n < inputs ? op.elementArgType(n) : IndexType::get(op.getContext());
      if (block.getArgument(n).getType() == want)
        continue;
      if (n >= inputs)
        return dims.error("map_c6") << "indices are of type index";
      return dims.error("map_c6") << "elements of operand " << n << " come as " << want << ", not "
                                  << block.getArgument(n).getType() << "; write `%x : " << want << " = ..`";
    }
    auto yield = dyn_cast<YieldOp>(block.back());
    if (!yield || yield.getNumOperands() != 1 || yield.getOperand(0).getType() != op.yieldType())
      return dims.error("map_c6") << "end the region with `attn.yield %z : " << op.yieldType() << "`";
    return verifyScalarRegion(op.getBody(), "map_c7", /*loads=*/true, isComputed);
  }

private:
  LogicalResult result() { // map_c3, map_c4
    llvm::SmallBitVector used, reduced(op.numDims());
    if (failed(dims.plain("map_c3", "the result", op.getOutMap(), op.getResult().getType(), used)))
      return failure();
    if (op.hasReduction() == op.getReduced().empty())
      return dims.error("map_c4") << (op.hasReduction() ? "name the dimensions: sum(h)"
                                                        : "dimensions without sum or max");
    for (int64_t d : op.getReduced()) {
      if (d < 0 || d >= (int64_t)op.numDims())
        return dims.error("map_c4") << "there is no dimension number " << d;
      if (reduced.test(d))
        return dims.error("map_c4") << "'" << op.dimName(d) << "' is given twice";
      reduced.set(d);
    }
    for (unsigned d = 0; d < op.numDims(); ++d)
      if (used.test(d) == reduced.test(d))
        return dims.error("map_c3") << "the result "
                                    << (used.test(d)
                                            ? "may not be indexed by '" + op.dimName(d) + "', which is summed over"
                                            : "must be indexed by '" + op.dimName(d) +
                                                  "', or it must be summed over: sum(" + op.dimName(d) + ")");
    if (used.none())
      return dims.error("map_c3") << "the result has one dimension or more; add one of extent 1";
    if (used.count() > 6)
      return dims.error("map_c3") << "the result has rank " << used.count() << "; tensors have rank 1 to 6";
    return success();
  }

  LogicalResult types() { // map_c8
    for (auto [n, input] : llvm::enumerate(op.getInputs()))
      if (!isElement(elementOf(input.getType())))
        return dims.error("map_c8") << "operand " << n << " has element type " << elementOf(input.getType())
                                    << "; there are f64, f32, bf16, f16, i64, i32, i8 and i1";
    Type result = elementOf(op.getResult().getType());
    if (!isElement(result) || result.isSignlessInteger(1))
      return dims.error("map_c8") << "the result has element type " << result
                                  << "; there are f64, f32, bf16, f16, i64, i32 and i8";
    return success();
  }

  LogicalResult extents() { // map_c5
    for (auto [n, input] : llvm::enumerate(op.getInputs()))
      if (failed(dims.agree("map_c5", operandName(n), op.inMap(n), input.getType())))
        return failure();
    if (failed(dims.agree("map_c5", "the result", op.getOutMap(), op.getResult().getType())))
      return failure();
    llvm::SmallBitVector found(op.numDims());
    for (auto [n, input] : llvm::enumerate(op.getInputs())) {
      if (failed(dims.fits("map_c5", operandName(n), op.inMap(n), input.getType())))
        return failure();
      for (AffineExpr e : op.inMap(n).getResults())
        if (auto dim = dyn_cast<AffineDimExpr>(e))
          found.set(dim.getPosition());
    }
    for (unsigned d = 0; d < op.numDims(); ++d)
      if (!found.test(d) && ShapedType::isDynamic(dims.extent(d)))
        return dims.error("map_c5") << "nothing says the extent of '" << op.dimName(d)
                                    << "': let it index an axis of an operand, or write it in the result's type";
    return success();
  }

  MapOp op;
  Dims<MapOp> dims;
};

class MergeVerifier {
public:
  explicit MergeVerifier(MergeOp op) : op(op), dims(op) {}

  LogicalResult run() {
    if (failed(dims.names("merge_c1")))
      return failure();
    if (op.numDims() == 0)
      return dims.error("merge_c1") << "name the dimensions of o, e.g. dims(b, h, i, e)";
    if (op.numParts() < 2)
      return dims.error("merge_c3") << "a merge has two or more parts: (%o1, %lse1), (%o2, %lse2)";
    if (op.getPartLses().size() != op.numParts() || op.getPartOutMaps().size() != op.numParts() ||
        op.getPartLseMaps().size() != op.numParts())
      return dims.error("merge_c3") << "every part has an o and an lse, and an index list for each";
    for (unsigned p = 0; p < op.numParts(); ++p)
      tensors.append({{("o of part " + Twine(p)).str(), op.getPartOuts()[p], op.partOutMap(p), true},
                      {("lse of part " + Twine(p)).str(), op.getPartLses()[p], op.partLseMap(p), false}});
    tensors.append(
        {{"the result o", op.getOut(), op.getOutMap(), true}, {"the result lse", op.getLse(), op.getLseMap(), false}});
    return failure(failed(maps()) || failed(extents()) || failed(types()) || failed(normalizer()));
  }

private:
  struct Tensor {
    std::string what;
    Value value;
    AffineMap map;
    bool isOut;
  };

  LogicalResult maps() { // merge_c2
    int missing = -1;
    for (const Tensor &t : tensors) {
      llvm::SmallBitVector used;
      if (failed(dims.plain("merge_c2", t.what, t.map, t.value.getType(), used)))
        return failure();
      if (t.isOut && !used.all())
        return dims.error("merge_c2") << t.what << " must be indexed by '" << op.dimName(used.find_first_unset())
                                      << "'";
      if (t.isOut)
        continue;
      if (used.count() + 1 != op.numDims())
        return dims.error("merge_c2") << t.what << " is indexed by all dimensions but the value feature";
      if (missing >= 0 && missing != used.find_first_unset())
        return dims.error("merge_c2") << t.what << " must be indexed by '" << op.dimName(used.find_first_unset())
                                      << "': the value feature is '" << op.dimName(missing) << "' elsewhere";
      missing = used.find_first_unset();
    }
    return success();
  }

  LogicalResult extents() { // merge_c5
    for (const Tensor &t : tensors)
      if (failed(dims.agree("merge_c5", t.what, t.map, t.value.getType())))
        return failure();
    return success();
  }

  LogicalResult types() { // merge_c6
    bool f64 = elementOf(op.getOut().getType()).isF64();
    for (const Tensor &t : tensors) {
      Type e = elementOf(t.value.getType());
      if (f64 ? !e.isF64() : t.isOut ? !e.isF32() && !e.isBF16() && !e.isF16() : !e.isF32())
        return dims.error("merge_c6") << t.what << " has element type " << e << "; expected "
                                      << (f64       ? "f64, as the result o"
                                          : t.isOut ? "f32, bf16 or f16"
                                                    : "f32");
    }
    return success();
  }

  LogicalResult normalizer() { // merge_c4, merge_c7
    unsigned operands = 0;
    for (unsigned n = 0; n < op.numNormArgs(); ++n)
      operands += !isa<FloatAttr>((*op.getNormValues())[n]);
    if (operands != op.getNormArgs().size())
      return dims.error("merge_c7") << "one operand for every argument of the normalizer that is no constant";
    for (unsigned n = 0; n < op.numNormArgs(); ++n)
      if (failed(parameter(n, op.normArg(n))))
        return failure();
    auto module = op->getParentOfType<ModuleOp>();
    auto found = module ? module.lookupSymbol<NormalizerOp>(op.getNormalizer()) : NormalizerOp();
    if (!found) {
      // The library is linked by a pass; here only its names count.
      if (!isLibraryNormalizer(op.getNormalizer()))
        return dims.error("merge_c4") << "there is no normalizer @" << op.getNormalizer()
                                      << " in the module or the library";
      return success();
    }
    return verifyMergeable(op, found);
  }

  LogicalResult parameter(unsigned n, AttendOp::NormArg arg) { // merge_c7
    std::string what = ("argument " + Twine(n) + " of @" + op.getNormalizer()).str();
    if (!arg.value) {
      if (std::isnan(arg.constant))
        return dims.error("merge_c7") << what << " is NaN";
      return success();
    }
    Type acc = op.accumulationType();
    auto tensor = dyn_cast<RankedTensorType>(arg.value.getType());
    Type e = tensor ? tensor.getElementType() : arg.value.getType();
    bool wide = e.isF64() && !acc.isF64();
    if (tensor ? !isa<FloatType>(e) || !isElement(e) || wide : e != acc || (arg.map && arg.map.getNumResults()))
      return dims.error("merge_c7") << what << " is a constant, a scalar " << acc
                                    << " without indices, or a tensor of f32, bf16 "
                                    << "or f16" << (acc.isF64() ? " or f64" : "") << ", not " << arg.value.getType();
    if (!tensor)
      return success();
    AffineMap map = arg.map ? arg.map : AffineMap::get(op.numDims(), 0, op.getContext());
    if (failed(dims.indices("merge_c7", what, map, tensor)))
      return failure();
    for (AffineExpr e : map.getResults())
      if (classify(e)->dim == (int)op.valueDim())
        return dims.error("merge_c7") << what << " has one value a row and is not indexed by '"
                                      << op.dimName(op.valueDim()) << "'";
    return failure(failed(dims.agree("merge_c7", what, map, tensor)) ||
                   failed(dims.fits("merge_c7", what, map, tensor)));
  }

  MergeOp op;
  Dims<MergeOp> dims;
  SmallVector<Tensor> tensors;
};

} // namespace

LogicalResult MapOp::verify() { return MapVerifier(*this).signature(); }
LogicalResult MapOp::verifyRegions() {
  if (getBody().front().empty())
    return emitOpError("[map_c6] end the region with `attn.yield %z : ") << yieldType() << "`";
  return MapVerifier(*this).region();
}
LogicalResult MergeOp::verify() { return MergeVerifier(*this).run(); }
