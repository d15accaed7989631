// Elementwise programs.
//
// The result's axes but the last are rows, the last is cut into chunks of kChunk elements; a row's chunk is an item,
// and a task is a run of items. How many items a task takes follows from the extents: about kTaskElements of work,
// fewer tasks than 2^30. Elements go by whole vectors along the last axis, the last vector of a chunk with lanes past
// the end that are computed and not stored, so an element's operations do not depend on where it lies or on strides.
//
//   for item in task:  for v in chunk by lanes:  y[v..] = reduce over reduced dims (body(inputs at v.., indices))
#include "MapEmitter.h"
#include "attn-rt/attn_rt.h"

using namespace mlir;
using namespace attn;
using V = Value;
using Val = RegionEmitter::Val;

static constexpr int64_t kTaskElements = 16384, kTaskTerms = 131072, kMostTasks = int64_t(1) << 30,
                         kMuchWork = int64_t(1) << 24;

MapEmitter::MapEmitter(TaskEmitter &t, tile::MapOp map) : t(t), e(t.e), map(map), step(t.e.lanes) {
  for (AffineExpr expr : map.getOutMap().getResults())
    outDims.push_back(cast<AffineDimExpr>(expr).getPosition());
  inner = outDims.pop_back_val();
  // A list, or a seed that is read, is one for a row of lanes: such elements go one by one.
  map.getBody().walk([&](Operation *op) {
    auto random = dyn_cast<attn::RandomOp>(op);
    if (isa<MemberOp>(op) || (random && random.getSeed().getParentRegion() == &map.getBody() &&
                              !matchPattern(random.getSeed(), m_Constant())))
      step = 1;
  });
  // A vector that the axis does not fill would be gathered lane by lane.
  int64_t extent = cast<RankedTensorType>(map.getDest().getType()).getShape().back();
  if (!ShapedType::isDynamic(extent) && 2 * extent <= step) {
    step = 1;
    together = map.getReduced().empty() ? 0 : extent;
  }
  planTiles();
}

MapEmitter::Grid MapEmitter::grid() {
  Grid g;
  V n = t.extents[inner];
  g.chunks = e.divUnsigned(e.add(n, kChunk - 1), kChunk);
  g.items = g.chunks;
  V work = e.max(e.min(n, e.i64(kChunk)), e.i64(1));
  for (unsigned d : outDims) {
    V extent = t.extents[d];
    if (tiled() && (int)d == rowDim) {
      work = e.mul(work, e.max(e.min(extent, e.i64(kTileRows)), e.i64(1)));
      g.rowBlocks = extent = e.divUnsigned(e.add(extent, kTileRows - 1), kTileRows);
    }
    g.items = e.mul(g.items, extent);
  }
  for (int64_t d : map.getReduced()) // at most kMuchWork times an extent: no overflow
    work = e.min(e.mul(work, e.max(t.extents[d], e.i64(1))), e.i64(kMuchWork));
  V least = e.divUnsigned(e.add(g.items, kMostTasks - 1), kMostTasks);
  V wanted = arith::DivUIOp::create(e.b, e.loc, e.i64(tiled() ? kTaskTerms : kTaskElements), work);
  g.perTask = e.max(e.max(wanted, least), e.i64(1));
  return g;
}

LogicalResult MapEmitter::run() {
  out = &t.tensor(cast<BlockArgument>(map.getDest()).getArgNumber());
  V null = LLVM::ZeroOp::create(e.b, e.loc, e.ptrType());
  e.when(LLVM::ICmpOp::create(e.b, e.loc, LLVM::ICmpPredicate::ne, out->data, null), [&] {
    Grid g = grid();
    V first = e.mul(t.block, g.perTask), last = e.min(e.add(first, g.perTask), g.items);
    e.loop(first, last, 1, [&](V item) { emitItem(g, item); });
  });
  return failure(bad);
}

void MapEmitter::emitItem(const Grid &g, V item) {
  V row = arith::DivUIOp::create(e.b, e.loc, item, g.chunks);
  V from = e.mul(e.sub(item, e.mul(row, g.chunks)), kChunk);
  V to = e.min(e.add(from, kChunk), t.extents[inner]);
  indices.assign(t.extents.size(), Val());
  V rowFrom, rowTo;
  for (unsigned n = outDims.size(); n-- > 0;) {
    unsigned d = outDims[n];
    bool block = tiled() && (int)d == rowDim;
    V extent = block ? g.rowBlocks : t.extents[d];
    V rest = n ? (V)arith::DivUIOp::create(e.b, e.loc, row, extent) : V();
    V i = n ? e.sub(row, e.mul(rest, extent)) : row;
    row = rest;
    if (block) {
      rowFrom = e.mul(i, kTileRows);
      rowTo = e.min(e.add(rowFrom, kTileRows), t.extents[d]);
    } else {
      indices[d] = indexOf(i, d);
    }
  }
  if (!tiled())
    return emitRow(from, to);
  e.choose(
      tilesFit(from, to), {},
      [&] {
        emitTiles(rowFrom, rowTo, from, to);
        return SmallVector<V>{};
      },
      [&] {
        if (!rowFrom)
          emitRow(from, to);
        else
          e.loop(rowFrom, rowTo, 1, [&](V i) {
            indices[rowDim] = indexOf(i, rowDim);
            emitRow(from, to);
          });
        return SmallVector<V>{};
      });
}

void MapEmitter::emitRow(V from, V to) {
  elements.assign(map.getInputs().size(), std::nullopt);
  loadInputs([&](unsigned d) { return d != inner && !isReduced(d); }); // the same for the whole item
  auto ofRow = elements;
  if (together)
    return emitTogether(to);
  e.loop(from, to, step, [&](V v) {
    indices[inner] = step == 1 ? indexOf(v, inner) : region().indexLanes(v, inner);
    innerFrom = v;
    elements = ofRow;
    emitVector(v, to);
  });
}

/// All elements of a short row, whose sums do not wait for each other.
void MapEmitter::emitTogether(V to) {
  lanes = e.splatInt(e.vecOf(e.b.getI1Type()), 1);
  SmallVector<V> sums = reduceTogether(0, SmallVector<V>(together, neutral()));
  for (int64_t n = 0; n < together; ++n) {
    indices[inner] = indexOf(e.i64(n), inner);
    store(sums[n], e.i64(n), to);
  }
}

SmallVector<V> MapEmitter::reduceTogether(unsigned dim, SmallVector<V> sums) {
  if (dim == map.getReduced().size()) {
    auto before = elements;
    for (int64_t n = 0; n < together; ++n) {
      indices[inner] = indexOf(e.i64(n), inner);
      loadInputs([](unsigned) { return true; });
      sums[n] = emitBody(sums[n]);
      elements = before;
    }
    return sums;
  }
  unsigned d = map.getReduced()[dim];
  return e.loop(e.i64(0), t.extents[d], 1, sums, [&](V iv, ValueRange carried) {
    indices[d] = indexOf(iv, d);
    return reduceTogether(dim + 1, SmallVector<V>(carried));
  });
}

void MapEmitter::emitVector(V v, V to) {
  // Unsigned: lanes past the end may pass 2^31 - 1.
  V end = arith::TruncIOp::create(e.b, e.loc, e.b.getI32Type(), to);
  lanes = e.cmp(arith::CmpIPredicate::ult, region().asVector(indices[inner].v), e.broadcast(end));
  loadInputs([&](unsigned d) { return !isReduced(d); });
  V result = map.getReduced().empty() ? V() : neutral();
  result = reduce(0, result);
  store(result, v, to);
}

/// The loops over the reduced dimensions from number `n` on.
V MapEmitter::reduce(unsigned n, V acc) {
  if (n == map.getReduced().size()) {
    auto before = elements;
    loadInputs([](unsigned) { return true; });
    V next = emitBody(acc);
    elements = before;
    return next;
  }
  unsigned d = map.getReduced()[n];
  return e.loop(e.i64(0), t.extents[d], 1, {acc}, [&](V iv, ValueRange carried) {
    indices[d] = indexOf(iv, d);
    return SmallVector<V>{reduce(n + 1, carried[0])};
  })[0];
}

/// Loads the inputs that were not, if they are indexed by such dimensions alone.
void MapEmitter::loadInputs(llvm::function_ref<bool(unsigned)> known) {
  for (unsigned n = 0; n < elements.size(); ++n) {
    AffineMap m = cast<AffineMapAttr>(map.getInMaps()[n]).getValue();
    bool all = true;
    for (unsigned d = 0; d < m.getNumDims(); ++d)
      all &= !m.isFunctionOfDim(d) || known(d);
    if (elements[n] || !all)
      continue;
    SmallVector<Val> at;
    for (AffineExpr index : m.getResults())
      at.push_back(indexOf(index));
    // The call has checked that the indices lie inside.
    auto loaded = region().loadAt(t.tensor(cast<BlockArgument>(map.getInputs()[n]).getArgNumber()), at);
    bad |= failed(loaded);
    elements[n] = succeeded(loaded) ? *loaded : Val{e.splat(0)};
  }
}

Val MapEmitter::indexOf(AffineExpr index) {
  if (auto constant = dyn_cast<AffineConstantExpr>(index))
    return region().constantInt(constant.getValue());
  if (auto dim = dyn_cast<AffineDimExpr>(index))
    return indices[dim.getPosition()];
  auto binary = cast<AffineBinaryOpExpr>(index);
  int64_t divisor = cast<AffineConstantExpr>(binary.getRHS()).getValue();
  const Val &of = indices[cast<AffineDimExpr>(binary.getLHS()).getPosition()];
  if (divisor > INT32_MAX) // extents are not
    return region().constantInt(0);
  // Vectors begin at multiples of their lanes: where the divisor is one too, all lanes have one quotient.
  if (of.isVector() && divisor % e.lanes == 0)
    return region().make(e.divUnsigned(innerFrom, divisor), 0, INT32_MAX);
  Type type = of.v.getType();
  TypedAttr by = of.isVector()
                     ? (TypedAttr)DenseElementsAttr::get(cast<VectorType>(type), e.b.getI32IntegerAttr(divisor))
                     : (TypedAttr)e.b.getIntegerAttr(type, divisor);
  V quotient = arith::DivUIOp::create(e.b, e.loc, of.v, arith::ConstantOp::create(e.b, e.loc, by));
  return Val{quotient, 0, INT32_MAX};
}

V MapEmitter::emitBody(V acc) {
  RegionEmitter r = region();
  Block &body = map.getBody().front();
  for (unsigned n = 0; n < elements.size(); ++n)
    r.bind(body.getArgument(n), *elements[n]);
  for (unsigned d = 0; d < indices.size(); ++d)
    r.bind(body.getArgument(elements.size() + d), indices[d]);
  for (auto extent : body.getOps<ExtentOp>()) {
    unsigned d = cast<BlockArgument>(extent.getIndex()).getArgNumber() - elements.size();
    if (extent.getType().isIndex()) {
      r.bind(extent, r.make(t.extents[d], 0, INT32_MAX));
      continue;
    }
    V n = arith::SIToFPOp::create(e.b, e.loc, extent.getType(), t.extents[d]); // rounded as the text says
    if (extent.getType().isF32() && e.real.isF64())
      n = arith::ExtFOp::create(e.b, e.loc, e.real, n);
    else if (extent.getType() != e.real)
      n = arith::TruncFOp::create(e.b, e.loc, e.real, n);
    r.bind(extent, r.real(n));
  }
  // A sum of products rounds once a term.
  bool isFloat = isa<FloatType>(yielded());
  Value result = body.getTerminator()->getOperand(0);
  auto product = result.getDefiningOp<arith::MulFOp>();
  bool fuses = product && isFloat && acc && map.getReduction() == "sum";
  SmallVector<V> parts; // the element, or its two factors
  for (Value part : fuses ? ValueRange(product->getOperands()) : ValueRange(result)) {
    auto emitted = r.emit(part);
    if (failed(emitted)) {
      bad = true;
      return neutral();
    }
    parts.push_back(r.asVector(emitted->v));
  }
  V value = fuses ? V() : widthOf(parts[0]);
  V ok; // null: no element can be absent
  for (const RegionEmitter::BoundsCheck &check : r.checks) {
    V mask = r.asVector(check.ok);
    t.reportLanes(mask, lanes, check);
    ok = ok ? e.both(ok, mask) : mask;
  }
  if (map.getReduced().empty())
    return ok ? e.select(ok, value, zero()) : value;
  V next;
  if (fuses)
    next = e.fma(parts[0], parts[1], acc);
  else if (map.getReduction() == "sum")
    next = isFloat ? e.fadd(acc, value) : e.add(acc, value);
  else
    next = isFloat ? (V)arith::MaximumFOp::create(e.b, e.loc, acc, value) : e.max(acc, value);
  return ok ? e.select(ok, next, acc) : next;
}

Type MapEmitter::yielded() {
  Type type = map.getBody().front().getTerminator()->getOperand(0).getType();
  return isa<FloatType>(type) ? (Type)e.real : type;
}

V MapEmitter::constant(Attribute value) {
  auto type = e.vecOf(yielded());
  return arith::ConstantOp::create(e.b, e.loc, DenseElementsAttr::get(type, value));
}

V MapEmitter::neutral() {
  if (map.getReduction() != "max")
    return zero();
  if (auto type = dyn_cast<FloatType>(yielded()))
    return constant(e.b.getFloatAttr(type, -std::numeric_limits<double>::infinity()));
  return constant(e.b.getIntegerAttr(yielded(), APInt::getSignedMinValue(yielded().getIntOrFloatBitWidth())));
}

/// Integers are carried in 32 or 64 bits; the text's own width here.
V MapEmitter::widthOf(V value) {
  auto type = dyn_cast<IntegerType>(yielded());
  unsigned from = getElementTypeOrSelf(value.getType()).getIntOrFloatBitWidth();
  if (!type || from == type.getWidth())
    return value;
  return from < type.getWidth() ? (V)arith::ExtSIOp::create(e.b, e.loc, e.vecOf(type), value)
                                : (V)arith::TruncIOp::create(e.b, e.loc, e.vecOf(type), value);
}

/// f64 to f32 such that rounding it again to 16 bits is rounding once: where inexact, towards zero with the last bit
/// set (Boldo and Melquiond, When double rounding is odd, 2005).
V MapEmitter::roundToOdd(V value) {
  Type f32 = e.vecOf(e.b.getF32Type()), i32 = e.vecOf(e.b.getI32Type());
  V near = arith::TruncFOp::create(e.b, e.loc, f32, value);
  V back = arith::ExtFOp::create(e.b, e.loc, value.getType(), near);
  V bits = e.bitcast(near, i32);
  V one = e.splatInt(cast<VectorType>(i32), 1);
  auto size = [&](V x) -> V { return math::AbsFOp::create(e.b, e.loc, x); };
  V away = e.cmpf(arith::CmpFPredicate::OGT, size(back), size(value));
  V odd = e.either(e.select(away, e.sub(bits, one), bits), one);
  V inexact = e.cmpf(arith::CmpFPredicate::ONE, back, value);
  return e.bitcast(e.select(inexact, odd, bits), f32);
}

/// The elements as they are stored, or an f32 of which the last rounding is still due.
V MapEmitter::narrowed(V value) {
  Type element = out->type.getElementType();
  auto to = dyn_cast<FloatType>(element);
  if (!to)
    return value;
  if (e.real.isF64() && to.getWidth() == 16)
    value = roundToOdd(value);
  unsigned from = getElementTypeOrSelf(value.getType()).getIntOrFloatBitWidth();
  if (to.getWidth() > from)
    return arith::ExtFOp::create(e.b, e.loc, e.vecOf(element), value);
  if (to.getWidth() == 32 && from == 64)
    return arith::TruncFOp::create(e.b, e.loc, e.vecOf(element), value);
  return value;
}

void MapEmitter::put(V value, V at) {
  Type element = out->type.getElementType();
  if (isa<FloatType>(element) && element.getIntOrFloatBitWidth() == 16)
    e.storeElement(value, element, at);
  else
    e.store(value, at);
}

/// Of the element `v` of the row that `indices` say.
V MapEmitter::outputAt(V v) {
  V offset = e.mul(v, out->strides.back());
  for (auto [axis, d] : llvm::enumerate(outDims))
    offset = e.add(offset, e.mul(region().wide(indices[d]), out->strides[axis]));
  return e.at(out->data, e.mul(offset, Emit::elementBytes(out->type.getElementType())));
}

void MapEmitter::store(V value, V v, V to) {
  int64_t size = Emit::elementBytes(out->type.getElementType());
  V stride = out->strides.back(), at = outputAt(v);
  value = narrowed(value);
  Type held = getElementTypeOrSelf(value.getType());
  V whole = step == 1 ? e.i1(false) : e.both(e.eq(stride, e.i64(1)), e.le(e.add(v, e.lanes), to));
  e.choose(
      whole, {},
      [&] {
        put(value, at);
        return SmallVector<V>{};
      },
      [&] {
        V buffer = gather();
        e.store(value, buffer);
        e.loop(e.i64(0), e.min(e.i64(step), e.sub(to, v)), 1, [&](V lane) {
          V x = e.load(held, e.at(buffer, e.mul(lane, Emit::elementBytes(held))));
          put(x, e.at(at, e.mul(e.mul(lane, stride), size)));
        });
        return SmallVector<V>{};
      });
}

LogicalResult attn::emitMapPhase(TaskEmitter &task, tile::MapOp map) { return MapEmitter(task, map).run(); }

LogicalResult attn::emitMapSizes(TaskEmitter &task, tile::MapOp map, V sizes) {
  Emit &e = task.e;
  MapEmitter::Grid g = MapEmitter(task, map).grid();
  V tasks = arith::DivUIOp::create(e.b, e.loc, e.sub(e.add(g.items, g.perTask), e.i64(1)), g.perTask);
  e.store(tasks, e.at(sizes, (int64_t)offsetof(attn_sizes, queries)));
  return success();
}
