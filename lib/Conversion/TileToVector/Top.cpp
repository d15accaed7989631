// The keys of the K largest numbers of a row (a topk of tile.weigh, tile.top).
//
// A row keeps candidates in a buffer of 2 K and some. A candidate is one integer, so that larger is better and no two
// are equal: the number's bits, made to ascend (NaN above all, -0 as +0), above the complement of its key. Lanes of a
// microtile whose number does not exceed the row's bound are left out at once; the others are appended. When the buffer
// is full a bound is sought that K candidates or a few more exceed, by halving between integers, and the others are
// dropped: 64 steps at most, in f64 128. In the end it is K exactly, which are sorted.
//
// The bound of a row lives as a vector of numbers in the slot of the sum, NaN (which excludes nothing) before there is
// one, and as an integer in the buffer's head, behind the count.
#include "MainEmitter.h"

using namespace mlir;
using namespace attn;
using V = Value;

static V word(Emit &e, IntegerType type, const APInt &n) {
  return arith::ConstantOp::create(e.b, e.loc, e.b.getIntegerAttr(type, n));
}

static V least(Emit &e, IntegerType type) { return word(e, type, APInt::getSignedMinValue(type.getWidth())); }

static V entryAt(Emit &e, const Layout &l, V buffer, V n) {
  return e.at(e.at(buffer, Layout::kTopHead), e.mul(n, l.topEntry()));
}

static V signedGreater(Emit &e, V a, V b) { return e.cmp(arith::CmpIPredicate::sgt, a, b); }

static V asI64(Emit &e, V bit) { return arith::ExtUIOp::create(e.b, e.loc, e.i64Type(), bit); }

void MainEmitter::clearTop(unsigned top, unsigned slot, V row) {
  V buffer = topBuffer(top, row);
  e.store(e.i64(0), buffer);
  e.store(least(e, entryType()), e.at(buffer, Layout::kTopBound));
  e.store(e.splat(std::numeric_limits<double>::quiet_NaN()), sumRow(slot, row));
}

void MainEmitter::clearTops() {
  unsigned top = 0;
  for (auto [n, slot] : llvm::enumerate(sumSlots))
    if (weighOp.getSumOps()[n] == 4) {
      unsigned number = top++, at = slot;
      eachRow([&](V row) { clearTop(number, at, row); });
    }
}

/// Bits of a number from those that ascend, or the other way round: the same involution.
static V ascending(Emit &e, V bits) {
  Type type = bits.getType();
  unsigned width = e.bytes * 8;
  auto constant = [&](const APInt &n) -> V {
    if (auto vector = dyn_cast<VectorType>(type))
      return arith::ConstantOp::create(e.b, e.loc,
                                       DenseElementsAttr::get(vector, e.b.getIntegerAttr(vector.getElementType(), n)));
    return arith::ConstantOp::create(e.b, e.loc, e.b.getIntegerAttr(type, n));
  };
  V sign = arith::ShRSIOp::create(e.b, e.loc, bits, constant(APInt(width, width - 1)));
  return arith::XOrIOp::create(e.b, e.loc, bits,
                               arith::AndIOp::create(e.b, e.loc, sign, constant(APInt::getSignedMaxValue(width))));
}

/// `numbers` and `keys` are vectors; `in`: which lanes hold pairs of the row.
void MainEmitter::addToTop(unsigned top, unsigned slot, V row, V numbers, V keys, V in) {
  V boundAt = sumRow(slot, row);
  // Where keys ascend a number that equals the bound comes behind K others that do.
  auto exceeds = t.keysAreAnywhere() ? arith::CmpFPredicate::UGE : arith::CmpFPredicate::UGT;
  V take = e.both(in, e.cmpf(exceeds, numbers, e.load(e.vec, boundAt)));
  e.when(e.anyLane(take), [&] {
    V buffer = topBuffer(top, row);
    e.when(e.lt(e.i64(l.topRoom(top) - e.lanes), e.loadI64(buffer)),
           [&] { narrowTop(top, slot, row, l.tops[top] + (l.topRoom(top) - l.tops[top]) / 4); });
    auto integers = cast<VectorType>(e.vecOf(e.b.getIntegerType(e.bytes * 8)));
    auto entries = cast<VectorType>(e.vecOf(entryType()));
    V bits = ascending(e, e.bitcast(e.fadd(numbers, e.splat(0)), integers));
    V largest = arith::ConstantOp::create(
        e.b, e.loc,
        DenseElementsAttr::get(integers,
                               e.b.getIntegerAttr(integers.getElementType(), APInt::getSignedMaxValue(e.bytes * 8))));
    bits = e.select(e.cmpf(arith::CmpFPredicate::UNO, numbers, numbers), largest, bits);
    V high = arith::ShLIOp::create(e.b, e.loc, arith::ExtSIOp::create(e.b, e.loc, entries, bits),
                                   e.splatInt(entries, e.bytes * 8));
    V low =
        arith::ExtUIOp::create(e.b, e.loc, entries, arith::XOrIOp::create(e.b, e.loc, keys, e.splatInt(integers, -1)));
    V all = e.either(high, low);
    for (int64_t lane = 0; lane < e.lanes; ++lane) {
      auto extract = [&](V v) -> V { return vector::ExtractOp::create(e.b, e.loc, v, ArrayRef<int64_t>{lane}); };
      addEntry(top, buffer, extract(all), extract(take));
    }
  });
}

/// Appended where it is wanted and exceeds the bound; there is room.
void MainEmitter::addEntry(unsigned top, V buffer, V entry, V wanted) {
  V count = e.loadI64(buffer), bound = e.load(entryType(), e.at(buffer, Layout::kTopBound));
  e.store(entry, entryAt(e, l, buffer, count));
  e.store(e.add(count, asI64(e, e.both(wanted, signedGreater(e, entry, bound)))), buffer);
}

/// Leaves `most` candidates or fewer, and K or all.
void MainEmitter::narrowTop(unsigned top, unsigned slot, V row, int64_t most) {
  LLVM::CallOp::create(e.b, e.loc, TypeRange{}, topFunction(top),
                       ValueRange{topBuffer(top, row), sumRow(slot, row), e.i64(most)});
}

std::string MainEmitter::topFunction(unsigned top) {
  std::string name = prefix + "_top" + std::to_string(top);
  if (module.lookupSymbol(name))
    return name;
  OpBuilder::InsertionGuard guard(e.b);
  e.b.setInsertionPointToEnd(module.getBody());
  Type ptr = e.ptrType(), i64 = e.i64Type();
  auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(e.b.getContext()), {ptr, ptr, i64});
  auto func = LLVM::LLVMFuncOp::create(e.b, e.loc, name, type, LLVM::Linkage::Internal);
  func.setNoInline(true);
  Block *entry = func.addEntryBlock(e.b);
  e.b.setInsertionPointToEnd(entry);
  V buffer = entry->getArgument(0), numbers = entry->getArgument(1), most = entry->getArgument(2);
  IntegerType integer = entryType();
  V all = e.loadI64(buffer), boundAt = e.at(buffer, Layout::kTopBound), wanted = e.i64(l.tops[top]);

  auto exceed = [&](V bound) { // how many do
    constexpr int64_t lanes = 4;
    auto vector = VectorType::get({lanes}, integer), counts = VectorType::get({lanes}, i64);
    V whole = e.mul(e.divUnsigned(all, lanes), lanes);
    V bounds = vector::BroadcastOp::create(e.b, e.loc, vector, bound);
    V sums = e.loop(e.i64(0), whole, lanes, ValueRange{e.splatInt(counts, 0)}, [&](V n, ValueRange args) {
      V above = signedGreater(e, e.load(vector, entryAt(e, l, buffer, n)), bounds);
      return SmallVector<V>{e.add(args[0], (V)arith::ExtUIOp::create(e.b, e.loc, counts, above))};
    })[0];
    V sum = vector::ReductionOp::create(e.b, e.loc, vector::CombiningKind::ADD, sums);
    return e.loop(whole, all, 1, ValueRange{sum}, [&](V n, ValueRange args) {
      return SmallVector<V>{
          e.add(args[0], asI64(e, signedGreater(e, e.load(integer, entryAt(e, l, buffer, n)), bound)))};
    })[0];
  };
  e.when(e.lt(most, all), [&] {
    auto middle = [&](V lo, V hi) -> V { // rounded down, without overflow
      V half = arith::ShRSIOp::create(e.b, e.loc, arith::XOrIOp::create(e.b, e.loc, lo, hi),
                                      word(e, integer, APInt(integer.getWidth(), 1)));
      return e.add(e.both(lo, hi), half);
    };
    // How many exceed lo: K or more; hi: fewer.
    V highest = word(e, integer, APInt::getSignedMaxValue(integer.getWidth()));
    auto found = e.whileLoop(
        ValueRange{e.load(integer, boundAt), highest, all},
        [&](ValueRange args) { return e.both(e.lt(most, args[2]), e.ne(middle(args[0], args[1]), args[0])); },
        [&](ValueRange args) {
          V bound = middle(args[0], args[1]), count = exceed(bound), enough = e.ge(count, wanted);
          return SmallVector<V>{e.select(enough, bound, args[0]), e.select(enough, args[1], bound),
                                e.select(enough, count, args[2])};
        });
    V bound = found[0];
    V kept = e.loop(e.i64(0), all, 1, ValueRange{e.i64(0)}, [&](V n, ValueRange args) {
      V x = e.load(integer, entryAt(e, l, buffer, n));
      e.store(x, entryAt(e, l, buffer, args[0]));
      return SmallVector<V>{e.add(args[0], asI64(e, signedGreater(e, x, bound)))};
    })[0];
    e.store(kept, buffer);
    e.store(bound, boundAt);
    Type bits = e.b.getIntegerType(e.bytes * 8);
    V high = arith::TruncIOp::create(
        e.b, e.loc, bits,
        arith::ShRSIOp::create(e.b, e.loc, bound, word(e, integer, APInt(integer.getWidth(), e.bytes * 8))));
    e.store(e.broadcast(e.bitcast(ascending(e, high), e.real)), numbers);
  });
  LLVM::ReturnOp::create(e.b, e.loc, ValueRange());
  return name;
}

/// Sorts the candidates of a buffer, the largest first, by gaps.
std::string MainEmitter::sortFunction() {
  std::string name = prefix + "_topsort";
  if (module.lookupSymbol(name))
    return name;
  OpBuilder::InsertionGuard guard(e.b);
  e.b.setInsertionPointToEnd(module.getBody());
  auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(e.b.getContext()), {e.ptrType()});
  auto func = LLVM::LLVMFuncOp::create(e.b, e.loc, name, type, LLVM::Linkage::Internal);
  func.setNoInline(true);
  Block *entry = func.addEntryBlock(e.b);
  e.b.setInsertionPointToEnd(entry);
  V buffer = entry->getArgument(0), count = e.loadI64(buffer);
  auto at = [&](V n) { return entryAt(e, l, buffer, n); };
  auto next = [&](V gap) { return e.max(e.divUnsigned(e.mul(gap, 5), 11), e.i64(1)); };
  e.whileLoop(
      ValueRange{next(count), e.lt(e.i64(1), count)}, [&](ValueRange args) { return args[1]; },
      [&](ValueRange args) {
        V gap = args[0];
        e.loop(gap, count, 1, [&](V n) {
          V x = e.load(entryType(), at(n));
          V place = e.whileLoop(
              ValueRange{n},
              [&](ValueRange p) { // what stands before the first is not read
                return e.choose(
                    e.ge(p[0], gap), {e.b.getI1Type()},
                    [&] { return SmallVector<V>{signedGreater(e, x, e.load(entryType(), at(e.sub(p[0], gap))))}; },
                    [&] { return SmallVector<V>{e.i1(false)}; })[0];
              },
              [&](ValueRange p) {
                V before = e.sub(p[0], gap);
                e.store(e.load(entryType(), at(before)), at(p[0]));
                return SmallVector<V>{before};
              })[0];
          e.store(x, at(place));
        });
        return SmallVector<V>{next(gap), e.lt(e.i64(1), gap)};
      });
  LLVM::ReturnOp::create(e.b, e.loc, ValueRange());
  return name;
}

void MainEmitter::storeTop(tile::TopOp op) {
  TensorRef &out = t.tensor(cast<BlockArgument>(op.getOutput()).getArgNumber());
  AffineMap map = op.getMap();
  Type element = out.type.getElementType();
  Place place = places.lookup(op.getFound());
  V stride = out.strides.back(), null = LLVM::ZeroOp::create(e.b, e.loc, e.ptrType());
  e.when(LLVM::ICmpOp::create(e.b, e.loc, LLVM::ICmpPredicate::ne, out.data, null), [&] {
    e.loop(e.i64(0), rows, 1, [&](V row) {
      TaskEmitter::Row own(t, e.add(first, row));
      narrowTop(place.top, place.slot, row, l.tops[place.top]);
      V buffer = topBuffer(place.top, row);
      LLVM::CallOp::create(e.b, e.loc, TypeRange{}, sortFunction(), ValueRange{buffer});
      V count = e.loadI64(buffer);
      V offset = e.add(t.baseOffset(out, map), e.mul(t.queryAt(e.add(first, row)), t.stride(out, map, t.queryDim())));
      e.loop(e.i64(0), e.i64(l.tops[place.top]), 1, [&](V n) {
        Type half = e.b.getIntegerType(e.bytes * 8);
        V low = arith::TruncIOp::create(e.b, e.loc, half, e.load(entryType(), entryAt(e, l, buffer, n)));
        V key =
            arith::XOrIOp::create(e.b, e.loc, low, arith::ConstantOp::create(e.b, e.loc, e.b.getIntegerAttr(half, -1)));
        if (e.bytes < 8)
          key = arith::ExtSIOp::create(e.b, e.loc, e.i64Type(), key);
        key = e.select(e.lt(n, count), key, e.i64(-1));
        if (!element.isInteger(64))
          key = arith::TruncIOp::create(e.b, e.loc, element, key);
        e.store(key, e.at(out.data, e.mul(e.add(offset, e.mul(n, stride)), Emit::elementBytes(element))));
      });
    });
  });
}

/// The K of a chunk, in no order.
void MainEmitter::saveTops(V record, V row) {
  unsigned top = 0;
  for (auto [n, slot] : llvm::enumerate(sumSlots)) {
    if (weighOp.getSumOps()[n] != 4)
      continue;
    narrowTop(top, slot, row, l.tops[top]);
    V buffer = topBuffer(top, row), to = e.at(record, l.recordTop(top));
    V count = e.loadI64(buffer);
    e.store(count, to);
    e.loop(e.i64(0), count, 1,
           [&](V k) { e.store(e.load(entryType(), entryAt(e, l, buffer, k)), entryAt(e, l, to, k)); });
    ++top;
  }
}

void MainEmitter::mergeTop(unsigned top, unsigned slot, V chunk, V row, V isFirst) {
  e.when(isFirst, [&] { clearTop(top, slot, row); });
  V buffer = topBuffer(top, row), from = e.at(chunk, l.recordTop(top));
  e.when(e.lt(e.i64(l.topRoom(top) - l.tops[top]), e.loadI64(buffer)), [&] { narrowTop(top, slot, row, l.tops[top]); });
  e.loop(e.i64(0), e.loadI64(from), 1,
         [&](V k) { addEntry(top, buffer, e.load(entryType(), entryAt(e, l, from, k)), e.i1(true)); });
}
