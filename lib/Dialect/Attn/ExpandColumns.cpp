// --attn-expand-columns: sums over queries become attends of their own, with the roles of queries and keys exchanged.
//
//   w_ij = o of the finish, with phi(s_ij) in the place of the sum of values
//
// The attend itself then stores the state of its rows (reference, sums, statistics), and for every column an attend
// follows whose queries are the keys and whose keys are the queries. Its score region says what a pair gives: the
// score as before, from the state of row i the weight w_ij, and of that the column's f(w, s); its normalizer adds them
// up. So a key owns its sum: there are no atomics, the order is that of the queries, and which queries see a key is
// solved along the other axis.
//
// The weight is taken by the operations of the row's own last pass (see PassForm.h): the reference is stored in the
// kernel's units, and where the pass carries one, the product meets it as it does there, rounded once with the factor,
//
//   d = fma(q.k, scale log2 e, -r)        w_ij = exp2(d) / l
//
// for w_ij is 1 where a key has all the weight of its row, whatever size the scores are of.
#include "attn/Dialect/Attn/PassForm.h"

using namespace mlir;
using namespace attn;

namespace {

class Expansion {
public:
  explicit Expansion(AttendOp attend)
      : attend(attend), normalizer(lookupNormalizer(attend)), b(attend), loc(attend.getLoc()),
        real(attend.accumulationType()), nb(attend.numBatch()), contracted(attend.numParts()) {}

  LogicalResult run() {
    if (!normalizer)
      return attend.emitError("[unsupported_normalizer] @") << attend.normalizerName() << " is not linked";
    Operation *listed = nullptr;
    attend.getSet().walk([&](Operation *op) {
      if (isa<SetListOp, SetDiagonalsOp, SetCsrOp, SetBitsOp, SetRandomBlocksOp, MemberOp>(op))
        listed = op;
    });
    if (listed)
      return listed->emitError(
          "[unsupported_columns] sums over queries need the queries of a key, and a list gives the "
          "keys of a query; write the set without lists, bits and random blocks, or the columns as "
          "an attend of their own");
    auto pass = dyn_cast<PassOp>(normalizer.lastStep());
    if (!pass)
      return attend.emitError("[unsupported_columns] a selection has no weights to sum");
    auto analyzed = analyzePass(pass);
    if (failed(analyzed))
      return failure();
    form = *analyzed;
    SmallVector<Value> replacements(attend.getNumResults());
    AttendOp rows = buildRows(pass, replacements);
    for (unsigned r = 0; r < attend.getNumResults(); ++r)
      if (!replacements[r] && failed(buildColumn(rows, pass, r, replacements[r])))
        return failure();
    attend.replaceAllUsesWith(replacements);
    attend.erase();
    return success();
  }

private:
  /// The attend without its columns; as further results the state of every row. Where every result is a column, the
  /// state alone.
  AttendOp buildRows(PassOp pass, SmallVectorImpl<Value> &replacements) {
    // What the last pass's phi and the finish take of a row.
    FinishOp finish = normalizer.finish();
    Block &body = finish.getBody().front();
    SmallVector<Value> exported;
    for (unsigned n = 0; n < body.getNumArguments(); ++n)
      if (n < (unsigned)pass.hasRef() || pass.kindOf(n - pass.hasRef()) != SumKind::Value)
        exported.push_back(body.getArgument(n));
    for (Operation &step : llvm::drop_end(normalizer.getBody().front()))
      for (Value stat : step.getResults())
        exported.push_back(stat);

    NormalizerOp own;
    {
      OpBuilder at(normalizer);
      at.setInsertionPointAfter(normalizer);
      IRMapping map;
      own = cast<NormalizerOp>(at.clone(*normalizer, map));
      own.setSymName(unique(normalizer.getSymName()));
      own->setAttr(kExportsState, b.getUnitAttr());
      FinishOp ownFinish = own.finish();
      SmallVector<Attribute> names(ownFinish.getOutNames().begin(), ownFinish.getOutNames().end());
      SmallVector<double> empty;
      for (Attribute e : ownFinish.getEmpty())
        empty.push_back(cast<FloatAttr>(e).getValueAsDouble());
      SmallVector<Value> yields(ownFinish.getBody().front().back().getOperands());
      for (auto [n, v] : llvm::enumerate(exported)) {
        stateNames.push_back("state" + std::to_string(n));
        names.push_back(b.getStringAttr(stateNames.back()));
        empty.push_back(0);
        yields.push_back(map.lookup(v));
        states.push_back(v);
      }
      ownFinish.setOutNamesAttr(b.getArrayAttr(names));
      ownFinish.setEmptyAttr(b.getF64ArrayAttr(empty));
      ownFinish.getBody().front().back().setOperands(yields);
    }

    SmallVector<Type> types;
    SmallVector<Attribute> names, maps;
    SmallVector<unsigned> kept;
    for (unsigned r = 0; r < attend.getNumResults(); ++r) {
      auto source = *findOutput(attend, normalizer, attend.outName(r));
      if (source.kind == OutputSource::Column || source.kind == OutputSource::Aggregate)
        continue;
      kept.push_back(r);
      types.push_back(attend.getResult(r).getType());
      names.push_back(attend.getOutNames()[r]);
      maps.push_back(attend.getOutMaps()[r]);
    }
    SmallVector<AffineExpr> row;
    for (unsigned d = 0; d <= nb; ++d)
      row.push_back(b.getAffineDimExpr(d));
    Type stateType = RankedTensorType::get(SmallVector<int64_t>(nb + 1, ShapedType::kDynamic), real);
    for (StringRef name : stateNames) {
      types.push_back(stateType);
      names.push_back(b.getStringAttr(name));
      maps.push_back(AffineMapAttr::get(AffineMap::get(attend.numDims(), 0, row, b.getContext())));
    }

    OperationState state(loc, AttendOp::getOperationName());
    state.addTypes(types);
    for (unsigned segment = 0; segment < kSegments; ++segment)
      if (segment != kAggregated)
        llvm::append_range(state.operands, attend.getODSOperands(segment));
    NamedAttrList attributes(attend->getAttrs());
    auto sizes = llvm::to_vector(attend.getProperties().operandSegmentSizes);
    sizes[kAggregated] = 0;
    attributes.set("operandSegmentSizes", b.getDenseI32ArrayAttr(sizes));
    attributes.set("normalizer", FlatSymbolRefAttr::get(own.getSymNameAttr()));
    attributes.set("out_names", b.getArrayAttr(names));
    attributes.set("out_maps", b.getArrayAttr(maps));
    for (StringRef name : {"column_names", "aggregate_names", "aggregate_maps"})
      attributes.erase(name);
    state.addAttributes(attributes);
    // Set, score, class, epilogue and reductions; then, behind those of the columns, what belongs to operands.
    unsigned columns = 4 + attend.numReductions(), operands = columns + attend.numColumns();
    bool more = attend.classRegion() || attend.epilogueRegion() || attend.numReductions() || hasOperandRegions();
    for (unsigned n = 0; n < (more ? attend->getNumRegions() : 2); ++n) {
      if (n >= columns && (n < operands || !hasOperandRegions()))
        continue;
      IRMapping map;
      attend->getRegion(n).cloneInto(state.addRegion(), map);
    }
    auto rows = cast<AttendOp>(b.create(state));
    for (auto [n, r] : llvm::enumerate(kept))
      replacements[r] = rows.getResult(n);
    stateTensors.append(rows->result_begin() + kept.size(), rows->result_end());
    return rows;
  }

  bool hasOperandRegions() {
    for (unsigned n = 0; n < 4 + attend.getParts().size(); ++n)
      if (attend.operandRegion(n))
        return true;
    return false;
  }

  /// Dimension d of the attend in the other one: query and key change places, features stay, or are all `feature`.
  AffineMap exchanged(AffineMap map, unsigned feature = 0) {
    SmallVector<AffineExpr> dims;
    for (unsigned d = 0; d < map.getNumDims(); ++d)
      dims.push_back(b.getAffineDimExpr(d == nb ? nb + 1 : d == nb + 1 ? nb : d > nb && feature ? feature : d));
    return map.replaceDimsAndSymbols(dims, {}, numDims, 0);
  }

  /// The regions of q and k, of values, which there are none of, and of the contraction, exchanged.
  void buildOperandRegions(OperationState &state) {
    if (!hasOperandRegions())
      return;
    for (unsigned n = 0; n < 4 + attend.getParts().size(); ++n) {
      Region *to = state.addRegion(), *from = n == 2 ? nullptr : attend.operandRegion(n == 3 ? 3 : n ^ 1);
      if (!from)
        continue;
      IRMapping map;
      from->cloneInto(to, map);
      if (n != 3)
        continue;
      Block &block = to->front();
      Value y = block.insertArgument(0u, real, loc); // (y, x, y', indices)
      block.getArgument(2).replaceAllUsesWith(y);
      block.eraseArgument(2);
    }
  }

  LogicalResult buildColumn(AttendOp rows, PassOp pass, unsigned r, Value &result) {
    auto source = *findOutput(attend, normalizer, attend.outName(r));
    bool aggregate = source.kind == OutputSource::Aggregate;
    // A number for each key needs no values; where operands are plain, the queries stand for them.
    bool valueless = !aggregate && !attend.hasPlainOperands();
    unsigned value = nb + 2 + contracted;
    numDims = value + (valueless ? 0 : 1);
    Value u = aggregate ? attend.getAggregated()[source.index] : attend.getQ();
    AffineMap uMap = aggregate
                         ? exchanged(cast<AffineMapAttr>((*attend.getAggregateMaps())[source.index]).getValue(), value)
                         : exchanged(attend.getQMap(), valueless ? 0 : value);
    // Names: batch, key, query, the contracted features, and what is summed.
    SmallVector<Attribute> names(attend.getDimNames().getValue().take_front(nb + 2 + contracted));
    std::swap(names[nb], names[nb + 1]);
    if (!valueless)
      names.push_back(b.getStringAttr(freshDim()));

    OperationState state(loc, AttendOp::getOperationName());
    state.addTypes(attend.getResult(r).getType());
    state.addOperands({attend.getK(), attend.getQ(), u});
    SmallVector<int32_t> sizes(kSegments, 0);
    sizes[0] = sizes[1] = sizes[2] = 1; // and no scale, which is the score region's
    if (attend.getFirst()) {
      state.addOperands(attend.getFirst());
      sizes[4] = 1;
    }
    SmallVector<Attribute> partMaps;
    for (unsigned n = 0; n < attend.getParts().size(); ++n) {
      state.addOperands(attend.getParts()[n ^ 1]);
      partMaps.push_back(AffineMapAttr::get(exchanged(cast<AffineMapAttr>((*attend.getPartMaps())[n ^ 1]).getValue())));
    }
    sizes[kParts] = partMaps.size();
    auto set = [&](StringRef name, Attribute a) {
      if (a)
        state.addAttribute(name, a);
    };
    if (!partMaps.empty())
      set("part_maps", b.getArrayAttr(partMaps));
    if (auto extents = attend.getFeatureExtents()) {
      SmallVector<int64_t> own(extents->take_front(contracted));
      own.resize(numDims - nb - 2, 0);
      set("feature_extents", b.getDenseI64ArrayAttr(own));
    }
    if (valueless)
      set("valueless", b.getUnitAttr());
    set("operandSegmentSizes", b.getDenseI32ArrayAttr(sizes));
    set("scale_value", b.getF64FloatAttr(1));
    set("first_value", attend.getFirstValueAttr());
    set("query_grid", attend.getKeyGridAttr());
    set("key_grid", attend.getQueryGridAttr());
    set("dim_names", b.getArrayAttr(names));
    set("num_batch", attend.getNumBatchAttr());
    set("q_map", AffineMapAttr::get(exchanged(attend.getKMap())));
    set("k_map", AffineMapAttr::get(exchanged(attend.getQMap())));
    set("v_map", AffineMapAttr::get(uMap));
    set("out_names", b.getStrArrayAttr({"o"}));
    set("out_maps", b.getAffineMapArrayAttr({exchanged(attend.outMap(r), value)}));
    set("normalizer", FlatSymbolRefAttr::get(b.getContext(), "identity"));
    set(kExchanged, b.getUnitAttr());
    if (!aggregate) { // a number for each key
      set("reduce_names", b.getStrArrayAttr({"o"}));
      set("reduce_kinds", b.getDenseI64ArrayAttr({(int64_t)ReduceKind::Sum}));
    }
    buildSet(*state.addRegion());
    if (failed(buildScore(*state.addRegion(), rows, pass, aggregate ? nullptr : attend.columnRegion(source.index))))
      return failure();
    for (unsigned n = 0; n < (aggregate ? hasOperandRegions() ? 2 : 0 : 3); ++n)
      state.addRegion(); // class, epilogue, the reduction of the score itself
    buildOperandRegions(state);
    result = b.create(state)->getResult(0);
    return success();
  }

  /// The set as it is; maps and regions of `where` by the dimensions of the other attend.
  void buildSet(Region &region) {
    if (attend.getSet().empty())
      return;
    IRMapping map;
    attend.getSet().cloneInto(&region, map);
    region.walk([&](Operation *op) {
      if (auto mask = dyn_cast<SetMaskOp>(op))
        mask.setMap(exchanged(mask.getMap()));
      if (auto where = dyn_cast<SetWhereOp>(op)) {
        Block &block = where.getBody().front();
        BlockArgument i = block.getArgument(nb), j = block.getArgument(nb + 1);
        Value first = block.addArgument(i.getType(), loc), second = block.addArgument(i.getType(), loc);
        i.replaceAllUsesWith(second);
        j.replaceAllUsesWith(first);
        block.eraseArguments(nb, 2);
      }
    });
  }

  /// Clones a region's body, f32 of a normalizer becoming the accumulation type; returns what it yields.
  SmallVector<Value> inlined(OpBuilder &at, Block &body, IRMapping &map, bool retype) {
    for (Operation &op : body.without_terminator()) {
      Operation *copy = at.clone(op, map);
      if (!retype || real.isF32())
        continue;
      for (OpResult r : copy->getResults())
        if (r.getType().isF32())
          r.setType(real);
      if (auto constant = dyn_cast<arith::ConstantOp>(copy))
        if (auto value = dyn_cast<FloatAttr>(constant.getValue()); value && value.getType().isF32())
          constant.setValueAttr(b.getFloatAttr(real, value.getValueAsDouble()));
    }
    SmallVector<Value> results;
    for (Value v : body.getTerminator()->getOperands())
      results.push_back(map.lookupOrDefault(v));
    return results;
  }

  /// (dot, batch.., j, i) -> what the pair gives; -inf, which is absent, where the score is.
  LogicalResult buildScore(Region &region, AttendOp rows, PassOp pass, Region *column) {
    SmallVector<Type> types(nb + 3, b.getIndexType());
    types[0] = real;
    OpBuilder at(b.getContext());
    Block *block = at.createBlock(&region, {}, types, SmallVector<Location>(types.size(), loc));
    // The indices of the text: batch, query, key.
    SmallVector<Value> indices;
    for (unsigned d = 0; d < nb; ++d)
      indices.push_back(block->getArgument(1 + d));
    indices.push_back(block->getArgument(nb + 2));
    indices.push_back(block->getArgument(nb + 1));
    auto number = [&](double x) -> Value { return arith::ConstantOp::create(at, loc, at.getFloatAttr(real, x)); };
    auto times = [&](Value x, Value y) -> Value { return arith::MulFOp::create(at, loc, x, y); };
    // The scale, or that times the unit of the kernel's scores, as lowering has it.
    auto scale = [&](double unit) -> Value {
      if (!attend.getScale())
        return number(scaleOf(attend) * unit);
      Value given = scaleIn(at, attend.getScale(), real);
      return unit == 1 ? given : times(given, number(unit));
    };

    Value product = block->getArgument(0), s = product;
    bool scales = attend.getScale() || scaleOf(attend) != 1;
    if (scales)
      s = times(product, scale(1));
    if (!attend.getScore().empty()) {
      IRMapping map;
      map.map(attend.getScore().getArgument(0), s);
      for (auto [n, v] : llvm::enumerate(indices))
        map.map(attend.getScore().getArgument(1 + n), v);
      s = inlined(at, attend.getScore().front(), map, false)[0];
    }
    IRMapping map; // values of the normalizer
    ArrayRef<Value> row = ArrayRef<Value>(indices).take_front(nb + 1);
    for (auto [value, tensor] : llvm::zip(states, stateTensors))
      map.map(value, attn::LoadOp::create(at, loc, real, tensor, row));
    for (unsigned n = 0; n < attend.numNormArgs(); ++n)
      map.map(normalizer.getBody().getArgument(n), parameter(at, attend.normArg(n), indices));
    Block &phi = pass.getPhi().front(), &finish = normalizer.finish().getBody().front();
    map.map(phi.getArgument(0), s);
    SmallVector<Value> weights;
    if (!pass.hasRef()) {
      weights = inlined(at, phi, map, true);
    } else {
      Value r = map.lookup(finish.getArgument(0)), d;
      if (form.exact)
        d = arith::SubFOp::create(at, loc, s, r);
      else if (attend.getScore().empty())
        d = distance(at, product, scale(form.unit()), r);
      else
        d = form.base2 ? distance(at, s, number(kLog2e), r) : arith::SubFOp::create(at, loc, s, r).getResult();
      Region ofDistance;
      IRMapping own;
      pass.getPhi().cloneInto(&ofDistance, own);
      Block &body = ofDistance.front();
      foldDistance(body, body.getArgument(0), body.getArgument(1));
      if (form.base2) {
        toBase2(at, body.getArguments());
        map.map(finish.getArgument(0), times(r, number(kLn2)));
      }
      map.map(body.getArgument(0), d);
      map.map(body.getArgument(1), r);
      weights = inlined(at, body, map, true);
    }

    Value label;
    if (Region *classes = attend.classRegion()) {
      IRMapping of;
      for (auto [n, v] : llvm::enumerate(indices))
        of.map(classes->getArgument(n), v);
      label = inlined(at, classes->front(), of, false)[0];
    }
    for (unsigned n = 0; n < pass.numSums(); ++n) {
      if (pass.kindOf(n) != SumKind::Value)
        continue;
      Value w = weights[pass.weightOf(n)];
      if (pass.classOf(n) >= 0) {
        Value cls = arith::ConstantOp::create(at, loc, at.getIntegerAttr(label.getType(), pass.classOf(n)));
        Value in = arith::CmpIOp::create(at, loc, arith::CmpIPredicate::eq, label, cls);
        w = arith::SelectOp::create(at, loc, in, w, number(0));
      }
      map.map(finish.getArgument(n + pass.hasRef()), w);
    }
    unsigned o = 0;
    for (auto [n, name] : llvm::enumerate(normalizer.finish().getOutNames()))
      if (cast<StringAttr>(name).getValue() == "o")
        o = n;
    Value w = inlined(at, finish, map, true)[o];
    if (column) {
      IRMapping of;
      of.map(column->getArgument(0), w);
      of.map(column->getArgument(1), s);
      for (auto [n, v] : llvm::enumerate(indices))
        of.map(column->getArgument(2 + n), v);
      w = inlined(at, column->front(), of, false)[0];
    }
    Value absent = number(-std::numeric_limits<double>::infinity());
    Value isAbsent = arith::CmpFOp::create(at, loc, arith::CmpFPredicate::OEQ, s, absent);
    YieldOp::create(at, loc, arith::SelectOp::create(at, loc, isAbsent, absent, w).getResult());
    return success();
  }

  /// x factor - r: rounded once, as code for score regions contracts it; where r is so large that the row's pass rounds
  /// the score before it takes r off (its absolute mode, see Raise.cpp), so does this.
  Value distance(OpBuilder &at, Value x, Value factor, Value r) {
    auto number = [&](double v) -> Value { return arith::ConstantOp::create(at, loc, at.getFloatAttr(real, v)); };
    Value size = math::AbsFOp::create(at, loc, r);
    Value large = arith::CmpFOp::create(at, loc, arith::CmpFPredicate::OGE, size, number(largeReference(real)));
    auto unless = [&](Value condition, Value a, Value b) -> Value {
      return arith::SelectOp::create(at, loc, condition, b, a);
    };
    Value whole = unless(large, number(0), arith::MulFOp::create(at, loc, x, factor));
    Value rest = arith::SubFOp::create(at, loc, whole, r);
    Value product = arith::MulFOp::create(at, loc, unless(large, x, number(0)), factor);
    return arith::AddFOp::create(at, loc, product, rest);
  }

  Value parameter(OpBuilder &at, AttendOp::NormArg arg, ArrayRef<Value> indices) {
    if (!arg.value)
      return arith::ConstantOp::create(at, loc, at.getFloatAttr(real, arg.constant));
    auto tensor = dyn_cast<RankedTensorType>(arg.value.getType());
    if (!tensor)
      return arg.value;
    SmallVector<Value> at_;
    for (AffineExpr e : arg.map.getResults()) {
      if (auto constant = dyn_cast<AffineConstantExpr>(e)) {
        at_.push_back(arith::ConstantOp::create(at, loc, at.getIndexAttr(constant.getValue())));
        continue;
      }
      auto binary = dyn_cast<AffineBinaryOpExpr>(e);
      Value index = indices[cast<AffineDimExpr>(binary ? binary.getLHS() : e).getPosition()];
      if (binary) {
        Value by =
            arith::ConstantOp::create(at, loc, at.getIndexAttr(cast<AffineConstantExpr>(binary.getRHS()).getValue()));
        index = arith::FloorDivSIOp::create(at, loc, index, by);
      }
      at_.push_back(index);
    }
    Value x = attn::LoadOp::create(at, loc, tensor.getElementType(), arg.value, at_);
    if (tensor.getElementType().getIntOrFloatBitWidth() < real.getWidth())
      x = arith::ExtFOp::create(at, loc, real, x);
    return x;
  }

  std::string freshDim() {
    std::string name = "u";
    while (llvm::any_of(attend.getDimNames(), [&](Attribute a) { return cast<StringAttr>(a).getValue() == name; }))
      name += "_";
    return name;
  }

  StringAttr unique(StringRef name) {
    auto module = attend->getParentOfType<ModuleOp>();
    std::string candidate = (name + "__rows").str();
    while (module.lookupSymbol(candidate))
      candidate += "_";
    return b.getStringAttr(candidate);
  }

  AttendOp attend;
  NormalizerOp normalizer;
  PassForm form; // of the last pass
  OpBuilder b;
  Location loc;
  FloatType real;
  unsigned nb, contracted;
  unsigned numDims = 0; // of the attend that is being built
  // Segments of an attend's operands.
  static constexpr unsigned kAggregated = 8, kParts = 9, kSegments = 11;
  std::vector<std::string> stateNames;
  SmallVector<Value> states, stateTensors; // values of the normalizer, and where they are stored
};

struct ExpandColumns : PassWrapper<ExpandColumns, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ExpandColumns)
  StringRef getArgument() const final { return "attn-expand-columns"; }
  StringRef getDescription() const final { return "write sums over queries as attends with exchanged roles"; }
  void runOnOperation() final {
    SmallVector<AttendOp> found;
    getOperation().walk([&](AttendOp op) {
      if (op.numColumns() || op.numAggregates())
        found.push_back(op);
    });
    for (AttendOp op : found)
      if (failed(Expansion(op).run()))
        return signalPassFailure();
    if (!found.empty() && failed(linkNormalizers(getOperation())))
      signalPassFailure();
  }
};

} // namespace

std::unique_ptr<Pass> attn::createAttnExpandColumnsPass() { return std::make_unique<ExpandColumns>(); }
