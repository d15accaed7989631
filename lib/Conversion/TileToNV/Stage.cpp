// Queries, keys and values into shared memory (tile.load, tile.pack): through their regions, widened and split into
// planes of 16 bits. Rows and features beyond the end are zeros. A thread takes eight features of a token at a time:
// 16 bytes a load where the tensor's rows begin at multiples of 16 bytes, which is asked once a CTA; where they are
// used as they are, by asynchronous copies.
#include "CtaEmitter.h"
#include "attn/Analysis/OperandBounds.h"

using namespace mlir;
using namespace attn;
using V = Value;
using Val = RegionEmitter::Val;

SmallVector<CtaEmitter::Part> CtaEmitter::partsOf(ValueRange sources, ArrayAttr maps, RegionRange producers,
                                                  std::optional<ArrayRef<int64_t>> extents, int64_t all) {
  SmallVector<Part> parts;
  int64_t first = 0;
  for (auto [n, source] : llvm::enumerate(sources)) {
    Region *producer = producers.empty() || producers[n]->empty() ? nullptr : producers[n];
    int64_t extent = extents ? (*extents)[n] : all;
    parts.push_back({source, cast<AffineMapAttr>(maps[n]).getValue(), producer, extent, first});
    first += extent;
  }
  return parts;
}

void CtaEmitter::stageQueries() {
  auto parts = partsOf(loadOp.getSources(), loadOp.getMaps(), loadOp.getProducers(), loadOp.getExtents(), t.dot);
  stage(parts, queryDim(), firstPlace, e.i64(0), {placed.q});
  if (checksQueries)
    noteAbsent(parts, queryDim(), firstPlace, t.rows, placed.map.queryAbsent);
}

SmallVector<CtaEmitter::Part> CtaEmitter::keyParts() {
  return partsOf(packK.getSources(), packK.getMaps(), packK.getProducers(), packK.getExtents(), t.dot);
}

SmallVector<CtaEmitter::Part> CtaEmitter::valueParts() {
  if (weighOp.getRescaled().empty())
    return {};
  return partsOf(packV.getSources(), packV.getMaps(), packV.getProducers(), packV.getExtents(), t.allValues);
}

/// i1: keys and values of a block are asynchronous copies and nothing else. Null: never.
V CtaEmitter::copiesAhead() {
  auto isPadded = [](int64_t features) { return layout::SharedRows::padded(features) != features; };
  if (guarded || placed.k.stages == 1 || isPadded(t.dot) || isPadded(t.value))
    return {};
  SmallVector<Part> parts = keyParts();
  llvm::append_range(parts, valueParts());
  V all = e.lt(e.i64(0), extents[keyDim()]);
  for (const Part &part : parts) {
    V aligned = part.extent % 8 == 0 && part.first % 8 == 0 ? isAligned(part) : V();
    if (!aligned)
      return {};
    all = e.both(all, aligned);
  }
  return all;
}

void CtaEmitter::issueBlock(V first, V at, bool asCopies) {
  stage(keyParts(), keyDim(), first, e.i64(0), {placed.k, at, asCopies});
  if (SmallVector<Part> values = valueParts(); !values.empty()) {
    V from = t.slices > 1 ? e.mul(slice, t.value) : e.i64(0);
    stage(values, keyDim(), first, from, {placed.v, at, asCopies});
  }
  if (placed.copies())
    nv::CommitGroupOp::create(e.b, e.loc);
}

/// The same number below 2^31, or of 32 bits with a sign, of which nobody knows how it was made: what follows from it
/// is computed where it is used and holds no register over the loop around.
V CtaEmitter::unknown(V x, bool isSigned) {
  Type i32Type = e.b.getI32Type();
  V low = arith::TruncIOp::create(e.b, e.loc, i32Type, x);
  auto copy = LLVM::InlineAsmOp::create(e.b, e.loc, i32Type, low, "mov.u32 $0, $1;", "=r,r", /*has_side_effects=*/true,
                                        /*is_align_stack=*/false, LLVM::TailCallKind::None, LLVM::AsmDialectAttr(),
                                        ArrayAttr());
  if (isSigned)
    return arith::ExtSIOp::create(e.b, e.loc, e.i64Type(), copy.getResult(0));
  return arith::ExtUIOp::create(e.b, e.loc, e.i64Type(), copy.getResult(0));
}

/// The block of keys that begins with `first`, for all threads. Where there are two stages, and nothing but copies is
/// needed, the block that follows is on its way when this one is there.
void CtaEmitter::stageKeys(V first) {
  auto wait = [&](int pending) {
    if (placed.copies())
      nv::WaitGroupOp::create(e.b, e.loc, e.b.getI32IntegerAttr(pending));
  };
  nv::BarrierOp::create(e.b, e.loc); // the block before is done with
  V held = thread;
  if (t.stages == 1) // registers are few
    thread = unknown(thread);
  stageAt = placed.k.stages > 1 ? e.mul(parity, placed.k.stageBytes) : V();
  if (!ahead)
    issueBlock(first, stageAt, false);
  if (ahead) {
    e.when(e.invert(inFlight), [&] { issueBlock(first, stageAt, false); });
    V next = e.both(ahead, hasNext);
    e.when(next, [&] { issueBlock(nextFirst, e.mul(e.sub(e.i64(1), parity), placed.k.stageBytes), true); });
    e.choose(
        next, {},
        [&] {
          wait(1);
          return SmallVector<V>{};
        },
        [&] {
          wait(0);
          return SmallVector<V>{};
        });
    inFlight = next;
  } else {
    wait(0);
  }
  if (checksKeys) {
    SmallVector<Part> parts = keyParts();
    llvm::append_range(parts, valueParts());
    noteAbsent(parts, keyDim(), first, t.keys, placed.map.keyAbsent);
  }
  thread = held;
  nv::BarrierOp::create(e.b, e.loc);
}

std::pair<CtaEmitter::Row, V> CtaEmitter::tokenAt(unsigned tokenDim, V first, V row) {
  V place = e.add(first, row);
  if (!together || tokenDim != queryDim())
    return {{place, index, V()}, e.lt(place, extents[tokenDim])};
  Row of = rowOf(place);
  V inside = e.le(place, lastPlace);
  return {of, of.isHead ? e.both(inside, of.isHead) : inside};
}

void CtaEmitter::stage(ArrayRef<Part> parts, unsigned tokenDim, V firstToken, V firstFeature, const Target &to) {
  for (const Part &part : parts)
    stagePart(part, tokenDim, firstToken, firstFeature, to);
  // Padding of the features.
  int64_t pad = to.rows.columns() - to.rows.features;
  if (!pad)
    return;
  V zero = arith::ConstantOp::create(e.b, e.loc, e.b.getIntegerAttr(e.b.getIntegerType(8 * to.rows.elementBytes), 0));
  e.loop(thread, e.i64(to.rows.rows * pad), t.threads(), [&](V item) {
    V row = e.divUnsigned(item, pad), feature = e.add(e.sub(item, e.mul(row, pad)), to.rows.features);
    V at = offsetIn(to.rows, row, feature);
    if (to.stage)
      at = e.add(at, to.stage);
    for (int64_t plane = 0; plane < to.planes; ++plane)
      storeShared(zero, e.add(at, to.at(plane)));
  });
}

V CtaEmitter::offsetIn(const layout::SharedRows &rows, V row, V feature) {
  return e.add(e.mul(row, rows.rowBytes), e.mul(feature, rows.elementBytes));
}

/// Bits of 16 that are used as they are.
bool CtaEmitter::isRaw(const Part &part, const Target &to) { return to.planes == 1 && !placed.tf32 && !part.producer; }

/// i1, the same for all threads: rows of the part begin at multiples of 16 bytes and are contiguous. Null: never.
V CtaEmitter::isAligned(const Part &part) {
  TensorRef &source = tensorOf(part.source);
  Type type = source.type.getElementType();
  if (part.producer || !isa<FloatType>(type) || (type.getIntOrFloatBitWidth() != 16 && !type.isF32()))
    return {};
  int64_t bytes = Emit::elementBytes(type);
  V address = LLVM::PtrToIntOp::create(e.b, e.loc, e.i64Type(), source.data);
  V rest = e.both(address, e.i64(15)), unit = e.i1(false);
  for (auto [axis, expr] : llvm::enumerate(part.map.getResults())) {
    if (isa<AffineSymbolExpr>(expr))
      continue;
    OperandIndex x = OperandIndex::of(expr);
    bool isFeature = x.dim > (int64_t)keyDim();
    if (isFeature && (x.divisor != 1 || x.offset * bytes % 16))
      return {};
    if (isFeature)
      unit = e.eq(source.strides[axis], e.i64(1));
    else
      rest = e.either(rest, e.both(e.mul(source.strides[axis], bytes), e.i64(15)));
  }
  return e.both(unit, e.eq(rest, e.i64(0)));
}

/// Features as 16 bytes from an aligned address: eight, or four of f32. Twice as many bytes a lane would touch half of
/// each sector with every load. Where f32s are kept, four of any: as many as the 16 bytes that are stored.
SmallVector<V> CtaEmitter::loadRun(const Part &part, V address, bool raw) {
  Type type = tensorOf(part.source).type.getElementType();
  auto load = [&](Type t, V at) -> V { return LLVM::LoadOp::create(e.b, e.loc, t, at, 16); };
  SmallVector<V> values;
  auto extract = [&](V v, int64_t n) -> V { return vector::ExtractOp::create(e.b, e.loc, v, ArrayRef<int64_t>{n}); };
  if (type.isF32()) {
    V four = load(VectorType::get({4}, type), address);
    for (int64_t n = 0; n < 4; ++n)
      values.push_back(extract(four, n));
    return values;
  }
  int64_t run = chunkFeatures();
  V words = LLVM::LoadOp::create(e.b, e.loc, VectorType::get({run / 2}, e.b.getI32Type()), address, 2 * run);
  for (int64_t n = 0; n < run; ++n) {
    V word = extract(words, n / 2);
    if (n % 2)
      word = arith::ShRUIOp::create(e.b, e.loc, word, i32(16));
    V bits = arith::TruncIOp::create(e.b, e.loc, e.b.getI16Type(), word);
    values.push_back(raw ? bits : e.convert(type.isBF16() ? bits : e.bitcast(bits, type), type));
  }
  return values;
}

/// Row and first feature of an item.
std::pair<V, V> CtaEmitter::runAt(V item, const layout::RunOrder &order) {
  if (!order.inGroups)
    return {digits(item, order.row), digits(item, order.feature)};
  V number = e.divUnsigned(item, order.perChunk), group = e.divUnsigned(number, 8 * order.chunks); // of eight rows
  V n = e.sub(number, e.mul(group, 8 * order.chunks)), row, chunk;
  for (const layout::RunOrder::Piece &piece : order.pieces) {
    V m = piece.first ? e.sub(n, e.i64(piece.first)) : n, isHere = e.ge(m, e.i64(0));
    V r = digits(m, piece.row), c = e.add(digits(m, piece.chunk), piece.firstChunk);
    row = row ? e.select(isHere, r, row) : r, chunk = chunk ? e.select(isHere, c, chunk) : c;
  }
  V within = e.sub(item, e.mul(number, order.perChunk));
  return {e.add(e.mul(group, 8), row), e.add(e.mul(chunk, order.chunkFeatures), e.mul(within, order.run))};
}

void CtaEmitter::stagePart(const Part &part, unsigned tokenDim, V firstToken, V firstFeature, const Target &to) {
  // Of values, the slice: features firstFeature + n.
  int64_t features = to.rows.features, extent = std::min(part.extent, features);
  int64_t at = part.first;
  bool partial = part.extent > features && part.extent % features; // the last slice of values is a short one
  bool raw = isRaw(part, to);
  bool isRare = guarded && t.whole; // the second pass
  int64_t most = !isRare && extent % 8 == 0 && at % 8 == 0 ? chunkFeatures() : 1;
  bool isF32 = tensorOf(part.source).type.getElementType().isF32();
  int64_t other = most; // features at a time that are not aligned
  V end = extents[tokenDim];
  auto copy = [&](bool aligned) {
    int64_t run = aligned ? isF32 ? 4 : chunkFeatures() : other, runs = extent / run;
    e.loop(thread, e.i64(to.rows.rows * runs), t.threads(), [&](V item) {
      auto [row, feature] =
          aligned ? runAt(item, layout::RunOrder(run, extent / chunkFeatures(), chunkFeatures())) : std::pair<V, V>();
      if (!aligned)
        row = e.divUnsigned(item, runs), feature = e.mul(e.sub(item, e.mul(row, runs)), run);
      V from = e.add(firstFeature, feature);
      V offset = offsetIn(to.rows, row, e.add(feature, at));
      if (to.stage)
        offset = e.add(offset, to.stage);
      auto [of, inside] = tokenAt(tokenDim, firstToken, row);
      V token = of.query;
      HeadOf head(*this, of.index);
      if (partial)
        inside = e.both(inside, e.lt(from, e.i64(part.extent)));
      if (aligned && raw) { // from token 0 where there is none, of which nothing is taken
        V address = addressOf(part, tokenDim, e.select(inside, token, e.i64(0)), e.select(inside, from, e.i64(0)));
        nv::CopyAsyncOp::create(e.b, e.loc, shared(e.add(offset, to.at())), address, e.select(inside, i32(16), i32(0)),
                                e.b.getI32IntegerAttr(16));
        return;
      }
      Type word = raw ? (Type)e.b.getI16Type() : (Type)e.real;
      SmallVector<Type> types(run, word);
      V zero = arith::ConstantOp::create(e.b, e.loc, e.b.getZeroAttr(word));
      SmallVector<V> values = e.choose(
          inside, types,
          [&] {
            if (aligned)
              return loadRun(part, addressOf(part, tokenDim, token, from), raw);
            SmallVector<V> loaded;
            for (int64_t n = 0; n < run; ++n) {
              V f = e.add(from, n);
              if (partial && run > 1)
                f = e.min(f, e.i64(part.extent - 1));
              loaded.push_back(element(part, tokenDim, token, f, raw));
            }
            return loaded;
          },
          [&] { return SmallVector<V>(run, zero); });
      storePlanes(values, raw, offset, to);
    });
  };
  if (to.asCopies) {
    if (!copyRows(part, tokenDim, firstToken, firstFeature, to, [&] { copy(true); }))
      copy(true);
    return;
  }
  // A run must not go beyond the part's features.
  V aligned = most > 1 && part.extent % 8 == 0 ? isAligned(part) : V();
  if (!aligned)
    return copy(false);
  other = 1; // where a tensor could be aligned and is not
  // Of no token there is no address to copy nothing from.
  aligned = e.both(aligned, e.lt(e.i64(0), end));
  e.choose(
      aligned, {},
      [&] {
        copy(true);
        return SmallVector<V>{};
      },
      [&] {
        copy(false);
        return SmallVector<V>{};
      });
}

/// Copies of 16 bytes where all rows are there: one address, and a step from each row of the thread to its next one.
/// False, and nothing is emitted, where threads and runs of a row do not fit; `otherwise`: where a row is missing.
bool CtaEmitter::copyRows(const Part &part, unsigned tokenDim, V firstToken, V firstFeature, const Target &to,
                          llvm::function_ref<void()> otherwise) {
  const layout::SharedRows &shape = to.rows;
  int64_t runs = std::min(part.extent, shape.features) / 8, rows = t.threads() / std::max<int64_t>(runs, 1);
  bool sliced = part.extent > shape.features && part.extent % shape.features;
  TensorRef &source = tensorOf(part.source);
  V step; // bytes from a token to the next one
  for (auto [axis, expr] : llvm::enumerate(part.map.getResults())) {
    if (isa<AffineSymbolExpr>(expr))
      continue;
    OperandIndex x = OperandIndex::of(expr);
    if (x.dim != (int64_t)tokenDim)
      continue;
    if (step || x.divisor != 1)
      return false;
    step = e.mul(source.strides[axis], Emit::elementBytes(source.type.getElementType()));
  }
  if (!step || sliced || runs == 0 || t.threads() % runs || shape.rows % rows)
    return false;
  auto [row, feature] = runAt(thread, layout::RunOrder(8, runs));
  // What does not change from block to block stands by itself.
  V source0 = addressOf(part, tokenDim, row, e.add(firstFeature, feature));
  V target0 = e.add(e.mul(row, shape.rowBytes),
                    e.add(e.mul(feature, shape.elementBytes), shape.offset(0, part.first) + to.at()));
  e.choose(
      e.le(e.add(firstToken, shape.rows), extents[tokenDim]), {},
      [&] {
        V from = e.at(source0, e.mul(firstToken, step)), at = to.stage ? e.add(target0, to.stage) : target0;
        for (int64_t n = 0; n < shape.rows; n += rows) {
          nv::CopyAsyncOp::create(e.b, e.loc, shared(e.add(at, shape.offset(n, 0))), from, i32(16),
                                  e.b.getI32IntegerAttr(16));
          from = e.at(from, e.mul(step, rows));
        }
        return SmallVector<V>();
      },
      [&] {
        otherwise();
        return SmallVector<V>();
      });
  return true;
}

V CtaEmitter::addressOf(const Part &part, unsigned tokenDim, V token, V feature) {
  return KernelEmitter::addressOf(tensorOf(part.source), part.map,
                                  [&](unsigned dim) { return dim == tokenDim ? token : feature; });
}

/// One element, widened to f32 and through its region; or its 16 bits. `checks`: takes what is said about indices, and
/// nothing is loaded of the source itself unless the region uses it.
V CtaEmitter::element(const Part &part, unsigned tokenDim, V token, V feature, bool raw, RegionEmitter *checks) {
  TensorRef &source = tensorOf(part.source);
  Type type = source.type.getElementType();
  V address = addressOf(part, tokenDim, token, feature);
  if (raw)
    return e.load(e.b.getI16Type(), address);
  RegionEmitter own = makeRegion();
  RegionEmitter &region = checks ? *checks : own;
  region.provesBounds = true;
  if (!part.producer)
    return checks ? V() : e.loadElement(type, address);
  Block &block = part.producer->front();
  if (!block.getArgument(0).use_empty())
    region.bind(block.getArgument(0), region.loaded(source, e.loadElement(type, address)));
  for (unsigned d = 0; d < program.getNumBatch(); ++d)
    region.bind(block.getArgument(1 + d), region.indexScalar(index[d], d));
  region.bind(block.getArgument(1 + program.getNumBatch()), region.indexScalar(token, tokenDim));
  Val f = region.make(feature, 0, part.extent - 1);
  region.bind(block.getArguments().back(), f);
  auto x = region.emit(block.getTerminator()->getOperand(0));
  return succeeded(x) ? x->v : e.scalar(0);
}

// x = hi + mid + lo, the low 16 bits of each word being zero
SmallVector<V> CtaEmitter::split(V x, int64_t planes) {
  Type i32Type = e.b.getI32Type();
  V mask = i32((int32_t)0xffff0000);
  auto upper = [&](V v) { return e.bitcast(e.both(e.bitcast(v, i32Type), mask), e.real); };
  V hi = upper(x);
  SmallVector<V> parts{hi};
  if (planes == 1)
    return parts;
  // Of an infinity nothing is left.
  V size = math::AbsFOp::create(e.b, e.loc, x);
  V isInf = e.cmpf(arith::CmpFPredicate::OEQ, size, e.scalar(std::numeric_limits<double>::infinity()));
  V rest = e.select(isInf, e.scalar(0), e.fsub(x, hi)), mid = upper(rest);
  parts.push_back(mid);
  parts.push_back(e.fsub(rest, mid));
  return parts;
}

/// Rounded to tf32; as they are where they go element by element. A number of queries or keys beyond the largest tf32
/// is cut off there: with an infinity in its place a weight might be 0 that is not, and nothing of it be left to see.
/// One of values may become infinite, for the row's sums then tell (CtaEmitter.h, two passes).
void CtaEmitter::storeRounded(ArrayRef<V> values, V offset, const Target &to) {
  Type i32Type = e.b.getI32Type();
  SmallVector<V> words;
  for (V x : values) {
    V bits = e.bitcast(x, i32Type);
    if (guarded) {
      words.push_back(bits);
      continue;
    }
    V rounded = nv::RoundTf32Op::create(e.b, e.loc, x);
    if (!placed.v.rows.rows || to.first != placed.v.first) {
      V isInf = e.eq(e.both(rounded, i32(0x7fffffff)), i32(0x7f800000));
      rounded = e.select(isInf, e.both(bits, i32((int32_t)0xffffe000)), rounded);
    }
    words.push_back(rounded);
  }
  V all = words[0];
  if (words.size() > 1)
    all = vector::FromElementsOp::create(e.b, e.loc, VectorType::get({(int64_t)words.size()}, i32Type), words);
  storeShared(all, e.add(offset, to.at()));
}

/// Consecutive features of a row, eight of them, four or one, at a byte offset from the operand's start.
void CtaEmitter::storePlanes(ArrayRef<V> values, bool raw, V offset, const Target &to) {
  Type i16 = e.b.getI16Type(), i32Type = e.b.getI32Type();
  auto store = [&](ArrayRef<V> words, int64_t plane) { // i16s
    V at = e.add(offset, to.at(plane));
    if (words.size() == 1)
      return storeShared(words[0], at);
    auto type = VectorType::get({(int64_t)words.size()}, i16);
    V all = vector::FromElementsOp::create(e.b, e.loc, type, words);
    storeShared(vector::BitCastOp::create(e.b, e.loc, VectorType::get({(int64_t)words.size() / 2}, i32Type), all), at);
  };
  if (raw)
    return store(values, 0);
  if (placed.tf32)
    return storeRounded(values, offset, to);
  SmallVector<SmallVector<V>> planes(to.planes);
  for (V x : values) {
    if (to.planes == 1) { // rounded: what a region made of it
      V packed = pack(x, e.scalar(0));
      planes[0].push_back(arith::TruncIOp::create(e.b, e.loc, i16, packed));
      continue;
    }
    for (auto [n, part] : llvm::enumerate(split(x, to.planes))) {
      V bits = arith::ShRUIOp::create(e.b, e.loc, e.bitcast(part, i32Type), i32(16));
      planes[n].push_back(arith::TruncIOp::create(e.b, e.loc, i16, bits));
    }
  }
  for (int64_t n = 0; n < to.planes; ++n)
    store(planes[n], n);
}

/// Why each token is absent: 0 it is not, -1 an index was padding, else 1 + 8 argument + axis, with the first such
/// index.
void CtaEmitter::noteAbsent(ArrayRef<Part> parts, unsigned tokenDim, V firstToken, int64_t rows, int64_t offset) {
  e.loop(thread, e.i64(rows), t.threads(), [&](V row) {
    auto [of, inside] = tokenAt(tokenDim, firstToken, row);
    V token = of.query;
    HeadOf head(*this, of.index);
    SmallVector<Type> types{e.i64Type(), e.i64Type()};
    auto found = e.choose(
        inside, types,
        [&] {
          SmallVector<V> absent{e.i64(0), e.i64(0)};
          for (const Part &part : parts) {
            if (!part.producer)
              continue;
            absent = e.loop(e.i64(0), e.i64(part.extent), 1, absent, [&](V feature, ValueRange so) {
              RegionEmitter region = makeRegion();
              element(part, tokenDim, token, feature, false, &region);
              SmallVector<V> now(so);
              for (const RegionEmitter::BoundsCheck &check : region.checks) {
                V padded = e.eq(check.index, e.i64(-1));
                V code = e.select(padded, e.i64(-1), e.i64(1 + 8 * check.argument + check.axis));
                V bad = e.invert(check.ok);
                V takes = e.both(bad, e.either(padded, e.eq(now[0], e.i64(0))));
                now = {e.select(takes, code, now[0]), e.select(takes, check.index, now[1])};
              }
              return now;
            });
          }
          return absent;
        },
        [&] { return SmallVector<V>{e.i64(0), e.i64(0)}; });
    V at = e.add(e.mul(row, 16), offset);
    storeShared(found[0], at);
    storeShared(found[1], e.add(at, 8));
  });
}
