// Rules of what an attend reads: q, k and v, their parts and regions, the bilinear tensor, the dot region (attend_c2 to
// attend_c4, attend_c6, attend_c8, attend_c20 to attend_c23).
#include "AttendRules.h"

using namespace mlir;
using namespace attn;
using namespace attn::rules;

namespace {

RankedTensorType typeOf(Value v) { return cast<RankedTensorType>(v.getType()); }

bool isReal(Type t) { return isNumber(t) || isByteFloat(t); }
bool isInteger(Type t) {
  return t.isSignlessInteger(1) || t.isSignlessInteger(8) || t.isSignlessInteger(32) || t.isSignlessInteger(64);
}

/// One of q, k, v or their parts, as the rules name it.
struct Named {
  AttendOp::Operand x;
  std::string name;
  SmallVector<bool> used; // by dimension: indexed by it
};

class OperandVerifier {
public:
  OperandVerifier(AttendOp op, Extents &extents) : op(op), extents(extents) {
    for (unsigned n = 0; n < op.numParts(); ++n) {
      add(op.qPart(n), "q", n);
      add(op.kPart(n), "k", n);
    }
    if (!op.getValueless())
      add(op.vPart(), "v", 0);
  }

  LogicalResult run() {
    extents.written();
    for (Named &o : all)
      if (failed(map(o)))
        return failure();
    if (op.getValueless() && (op.getV() != op.getK() || op.getVMap() != op.getKMap()))
      return op.emitOpError("[attend_c20] without v k stands for it");
    for (Named &o : all)
      if (failed(indices(o)))
        return failure();
    if (failed(bilinear()))
      return failure();
    for (unsigned f = op.dotDim(); f < op.numDims(); ++f)
      if (extents.of(f) < 1)
        return op.emitOpError("[attend_c3] feature '") << op.dimName(f) << "' must have a static extent of at least 1";
    return success();
  }

  LogicalResult types() { // attend_c8
    for (Named &o : all) {
      Type t = typeOf(o.x.tensor).getElementType();
      if (isReal(t) || (isInteger(t) && o.x.region))
        continue;
      InFlightDiagnostic error = op.emitOpError("[attend_c8] ") << o.name << " has element type " << t << "; ";
      if (isInteger(t))
        return error << "a region makes numbers of integers: `" << o.name.front() << " = %x[..] as (%n : " << t
                     << ") { .. attn.yield %y : f32 }`";
      return error << "there are f64, f32, bf16, f16, f8E4M3FN, f8E5M2, and with a region i64, i32, i8, i1";
    }
    if (op.getBilinear() && !isReal(typeOf(op.getBilinear()).getElementType()))
      return op.emitOpError("[attend_c8] the bilinear tensor is one of floats, not ") << op.getBilinear().getType();
    return success();
  }

  LogicalResult regions(function_ref<bool(Type)> isComputed) {
    for (Named &o : all) {
      if (!o.x.region)
        continue;
      Type element = typeOf(o.x.tensor).getElementType();
      if (failed(region(*o.x.region, "attend_c21", "the region of " + o.name,
                        isInteger(element) ? element : op.accumulationType(), 1, op.numBatch() + 2, isComputed)))
        return failure();
    }
    if (Region *dot = op.dotRegion())
      if (failed(region(*dot, "attend_c23", "the dot region", op.accumulationType(), 2, op.numBatch() + 1, isComputed)))
        return failure();
    return op->hasAttr(kExchanged) ? success() : counted();
  }

private:
  void add(const AttendOp::Operand &x, StringRef name, unsigned part) {
    all.push_back({x, part ? (name + ", part " + Twine(part)).str() : name.str(), {}});
  }

  InFlightDiagnostic error(StringRef label, const Named &o) {
    return op.emitOpError("[") << label << "] " << o.name << " ";
  }

  /// attend_c3, attend_c6: a feature has the extent of the axis where dims does not write it, and at most that where it
  /// does.
  LogicalResult feature(StringRef what, Axis a, int64_t extent) {
    StringRef name = op.dimName(a.dim);
    if (ShapedType::isDynamic(extent))
      return op.emitOpError("[attend_c3] feature '")
             << name << "' of " << what << " has a dynamic extent; write it in the type, e.g. tensor<?x?x64xf32>";
    bool written = op.getFeatureExtents() && (*op.getFeatureExtents())[a.dim - op.dotDim()] > 0;
    if (!written && (a.divisor != 1 || a.offset))
      return op.emitOpError("[attend_c21] ") << what << " does not say by this index what the extent of '" << name
                                             << "' is; write it: dims(.. | " << name << " = 64)";
    if (!written)
      return extents.agree(what, a.dim, extent);
    int64_t needed = llvm::divideCeil(extents.of(a.dim), a.divisor) + a.offset;
    if (needed <= extent)
      return success();
    return op.emitOpError("[attend_c6] the axis of ")
           << what << " that '" << name << "' indexes has extent " << extent << " and needs " << needed;
  }

  /// attend_c2: the map covers each axis; static extents agree, every dimension at most once.
  LogicalResult map(Named &o) {
    RankedTensorType tensor = typeOf(o.x.tensor);
    AffineMap m = o.x.map;
    o.used.assign(op.numDims(), false);
    if (m.getNumDims() != op.numDims() || m.getNumSymbols() != 0 || (int64_t)m.getNumResults() != tensor.getRank())
      return op.emitOpError("[attend_c2] ")
             << o.name << " has rank " << tensor.getRank() << " and " << m.getNumResults() << " indices";
    for (auto [axis, e] : llvm::enumerate(m.getResults())) {
      auto a = classifyOperand(e);
      bool isToken = a && a->dim >= (int)op.queryDim() && a->dim <= (int)op.keyDim();
      bool isFeature = a && a->dim >= (int)op.dotDim(), divided = isToken && a->divisor != 1 && !o.x.region;
      if (!a || (a->offset && !isFeature) || divided) {
        InFlightDiagnostic error = op.emitOpError("[attend_c2] index ");
        error << axis << " of " << o.name
              << " must be a dimension, a constant, or a batch dimension floordiv a constant; ";
        if (divided)
          return error << "'" << op.dimName(a->dim) << " floordiv " << a->divisor
                       << "' needs a region, which says what the element is to each token: `as (%x, "
                       << op.dimName(a->dim) << " = %t) {..}`";
        return error << "operands also have their token floordiv a constant, and a feature floordiv or + a constant";
      }
      int64_t extent = tensor.getDimSize(axis);
      if (a->dim < 0) {
        if (failed(extents.constant(o.name, a->constant, extent)))
          return failure();
        continue;
      }
      if (o.used[a->dim])
        return op.emitOpError("[attend_c4] ") << o.name << " is indexed twice by '" << op.dimName(a->dim) << "'";
      o.used[a->dim] = true;
      if (failed(isFeature         ? feature(o.name, *a, extent)
                 : a->divisor == 1 ? extents.agree(o.name, a->dim, extent)
                 : isToken         ? extents.quotient(o.name, a->dim, a->divisor, extent)
                                   : success()))
        return failure();
    }
    return success();
  }

  LogicalResult need(Named &o, unsigned dim, bool wanted) {
    if (o.used[dim] == wanted)
      return success();
    return error("attend_c4", o) << (wanted ? "must be" : "may not be") << " indexed by '" << op.dimName(dim) << "'";
  }

  LogicalResult indices(Named &o) {
    for (unsigned dim : {op.queryDim(), op.keyDim()})
      if (dim == o.x.token ? !o.x.region && failed(need(o, dim, true)) : failed(need(o, dim, false)))
        return failure();
    unsigned f = o.x.feature;
    if (!o.x.region && failed(need(o, f, true)))
      return failure();
    for (unsigned other = op.dotDim(); other < op.numDims(); ++other)
      if (other != f && failed(need(o, other, false)))
        return failure();
    if (!o.used[f] && (!op.getFeatureExtents() || (*op.getFeatureExtents())[f - op.dotDim()] < 1))
      return error("attend_c21", o) << "is not indexed by '" << op.dimName(f)
                                    << "', so its extent is written: dims(.. | " << op.dimName(f) << " = 64)";
    return success();
  }

  LogicalResult bilinear() { // attend_c23
    if (!op.getBilinear())
      return success();
    RankedTensorType tensor = typeOf(op.getBilinear());
    AffineMap m = *op.getBilinearMap();
    const StringRef what = "the bilinear tensor";
    if (m.getNumDims() != op.numDims() || m.getNumSymbols() != 0 || (int64_t)m.getNumResults() != tensor.getRank())
      return op.emitOpError("[attend_c23] ")
             << what << " has rank " << tensor.getRank() << " and " << m.getNumResults() << " indices";
    SmallVector<bool> used(op.numDims());
    for (auto [axis, e] : llvm::enumerate(m.getResults())) {
      auto a = classify(e);
      bool isFeature = a && a->dim >= (int)op.dotDim();
      bool known =
          a && (a->dim < (int)op.numBatch() || (a->divisor == 1 && isFeature && a->dim < (int)op.dotDim() + 2));
      if (!known || (a->dim >= 0 && used[a->dim]))
        return op.emitOpError("[attend_c23] ")
               << what << " is indexed by batch dimensions (also floordiv), constants, '" << op.dimName(op.dotDim())
               << "' and '" << op.dimName(op.dotDim() + 1) << "', each once";
      int64_t extent = tensor.getDimSize(axis);
      if (a->dim >= 0)
        used[a->dim] = true;
      if (failed(a->dim < 0        ? extents.constant(what, a->constant, extent)
                 : isFeature       ? feature(what, *a, extent)
                 : a->divisor == 1 ? extents.agree(what, a->dim, extent)
                                   : success()))
        return failure();
    }
    for (unsigned f : {op.dotDim(), op.dotDim() + 1})
      if (!used[f])
        return op.emitOpError("[attend_c23] ") << what << " must be indexed by '" << op.dimName(f) << "'";
    return success();
  }

  LogicalResult region(Region &r, StringRef label, const std::string &what, Type number, unsigned numbers,
                       unsigned numIndices, function_ref<bool(Type)> isComputed) {
    Block &block = r.front();
    if (block.getNumArguments() != numbers + numIndices)
      return op.emitOpError("[") << label << "] " << what << " takes " << numbers << " numbers and " << numIndices
                                 << " indices";
    for (BlockArgument arg : block.getArguments())
      if (arg.getArgNumber() < numbers ? arg.getType() != number : !arg.getType().isIndex())
        return op.emitOpError("[") << label << "] " << what << " takes " << number << "; write `%x : " << number << "`";
    Type real = op.accumulationType();
    auto yield = dyn_cast<YieldOp>(block.back());
    if (!yield || yield.getNumOperands() != 1 || yield.getOperand(0).getType() != real)
      return op.emitOpError("[") << label << "] end " << what << " with `attn.yield %y : " << real << "`";
    return verifyScalarRegion(r, "attend_c9", /*loads=*/true, isComputed);
  }

  /// attend_c4: an input says how many tokens there are, and how many indices of each batch dimension.
  LogicalResult counted() {
    SmallVector<bool> given(op.dotDim());
    auto plain = [&](AffineMap m) {
      for (AffineExpr e : m.getResults())
        if (auto dim = dyn_cast<AffineDimExpr>(e); dim && dim.getPosition() < op.dotDim())
          given[dim.getPosition()] = true;
    };
    auto perBatch = [&](Value v) { // lengths, and what is given like them
      if (v && isa<RankedTensorType>(v.getType()) && op.numBatch())
        given[0] = true;
    };
    for (Named &o : all) {
      plain(o.x.map);
      for (unsigned dim : {op.queryDim(), op.keyDim()})
        given[dim] = given[dim] || o.used[dim];
    }
    if (op.getBilinear())
      plain(*op.getBilinearMap());
    for (unsigned n = 0; n < op.numNormArgs(); ++n)
      if (AttendOp::NormArg arg = op.normArg(n); arg.map)
        plain(arg.map);
    if (ArrayAttr maps = op.getAggregateMapsAttr())
      for (Attribute a : maps)
        plain(cast<AffineMapAttr>(a).getValue());
    op->walk([&](Operation *inner) {
      TypeSwitch<Operation *>(inner)
          .Case<SetMaskOp, SetListOp, SetDiagonalsOp, SetCsrOp, SetBitsOp>([&](auto o) { plain(o.getMap()); })
          .Case<SetSegmentOp, SetSharedPrefixOp>([&](auto o) {
            given[op.queryDim()] = given[op.keyDim()] = true;
            if (cast<RankedTensorType>(o.getQ().getType()).getRank() == 2)
              perBatch(o.getQ());
          })
          .Case<SetPrefixOp, SetGlobalOp, SetSinksOp>([&](auto o) { perBatch(o.getLength()); })
          .Case<SetLengthsOp>([&](SetLengthsOp o) { perBatch(o.getQ() ? o.getQ() : o.getK()); })
          .Case<SetCausalOp, SetWindowOp, SetDilatedOp, SetNotSelfOp, SetBlockCausalOp>(
              [&](auto o) { perBatch(o.getQLengths()); })
          .Case<LoadOp, MemberOp>([&](auto o) {
            for (Value index : o.getIndices())
              if (auto arg = dyn_cast<BlockArgument>(index))
                if (int dim = op.dimOf(arg); dim >= 0 && dim < (int)op.dotDim())
                  given[dim] = true;
          });
    });
    for (unsigned dim = 0; dim < op.dotDim(); ++dim) {
      if (given[dim])
        continue;
      bool token = dim >= op.numBatch();
      return op.emitOpError("[attend_c4] no input says how many ")
             << (token ? "tokens '" : "indices '") << op.dimName(dim)
             << "' has: index an axis of an operand or of a captured tensor by '" << op.dimName(dim)
             << (token ? "', or one of an operand by it floordiv a constant" : "' alone");
    }
    return success();
  }

  AttendOp op;
  Extents &extents;
  SmallVector<Named, 4> all;
};

} // namespace

LogicalResult attn::rules::verifyOperandCounts(AttendOp op) {
  unsigned maps = op.getPartMaps() ? op.getPartMaps()->size() : 0;
  if (op.getParts().size() % 2 || op.getParts().size() != maps)
    return op.emitOpError("[attend_c22] further parts come in pairs, one of q and one of k, and each has a map");
  if (!op.getBilinear() != !op.getBilinearMap())
    return op.emitOpError("[attend_c23] a bilinear tensor has a map");
  if (op.getBilinear() && op.dotRegion())
    return op.emitOpError("[attend_c23] with a bilinear tensor the score is its sum; leave dot out, or the tensor");
  if (op.numParts() > 1 && (op.getBilinear() || op.dotRegion()))
    return op.emitOpError("[attend_c22] with a bilinear tensor or a dot region q and k have one part");
  return success();
}

LogicalResult attn::rules::verifyOperands(AttendOp op, Extents &extents) { return OperandVerifier(op, extents).run(); }

LogicalResult attn::rules::verifyOperandTypes(AttendOp op) {
  Extents none(op);
  return OperandVerifier(op, none).types();
}

LogicalResult attn::rules::verifyOperandRegions(AttendOp op, Extents &extents, function_ref<bool(Type)> isComputed) {
  OperandVerifier verifier(op, extents);
  return failure(failed(verifier.run()) || failed(verifier.regions(isComputed)));
}
