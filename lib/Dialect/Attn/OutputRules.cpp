// Rules of what comes out of attn.attend: the normalizer and its arguments, classes, reductions, the epilogue, columns,
// and the outputs' sources (attend_c5, attend_c10, attend_c15 to attend_c20).
#include "AttendRules.h"

#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace attn;
using namespace attn::rules;

namespace {

/// What accessors of a pass rely on.
bool isWellFormed(PassOp op) {
  if (!op.getRefAttr() || !op.getSumNamesAttr() || !op.getSumKindsAttr() ||
      !llvm::all_of(op.getSumKinds(), [](Attribute a) { return isa<IntegerAttr>(a); }))
    return false;
  unsigned n = op.numSums();
  return n == op.getSumKinds().size() && (!op.getSumWeights() || n == op.getSumWeights()->size()) &&
         (!op.getSumClasses() || n == op.getSumClasses()->size());
}

/// It may not be verified itself yet; where it is malformed its own rules speak.
bool isWellFormed(NormalizerOp op) {
  if (op->getNumRegions() != 1 || op.getBody().empty() || op.getBody().front().empty())
    return false;
  auto finish = dyn_cast<FinishOp>(op.getBody().front().back());
  Operation *last = finish ? finish->getPrevNode() : nullptr;
  if (!finish || !isa_and_present<PassOp, SelectOp>(last) || finish->getNumRegions() != 1 || finish.getBody().empty() ||
      finish.getBody().front().empty() || !finish.getOutNamesAttr() || !finish.getEmptyAttr() ||
      finish.getEmpty().size() != finish.getOutNames().size() ||
      finish.getBody().front().back().getNumOperands() != finish.getOutNames().size() ||
      !llvm::all_of(finish.getOutNames(), [](Attribute a) { return isa<StringAttr>(a); }) ||
      !llvm::all_of(finish.getEmpty(), [](Attribute a) { return isa<FloatAttr>(a); }))
    return false;
  for (auto pass : op.getBody().front().getOps<PassOp>())
    if (!isWellFormed(pass))
      return false;
  auto pass = dyn_cast<PassOp>(last);
  return finish.getBody().getNumArguments() == (pass ? pass.numSums() + (pass.hasRef() ? 1 : 0) : 2);
}

class OutputVerifier {
public:
  OutputVerifier(AttendOp op, Extents &extents, function_ref<bool(Type)> isComputed)
      : op(op), extents(extents), isComputed(isComputed) {}

  LogicalResult run() {
    if (failed(counts()) || failed(normArgs()) || failed(classes()) || failed(reductions()) || failed(columns()) ||
        failed(epilogue()))
      return failure();
    return normalizer();
  }

private:
  /// What the accessors rely on.
  LogicalResult counts() {
    unsigned kinds = op.getReduceKinds() ? op.getReduceKinds()->size() : 0;
    if (op.numReductions() != kinds)
      return op.emitOpError("[attend_c17] one kind for every reduction");
    for (unsigned n = 0; n < op.numReductions(); ++n) {
      StringRef rank = op.reductionRank(n);
      bool isTopk = op.reductionKind(n) == ReduceKind::TopK;
      if (isTopk && op.reductionCount(n) < 1)
        return op.emitOpError("[attend_c24] a topk has a count of at least 1, not ") << op.reductionCount(n);
      if (isTopk && (!isIdentifier(rank) || isDimension(rank)))
        return op.emitOpError("[attend_c24] '")
               << rank << "' names the axis of ranks of a topk: an identifier that is no dimension";
      if (!isTopk && (op.reductionCount(n) != 0 || !rank.empty()))
        return op.emitOpError("[attend_c24] a topk alone has a count and an axis of ranks");
    }
    unsigned expected = op.getMore().empty() ? 0 : 2 + op.numReductions() + op.numColumns();
    unsigned operands = 4 + op.getParts().size(); // all of them or none
    if ((op.getMore().size() != expected && op.getMore().size() != expected + operands) ||
        (op.getMore().empty() && op.numReductions() + op.numColumns() > 0))
      return op.emitOpError(
          "[attend_c17] one region for every reduction and every column, behind those of class and epilogue");
    if (!op.epilogueRegion() != !op.getEpilogueOuts() || (op.getEpilogueArgs() && !op.epilogueRegion()))
      return op.emitOpError("[attend_c18] an epilogue has a region and names what it yields");
    unsigned maps = op.getAggregateMaps() ? op.getAggregateMaps()->size() : 0;
    if (op.numAggregates() != maps || op.numAggregates() != op.getAggregated().size())
      return op.emitOpError("[attend_c19] one tensor and one map for every aggregate");
    llvm::StringSet<> seen;
    for (auto names : {op.getReduceNames(), op.getColumnNames(), op.getAggregateNames()})
      for (Attribute name :
           names.value_or(ArrayAttr()) ? ArrayRef<Attribute>(names->getValue()) : ArrayRef<Attribute>()) {
        StringRef s = cast<StringAttr>(name).getValue();
        if (!isIdentifier(s))
          return op.emitOpError("[attend_c17] '") << s << "' is no identifier; use letters, digits and _";
        if (!seen.insert(s).second)
          return op.emitOpError("[attend_c17] '") << s << "' names two reductions or columns";
      }
    return success();
  }

  bool isDimension(StringRef name) {
    return llvm::any_of(op.getDimNames(), [&](Attribute a) { return cast<StringAttr>(a).getValue() == name; });
  }

  bool overDims(AffineMap map) { return map.getNumDims() == op.numDims() && map.getNumSymbols() == 0; }

  LogicalResult normArgs() { // attend_c15
    unsigned operands = 0;
    for (unsigned n = 0; n < op.numNormArgs(); ++n) {
      Attribute value = (*op.getNormValues())[n];
      auto constant = dyn_cast<FloatAttr>(value);
      auto map = dyn_cast<AffineMapAttr>(value);
      if (!(constant && constant.getType().isF64()) && !(map && overDims(map.getValue())))
        return op.emitOpError("[attend_c15] argument ")
               << n << " of @" << op.normalizerName()
               << " is an f64 attribute, or an operand with its index map over the dimensions";
      operands += map != nullptr;
    }
    if (operands != op.getNormArgs().size())
      return op.emitOpError("[attend_c15] one operand for every argument of the normalizer that is no constant");
    for (unsigned n = 0; n < op.numNormArgs(); ++n) {
      AttendOp::NormArg arg = op.normArg(n);
      auto error = [&] {
        return op.emitOpError("[attend_c15] argument ") << n << " of @" << op.normalizerName() << " ";
      };
      if (!arg.value) {
        if (std::isnan(arg.constant))
          return error() << "is NaN";
        continue;
      }
      auto tensor = dyn_cast<RankedTensorType>(arg.value.getType());
      unsigned indices = arg.map ? arg.map.getNumResults() : 0;
      if (!tensor) {
        if (indices || arg.value.getType() != op.accumulationType())
          return error() << "is a constant, a scalar " << op.accumulationType() << " or a tensor of floats, not "
                         << arg.value.getType() << (indices ? " with indices" : "");
        continue;
      }
      if (!isNumber(tensor.getElementType()) || (int64_t)indices != tensor.getRank())
        return error() << "is a tensor of floats with one index for each axis; " << tensor << " has " << indices
                       << " indices";
      for (auto [axis, e] : llvm::enumerate(arg.map.getResults())) {
        auto a = classify(e);
        if (!a || a->dim > (int)op.queryDim() || (a->divisor != 1 && a->dim == (int)op.queryDim()))
          return error() << "has one number for each row: index it by batch dimensions, constants and '"
                         << op.dimName(op.queryDim()) << "'";
        if (a->dim < 0
                ? failed(extents.constant("a normalizer's argument", a->constant, tensor.getDimSize(axis)))
                : a->divisor == 1 && failed(extents.agree("a normalizer's argument", a->dim, tensor.getDimSize(axis))))
          return failure();
      }
    }
    return success();
  }

  /// Numbers, then one index for each dimension of `dims`; ends with a yield for which `yields` holds.
  LogicalResult region(Region &r, StringRef label, StringRef what, unsigned numbers, unsigned indices) {
    Block &block = r.front();
    Type real = op.accumulationType();
    if (block.getNumArguments() != numbers + indices)
      return op.emitOpError("[") << label << "] " << what << " takes " << numbers << " numbers and " << indices
                                 << " indices";
    for (BlockArgument arg : block.getArguments())
      if (arg.getArgNumber() < numbers ? arg.getType() != real : !arg.getType().isIndex())
        return op.emitOpError("[") << label << "] numbers in " << what << " are " << real << "; write `%x : " << real
                                   << "`";
    if (!isa<YieldOp>(block.back()))
      return op.emitOpError("[") << label << "] end " << what << " with attn.yield";
    return verifyScalarRegion(r, "attend_c9", /*loads=*/true, isComputed);
  }

  LogicalResult yieldsReal(Region &r, StringRef label, StringRef what, unsigned count) {
    Operation &yield = r.front().back();
    Type real = op.accumulationType();
    if (yield.getNumOperands() != count || llvm::any_of(yield.getOperandTypes(), [&](Type t) { return t != real; }))
      return op.emitOpError("[") << label << "] end " << what << " with " << count << " " << real;
    return success();
  }

  LogicalResult classes() { // attend_c16
    Region *r = op.classRegion();
    if (!r)
      return success();
    if (failed(region(*r, "attend_c16", "the class region", 0, op.numBatch() + 2)))
      return failure();
    Operation &yield = r->front().back();
    if (yield.getNumOperands() != 1 || !isScalar(yield.getOperand(0).getType()))
      return op.emitOpError("[attend_c16] the class region yields one index, i64 or i32");
    return success();
  }

  LogicalResult reductions() { // attend_c17
    for (unsigned n = 0; n < op.numReductions(); ++n) {
      if (int64_t kind = (*op.getReduceKinds())[n]; kind < 0 || kind > (int64_t)ReduceKind::TopK)
        return op.emitOpError("[attend_c17] a reduction is weighted, sum, max, min, argmax or topk");
      if (Region *r = op.reductionRegion(n))
        if (failed(region(*r, "attend_c17", "a reduction", 1, op.numBatch() + 2)) ||
            failed(yieldsReal(*r, "attend_c17", "a reduction", 1)))
          return failure();
    }
    return success();
  }

  LogicalResult columns() { // attend_c19
    for (unsigned n = 0; n < op.numColumns(); ++n) {
      Region *r = op.columnRegion(n);
      if (!r)
        return op.emitOpError("[attend_c19] a column has a region: `columns x = sum(%w, %s) { .. }`");
      if (failed(region(*r, "attend_c19", "a column", 2, op.numBatch() + 2)) ||
          failed(yieldsReal(*r, "attend_c19", "a column", 1)))
        return failure();
    }
    for (unsigned n = 0; n < op.numAggregates(); ++n) {
      auto type = cast<RankedTensorType>(op.getAggregated()[n].getType());
      AffineMap map = cast<AffineMapAttr>((*op.getAggregateMaps())[n]).getValue();
      if (!isNumber(type.getElementType()) || type.getElementType().isF64() != op.accumulationType().isF64() ||
          !overDims(map) || (int64_t)map.getNumResults() != type.getRank())
        return op.emitOpError(
                   "[attend_c19] what is aggregated is a tensor of floats like q, with one index for each axis, not ")
               << type;
      SmallVector<bool> used(op.numDims());
      for (auto [axis, e] : llvm::enumerate(map.getResults())) {
        auto a = classify(e);
        if (!a || a->divisor != 1 || a->dim == (int)op.keyDim() || (a->dim >= 0 && used[a->dim]))
          return op.emitOpError(
              "[attend_c19] what is aggregated is indexed by the batch dimensions, the query, a feature and "
              "constants, each dimension once");
        if (a->dim < 0 ? failed(extents.constant("an aggregate", a->constant, type.getDimSize(axis)))
                       : failed(extents.agree("an aggregate", a->dim, type.getDimSize(axis))))
          return failure();
        if (a->dim >= 0)
          used[a->dim] = true;
        if (a->dim >= (int)op.dotDim() && type.isDynamicDim(axis))
          return op.emitOpError("[attend_c3] feature '")
                 << op.dimName(a->dim) << "' of an aggregate has a dynamic extent";
      }
      unsigned features = used[op.dotDim()] + (op.valueDim() != op.dotDim() && used[op.valueDim()]);
      if (!used[op.queryDim()] || features != 1)
        return op.emitOpError("[attend_c19] what is aggregated is indexed by the query and one feature");
      for (unsigned r = 0; r < op.getNumResults(); ++r)
        for (unsigned d = op.dotDim(); d < op.numDims(); ++d)
          if (op.outName(r) == cast<StringAttr>((*op.getAggregateNames())[n]).getValue() &&
              op.outMap(r).isFunctionOfDim(d) != used[d])
            return op.emitOpError("[attend_c19] output '")
                   << op.outName(r) << "' has the feature of what is aggregated, '"
                   << op.dimName(used[op.dotDim()] ? op.dotDim() : op.valueDim()) << "', and no other";
    }
    return success();
  }

  LogicalResult epilogue() { // attend_c18
    Region *r = op.epilogueRegion();
    if (!r)
      return success();
    unsigned numbers = op.getEpilogueArgs() ? op.getEpilogueArgs()->size() : 0;
    if (failed(region(*r, "attend_c18", "the epilogue", numbers, op.epilogueDims().size())) ||
        failed(yieldsReal(*r, "attend_c18", "the epilogue", op.getEpilogueOuts()->size())))
      return failure();
    llvm::StringSet<> seen;
    for (Attribute name : op.getEpilogueOutsAttr())
      if (StringRef s = cast<StringAttr>(name).getValue(); !isIdentifier(s) || !seen.insert(s).second)
        return op.emitOpError("[attend_c18] '") << s << "' is no identifier, or named twice";
    for (unsigned n = 0; n < op.numReductions(); ++n)
      if ((op.reductionKind(n) == ReduceKind::Argmax || op.reductionKind(n) == ReduceKind::TopK) &&
          op.getEpilogueArgs() && llvm::is_contained(*op.getEpilogueArgs(), (*op.getReduceNames())[n]))
        return op.emitOpError("[attend_c18] an epilogue computes with numbers; '")
               << op.reductionName(n) << "' is a key";
    return success();
  }

  LogicalResult normalizer() { // attend_c10
    auto module = op->getParentOfType<ModuleOp>();
    auto found = module ? module.lookupSymbol<NormalizerOp>(op.normalizerName()) : NormalizerOp();
    if (!found) {
      // The library is linked by a pass; here only its names count.
      SmallVector<StringRef> library = normalizerLibraryNames();
      if (!llvm::is_contained(library, op.normalizerName()))
        return op.emitOpError("[attend_c10] there is no normalizer @")
               << op.normalizerName() << " in the module or the library, which has " << llvm::join(library, ", ");
      return success();
    }
    if (!isWellFormed(found))
      return success();
    if (found.numParams() != op.numNormArgs())
      return op.emitOpError("[attend_c15] @") << op.normalizerName() << " has " << found.numParams()
                                              << " parameters, and gets " << op.numNormArgs() << " arguments";
    bool classed = false;
    for (auto pass : found.getBody().front().getOps<PassOp>())
      for (unsigned k = 0; k < pass.numSums(); ++k)
        classed |= pass.classOf(k) >= 0;
    if (classed && !op.classRegion())
      return op.emitOpError("[attend_c16] @")
             << op.normalizerName() << " sums over classes of keys; say which: `class(j = %j) { .. }`";
    if (op.getEpilogueArgs())
      for (Attribute a : op.getEpilogueArgsAttr()) {
        StringRef name = cast<StringAttr>(a).getValue();
        bool reduced = op.getReduceNames() && llvm::is_contained(*op.getReduceNames(), a);
        if (!reduced && name != "lse" && !llvm::is_contained(found.finish().getOutNames(), a))
          return op.emitOpError("[attend_c18] '") << name << "' is no output of @" << op.normalizerName()
                                                  << ", no reduction and no dimension of the epilogue";
      }
    auto weight = [&]() -> bool {
      bool wide = false;
      for (auto [n, name] : llvm::enumerate(found.finish().getOutNames()))
        if (cast<StringAttr>(name).getValue() == "o")
          wide = found.perFeature().contains(found.finish().getBody().front().back().getOperand(n));
      return wide && !isa<SelectOp>(found.lastStep());
    };
    bool weighted = op.numColumns() || op.numAggregates();
    for (unsigned n = 0; n < op.numReductions(); ++n)
      weighted |= op.reductionKind(n) == ReduceKind::Weighted;
    if (weighted && !weight())
      return op.emitOpError("[attend_c19] @") << op.normalizerName()
                                              << " has no output o of a sum of values, so pairs have no weight; "
                                                 "reductions of it are sum, max, min, argmax and topk";
    if (asksForLse(op, found) && lseSeedOf(found).kind == LseSeed::Unknown)
      return op.emitOpError("[attend_c10] @")
             << op.normalizerName()
             << " has no output lse, and its seed is no score: its weights are not e^(s - r) in a sum over all keys, "
                "or "
                "follow from other steps; give the normalizer an lse of its own, or leave it out";
    for (unsigned r = 0; r < op.getNumResults(); ++r) {
      auto source = findOutput(op, found, op.outName(r));
      if (!source) {
        InFlightDiagnostic error = op.emitOpError("[attend_c10] @");
        error << op.normalizerName() << " has no output '" << op.outName(r) << "'; there are ";
        llvm::interleaveComma(found.finish().getOutNames(), error,
                              [&](Attribute a) { error << cast<StringAttr>(a).getValue(); });
        return error << ", reductions, columns and what the epilogue yields";
      }
      if (op.getValueless() && source->needsValues)
        return op.emitOpError("[attend_c20] output '")
               << op.outName(r) << "' depends on values, and there is no v; write `v = %v[..]`";
      if (source->kind == OutputSource::Aggregate)
        continue;
      bool wide = op.outMap(r).isFunctionOfDim(op.valueDim());
      if (op.outName(r) == "lse" && source->perFeature)
        return op.emitOpError("[attend_c5] 'lse' of @")
               << op.normalizerName() << " has one number for each value feature; name it otherwise";
      if (wide != source->perFeature)
        return op.emitOpError("[attend_c5] output '")
               << op.outName(r) << "' has one number for each "
               << (source->perFeature ? "value feature: index it by '" : "row, not for each '")
               << op.dimName(op.valueDim()) << "'";
    }
    return success();
  }

  AttendOp op;
  Extents &extents;
  function_ref<bool(Type)> isComputed;
};

} // namespace

LogicalResult attn::rules::verifyOutputs(AttendOp op, Extents &extents, function_ref<bool(Type)> isComputed) {
  return OutputVerifier(op, extents, isComputed).run();
}
