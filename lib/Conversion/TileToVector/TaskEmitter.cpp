#include "TaskEmitter.h"
#include "attn-rt/attn_rt.h"

using namespace mlir;
using namespace attn;
using V = Value;

V TaskEmitter::field(size_t offset, Type type) { return e.load(type, e.at(task, (int64_t)offset)); }

TaskEmitter::TaskEmitter(Emit &e, tile::ProgramOp program, const Layout &layout, Operation *order, V task)
    : e(e), program(program), layout(layout), task(task), list(dyn_cast_or_null<tile::OrderOp>(order)),
      boxes(dyn_cast_or_null<tile::BoxesOp>(order)) {
  Type ptr = e.ptrType(), i64 = e.i64Type();
  slot = field(offsetof(attn_task, slot), ptr);
  scratch = field(offsetof(attn_task, scratch), ptr);
  block = field(offsetof(attn_task, block), i64);
  V args = field(offsetof(attn_task, args), ptr), scalars = field(offsetof(attn_task, params), ptr),
    ext = field(offsetof(attn_task, extents), ptr);
  for (unsigned d = 0; d < program.getDimNames().size(); ++d)
    extents.push_back(e.loadI64(ext, d * 8));
  for (unsigned d = 0; d < program.getNumBatch(); ++d)
    index.push_back(field(offsetof(attn_task, index) + d * 8, i64));

  int64_t tensorNumber = 0, scalarNumber = 0;
  for (BlockArgument arg : program.getBody().getArguments()) {
    if (auto type = dyn_cast<RankedTensorType>(arg.getType())) {
      TensorRef t;
      t.type = type;
      t.argument = tensorNumber;
      int64_t base = tensorNumber++ * (int64_t)sizeof(attn_tensor);
      t.data = e.load(ptr, e.at(args, base + (int64_t)offsetof(attn_tensor, data)));
      for (int64_t axis = 0; axis < type.getRank(); ++axis) {
        t.strides.push_back(e.loadI64(args, base + offsetof(attn_tensor, stride) + axis * 8));
        t.extents.push_back(e.loadI64(args, base + offsetof(attn_tensor, shape) + axis * 8));
      }
      t.fact = ArgumentFact::unpack(cast<DenseI64ArrayAttr>(program.getArgFacts()[arg.getArgNumber()]).asArrayRef());
      tensors[arg] = t;
      continue;
    }
    V at = e.at(scalars, scalarNumber++ * (int64_t)sizeof(attn_scalar));
    V v;
    if (isa<FloatType>(arg.getType())) {
      v = e.load(e.b.getF64Type(), at);
      if (!e.real.isF64() || arg.getType().isF32()) // narrowed to the text's type, whatever it is computed in
        v = arith::TruncFOp::create(e.b, e.loc, e.b.getF32Type(), v);
      if (e.real.isF64() && arg.getType().isF32())
        v = arith::ExtFOp::create(e.b, e.loc, e.real, v);
    } else {
      v = e.loadI64(at); // all 64 bits: seeds use them
      if (arg.getType().isInteger(32))
        v = arith::TruncIOp::create(e.b, e.loc, e.b.getI32Type(), v);
    }
    params[arg] = v;
  }
  if (program.getFeatures().empty()) // elementwise: no keys
    return;
  positions = extents[keyDim()];
  if (list)
    positions = e.mul(tensor(cast<BlockArgument>(list.getList()).getArgNumber()).extents.back(), list.getBlock());
  if (boxes) {
    V first = gridFirst();
    V panels = e.divUnsigned(e.add(first, layout.width - 1), layout.width);
    positions = e.add(e.mul(panels, layout.width), e.sub(positions, first));
  }
}

V TaskEmitter::baseOffset(TensorRef &t, AffineMap map) {
  V offset = e.i64(0);
  for (auto [axis, expr] : llvm::enumerate(map.getResults())) {
    if (isa<AffineSymbolExpr>(expr)) // a rank
      continue;
    OperandIndex x = OperandIndex::of(expr);
    bool batch = x.dim >= 0 && x.dim < (int64_t)program.getNumBatch();
    if (!batch && x.offset == 0)
      continue;
    V at = batch ? e.add(e.divUnsigned(index[x.dim], x.divisor), x.offset) : e.i64(x.offset);
    offset = e.add(offset, e.mul(at, t.strides[axis]));
  }
  return offset;
}

V TaskEmitter::stride(TensorRef &t, AffineMap map, unsigned dim) {
  for (auto [axis, expr] : llvm::enumerate(map.getResults()))
    if (OperandIndex x = OperandIndex::of(expr); x.dim == (int64_t)dim && x.divisor == 1)
      return t.strides[axis];
  return e.i64(0);
}

V TaskEmitter::summaryBase(unsigned n) {
  V all = panels();
  V base = e.at(slot, e.mul(all, layout.panelBytes() - layout.numSummaries * 32));
  return e.at(base, e.mul(all, n * 32));
}

V TaskEmitter::isAlone() {
  V heads = e.i64(1);
  for (unsigned d = 0; d < program.getNumBatch(); ++d)
    heads = e.mul(heads, extents[d]);
  return e.both(e.le(extents[queryDim()], e.i64(layout.taskRows)), e.le(e.i64(8), heads));
}

V TaskEmitter::orderBytes() {
  V seen = e.mul(e.divUnsigned(e.add(orderLimit(), 63), 64), 8);
  return e.mul(e.divUnsigned(e.add(e.add(keyTableBytes(), seen), 191), 64), 64);
}

V TaskEmitter::keyTable(unsigned n) {
  if (layout.ordersInTasks)
    return e.at(e.at(scratch, layout.scratchBytes()), e.mul(keyTableBytes(), n));
  V bytes = e.mul(panels(), layout.panelBytes());
  V base = e.at(slot, e.mul(e.divUnsigned(e.add(bytes, 63), 64), 64));
  return e.at(base, e.mul(keyTableBytes(), n));
}

V TaskEmitter::queryTable(unsigned n) {
  V end = keyTable(1 + numAxes());
  return e.at(end, e.mul(queryTableBytes(), n));
}

V TaskEmitter::keyAbsent() {
  V end = keyTable(0);
  if (boxes)
    end = queryTable(1 + numAxes());
  else if (list)
    end = e.at(orderSeen(), e.mul(e.divUnsigned(e.add(orderLimit(), 63), 64), 8));
  return end;
}

V TaskEmitter::gridFirst() {
  V first = e.i64(boxes.getFirstValue());
  if (boxes.getFirst()) {
    first = params.lookup(boxes.getFirst());
    if (first.getType().isInteger(32))
      first = arith::ExtSIOp::create(e.b, e.loc, e.i64Type(), first);
  }
  return e.min(e.max(first, e.i64(0)), extents[keyDim()]);
}

/// Elements of the list are below ceil(J / block).
V TaskEmitter::orderLimit() { return e.divUnsigned(e.add(extents[keyDim()], list.getBlock() - 1), list.getBlock()); }

V TaskEmitter::isBadElement(V inside, V element, bool csr) {
  V outside = e.invert(inside);
  return csr ? outside : e.both(outside, e.ne(element, e.i64(-1)));
}

/// Indices of a batch dimension that share keys.
static V groupOf(TaskEmitter &t, unsigned dim) {
  int64_t share = t.program.getShare()[dim];
  return share <= 0 ? t.extents[dim] : t.e.min(t.e.i64(share), t.extents[dim]);
}

/// Rows of all members, or of those of one branch.
static V rowsOfMembers(TaskEmitter &t) {
  V rows = t.extents[t.queryDim()];
  for (unsigned d = 0; d < t.program.getNumBatch(); ++d)
    if (t.program.getShare()[d] != 1 && !(t.layout.branches > 1 && d == t.layout.branchDim))
      rows = t.e.mul(rows, groupOf(t, d));
  return rows;
}

V TaskEmitter::rowsOfBranch() {
  V strips = e.divUnsigned(e.add(rowsOfMembers(*this), layout.tileRows - 1), layout.tileRows);
  return e.mul(strips, layout.tileRows);
}

V TaskEmitter::rowsTogether() {
  V rows = rowsOfMembers(*this);
  return layout.branches == 1 ? rows
         : layout.alternate   ? e.mul(rows, layout.branches)
                              : e.add(e.mul(rowsOfBranch(), layout.branches - 1), rows);
}

void TaskEmitter::placeRows(V count) {
  auto divide = [&](V a, V c) -> V { return arith::DivUIOp::create(e.b, e.loc, a, c); };
  e.loop(e.i64(0), count, 1, [&](V row) {
    V position = e.add(block, row), branch;
    if (layout.branches > 1 && layout.alternate) {
      V rest = e.divUnsigned(position, layout.branches);
      branch = e.sub(position, e.mul(rest, layout.branches));
      position = rest;
    } else if (layout.branches > 1) { // the last row of one is repeated in what is left of its last strip
      V each = rowsOfBranch(), last = e.sub(rowsOfMembers(*this), e.i64(1));
      branch = divide(position, each);
      position = e.min(e.sub(position, e.mul(branch, each)), last);
    }
    V member = divide(position, extents[queryDim()]);
    V at = e.at(e.at(scratch, layout.places()), e.mul(row, layout.together * 8));
    e.store(e.sub(position, e.mul(member, extents[queryDim()])), at);
    for (unsigned d = program.getNumBatch(); d-- > 0;) {
      V own = index[d];
      if (branch && d == layout.branchDim) {
        own = e.add(own, branch);
      } else if (program.getShare()[d] != 1) {
        V group = groupOf(*this, d), rest = divide(member, group);
        own = e.add(own, e.sub(member, e.mul(rest, group)));
        member = rest;
      }
      e.store(own, e.at(at, (1 + d) * 8));
    }
  });
}

TaskEmitter::Row::Row(TaskEmitter &t, V position) : t(t), saved(t.index) {
  if (!t.layout.together)
    return;
  Emit &e = t.e;
  V at = e.at(e.at(t.scratch, t.layout.places()), e.mul(e.sub(position, t.block), t.layout.together * 8));
  for (unsigned d = 0; d < t.index.size(); ++d)
    if (t.program.getShare()[d] != 1)
      t.index[d] = e.loadI64(at, (1 + d) * 8);
}

V TaskEmitter::queryAt(V position) {
  if (layout.together)
    return e.loadI64(e.at(e.at(scratch, layout.places()), e.mul(e.sub(position, block), layout.together * 8)));
  return boxes ? e.loadInteger(e.b.getI32Type(), e.at(queryTable(0), e.mul(position, 4))) : position;
}

std::pair<V, V> TaskEmitter::csrRow(TensorRef &offsets, V at, V all, bool reports) {
  unsigned last = offsets.type.getRank() - 1;
  Type type = offsets.type.getElementType();
  auto offsetAt = [&](V n) { return e.loadInteger(type, e.at(offsets.data, e.mul(n, Emit::elementBytes(type)))); };
  V from = offsetAt(at), to = offsetAt(e.add(at, offsets.strides[last]));
  if (reports) {
    reportIndex(e.either(e.lt(from, e.i64(0)), e.lt(to, from)), offsets.argument, last, from);
    reportIndex(e.lt(all, to), offsets.argument, last, to);
  }
  from = e.min(e.max(from, e.i64(0)), all);
  return {from, e.max(from, e.min(to, all))};
}

void TaskEmitter::reportIndex(V isBad, V argument, V axis, V index) {
  e.when(isBad, [&] {
    V status = field(offsetof(attn_task, bad), e.ptrType());
    auto won = LLVM::AtomicCmpXchgOp::create(e.b, e.loc, status, e.i64(0), e.i64(1), LLVM::AtomicOrdering::acq_rel,
                                             LLVM::AtomicOrdering::acquire);
    e.when(LLVM::ExtractValueOp::create(e.b, e.loc, won, ArrayRef<int64_t>{1}), [&] {
      e.store(argument, e.at(status, 8));
      e.store(axis, e.at(status, 16));
      e.store(index, e.at(status, 24));
    });
  });
}

void TaskEmitter::reportLanes(V ok, V among, const RegionEmitter::BoundsCheck &check) {
  V bad = e.both(among, arith::XOrIOp::create(e.b, e.loc, ok, e.splatInt(e.vecOf(e.b.getI1Type()), 1)));
  e.when(e.anyLane(bad), [&] {
    V index = check.index;
    if (isa<VectorType>(index.getType())) { // the first bad lane's
      V found = e.i64(0);
      for (int64_t lane = e.lanes - 1; lane >= 0; --lane)
        found = e.select(vector::ExtractOp::create(e.b, e.loc, bad, ArrayRef<int64_t>{lane}),
                         vector::ExtractOp::create(e.b, e.loc, index, ArrayRef<int64_t>{lane}), found);
      index = found;
    }
    reportIndex(e.i1(true), check.argument, check.axis, index);
  });
}

static void byContiguity(Emit &e, V stride, int64_t count, llvm::function_ref<void(V)> vectorAt,
                         llvm::function_ref<void(V)> scalarAt) {
  int64_t whole = count / e.lanes * e.lanes;
  auto scalars = [&](int64_t from) {
    if (from < count)
      e.loop(e.i64(from), e.i64(count), 1, scalarAt);
    return SmallVector<V>{};
  };
  if (whole == 0) {
    scalars(0);
    return;
  }
  e.choose(
      e.eq(stride, e.i64(1)), {},
      [&] {
        const int64_t vectors = whole / e.lanes, atOnce = vectorsAtOnce(vectors);
        auto some = [&](V at) {
          for (int64_t n = 0; n < atOnce; ++n)
            vectorAt(n ? e.add(at, n * e.lanes) : at);
        };
        if (atOnce == vectors)
          some(e.i64(0));
        else
          e.loop(e.i64(0), e.i64(whole), atOnce * e.lanes, some);
        return scalars(whole);
      },
      [&] { return scalars(0); });
}

void attn::copyRow(Emit &e, Type element, V src, V stride, V dst, int64_t count) {
  int64_t size = Emit::elementBytes(element);
  byContiguity(
      e, stride, count,
      [&](V n) {
        V v = e.loadElements(element, e.at(src, e.mul(n, size)));
        e.store(v, e.at(dst, e.mul(n, e.bytes)));
      },
      [&](V n) {
        V v = e.loadElement(element, e.at(src, e.mul(e.mul(n, stride), size)));
        e.store(v, e.at(dst, e.mul(n, e.bytes)));
      });
}

void attn::storeRow(Emit &e, Type element, V src, V dst, V stride, int64_t count) {
  int64_t size = Emit::elementBytes(element);
  byContiguity(
      e, stride, count,
      [&](V n) { e.storeElement(e.load(e.vec, e.at(src, e.mul(n, e.bytes))), element, e.at(dst, e.mul(n, size))); },
      [&](V n) {
        e.storeElement(e.load(e.real, e.at(src, e.mul(n, e.bytes))), element, e.at(dst, e.mul(e.mul(n, stride), size)));
      });
}
