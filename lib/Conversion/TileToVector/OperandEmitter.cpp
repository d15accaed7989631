#include "OperandEmitter.h"
#include "attn/Analysis/OperandBounds.h"
#include "attn/Dialect/Attn/Attn.h"

using namespace mlir;
using namespace attn;
using V = Value;
using Val = RegionEmitter::Val;

/// Vectors that are unrolled at most; beyond, runs of so many are the body of a loop.
static constexpr int64_t kUnrolled = 32, kRun = 8;

OperandEmitter::OperandEmitter(TaskEmitter &t, V tensor, AffineMap map, Region *producer, unsigned tokenDim,
                               int64_t extent)
    : extent(extent), t(t), e(t.e), source(&t.tensor(cast<BlockArgument>(tensor).getArgNumber())), map(map),
      tokenDim(tokenDim), batch(t.index) {
  if (producer && !producer->empty())
    block = &producer->front();
  bool placed = false;
  for (auto [axis, expr] : llvm::enumerate(map.getResults())) {
    OperandIndex x = OperandIndex::of(expr);
    if (x.dim > (int64_t)t.keyDim()) {
      featureAxis = axis;
      featureStride = source->strides[axis];
    } else if (x.dim == (int64_t)tokenDim) {
      tokenStride = source->strides[axis];
      placed = x.divisor == 1;
    }
  }
  plain = isPlain(source->type, map, producer, tokenDim, t.keyDim());
  if (placed && featureAxis >= 0)
    base = e.at(source->data, e.mul(t.baseOffset(*source, map), size()));
  if (plain)
    return;
  if (base)
    head = e.at(base, e.mul(featureStride, -OperandIndex::of(map.getResult(featureAxis)).offset * size()));
  collect();
  anchor = e.i64(0);
}

bool OperandEmitter::isPlain(RankedTensorType type, AffineMap map, Region *producer, unsigned tokenDim,
                             unsigned keyDim) {
  bool feature = false, token = false;
  for (AffineExpr expr : map.getResults()) {
    OperandIndex x = OperandIndex::of(expr);
    feature |= x.dim > (int64_t)keyDim && x.divisor == 1;
    token |= x.dim == (int64_t)tokenDim && x.divisor == 1;
  }
  return (!producer || producer->empty()) && isa<FloatType>(type.getElementType()) && feature && token;
}

int64_t OperandEmitter::absentTogether() const {
  return block ? attn::absentTogether({V(), map, block->getParent(), tokenDim, t.keyDim() + 1, extent}) : 0;
}

int64_t OperandEmitter::featureDivisor() const {
  return featureAxis < 0 ? 0 : OperandIndex::of(map.getResult(featureAxis)).divisor;
}

/// Sorts the ops of the region, and finds out which strides the fast code needs.
void OperandEmitter::collect() {
  llvm::MapVector<std::pair<unsigned, unsigned>, V> needed; // by argument and axis
  auto need = [&](TensorRef &tensor, unsigned axis) { needed[{tensor.argument, axis}] = tensor.strides[axis]; };
  if (featureAxis >= 0)
    need(*source, featureAxis);
  if (block) {
    byFeature.insert(block->getArguments().back());
    if (featureAxis >= 0)
      byFeature.insert(block->getArgument(0));
    for (Operation *op : usedOps(*block)) {
      bool depends = llvm::any_of(op->getOperands(), [&](V v) { return byFeature.contains(v); });
      (depends ? ofFeature : ofToken).push_back(op);
      if (depends)
        byFeature.insert(op->result_begin(), op->result_end());
    }
    unscaledValue = block->getTerminator()->getOperand(0);
    while (auto product = unscaledValue.getDefiningOp<arith::MulFOp>()) {
      bool left = byFeature.contains(product.getLhs());
      if (left == byFeature.contains(product.getRhs()))
        break;
      factors.push_back(left ? product.getRhs() : product.getLhs());
      unscaledValue = left ? product.getLhs() : product.getRhs();
    }
    dryRun([&](Operation *op, unsigned axis) {
      auto it = t.tensors.find(cast<attn::LoadOp>(op).getTensor());
      if (it != t.tensors.end())
        need(it->second, axis);
    });
  }
  for (auto &[_, stride] : needed) {
    V one = e.eq(stride, e.i64(1));
    fast = fast ? e.both(fast, one) : one;
  }
}

FeatureLanes OperandEmitter::featuresAt(int64_t first) {
  FeatureLanes r;
  for (int64_t lane = 0; lane < e.lanes; ++lane) // lanes past the end repeat the last feature and are not stored
    r.at.push_back(std::min(first + lane, extent - 1));
  return r;
}

/// Calls `spread` for every load and the one of its axes along which lanes differ, if that can be told here.
void OperandEmitter::dryRun(llvm::function_ref<void(Operation *, unsigned)> spread) {
  for (int64_t first = 0; first < extent; first += e.lanes) {
    DenseMap<V, FeatureLanes> known;
    known[block->getArguments().back()] = featuresAt(first);
    for (Operation *op : ofFeature) {
      SmallVector<FeatureLanes> in;
      for (V v : op->getOperands()) {
        APInt constant;
        if (auto it = known.find(v); it != known.end())
          in.push_back(it->second);
        else if (matchPattern(v, m_ConstantInt(&constant)) && constant.getSignificantBits() <= 64)
          in.push_back(
              uniformLanes(v.getType().isInteger(1) ? constant.getZExtValue() : constant.getSExtValue(), e.lanes));
      }
      if (auto load = dyn_cast<attn::LoadOp>(op)) {
        int axis = -1;
        unsigned differing = 0;
        for (auto [n, v] : llvm::enumerate(load.getIndices()))
          if (auto it = known.find(v); it != known.end() && !it->second.isUniform())
            axis = n, ++differing;
        if (differing == 1)
          spread(op, axis);
      } else if (in.size() == op->getNumOperands()) {
        if (auto r = foldLanes(op, in, nullptr))
          known[op->getResult(0)] = *r;
      }
    }
  }
}

/// What is the same in every lane becomes a scalar.
Val OperandEmitter::materialize(RegionEmitter &region, const FeatureLanes &x, Type type) {
  OpBuilder &b = e.b;
  if (type.isInteger(1)) {
    if (x.isUniform())
      return Val{e.i1(x.at[0] != 0), 0, 1};
    SmallVector<bool> bits;
    for (int64_t v : x.at)
      bits.push_back(v != 0);
    V mask = arith::ConstantOp::create(b, e.loc, DenseElementsAttr::get(e.vecOf(b.getI1Type()), ArrayRef<bool>(bits)));
    return Val{mask, 0, 1};
  }
  if (x.isUniform()) {
    if (!x.base)
      return region.constantInt(x.at[0]);
    return region.make(e.add(x.base, x.at[0]), x.at[0], x.most + x.at[0]);
  }
  SmallVector<APInt> words;
  for (int64_t v : x.at)
    words.push_back(APInt(64, (uint64_t)v, true));
  V v = arith::ConstantOp::create(b, e.loc, DenseElementsAttr::get(e.vecOf(e.i64Type()), words));
  if (x.base)
    v = e.add(v, e.broadcast(x.base));
  return region.make(v, x.least(), x.greatest() + (x.base ? x.most : 0));
}

/// Padding wins; of bad indices the first is kept.
void OperandEmitter::join(Emit &e, Absence &absent, const Absence &more) {
  V padded = e.lt(more.code, e.i64(0));
  V isNew = e.both(e.eq(absent.code, e.i64(0)), e.ne(more.code, e.i64(0)));
  V takes = e.either(padded, isNew);
  absent = {e.select(takes, more.code, absent.code), e.select(takes, more.index, absent.index)};
}

void OperandEmitter::note(Absence &absent, ArrayRef<RegionEmitter::BoundsCheck> checks) {
  for (const RegionEmitter::BoundsCheck &check : checks) {
    V ok = check.ok, index = check.index, padded;
    if (!noted.insert({index.getAsOpaquePointer(), check.argument, check.axis}).second) // by an earlier vector
      continue;
    if (isa<VectorType>(ok.getType())) {
      V bad = arith::XOrIOp::create(e.b, e.loc, ok, e.splatInt(e.vecOf(e.b.getI1Type()), 1));
      V lanes = isa<VectorType>(index.getType()) ? index : e.broadcast(index), found = e.i64(0);
      for (int64_t lane = e.lanes - 1; lane >= 0; --lane)
        found = e.select(vector::ExtractOp::create(e.b, e.loc, bad, ArrayRef<int64_t>{lane}),
                         vector::ExtractOp::create(e.b, e.loc, lanes, ArrayRef<int64_t>{lane}), found);
      V minusOne = e.splatInt(cast<VectorType>(lanes.getType()), -1);
      padded = e.anyLane(e.both(bad, e.eq(lanes, minusOne)));
      ok = e.invert(e.anyLane(bad));
      index = found;
    } else {
      padded = e.eq(index, e.i64(-1));
    }
    V code = e.select(padded, e.i64(-1), e.i64(reason(check.argument, check.axis)));
    join(e, absent, {e.select(ok, e.i64(0), code), index});
  }
}

OperandEmitter::Token OperandEmitter::open(V token) {
  Token r{makeRegion(), token, {e.i64(0), e.i64(0)}};
  if (!block)
    return r;
  unsigned nb = t.program.getNumBatch();
  for (unsigned d = 0; d < nb; ++d)
    r.region.bind(block->getArgument(1 + d), r.region.indexScalar(t.index[d], d));
  r.region.bind(block->getArgument(1 + nb), r.region.indexScalar(token, tokenDim));
  if (featureAxis < 0 && !block->getArgument(0).use_empty())
    r.region.bind(block->getArgument(0), element(r.region, token, uniformLanes(0, e.lanes), false));
  for (Operation *op : ofToken) {
    auto it = isa<attn::LoadOp>(op) ? t.tensors.find(cast<attn::LoadOp>(op).getTensor()) : t.tensors.end();
    if (it == t.tensors.end()) {
      if (!op->hasTrait<OpTrait::ConstantLike>())
        (void)r.region.emit(op->getResult(0));
      continue;
    }
    SmallVector<Index> indices;
    for (V v : cast<attn::LoadOp>(op).getIndices())
      if (auto index = r.region.emit(v); succeeded(index))
        indices.push_back({std::nullopt, *index});
    if (indices.size() == it->second.strides.size())
      r.region.bind(op->getResult(0), load(r.region, it->second, indices, false, op));
  }
  noted.clear();
  note(r.absent, r.region.checks);
  r.region.checks.clear();
  return r;
}

/// The operand's own element: its indices are in range by the call's checks.
Val OperandEmitter::element(RegionEmitter &region, V token, const FeatureLanes &feature, bool strided) {
  SmallVector<Index> indices;
  V from = head;
  for (AffineExpr expr : map.getResults()) {
    OperandIndex x = OperandIndex::of(expr);
    if (x.dim > (int64_t)t.keyDim()) {
      FeatureLanes lanes = feature;
      bool whole = x.divisor == 1 || !lanes.base || lanes.multiple % x.divisor == 0;
      if (!whole) { // a run of vectors divides alike, or the loop is one of single vectors
        Val v = materialize(region, lanes, e.b.getIndexType());
        V divided = arith::DivUIOp::create(e.b, e.loc, v.v, e.splatInt(cast<VectorType>(v.v.getType()), x.divisor));
        indices.push_back({std::nullopt, Val{divided, 0, INT32_MAX - 1}});
        from = V();
        continue;
      }
      if (lanes.base && x.divisor > 1) {
        lanes.base = e.divUnsigned(lanes.base, x.divisor);
        lanes.multiple /= x.divisor, lanes.most /= x.divisor;
      }
      for (int64_t &at : lanes.at)
        at = at / x.divisor + x.offset;
      indices.push_back({lanes, Val()});
      continue;
    }
    V at = e.i64(0);
    if (x.dim >= 0)
      at = e.divUnsigned(x.dim == (int64_t)tokenDim ? token : t.index[x.dim], x.divisor);
    Val v = region.make(e.add(at, x.offset), 0, INT32_MAX);
    v.plainDim = ~1u; // inside, whatever its dimension
    indices.push_back({std::nullopt, v});
  }
  if (!from)
    return load(region, *source, indices, strided, nullptr);
  for (Index &x : indices)
    x.v = Val();
  return loadFrom(region, *source, from, e.mul(token, tokenStride), indices, strided);
}

/// One load. Where an index is outside, it is no number in particular, but 0 where further indices may come of it.
/// `op`: the same for every token but for the values of its indices, or null.
Val OperandEmitter::load(RegionEmitter &region, TensorRef &tensor, ArrayRef<Index> indices, bool strided,
                         Operation *op) {
  if (llvm::any_of(indices, [](const Index &x) { return !x.lanes && x.v.isVector(); })) { // lane by lane through memory
    SmallVector<Val> at;
    for (const Index &x : indices)
      at.push_back(x.lanes ? materialize(region, *x.lanes, e.b.getIndexType()) : x.v);
    auto r = region.loadAt(tensor, at);
    return succeeded(r) ? *r : Val{e.splat(0)};
  }
  // What the task's batch indices say.
  auto isOfTask = [&](size_t axis) {
    const Index &x = indices[axis];
    const AxisFact &fact = tensor.fact.axes[axis];
    return op && !x.lanes && x.v.plainDim < t.program.getNumBatch() && !fact.free &&
           (fact.dim == (int64_t)x.v.plainDim || fact.also == (int64_t)x.v.plainDim) &&
           t.index[x.v.plainDim] == batch[x.v.plainDim];
  };
  V head = tensor.data;
  SmallVector<Index> others(indices);
  for (size_t axis = 0; axis < indices.size(); ++axis)
    if (isOfTask(axis))
      others[axis].v = Val();
  if (op) {
    V &made = heads[op];
    if (!made) {
      OpBuilder::InsertionGuard guard(e.b);
      e.b.setInsertionPointAfter(anchor.getDefiningOp());
      V offset = e.i64(0);
      for (size_t axis = 0; axis < indices.size(); ++axis)
        if (isOfTask(axis))
          offset = e.add(offset, e.mul(batch[indices[axis].v.plainDim], tensor.strides[axis]));
      made = e.at(tensor.data, e.mul(offset, Emit::elementBytes(tensor.type.getElementType())));
    }
    head = made;
  }
  return loadFrom(region, tensor, head, e.i64(0), others, strided);
}

/// The same behind the elements at `scalar` of what begins at `head`; indices without a value are in these.
Val OperandEmitter::loadFrom(RegionEmitter &region, TensorRef &tensor, V head, V scalar, ArrayRef<Index> indices,
                             bool strided) {
  Type element = tensor.type.getElementType();
  V ok;
  auto check = [&](V inside, unsigned axis, V index) {
    region.checks.push_back({inside, tensor.argument, axis, index});
    ok = ok ? e.both(ok, inside) : inside;
  };
  SmallVector<std::pair<unsigned, FeatureLanes>> lanes;
  for (auto [axis, index] : llvm::enumerate(indices)) {
    const AxisFact &fact = tensor.fact.axes[axis];
    V stride = tensor.strides[axis], extentOf = tensor.extents[axis];
    if (!index.lanes) {
      if (!index.v.v)
        continue;
      V i = region.wide(index.v);
      if (auto narrowed = index.v.v.getDefiningOp<arith::TruncIOp>(); narrowed && index.v.plainDim == tokenDim)
        i = narrowed.getIn(); // a token fits
      bool tied = index.v.plainDim == ~1u ||
                  (!fact.free && (fact.dim == (int64_t)index.v.plainDim || fact.also == (int64_t)index.v.plainDim));
      bool proven = index.v.lo >= 0 && index.v.hi < tensor.type.getDimSize(axis);
      if (!tied && !proven)
        check(e.both(e.ge(i, e.i64(0)), e.lt(i, extentOf)), axis, i);
      scalar = e.add(scalar, e.mul(i, stride));
      continue;
    }
    const FeatureLanes &x = *index.lanes;
    int64_t most = x.greatest() + (x.base ? x.most : 0);
    bool proven = x.least() >= 0 && (most < tensor.type.getDimSize(axis) || (!fact.free && most < fact.extent) ||
                                     (!fact.free && fact.dim < 0 && most <= fact.offset));
    if (!proven && &tensor != source) {
      V worst = x.base ? e.add(x.base, x.greatest()) : e.i64(x.greatest());
      bool negative = x.least() < 0, padding = !x.base && llvm::is_contained(x.at, -1);
      V found = padding ? e.i64(-1) : negative ? e.i64(x.least()) : worst;
      check(e.both(e.i1(!negative), e.lt(worst, extentOf)), axis, found);
    }
    if (x.base)
      scalar = e.add(scalar, e.mul(x.base, stride));
    if (x.isUniform())
      scalar = e.add(scalar, e.mul(stride, x.at[0]));
    else
      lanes.push_back({(unsigned)axis, x});
  }
  V v;
  if (lanes.empty()) {
    V from = e.at(head, e.mul(scalar, Emit::elementBytes(element)));
    v = e.loadElement(element, ok ? e.select(ok, from, t.scratch) : from);
  } else {
    v = lanesOf(tensor, head, scalar, lanes, ok, strided);
  }
  if (isa<FloatType>(element))
    return Val{v};
  if (ok)
    v = e.select(ok, v, (V)arith::ConstantOp::create(e.b, e.loc, e.b.getZeroAttr(v.getType())));
  if (element.isInteger(1))
    return Val{v, 0, 1};
  RegionEmitter::Int hi = (RegionEmitter::Int(1) << (element.getIntOrFloatBitWidth() - 1)) - 1;
  return region.make(v, -hi - 1, hi);
}

/// A vector whose lanes differ by constants, behind the elements at `scalar`.
V OperandEmitter::lanesOf(TensorRef &tensor, V head, V scalar, ArrayRef<std::pair<unsigned, FeatureLanes>> axes, V ok,
                          bool strided) {
  Type element = tensor.type.getElementType(), memory = e.memoryType(element);
  int64_t size = Emit::elementBytes(element);
  auto address = [&](V elements) {
    V from = e.at(head, e.mul(elements, size));
    return ok ? e.select(ok, from, t.scratch) : from;
  };
  const FeatureLanes &x = axes[0].second;
  int64_t least = x.least(), greatest = x.greatest(), count = greatest - least + 1;
  if (strided || axes.size() > 1 || count > 2 * e.lanes) {
    V v = arith::ConstantOp::create(e.b, e.loc, e.b.getZeroAttr(e.vecOf(memory)));
    for (int64_t lane = 0; lane < e.lanes; ++lane) {
      V at = scalar;
      for (auto &[axis, lanes] : axes)
        at = e.add(at, e.mul(tensor.strides[axis], lanes.at[lane]));
      v = vector::InsertOp::create(e.b, e.loc, e.load(memory, address(at)), v, ArrayRef<int64_t>{lane});
    }
    return e.convert(v, element);
  }
  if (fetches) {
    if (least * size % 64 < count * size) // the first vector of a line
      e.prefetch(address(e.add(scalar, least)), /*locality=*/2);
    return e.convert(arith::ConstantOp::create(e.b, e.loc, e.b.getZeroAttr(e.vecOf(memory))), element);
  }
  // A window of whole vectors that lies inside of the axis and covers all lanes: one of a power of 2, or two.
  auto windowAt = [&](int64_t first, int64_t length) {
    return e.load(VectorType::get({length}, memory), address(e.add(scalar, first)));
  };
  int64_t length = std::min<int64_t>(llvm::PowerOf2Ceil(count), e.lanes), first = least;
  SmallVector<int64_t> order;
  if (count > e.lanes) {
    int64_t second = greatest + 1 - e.lanes;
    for (int64_t at : x.at)
      order.push_back(at < first + e.lanes ? at - first : e.lanes + at - second);
    return e.convert(vector::ShuffleOp::create(e.b, e.loc, windowAt(first, e.lanes), windowAt(second, e.lanes), order),
                     element);
  }
  int64_t limit = tensor.type.isDynamicDim(axes[0].first) ? 0 : tensor.type.getDimSize(axes[0].first);
  if (first + length + (x.base ? x.most : 0) > limit)
    first = greatest + 1 - length;
  if (first < 0)
    first = least, length = count;
  V v = windowAt(first, length);
  for (int64_t at : x.at)
    order.push_back(at - first);
  bool same = length == e.lanes;
  for (int64_t lane = 0; lane < e.lanes; ++lane)
    same &= order[lane] == lane;
  return e.convert(same ? v : (V)vector::ShuffleOp::create(e.b, e.loc, v, v, order), element);
}

void OperandEmitter::fetch(V token) {
  fetches = true;
  Token opened = open(token);
  for (int64_t first = 0; first < extent; first += e.lanes)
    (void)vectorAt(opened, featuresAt(first), !factors.empty());
  fetches = false;
}

V OperandEmitter::factorOf(const Token &token) {
  RegionEmitter region = token.region;
  V all;
  for (V factor : llvm::reverse(factors)) {
    auto r = region.emit(factor);
    V x = succeeded(r) ? r->v : e.scalar(1);
    all = all ? e.fmul(all, x) : x;
  }
  return all;
}

/// One vector of a token's features.
V OperandEmitter::vector(const Token &token, const FeatureLanes &feature, bool strided, Absence &absent,
                         bool unscaled) {
  RegionEmitter region = token.region;
  if (!block)
    return region.asVector(element(region, token.token, feature, strided).v);
  DenseMap<V, FeatureLanes> known;
  known[block->getArguments().back()] = feature;
  if (featureAxis >= 0 && !block->getArgument(0).use_empty())
    region.bind(block->getArgument(0), element(region, token.token, feature, strided));
  auto lanesOfValue = [&](V v) -> std::optional<FeatureLanes> {
    APInt constant;
    if (auto it = known.find(v); it != known.end())
      return it->second;
    if (matchPattern(v, m_ConstantInt(&constant)) && constant.getSignificantBits() <= 64)
      return uniformLanes(v.getType().isInteger(1) ? constant.getZExtValue() : constant.getSExtValue(), e.lanes);
    return std::nullopt;
  };
  V yielded = unscaled ? unscaledValue : block->getTerminator()->getOperand(0);
  for (Operation *op : ofFeature) {
    if (unscaled && yielded.getDefiningOp() && yielded.getDefiningOp()->isBeforeInBlock(op))
      break;
    // What is only added to something comes with that, in one operation.
    if (isa<arith::MulFOp>(op) && op->hasOneUse() && isa<arith::AddFOp, arith::SubFOp>(*op->user_begin()))
      continue;
    SmallVector<FeatureLanes> in;
    for (V v : op->getOperands())
      if (auto x = lanesOfValue(v))
        in.push_back(*x);
    if (in.size() == op->getNumOperands())
      if (auto folded = foldLanes(op, in, &e)) {
        known[op->getResult(0)] = *folded;
        continue;
      }
    if (auto op2 = dyn_cast<attn::LoadOp>(op)) {
      auto it = t.tensors.find(op2.getTensor());
      if (it == t.tensors.end()) {
        op->emitError("[unsupported_operand] captured tensors are arguments of the kernel");
        break;
      }
      SmallVector<Index> indices;
      for (V v : op2.getIndices()) {
        Index index{lanesOfValue(v), Val()};
        if (!index.lanes) {
          auto r = region.emit(v);
          if (failed(r))
            return e.splat(0);
          index.v = *r;
        }
        indices.push_back(index);
      }
      region.bind(op->getResult(0), load(region, it->second, indices, strided, op));
      continue;
    }
    for (V v : op->getOperands())
      if (auto it = known.find(v); it != known.end())
        region.bind(v, materialize(region, it->second, v.getType()));
    if (failed(region.emit(op->getResult(0))))
      return e.splat(0);
  }
  auto r = region.emit(yielded);
  note(absent, region.checks);
  return succeeded(r) ? region.asVector(r->v) : e.splat(0);
}

OperandEmitter::Absence OperandEmitter::vectors(const Token &token, bool strided, llvm::function_ref<V(V)> place) {
  Absence absent = token.absent;
  noted.clear();
  int64_t all = llvm::divideCeil(extent, e.lanes), from = 0;
  auto storeAt = [&](V v, V n, int64_t valid) {
    if (!place)
      return;
    if (valid < e.lanes) {
      auto kept = llvm::to_vector(llvm::seq<int64_t>(0, valid));
      v = vector::ShuffleOp::create(e.b, e.loc, v, v, kept);
    }
    e.store(v, place(n));
  };
  if (int64_t run = strided ? 1 : kRun; (strided || all > kUnrolled) && extent / e.lanes >= run) {
    int64_t whole = extent / e.lanes / run * run;
    auto done = e.loop(e.i64(0), e.i64(whole), run, {absent.code, absent.index}, [&](V n, ValueRange args) {
      Absence inner{args[0], args[1]};
      for (int64_t u = 0; u < run; ++u) {
        FeatureLanes feature;
        for (int64_t lane = 0; lane < e.lanes; ++lane)
          feature.at.push_back(u * e.lanes + lane);
        feature.base = e.mul(n, e.lanes);
        feature.multiple = run * e.lanes;
        feature.most = (whole - run) * e.lanes;
        storeAt(vector(token, feature, strided, inner), e.add(n, u), e.lanes);
      }
      return SmallVector<V>{inner.code, inner.index};
    });
    absent = {done[0], done[1]};
    from = whole;
  }
  for (int64_t n = from; n < all; ++n)
    storeAt(vector(token, featuresAt(n * e.lanes), strided, absent), e.i64(n), std::min(e.lanes, extent - n * e.lanes));
  return absent;
}

OperandEmitter::Absence OperandEmitter::emit(V token, llvm::function_ref<V(V)> place) {
  Token opened = open(token);
  if (!fast)
    return vectors(opened, false, place);
  auto done = e.choose(
      fast, {e.i64Type(), e.i64Type()},
      [&] {
        Absence a = vectors(opened, false, place);
        return SmallVector<V>{a.code, a.index};
      },
      [&] {
        Absence a = vectors(opened, true, place);
        return SmallVector<V>{a.code, a.index};
      });
  return {done[0], done[1]};
}
