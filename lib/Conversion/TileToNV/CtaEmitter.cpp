#include "CtaEmitter.h"
#include "attn/Schedule/Schedule.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace attn;
using V = Value;

static V wide(Emit &e, V i32) { return arith::ExtUIOp::create(e.b, e.loc, e.i64Type(), i32); }

int64_t KernelEmitter::numWords(tile::ProgramOp program) {
  int64_t words = program.getDimNames().size();
  for (BlockArgument arg : program.getBody().getArguments())
    if (auto type = dyn_cast<RankedTensorType>(arg.getType()))
      words += 2 * type.getRank();
    else
      ++words;
  return std::max<int64_t>(words, 1);
}

KernelEmitter::KernelEmitter(Emit &e, tile::ProgramOp program, Block *entry) : e(e), program(program) {
  V words = entry->getArguments().back();
  workspace = entry->getArgument(entry->getNumArguments() - 2);
  int64_t at = 0;
  auto next = [&] { return e.loadI64(words, 8 * at++); };
  // Extents are below 2^31 (attn_rt.h), and so are indices then: LLVM keeps them in 32 bits if it knows.
  for (unsigned d = 0; d < program.getDimNames().size(); ++d) {
    V low = e.load(e.b.getI32Type(), e.at(words, 8 * at++));
    V zero = arith::ConstantOp::create(e.b, e.loc, e.b.getI32IntegerAttr(0));
    LLVM::AssumeOp::create(e.b, e.loc, e.ge(low, zero));
    extents.push_back(wide(e, low));
  }
  unsigned number = 0;
  for (BlockArgument arg : program.getBody().getArguments()) {
    auto type = dyn_cast<RankedTensorType>(arg.getType());
    if (!type)
      continue;
    TensorRef t;
    t.type = type;
    t.argument = number;
    t.data = entry->getArgument(number++);
    for (int64_t axis = 0; axis < type.getRank(); ++axis)
      t.extents.push_back(next());
    for (int64_t axis = 0; axis < type.getRank(); ++axis)
      t.strides.push_back(next());
    t.fact = ArgumentFact::unpack(cast<DenseI64ArrayAttr>(program.getArgFacts()[arg.getArgNumber()]).asArrayRef());
    tensors[arg] = t;
  }
  for (BlockArgument arg : program.getBody().getArguments()) {
    if (isa<RankedTensorType>(arg.getType()))
      continue;
    V v = next();
    if (isa<FloatType>(arg.getType())) {
      v = e.bitcast(v, e.b.getF64Type());
      v = arith::TruncFOp::create(e.b, e.loc, e.real, v);
    } else if (arg.getType().isInteger(32)) {
      v = arith::TruncIOp::create(e.b, e.loc, e.b.getI32Type(), v);
    }
    params[arg] = v;
  }
  thread = wide(e, nv::ThreadIdOp::create(e.b, e.loc));
  cta = wide(e, nv::CtaIdOp::create(e.b, e.loc));
}

void KernelEmitter::report(V bad, V argument, V axis, V index, int64_t code) {
  e.when(bad, [&] {
    auto monotonic = LLVM::AtomicOrdering::monotonic;
    V old = LLVM::AtomicCmpXchgOp::create(e.b, e.loc, workspace, e.i64(0), e.i64(code), monotonic, monotonic);
    e.when(LLVM::ExtractValueOp::create(e.b, e.loc, old, ArrayRef<int64_t>{1}), [&] {
      e.store(argument, e.at(workspace, 8));
      e.store(axis, e.at(workspace, 16));
      e.store(index, e.at(workspace, 24));
    });
  });
}

V KernelEmitter::report(ArrayRef<RegionEmitter::BoundsCheck> checks, V wanted) {
  for (const RegionEmitter::BoundsCheck &check : checks) {
    report(e.both(wanted, e.invert(check.ok)), e.i64(check.argument), e.i64(check.axis), check.index);
    wanted = e.both(wanted, check.ok);
  }
  return wanted;
}

V KernelEmitter::addressOf(TensorRef &t, AffineMap map, llvm::function_ref<V(unsigned dim)> indexOf) {
  V offset = e.i64(0);
  for (auto [axis, expr] : llvm::enumerate(map.getResults())) {
    if (isa<AffineSymbolExpr>(expr)) // a rank
      continue;
    OperandIndex x = OperandIndex::of(expr);
    bool isBatch = x.dim >= 0 && x.dim < (int64_t)program.getNumBatch();
    V at = x.dim < 0 ? e.i64(0) : isBatch ? index[x.dim] : indexOf(x.dim);
    if (x.divisor != 1)
      at = e.divUnsigned(at, x.divisor);
    offset = e.add(offset, e.mul(e.add(at, x.offset), t.strides[axis]));
  }
  return e.at(t.data, e.mul(offset, Emit::elementBytes(t.type.getElementType())));
}

CtaEmitter::CtaEmitter(Emit &e, tile::ProgramOp program, const GpuTiles &tiles, const Placed &placed,
                       tile::PhaseOp pack, tile::PhaseOp phase, bool splits, Block *entry)
    : KernelEmitter(e, program, entry), t(tiles), placed(placed), packPhase(pack), phase(phase), splits(splits),
      together(phase->getParentOp()->hasAttr(kTogetherAttr)), givenExtents(extents), givenThread(thread) {
  locateThread();
  sharedBase = nv::SharedMemoryOp::create(e.b, e.loc);
  tensorByNumber = [this](unsigned n) -> TensorRef & { return tensor(n); };
  facts = argumentFactsOf(program);
  locate(cta);
}

void CtaEmitter::locateThread() {
  warp = e.divUnsigned(thread, 32);
  lane = e.both(thread, e.i64(31));
  column = digits(lane, scoreLayout().laneColumn);
}

/// a / b of numbers below 2^31 and b > 0: in 64 bits it would be a call.
V CtaEmitter::divideShort(V a, V b) {
  auto low = [&](V x) -> V { return arith::TruncIOp::create(e.b, e.loc, e.b.getI32Type(), x); };
  return wide(e, arith::DivUIOp::create(e.b, e.loc, low(a), low(b)));
}

/// Indices of a batch dimension that share keys, though there may be fewer.
V CtaEmitter::groupOf(unsigned d) {
  int64_t share = program.getShare()[d];
  return share > 0 ? e.i64(share) : extents[d];
}

/// Heads whose rows are a CTA's.
V CtaEmitter::membersOf() {
  V members = e.i64(1);
  for (unsigned d = 0; d < program.getNumBatch(); ++d)
    if (isShared(d))
      members = e.mul(members, groupOf(d));
  return members;
}

/// Row n is query n / members of member n mod members, whose indices count row-major.
CtaEmitter::Row CtaEmitter::rowOf(V place) {
  Row row{place, index, V()};
  if (!together)
    return row;
  V members = membersOf();
  row.query = divideShort(place, members);
  V member = e.sub(place, e.mul(row.query, members));
  for (unsigned d = program.getNumBatch(); d-- > 0;) {
    if (!isShared(d))
      continue;
    V rest = divideShort(member, groupOf(d));
    V own = e.add(index[d], e.sub(member, e.mul(rest, groupOf(d))));
    if (program.getShare()[d] > 0) {
      V is = e.lt(own, extents[d]);
      row.isHead = row.isHead ? e.both(row.isHead, is) : is;
      own = e.min(own, e.sub(extents[d], e.i64(1)));
    }
    row.index[d] = own;
    member = rest;
  }
  return row;
}

/// Among the CTA's.
V CtaEmitter::numberOf(unsigned r) { return e.add(e.mul(warp, 16), e.add(digits(lane, scoreLayout().laneRow), 8 * r)); }

// CTA x = ((batch slices + slice) chunks + chunk) blocks + block
void CtaEmitter::locate(V number) {
  V rows = extents[queryDim()];
  if (together)
    rows = e.mul(rows, membersOf());
  // Of a dimension: indices, or groups of them.
  auto units = [&](unsigned d) -> V {
    int64_t share = program.getShare()[d];
    return !isShared(d) ? extents[d] : share > 0 ? e.divUnsigned(e.add(extents[d], share - 1), share) : e.i64(1);
  };
  blocks = e.divUnsigned(e.add(rows, t.rows - 1), t.rows);
  auto peel = [&](V &from, V by) {
    V rest = divideShort(from, by), digit = e.sub(from, e.mul(rest, by));
    from = rest;
    return digit;
  };
  block = peel(number, blocks);
  if (phase.getDescending())
    block = e.sub(e.sub(blocks, e.i64(1)), block);
  chunks = e.i64(phase.getChunks().value_or(1));
  if (splits) { // the launch says
    V ctas = wide(e, NVVM::GridDimXOp::create(e.b, e.loc, e.b.getI32Type())), whole = e.mul(blocks, t.slices);
    for (unsigned d = 0; d < program.getNumBatch(); ++d)
      whole = e.mul(whole, units(d));
    chunks = divideShort(ctas, whole);
  }
  chunk = splits || phase.getChunks() ? peel(number, chunks) : e.i64(0);
  slice = t.slices > 1 ? peel(number, e.i64(t.slices)) : e.i64(0);
  batchNumber = number;
  index.resize(program.getNumBatch());
  for (int d = program.getNumBatch() - 1; d >= 0; --d) {
    bool isAlone = isShared(d) && program.getShare()[d] <= 0;
    index[d] = isAlone ? e.i64(0) : d ? peel(number, units(d)) : number;
    if (isShared(d) && !isAlone)
      index[d] = e.mul(index[d], groupOf(d));
  }
  firstPlace = e.mul(block, t.rows);
  lastPlace = e.min(e.add(firstPlace, t.rows - 1), e.sub(rows, e.i64(1)));
  firstRow = rowOf(firstPlace).query, lastRow = rowOf(lastPlace).query;
  for (unsigned r = 0; r < 2; ++r) {
    V place = e.add(firstPlace, numberOf(r));
    Row row = rowOf(e.min(place, lastPlace));
    live[r] = e.le(place, lastPlace);
    if (row.isHead)
      live[r] = e.both(live[r], row.isHead);
    if (again[r])
      live[r] = e.both(live[r], again[r]);
    rowAt[r] = row.query, rowIndex[r] = row.index;
  }
}

/// Who the thread is and where the CTA is, once more: nothing that follows from lengths, the thread's number or the
/// CTA's, which has been kept in shared memory, takes registers over a sweep for the sake of what comes after. For all
/// threads.
void CtaEmitter::locateAgain() {
  for (auto [n, given] : llvm::zip(extents, givenExtents))
    n = unknown(given);
  thread = unknown(givenThread);
  locateThread();
  nv::BarrierOp::create(e.b, e.loc);
  locate(wide(e, loadShared(e.b.getI32Type(), e.i64(placed.map.number))));
}

V CtaEmitter::shared(V offset) {
  auto ptr = LLVM::LLVMPointerType::get(e.b.getContext(), 3);
  return LLVM::GEPOp::create(e.b, e.loc, ptr, e.b.getI8Type(), sharedBase, ArrayRef<LLVM::GEPArg>{offset});
}

V CtaEmitter::loadShared(Type type, V offset) {
  unsigned align = isa<VectorType>(type) ? 16 : type.getIntOrFloatBitWidth() / 8;
  return LLVM::LoadOp::create(e.b, e.loc, type, shared(offset), align);
}

void CtaEmitter::storeShared(V value, V offset) {
  auto vector = dyn_cast<VectorType>(value.getType());
  unsigned bits =
      vector ? vector.getNumElements() * vector.getElementTypeBitWidth() : value.getType().getIntOrFloatBitWidth();
  unsigned align = bits / 8;
  LLVM::StoreOp::create(e.b, e.loc, value, shared(offset), align);
}

/// Over the four lanes that hold a row.
V CtaEmitter::quad(V x, llvm::function_ref<V(V, V)> combine) {
  for (int mask : {1, 2})
    x = combine(x, nv::ShuffleXorOp::create(e.b, e.loc, x.getType(), x, e.b.getI32IntegerAttr(mask)));
  return x;
}

/// i1, the same for all threads: whether the condition holds for any of them.
V CtaEmitter::anyThread(V condition) {
  V lanes = nv::BallotOp::create(e.b, e.loc, e.b.getI32Type(), condition);
  nv::BarrierOp::create(e.b, e.loc);
  e.when(e.eq(lane, e.i64(0)), [&] { storeShared(lanes, e.add(e.mul(warp, 4), placed.map.flags)); });
  nv::BarrierOp::create(e.b, e.loc);
  V some = i32(0);
  for (int64_t w = 0; w < t.warps(); ++w)
    some = arith::OrIOp::create(e.b, e.loc, some, loadShared(e.b.getI32Type(), e.i64(placed.map.flags + 4 * w)));
  return e.ne(some, i32(0));
}

LogicalResult CtaEmitter::check() {
  if (failed(checkSteps(phase.getBody().front())))
    return failure();
  if (packPhase)
    for (Operation &op : packPhase.getBody().front().without_terminator()) {
      auto packs = dyn_cast<tile::PackOp>(op);
      if (!packs)
        return op.emitError("[unsupported_gpu] ") << op.getName().stripDialect() << " has no lowering for GPUs yet";
      (packK ? packV : packK) = packs;
    }
  return success();
}

LogicalResult CtaEmitter::checkSteps(Block &steps) {
  for (Operation &op : steps.without_terminator()) {
    if (auto loop = dyn_cast<tile::ForOp>(op)) {
      if (failed(matchSweep(loop)))
        return failure();
    } else if (auto root = dyn_cast<tile::RootOp>(op)) {
      if (failed(checkSteps(root.getSweep().front())))
        return failure();
    } else if (auto load = dyn_cast<tile::LoadOp>(op)) {
      loadOp = load;
    } else if (!isa<tile::ParamOp, tile::StatOp, tile::SeedOp, tile::PickOp, tile::FinishOp, tile::SaveOp,
                    tile::MergeOp, tile::FillOp, tile::PlaceOp>(op)) {
      return op.emitError("[unsupported_gpu] ") << op.getName().stripDialect() << " has no lowering for GPUs yet";
    }
  }
  return success();
}

LogicalResult CtaEmitter::run() {
  if (failed(check()))
    return failure();
  if (!loadOp) { // a merge phase, without shared memory
    auto steps = phase.getBody().front().without_terminator();
    conclude(steps.begin(), steps.end());
    return success();
  }
  checkPromises(t.threads());
  e.when(e.eq(thread, e.i64(0)),
         [&] { storeShared(arith::TruncIOp::create(e.b, e.loc, e.b.getI32Type(), cta), e.i64(placed.map.number)); });
  stageQueries();
  auto rest = sweeps(!t.whole);
  V redo; // whether there is a second pass
  Pair bad{};
  if (t.whole) {
    bad = poisonOf();
    redo = anyThread(e.either(bad[0], bad[1]));
    for (V &b : bad) // of a warp's lanes, a word that they share
      b = nv::BallotOp::create(e.b, e.loc, e.b.getI32Type(), b);
    SmallVector<V> first = carried();
    SmallVector<V> all = e.choose(
        redo, {},
        [&] {
          locateAgain();
          sweeps(true);
          SmallVector<V> second = carried();
          Pair mine{inRow(bad[0]), inRow(bad[1])};
          for (auto [n, r] : llvm::enumerate(carriedRows())) // of other rows the first pass stays
            second[n] = e.select(mine[r], second[n], first[n]);
          return second;
        },
        [&] { return first; });
    carry(all);
  }
  locateAgain();
  guarded = true; // right for what either pass left
  auto end = phase.getBody().front().without_terminator().end();
  if (splits) // a CTA of a chunk leaves its state, one of all keys goes on
    e.choose(
        e.lt(e.i64(1), chunks), {},
        [&] {
          save();
          return SmallVector<V>();
        },
        [&] {
          conclude(rest, end);
          return SmallVector<V>();
        });
  else
    conclude(rest, end);
  for (auto loop : phase.getBody().getOps<tile::ForOp>()) {
    if (!weighOf(loop).getSpreadTo()) // what is spread comes once all rows are finished
      continue;
    guarded = !t.whole;
    spread(loop);
    if (!redo)
      continue;
    e.when(redo, [&] {
      again = {inRow(bad[0]), inRow(bad[1])}, guarded = true;
      locateAgain();
      spread(loop);
    });
    again = {};
    locateAgain();
  }
  return success();
}

/// The steps up to the last sweep over the keys; the first one behind it.
Block::iterator CtaEmitter::sweeps(bool isGuarded) {
  guarded = isGuarded;
  places.clear();
  seedRows.clear();
  Block &steps = phase.getBody().front();
  auto behind = steps.begin();
  for (auto at = steps.begin(); at != steps.end(); ++at)
    if (auto loop = dyn_cast<tile::ForOp>(*at); isa<tile::RootOp>(*at) || (loop && !weighOf(loop).getSpreadTo()))
      behind = std::next(at);
  for (Operation &op : llvm::make_range(steps.begin(), behind))
    runStep(op);
  return behind;
}

/// What the last sweep left, seeds and parameters, outputs or a state.
void CtaEmitter::conclude(Block::iterator from, Block::iterator to) {
  for (Operation &op : llvm::make_range(from, to)) {
    if (isa<tile::SaveOp>(op))
      save();
    else if (isa<tile::FinishOp>(op))
      finish();
    else if (!isa<tile::ForOp>(op)) // which spreads
      runStep(op);
  }
}

/// Numbers of rows that sweeps leave beside the last one's state. Those of a root's own sweeps end with it.
void CtaEmitter::eachRowPair(llvm::function_ref<void(Pair &)> visit) {
  for (auto &[tile, place] : places)
    if (place.kind == Place::Row && tile.getParentBlock() == &phase.getBody().front())
      visit(place.row);
  for (Pair &pair : seedRows)
    visit(pair);
  if (unitReference[0])
    visit(unitReference);
}

/// i1: whether one of the four lanes that hold a row has its bit in what the warp voted.
V CtaEmitter::inRow(V votes) {
  V first = arith::TruncIOp::create(e.b, e.loc, e.b.getI32Type(), e.both(lane, e.i64(28)));
  return e.ne(e.both(arith::ShRUIOp::create(e.b, e.loc, votes, first), i32(15)), i32(0));
}

/// Which of the thread's rows each number of carried() is of.
SmallVector<unsigned> CtaEmitter::carriedRows() {
  SmallVector<unsigned> all = last.rows();
  eachRowPair([&](Pair &) { all.append({0, 1}); });
  return all;
}

SmallVector<V> CtaEmitter::carried() {
  SmallVector<V> all = last.flat();
  eachRowPair([&](Pair &pair) { llvm::append_range(all, pair); });
  return all;
}

void CtaEmitter::carry(ValueRange all) {
  unsigned own = last.flat().size();
  last = last.with(all.take_front(own));
  auto next = all.begin() + own;
  eachRowPair([&](Pair &pair) {
    for (V &v : pair)
      v = *next++;
  });
}

void CtaEmitter::runStep(Operation &op) {
  if (auto o = dyn_cast<tile::ForOp>(op))
    sweep(o);
  else if (auto o = dyn_cast<tile::ParamOp>(op))
    loadParam(o);
  else if (auto o = dyn_cast<tile::StatOp>(op))
    statistics(o);
  else if (auto o = dyn_cast<tile::SeedOp>(op))
    seed(o);
  else if (auto o = dyn_cast<tile::PickOp>(op))
    pick(o);
  else if (auto o = dyn_cast<tile::RootOp>(op))
    root(o);
  else if (auto o = dyn_cast<tile::MergeOp>(op))
    merge(o);
}
