// attn.merge: which normalizers merge by their outputs, and the merge written as attn.map ops.
#include "Rules.h"

using namespace mlir;
using namespace attn;

//===--- The form ---===//

namespace {

/// Values of a finish at l = 1: r, n, numbers, or anything else.
struct AtOne {
  enum Kind { Other, Reference, Sum, Number } kind = Other;
  double number = 0;
  bool is(double x) const { return kind == Number && number == x; }
};

AtOne evaluate(Operation &op, ArrayRef<AtOne> in) {
  auto number = [](double x) { return AtOne{AtOne::Number, x}; };
  return llvm::TypeSwitch<Operation *, AtOne>(&op)
      .Case([&](arith::ConstantOp c) {
        auto value = dyn_cast<FloatAttr>(c.getValue());
        return value ? number(value.getValueAsDouble()) : AtOne();
      })
      .Case([&](arith::AddFOp) { return in[1].is(0)   ? in[0]
                                        : in[0].is(0) ? in[1]
                                                      : AtOne(); })
      .Case([&](arith::SubFOp) { return in[1].is(0) ? in[0] : AtOne(); })
      .Case([&](arith::MulFOp) { return in[1].is(1)   ? in[0]
                                        : in[0].is(1) ? in[1]
                                                      : AtOne(); })
      .Case([&](arith::DivFOp) { return in[1].is(1) ? in[0] : AtOne(); })
      .Case<math::LogOp, math::Log2Op, math::Log10Op>([&](auto) { return in[0].is(1) ? number(0) : AtOne(); })
      .Default([](Operation *) { return AtOne(); });
}

/// What a finish of (r, l, n) yields at l = 1.
SmallVector<AtOne> finishAtOne(FinishOp finish, unsigned one, unsigned value) {
  Block &block = finish.getBody().front();
  llvm::DenseMap<Value, AtOne> known;
  known[block.getArgument(0)] = {AtOne::Reference, 0};
  known[block.getArgument(1 + one)] = {AtOne::Number, 1};
  known[block.getArgument(1 + value)] = {AtOne::Sum, 0};
  SmallVector<AtOne> yielded;
  for (Operation &op : block) {
    SmallVector<AtOne> in;
    for (Value v : op.getOperands())
      in.push_back(known.lookup(v));
    if (isa<YieldOp>(op))
      return in;
    if (op.getNumResults() == 1)
      known[op.getResult(0)] = evaluate(op, in);
  }
  return yielded;
}

} // namespace

std::optional<MergeForm> attn::mergeForm(NormalizerOp normalizer, std::string &why) {
  MergeForm form;
  if (normalizer->getNumRegions() != 1 || normalizer.getBody().empty()) {
    why = "is malformed";
    return std::nullopt;
  }
  for (Operation &op : normalizer.getBody().front()) {
    if (auto pass = dyn_cast<PassOp>(op); pass && !form.pass)
      form.pass = pass;
    else if (auto finish = dyn_cast<FinishOp>(op))
      form.finish = finish;
    else {
      why = "has more than one pass: what it sums depends on all keys of a row";
      return std::nullopt;
    }
  }
  // It may not be verified itself yet; where it is malformed its own rules speak.
  if (!form.pass || !form.finish || !form.pass.getRefAttr() || form.pass->getNumRegions() < 2 ||
      form.pass.getGauge().empty() || form.pass.getRef() != Reference::Max) {
    why = "has no reference, so its outputs do not say how large its sums are";
    return std::nullopt;
  }
  if (form.pass.statRegion()) {
    why = "has statistics";
    return std::nullopt;
  }
  SmallVector<SumKind> kinds;
  for (Attribute kind : form.pass.getSumKinds())
    kinds.push_back((SumKind)cast<IntegerAttr>(kind).getInt());
  auto one = llvm::find(kinds, SumKind::One), value = llvm::find(kinds, SumKind::Value);
  if (kinds.size() != 2 || one == kinds.end() || value == kinds.end()) {
    why = "has other sums than one of `one` and one of `value`";
    return std::nullopt;
  }
  for (unsigned n = 0; n < 2; ++n)
    if (form.pass.classOf(n) >= 0 || form.pass.weightOf(n) != form.pass.weightOf(0)) {
      why = "sums over classes of keys, or several weights";
      return std::nullopt;
    }
  form.one = one - kinds.begin();
  form.value = value - kinds.begin();
  ArrayAttr names = form.finish.getOutNames();
  auto position = [&](StringRef name) {
    return std::distance(names.begin(),
                         llvm::find_if(names, [&](Attribute a) { return cast<StringAttr>(a).getValue() == name; }));
  };
  form.out = position("o");
  form.lse = position("lse");
  Block &block = form.finish.getBody().front();
  if (form.out >= names.size() || form.lse >= names.size() || block.getNumArguments() != 3 || block.empty()) {
    why = "has no outputs o and lse";
    return std::nullopt;
  }
  SmallVector<AtOne> at = finishAtOne(form.finish, form.one, form.value);
  if (form.out >= at.size() || form.lse >= at.size() || at[form.out].kind != AtOne::Sum ||
      at[form.lse].kind != AtOne::Reference) {
    why = "is no normalizer whose o is the value sum and whose lse is the reference where the sum of weights is 1";
    return std::nullopt;
  }
  return form;
}

LogicalResult attn::verifyMergeable(MergeOp op, NormalizerOp normalizer) {
  std::string why;
  if (!mergeForm(normalizer, why))
    return op.emitOpError("[merge_c4] the outputs of @") << op.getNormalizer() << " do not merge: it " << why;
  unsigned params = normalizer.getBody().getNumArguments();
  if (params != op.numNormArgs())
    return op.emitOpError("[merge_c7] @") << op.getNormalizer() << " has " << params << " parameter"
                                          << (params == 1 ? "" : "s") << " and gets " << op.numNormArgs();
  return success();
}

//===--- The expansion ---===//

namespace {

/// The maps of one merge: the reference, each part's weight and their sum for every row, then both results.
class Expansion {
public:
  Expansion(MergeOp op, const MergeForm &form)
      : op(op), form(form), b(op), loc(op.getLoc()), acc(op.accumulationType()) {
    for (AffineExpr e : op.getLseMap().getResults())
      rowDims.push_back(cast<AffineDimExpr>(e).getPosition());
    normalizer = form.pass->getParentOfType<NormalizerOp>();
    for (unsigned n = 0; n < op.numNormArgs(); ++n)
      if (AttendOp::NormArg arg = op.normArg(n); arg.value && isa<RankedTensorType>(arg.value.getType()))
        params.push_back({arg.value, arg.map});
  }

  void run() {
    const unsigned parts = op.numParts();
    Value reference = map(rowDims, lses(), rowType(), [&](OpBuilder &b, ValueRange in) {
      Value r = in[0];
      for (Value lse : in.drop_front())
        r = arith::MaximumFOp::create(b, loc, r, lse);
      if (SmallVector<Value> state = seed(b); !state.empty())
        r = arith::MaximumFOp::create(b, loc, r, state[0]);
      return r;
    });
    SmallVector<In> weights;
    for (unsigned p = 0; p < parts; ++p)
      weights.push_back(row(map(rowDims, {{op.getPartLses()[p], op.partLseMap(p)}, row(reference)}, rowType(),
                                [&](OpBuilder &b, ValueRange in) { return weight(b, in[0], in[1]); })));
    SmallVector<In> all{row(reference)};
    all.append(weights);
    Value sum = map(rowDims, all, rowType(), [&](OpBuilder &b, ValueRange in) {
      Value l = in[1];
      for (Value w : in.drop_front(2))
        l = arith::AddFOp::create(b, loc, l, w);
      return withSeed(b, in[0], l, form.one);
    });
    Value lse = map(rowDims, {row(reference), row(sum)}, op.getLse().getType(),
                    [&](OpBuilder &b, ValueRange in) { return finished(b, in[0], in[1], constant(b, 0), form.lse); });
    // n = sum of weight times o: first all weights, then all o.
    all.insert(all.begin() + 1, row(sum));
    for (unsigned p = 0; p < parts; ++p)
      all.push_back({op.getPartOuts()[p], op.partOutMap(p)});
    SmallVector<unsigned> outDims;
    for (AffineExpr e : op.getOutMap().getResults())
      outDims.push_back(cast<AffineDimExpr>(e).getPosition());
    Value out = map(outDims, all, op.getOut().getType(), [&](OpBuilder &b, ValueRange in) {
      Value n;
      for (unsigned p = 0; p < parts; ++p) {
        Value w = in[2 + p];
        Value term = arith::MulFOp::create(b, loc, w, in[2 + parts + p]);
        // A part without a share adds nothing, whatever its o is.
        Value none = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, w, constant(b, 0));
        term = arith::SelectOp::create(b, loc, none, constant(b, 0), term);
        n = n ? arith::AddFOp::create(b, loc, n, term) : term;
      }
      return finished(b, in[0], in[1], withSeed(b, in[0], n, form.value), form.out);
    });
    op.getOut().replaceAllUsesWith(out);
    op.getLse().replaceAllUsesWith(lse);
    op.erase();
  }

private:
  struct In {
    Value value;
    AffineMap map;
  };
  using Body = llvm::function_ref<Value(OpBuilder &, ValueRange)>;

  SmallVector<In> lses() {
    SmallVector<In> all;
    for (unsigned p = 0; p < op.numParts(); ++p)
      all.push_back({op.getPartLses()[p], op.partLseMap(p)});
    return all;
  }

  /// A tensor of this expansion with one number a row.
  In row(Value v) { return {v, op.getLseMap()}; }

  RankedTensorType rowType() {
    return RankedTensorType::get(cast<RankedTensorType>(op.getLse().getType()).getShape(), acc);
  }

  Value constant(OpBuilder &b, double x) { return arith::ConstantOp::create(b, loc, b.getFloatAttr(acc, x)); }
  /// x where r is above -inf, which stands for no state at all, else the number.
  Value unlessEmpty(OpBuilder &b, Value r, double otherwise, Value x) {
    Value none = constant(b, -std::numeric_limits<double>::infinity());
    Value empty = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, r, none);
    return arith::SelectOp::create(b, loc, empty, constant(b, otherwise), x);
  }

  /// A region of the normalizer, of f32, in the accumulation type.
  SmallVector<Value> clone(OpBuilder &b, Region &region, ValueRange args) {
    IRMapping mapping;
    mapping.map(region.front().getArguments(), args);
    unsigned tensor = 0;
    for (unsigned n = 0; n < op.numNormArgs(); ++n) {
      AttendOp::NormArg arg = op.normArg(n);
      bool isTensor = arg.value && isa<RankedTensorType>(arg.value.getType());
      mapping.map(normalizer.getBody().getArgument(n), isTensor    ? paramElements[tensor++]
                                                       : arg.value ? arg.value
                                                                   : constant(b, arg.constant));
    }
    for (Operation &inner : region.front().without_terminator()) {
      Operation *copy = b.clone(inner, mapping);
      if (acc.isF32())
        continue;
      for (Value result : copy->getResults())
        if (result.getType().isF32())
          result.setType(acc);
      if (auto c = dyn_cast<arith::ConstantOp>(copy); c && isa<FloatAttr>(c.getValue()))
        c.setValueAttr(b.getFloatAttr(acc, cast<FloatAttr>(c.getValue()).getValueAsDouble()));
    }
    SmallVector<Value> yielded;
    for (Value v : region.front().getTerminator()->getOperands())
      yielded.push_back(mapping.lookup(v));
    return yielded;
  }

  /// gauge(from, r); 0 where there is no state.
  Value weight(OpBuilder &b, Value from, Value r) {
    return unlessEmpty(b, from, 0, clone(b, form.pass.getGauge(), {from, r})[0]);
  }

  /// The seed's reference and sums; none where there is no seed.
  SmallVector<Value> seed(OpBuilder &b) {
    Region *region = form.pass.seedRegion();
    return region ? clone(b, *region, {}) : SmallVector<Value>();
  }

  /// The seed's share of a sum added to it.
  Value withSeed(OpBuilder &b, Value r, Value sum, unsigned which) {
    SmallVector<Value> state = seed(b);
    if (state.empty())
      return sum;
    Value share = arith::MulFOp::create(b, loc, weight(b, state[0], r), state[1 + which]);
    return arith::AddFOp::create(b, loc, sum, share);
  }

  Value finished(OpBuilder &b, Value r, Value l, Value n, unsigned output) {
    SmallVector<Value> args(3);
    args[0] = r;
    args[1 + form.one] = l;
    args[1 + form.value] = n;
    double empty = cast<FloatAttr>(form.finish.getEmpty()[output]).getValueAsDouble();
    return unlessEmpty(b, r, empty, clone(b, form.finish.getBody(), args)[output]);
  }

  /// The result goes by `outDims` in that order; dimensions of the merge that it has not are left out, and so are
  /// inputs and parameters that the body does not use.
  Value map(ArrayRef<unsigned> outDims, SmallVector<In> inputs, Type type, Body body) {
    MLIRContext *context = op.getContext();
    auto scratch = std::make_unique<Region>();
    Block &block = scratch->emplaceBlock();
    const size_t count = inputs.size();
    inputs.append(params);
    for (size_t n = 0; n < inputs.size(); ++n)
      block.addArgument(acc, loc);
    SmallVector<Value> elements(block.getArguments());
    paramElements.assign(elements.begin() + count, elements.end());
    OpBuilder inside(context);
    inside.setInsertionPointToEnd(&block);
    YieldOp::create(inside, loc, body(inside, ArrayRef<Value>(elements).take_front(count)));
    // A finish computes all outputs, of which this is one.
    for (Operation &inner : llvm::make_early_inc_range(llvm::reverse(block)))
      if (isOpTriviallyDead(&inner))
        inner.erase();

    SmallVector<AffineExpr> renamed(op.numDims(), getAffineConstantExpr(0, context));
    SmallVector<StringRef> names;
    for (auto [n, d] : llvm::enumerate(outDims)) {
      renamed[d] = getAffineDimExpr(n, context);
      names.push_back(op.dimName(d));
    }
    SmallVector<AffineMap> maps;
    SmallVector<Value> values;
    for (unsigned n = 0, kept = 0; n < inputs.size(); ++n) {
      if (block.getArgument(kept).use_empty()) {
        block.eraseArgument(kept);
        continue;
      }
      ++kept;
      maps.push_back(inputs[n].map.replaceDimsAndSymbols(renamed, {}, outDims.size(), 0));
      values.push_back(inputs[n].value);
    }
    for (unsigned n = 0; n < outDims.size(); ++n)
      block.addArgument(b.getIndexType(), loc);
    auto made = MapOp::create(b, loc, type, values, b.getStrArrayAttr(names), b.getAffineMapArrayAttr(maps),
                              AffineMapAttr::get(AffineMap::getMultiDimIdentityMap(outDims.size(), context)),
                              MapReductionAttr::get(context, MapReduction::None), b.getDenseI64ArrayAttr({}));
    made.getBody().takeBody(*scratch);
    return made.getResult();
  }

  MergeOp op;
  MergeForm form;
  NormalizerOp normalizer;
  OpBuilder b;
  Location loc;
  Type acc;
  SmallVector<unsigned> rowDims;
  SmallVector<In> params;           // those that are tensors
  SmallVector<Value> paramElements; // theirs in the map that is being made
};

struct ExpandMerge : PassWrapper<ExpandMerge, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ExpandMerge)
  StringRef getArgument() const final { return "attn-expand-merge"; }
  StringRef getDescription() const final { return "write attn.merge as attn.map ops"; }
  void runOnOperation() final {
    if (failed(linkNormalizers(getOperation())) || failed(expandMerges(getOperation())))
      signalPassFailure();
  }
};

} // namespace

LogicalResult attn::expandMerges(ModuleOp module) {
  SmallVector<MergeOp> merges;
  module.walk([&](MergeOp op) { merges.push_back(op); });
  for (MergeOp op : merges) {
    auto normalizer = module.lookupSymbol<NormalizerOp>(op.getNormalizer());
    if (!normalizer)
      return op.emitOpError("[merge_c4] there is no normalizer @") << op.getNormalizer() << " in the module";
    if (failed(verifyMergeable(op, normalizer)))
      return failure();
    std::string why;
    Expansion(op, *mergeForm(normalizer, why)).run();
  }
  return success();
}

std::unique_ptr<Pass> attn::createAttnExpandMergePass() { return std::make_unique<ExpandMerge>(); }
