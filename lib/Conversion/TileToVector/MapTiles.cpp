// Sums and maxima by tiles: rows of an axis but the last times vectors of the last, whose sums stay in registers over
// all terms, while what they share is loaded once. A sum's terms go in the order of the text whatever the tile, so no
// bit of a result depends on tiles or tasks.
//
//   y_ir = sum_c x_ic g_cr     g by vectors, x broadcast: rows share g
//   y_it = sum_c q_ic k_tc     vectors of k have gaps: it is transposed to scratch first, a panel of vectors at a time
//   y_i  = sum_c x_ic^2        so is x; the rows are those of the axis before, and share nothing
//
// Last vectors and rows of an item are moved back inside it: what is computed twice has the same bits. Other strides
// than tiles are made for, and extents below a vector, go by MapPhase.cpp.
#include "MapEmitter.h"

using namespace mlir;
using namespace attn;
using V = Value;

/// The axis that is indexed by bare dimension `d`, -1 if none; -2 where d is indexed otherwise too.
static int bareAxis(AffineMap map, unsigned d) {
  int found = -1;
  for (auto [axis, expr] : llvm::enumerate(map.getResults())) {
    if (!expr.isFunctionOfDim(d))
      continue;
    if (found != -1 || !isa<AffineDimExpr>(expr))
      return -2;
    found = axis;
  }
  return found;
}

void MapEmitter::planTiles() {
  if (map.getReduced().empty() || step == 1 || !isa<FloatType>(yielded()))
    return;
  term = map.getReduced().back();
  unsigned ops = 0;
  llvm::DenseSet<V> same; // for all elements, so computed once
  for (Operation &op : map.getBody().front().without_terminator()) {
    auto isSame = [&](V v) {
      auto arg = dyn_cast<BlockArgument>(v);
      return arg ? arg.getOwner() != op.getBlock() : same.contains(v);
    };
    if (isa<arith::ConstantOp, ExtentOp>(op) ||
        (isMemoryEffectFree(&op) && !isa<attn::LoadOp, MemberOp>(op) && llvm::all_of(op.getOperands(), isSame))) {
      same.insert_range(op.getResults());
      continue;
    }
    if (op.getDialect()->getNamespace() != "arith" && !isa<math::AbsFOp>(op))
      return;
    ++ops;
  }
  if (ops > 8)
    return;
  SmallVector<unsigned> shares(t.extents.size(), 0); // vectors that the elements along a dimension have in common
  for (auto [n, value] : llvm::enumerate(map.getInputs())) {
    Input in;
    in.tensor = &t.tensor(cast<BlockArgument>(value).getArgNumber());
    in.map = cast<AffineMapAttr>(map.getInMaps()[n]).getValue();
    if (!isa<FloatType>(in.tensor->type.getElementType()))
      return inputs.clear();
    in.innerAxis = bareAxis(in.map, inner);
    in.termAxis = bareAxis(in.map, term);
    if (in.innerAxis == -2 || in.termAxis == -2)
      return inputs.clear();
    int last = (int)in.map.getNumResults() - 1;
    in.how = in.innerAxis < 0 ? Scalar : in.termAxis == last && in.innerAxis != last ? Packed : Vector;
    if (in.how == Packed)
      in.packed = numPacked++;
    for (unsigned d : outDims)
      shares[d] += in.how != Scalar && !in.map.isFunctionOfDim(d);
    inputs.push_back(in);
  }
  // Rows are along the dimension that has the most in common, of equals the last.
  bool shared = false;
  for (unsigned d : outDims)
    if (rowDim < 0 || shares[d] >= shares[rowDim])
      rowDim = d;
  for (Input &in : inputs) {
    in.ofRow = rowDim >= 0 && in.map.isFunctionOfDim(rowDim);
    packedByRow |= in.how == Packed && in.ofRow;
    shared |= !in.ofRow;
  }
  bool rows = rowDim >= 0 && shared && !packedByRow;
  int64_t registers = e.lanes * e.bytes >= 64 ? 12 : 6;
  tileRows = !rows ? 1 : ops <= 2 ? registers : registers / 3;
  most = tileRows > 1 ? 2 : 4;
}

int64_t MapEmitter::room() const {
  if (!tiled())
    return 0;
  int64_t sums = kTileRows + tileRows; // the last tile may stand over
  return (numPacked * kPackedTerms + sums) * most * e.lanes * e.bytes;
}

/// Vectors without gaps, at least one of them, and terms.
V MapEmitter::tilesFit(V from, V to) {
  V fits = e.both(e.le(e.i64(e.lanes), e.sub(to, from)), e.eq(out->strides.back(), e.i64(1)));
  for (const Input &in : inputs)
    if (in.how == Vector)
      fits = e.both(fits, e.eq(in.tensor->strides[in.innerAxis], e.i64(1)));
  for (int64_t d : map.getReduced())
    fits = e.both(fits, e.lt(e.i64(0), t.extents[d]));
  return fits;
}

void MapEmitter::emitTiles(V rowFrom, V rowTo, V from, V to) {
  auto panels = [&](int64_t vectors) {
    auto inRows = [&](V rowFrom, V rowTo) {
      V last = e.sub(to, e.i64(vectors * e.lanes));
      e.loop(from, to, vectors * e.lanes, [&](V v) { emitPanel(rowFrom, rowTo, e.min(v, last), vectors); });
    };
    if (packedByRow) // in the order of memory
      e.loop(rowFrom, rowTo, 1, [&](V row) { inRows(row, e.add(row, 1)); });
    else
      inRows(rowFrom, rowTo);
    return SmallVector<V>{};
  };
  e.choose(e.le(e.i64(most * e.lanes), e.sub(to, from)), {}, [&] { return panels(most); }, [&] { return panels(1); });
}

/// All rows of the item, and of the last axis `vectors` from v on.
void MapEmitter::emitPanel(V rowFrom, V rowTo, V v, int64_t vectors) {
  V terms = t.extents[term];
  // Every turn of the loops around adds to sums that are kept in scratch in between.
  V isFirst = e.i1(true), isLast = e.i1(true);
  auto turn = [&](V termFrom, V termTo) {
    V first = e.both(isFirst, e.eq(termFrom, e.i64(0))), last = e.both(isLast, e.eq(termTo, terms));
    if (packedByRow)
      indices[rowDim] = indexOf(rowFrom, rowDim);
    for (const Input &in : inputs)
      if (in.how == Packed)
        pack(in, v, vectors, termFrom, termTo);
    auto group = [&](V row, V slot, int64_t rows) {
      emitGroup(row, slot, v, rows, vectors, termFrom, termTo, first, last);
    };
    if (!rowFrom)
      return group(V(), e.i64(0), 1);
    auto single = [&] {
      e.loop(rowFrom, rowTo, 1, [&](V row) { group(row, e.sub(row, rowFrom), 1); });
      return SmallVector<V>{};
    };
    if (tileRows == 1)
      return (void)single();
    e.choose(
        e.le(e.i64(tileRows), e.sub(rowTo, rowFrom)), {},
        [&] {
          V last = e.sub(rowTo, e.i64(tileRows));
          e.loop(rowFrom, rowTo, tileRows, [&](V row) { group(e.min(row, last), e.sub(row, rowFrom), tileRows); });
          return SmallVector<V>{};
        },
        single);
  };
  std::function<void(unsigned)> nest = [&](unsigned n) {
    if (n + 1 < map.getReduced().size()) {
      unsigned d = map.getReduced()[n];
      e.loop(e.i64(0), t.extents[d], 1, [&](V iv) {
        indices[d] = indexOf(iv, d);
        V first = isFirst, last = isLast;
        isFirst = e.both(isFirst, e.eq(iv, e.i64(0)));
        isLast = e.both(isLast, e.eq(e.add(iv, 1), t.extents[d]));
        nest(n + 1);
        isFirst = first, isLast = last;
      });
      return;
    }
    if (numPacked == 0)
      return turn(e.i64(0), terms);
    e.loop(e.i64(0), terms, kPackedTerms, [&](V c) { turn(c, e.min(e.add(c, kPackedTerms), terms)); });
  };
  nest(0);
}

/// Element offset at the known indices, element v of the last axis and term 0.
V MapEmitter::offsetOf(const Input &in, V v) {
  V offset = e.i64(0);
  for (auto [axis, expr] : llvm::enumerate(in.map.getResults())) {
    if ((int)axis == in.termAxis)
      continue;
    V i = (int)axis == in.innerAxis ? v : region().wide(indexOf(expr));
    offset = e.add(offset, e.mul(i, in.tensor->strides[axis]));
  }
  return offset;
}

/// [term][element from v on] in the type that is computed in.
void MapEmitter::pack(const Input &in, V v, int64_t vectors, V termFrom, V termTo) {
  Type element = in.tensor->type.getElementType();
  int64_t size = Emit::elementBytes(element), rowBytes = vectors * e.lanes * e.bytes;
  V termStride = in.tensor->strides[in.termAxis], stride = e.mul(in.tensor->strides[in.innerAxis], size),
    count = e.sub(termTo, termFrom);
  V base = e.at(in.tensor->data, e.mul(e.add(offsetOf(in, v), e.mul(termFrom, termStride)), size));
  V to = packedAt(in);
  V whole = e.select(e.eq(termStride, e.i64(1)), e.mul(e.divUnsigned(count, e.lanes), e.lanes), e.i64(0));
  e.loop(e.i64(0), e.i64(vectors), 1, [&](V n) {
    V rows = e.at(base, e.mul(e.mul(n, e.lanes), stride)), column = e.at(to, e.mul(n, e.lanes * e.bytes));
    e.loop(e.i64(0), whole, e.lanes, [&](V c) {
      SmallVector<V> tile;
      for (int64_t r = 0; r < e.lanes; ++r) {
        V at = e.at(e.at(rows, e.mul(stride, r)), e.mul(c, size));
        tile.push_back(e.loadElements(element, at));
        // What is read once comes from memory, in an order that the core does not foresee: the next panel is asked for
        // a panel ahead. A wrong address does no harm.
        if (packedByRow)
          LLVM::Prefetch::create(e.b, e.loc, e.at(at, e.mul(stride, vectors * e.lanes)), e.b.getI32IntegerAttr(0),
                                 e.b.getI32IntegerAttr(3), e.b.getI32IntegerAttr(1));
      }
      transpose(e, tile);
      for (int64_t r = 0; r < e.lanes; ++r)
        e.store(tile[r], e.at(e.at(column, e.mul(c, rowBytes)), r * rowBytes));
    });
    e.loop(whole, count, 1, [&](V c) {
      V from = e.at(rows, e.mul(e.mul(c, termStride), size)), line = e.at(column, e.mul(c, rowBytes));
      e.loop(e.i64(0), e.i64(e.lanes), 1, [&](V lane) {
        e.store(e.loadElement(element, e.at(from, e.mul(lane, stride))), e.at(line, e.mul(lane, e.bytes)));
      });
    });
  });
}

/// Rows from `row` on, whose sums wait at `slot` of the scratch between turns. Null row: there is none.
void MapEmitter::emitGroup(V row, V slot, V v, int64_t rows, int64_t vectors, V termFrom, V termTo, V isFirst,
                           V isLast) {
  int64_t n = rows * vectors, vectorBytes = e.lanes * e.bytes;
  bool once = map.getReduced().size() == 1 && numPacked == 0;
  V kept = e.at(sumsAt(), e.mul(slot, vectors * vectorBytes));
  // Where elements lie at term 0, and the steps from term to term.
  struct Stream {
    SmallVector<V> at; // of each row, or of all
    int64_t size;
    V step;
  };
  SmallVector<Stream> streams;
  auto enter = [&](int64_t r) {
    if (row)
      indices[rowDim] = indexOf(e.add(row, r), rowDim);
  };
  for (const Input &in : inputs) {
    Type element = in.tensor->type.getElementType();
    Stream s;
    s.size = in.how == Packed ? e.bytes : Emit::elementBytes(element);
    for (int64_t r = 0; r < (in.ofRow ? rows : 1); ++r) {
      enter(r);
      s.at.push_back(in.how == Packed ? packedAt(in) : e.at(in.tensor->data, e.mul(offsetOf(in, v), s.size)));
    }
    s.step = in.how == Packed   ? e.i64(vectors * vectorBytes)
             : in.termAxis >= 0 ? e.mul(in.tensor->strides[in.termAxis], s.size)
                                : e.i64(0);
    streams.push_back(s);
  }
  SmallVector<V> carried;
  for (int64_t k = 0; k < n; ++k)
    carried.push_back(once ? neutral() : e.select(isFirst, neutral(), e.load(e.vec, e.at(kept, k * vectorBytes))));
  for (auto [in, s] : llvm::zip(inputs, streams))
    carried.push_back(in.how == Packed ? e.i64(0) : e.mul(termFrom, s.step));
  SmallVector<V> sums = e.loop(termFrom, termTo, 1, carried, [&](V c, ValueRange args) {
    SmallVector<V> next(args.take_front(n));
    indices[term] = indexOf(c, term);
    for (int64_t r = 0; r < rows; ++r) {
      enter(r);
      for (int64_t k = 0; k < vectors; ++k) {
        indices[inner] = region().indexLanes(e.add(v, k * e.lanes), inner);
        elements.assign(inputs.size(), std::nullopt);
        for (auto [m, in] : llvm::enumerate(inputs)) {
          Type element = in.tensor->type.getElementType();
          V at = e.at(streams[m].at[in.ofRow ? r : 0], args[n + m]);
          elements[m] = in.how == Scalar   ? Val{e.loadElement(element, at)}
                        : in.how == Packed ? Val{e.load(e.vec, e.at(at, k * vectorBytes))}
                                           : Val{e.loadElements(element, e.at(at, k * e.lanes * streams[m].size))};
        }
        next[r * vectors + k] = emitBody(next[r * vectors + k]);
      }
    }
    for (auto [m, s] : llvm::enumerate(streams))
      next.push_back(e.add(args[n + m], s.step));
    return next;
  });
  auto finish = [&] {
    for (int64_t r = 0; r < rows; ++r) {
      enter(r);
      V at = outputAt(v);
      for (int64_t k = 0; k < vectors; ++k)
        put(narrowed(sums[r * vectors + k]), e.at(at, k * e.lanes * Emit::elementBytes(out->type.getElementType())));
    }
    return SmallVector<V>{};
  };
  if (once)
    return (void)finish();
  e.choose(isLast, {}, finish, [&] {
    for (int64_t k = 0; k < n; ++k)
      e.store(sums[k], e.at(kept, k * vectorBytes));
    return SmallVector<V>{};
  });
}

int64_t attn::mapRoom(TaskEmitter &task, tile::MapOp map) { return MapEmitter(task, map).room(); }
