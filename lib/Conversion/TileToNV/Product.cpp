// Products of a block: scores of queries and keys, sums of values by weights. On tensor cores, plane by plane; or
// element by element in f32, where a product is not of that kind or something is not finite.
#include "CtaEmitter.h"

using namespace mlir;
using namespace attn;
using V = Value;

SmallVector<V> CtaEmitter::ldmatrix(V offset, bool trans) {
  auto op = nv::LdMatrixOp::create(e.b, e.loc, shared(offset), 4, trans);
  return SmallVector<V>(op.getResults());
}

SmallVector<V> CtaEmitter::mma(ArrayRef<V> a, ArrayRef<V> b, ArrayRef<V> c) {
  auto op = nv::MmaOp::create(e.b, e.loc, placed.tf32 ? "tf32" : placed.f16 ? "f16" : "bf16", a, b, c);
  return SmallVector<V>(op.getResults());
}

V CtaEmitter::pack(V lo, V hi) {
  return nv::PackOp::create(e.b, e.loc, e.b.getI32Type(), lo, hi, e.b.getStringAttr(placed.f16 ? "f16" : "bf16"));
}

const layout::FragmentLayout &CtaEmitter::scoreLayout() {
  static const layout::FragmentLayout tile = layout::FragmentLayout::accumulator(8); // of more tiles the same
  return tile;
}

// sum over digits of ((n / divisor) mod extent) stride
V CtaEmitter::digits(V n, const layout::Digits &of) {
  V sum;
  for (const layout::Digit &d : of.digits) {
    V x = d.divisor == 1 ? n : e.divUnsigned(n, d.divisor);
    if (d.extent && llvm::isPowerOf2_64(d.extent))
      x = e.both(x, e.i64(d.extent - 1));
    else if (d.extent)
      x = e.sub(x, e.mul(e.divUnsigned(x, d.extent), d.extent));
    x = e.mul(x, d.stride);
    sum = sum ? e.add(sum, x) : x;
  }
  return sum;
}

V CtaEmitter::matrixAt(const layout::MatrixLoad &load, const layout::SharedRows &rows, V first) {
  V row = digits(lane, load.row);
  V offset = e.mul(first ? e.add(first, row) : row, rows.rowBytes);
  return e.add(offset, digits(lane, load.bytes));
}

SmallVector<V> CtaEmitter::scores() { return guarded ? scoresByElement() : scoresByMma(); }

/// c += a b for planes that add up to 2 or less: first ones in `big`, the others in `small`, so that what is small is
/// added to what is small. With one plane each there is nothing small.
void CtaEmitter::addPlanes(ArrayRef<SmallVector<V>> a, int64_t planesB, llvm::function_ref<SmallVector<V>(int64_t)> b,
                           MutableArrayRef<V> big, MutableArrayRef<V> small) {
  for (int64_t pb = planesB - 1; pb >= 0; --pb) {
    SmallVector<V> right = b(pb);
    for (int64_t pa = std::min<int64_t>(a.size() - 1, 2 - pb); pa >= 0; --pa)
      for (int64_t n = 0; n < 2; ++n) { // two tiles of eight columns
        MutableArrayRef<V> c = (pa + pb ? small : big).slice(4 * n, 4);
        llvm::copy(mma(a[pa], {right[2 * n], right[2 * n + 1]}, c), c.begin());
      }
  }
}

/// Queries are the left operand of every block: those that are placed in fragments are loaded once.
void CtaEmitter::keepQueries() {
  queries.clear();
  if (guarded || !Placed::keepsQueries(weighOp))
    return;
  nv::CommitGroupOp::create(e.b, e.loc);
  nv::WaitGroupOp::create(e.b, e.loc, e.b.getI32IntegerAttr(0));
  nv::BarrierOp::create(e.b, e.loc);
  V at = queryMatrix();
  for (int64_t step = 0; step < placed.q.rows.steps(); ++step)
    queries.push_back(ldmatrix(e.add(at, placed.q.at() + layout::MatrixLoad::stepBytes * step), false));
}

// s[i, j] += sum over planes a + b <= 2 of q_a[i, c] k_b[j, c], 32 bytes of features at a step: 16, or 8 of tf32
SmallVector<V> CtaEmitter::scoresByMma() {
  const layout::SharedOperand &q = placed.q, &k = placed.k;
  constexpr int64_t bytes = layout::MatrixLoad::stepBytes;
  int64_t steps = k.rows.steps(), tiles = keyTiles();
  // Of 16 x 16 queries, of 16 x 16 keys.
  V qAt = queryMatrix(), kAt = matrixAt(layout::MatrixLoad::right(), k.rows);
  if (stageAt)
    kAt = e.add(kAt, stageAt);
  int64_t count = 4 * tiles;
  bool hasSmall = q.planes + k.planes > 2;
  SmallVector<V> zero((hasSmall ? 2 : 1) * count, e.scalar(0)); // big, small
  auto step = [&](V at, ValueRange before, int64_t number) {    // bytes along the features
    SmallVector<V> s(before);
    MutableArrayRef<V> big = MutableArrayRef<V>(s).take_front(count), small = MutableArrayRef<V>(s).take_back(count);
    // In f32 a step's products are summed by themselves: fewer roundings are of large numbers.
    SmallVector<V> fresh(hasSmall ? count : 0, e.scalar(0));
    SmallVector<SmallVector<V>> a;
    for (int64_t p = 0; p < q.planes; ++p)
      a.push_back(queries.empty() ? ldmatrix(e.add(e.add(qAt, at), q.at(p)), false) : queries[number]);
    for (int64_t pair = 0; pair < tiles / 2; ++pair)
      addPlanes(
          a, k.planes,
          [&](int64_t p) {
            return ldmatrix(e.add(e.add(kAt, at), k.at(p) + k.rows.offset(pair * layout::MatrixLoad::rows, 0)), false);
          },
          hasSmall ? MutableArrayRef<V>(fresh).slice(8 * pair, 8) : big.slice(8 * pair, 8), small.slice(8 * pair, 8));
    for (auto [sum, x] : llvm::zip(big, fresh))
      sum = e.fadd(sum, x);
    return s;
  };
  int64_t pairs = q.planes == 1 || k.planes == 1 ? q.planes * k.planes : 6;
  SmallVector<V> s = zero;
  if (queries.empty() && steps * tiles * pairs > 64) {
    // So many steps at once that some fragments are on their way while others are multiplied: ptxas would take all of
    // them, and registers from what is held over the block.
    int64_t some = 4;
    while (steps % some || (some > 1 && some * tiles * pairs > 64))
      --some;
    s = e.loopAsIs(e.i64(0), e.i64(steps * bytes), some * bytes, zero, [&](V at, ValueRange before) {
      SmallVector<V> now(before);
      for (int64_t n = 0; n < some; ++n)
        now = step(e.add(at, bytes * n), now, 0);
      return now;
    });
  } else {
    for (int64_t n = 0; n < steps; ++n)
      s = step(e.i64(bytes * n), s, n);
  }
  if (hasSmall)
    for (int64_t n = 0; n < count; ++n)
      s[n] = e.fadd(s[n], s[count + n]);
  s.truncate(count);
  return s;
}

/// A number of an operand in shared memory: the sum of its planes, at an offset of bytes from the operand's start.
V CtaEmitter::joined(const layout::SharedOperand &operand, V bytes) {
  if (placed.tf32)
    return loadShared(e.real, e.add(bytes, operand.at()));
  V sum;
  for (int64_t p = operand.planes - 1; p >= 0; --p) {
    V bits = loadShared(e.b.getI16Type(), e.add(bytes, operand.at(p))), x;
    if (placed.f16) {
      x = arith::ExtFOp::create(e.b, e.loc, e.real, e.bitcast(bits, e.b.getF16Type()));
    } else {
      V word = arith::ExtUIOp::create(e.b, e.loc, e.b.getI32Type(), bits);
      x = e.bitcast(arith::ShLIOp::create(e.b, e.loc, word, i32(16)), e.real);
    }
    sum = sum ? e.fadd(sum, x) : x;
  }
  return sum;
}

// s[i, j] = sum over c of product(q[i, c], k[j, c])
SmallVector<V> CtaEmitter::scoresByElement() {
  SmallVector<V> zero(4 * keyTiles(), e.scalar(0));
  V row = numberOf(0);
  int64_t rowBytes = placed.k.rows.rowBytes;
  return e.loop(e.i64(0), e.i64(t.dot), 1, zero, [&](V c, ValueRange before) {
    SmallVector<V> s(before);
    V at = e.mul(c, placed.k.rows.elementBytes), atKey = stageAt ? e.add(at, stageAt) : at;
    std::array<V, 2> q;
    for (unsigned r = 0; r < 2; ++r)
      q[r] = joined(placed.q, e.add(e.mul(e.add(row, 8 * r), placed.q.rows.rowBytes), at));
    for (int64_t n = 0; n < keyTiles(); ++n)
      for (int64_t x = 0; x < 2; ++x) {
        V k = joined(placed.k, e.add(e.mul(e.add(column, 8 * n + x), rowBytes), atKey));
        for (unsigned r = 0; r < 2; ++r) {
          V &sum = s[elementOf(r, 8 * n + x)];
          if (weighOp.getProduct().empty()) {
            sum = e.fma(q[r], k, sum);
            continue;
          }
          // (q, k, batch.., feature)
          Block &block = weighOp.getProduct().front();
          RegionEmitter region = makeRegion();
          region.provesBounds = true;
          region.bind(block.getArgument(0), region.real(q[r]));
          region.bind(block.getArgument(1), region.real(k));
          for (unsigned d = 0; d < program.getNumBatch(); ++d)
            region.bind(block.getArgument(2 + d), region.indexScalar(index[d], d));
          region.bind(block.getArguments().back(), region.make(c, 0, t.dot - 1));
          auto term = region.emit(block.getTerminator()->getOperand(0));
          sum = e.fadd(sum, succeeded(term) ? term->v : e.scalar(0));
        }
      }
    return s;
  });
}

void CtaEmitter::accumulate(unsigned n, ArrayRef<V> weights, ArrayRef<V> visible, State &state) {
  state.accs[n] =
      guarded ? accumulateByElement(weights, visible, state.accs[n]) : accumulateByMma(weights, state.accs[n]);
}

/// The left operand of 16 keys, by plane. Each of its elements is one that the lane has: accumulators of two tiles of
/// scores are its registers. Of 8 keys in tf32: those of one tile are, where fragment columns q and q + 4 are keys 2 q
/// and 2 q + 1.
SmallVector<SmallVector<V>> CtaEmitter::weightFragments(ArrayRef<V> w, int64_t step) {
  if (placed.tf32) {
    ArrayRef<V> p = w.slice(4 * step, 4); // [g, 2 q], [g, 2 q + 1], [g + 8, 2 q], [g + 8, 2 q + 1]
    SmallVector<V> a;
    for (int64_t n : {0, 2, 1, 3})
      a.push_back(nv::RoundTf32Op::create(e.b, e.loc, p[n]));
    return {a};
  }
  static const auto left = layout::FragmentLayout::left(16, 16);
  static const auto taken = *layout::takenFrom(left, layout::FragmentLayout::accumulator(16));
  int64_t planes = placed.planesP;
  SmallVector<SmallVector<V>> fragments(planes);
  SmallVector<SmallVector<V>> parts;
  for (int64_t element : taken) {
    V x = w[left.elements() * step + element];
    parts.push_back(planes == 1 ? SmallVector<V>{x} : split(x, planes));
  }
  Type i32Type = e.b.getI32Type();
  for (int64_t plane = 0; plane < planes; ++plane)
    for (unsigned n = 0; n < parts.size(); n += left.perRegister()) {
      V lo = parts[n][plane], hi = parts[n + 1][plane];
      if (planes == 1) {
        fragments[plane].push_back(pack(lo, hi));
        continue;
      }
      V low = arith::ShRUIOp::create(e.b, e.loc, e.bitcast(lo, i32Type), i32(16));
      fragments[plane].push_back(e.either(low, e.both(e.bitcast(hi, i32Type), i32((int32_t)0xffff0000))));
    }
  return fragments;
}

/// Where the lane finds values: the row and column of the 8 x 8 matrices whose rows it addresses, for 16 x 16 of them;
/// of tf32 the words that it loads itself, [2 q, g], for ldmatrix exchanges 16 bits at a time.
V CtaEmitter::valueRow() {
  const layout::SharedRows &rows = placed.v.rows;
  V at = placed.tf32
             ? e.add(e.mul(column, rows.rowBytes), e.mul(digits(lane, scoreLayout().laneRow), rows.elementBytes))
             : matrixAt(layout::MatrixLoad::rightTransposed(), rows);
  return stageAt ? e.add(at, stageAt) : at;
}

/// The right operand of a step of keys, two tiles of eight value features.
SmallVector<V> CtaEmitter::valueFragments(V at, int64_t plane, int64_t step, int64_t pair) {
  const layout::SharedRows &rows = placed.v.rows;
  V from = e.add(at, placed.v.at(plane) + rows.offset(step * t.depth(), pair * layout::SharedRows::step));
  if (!placed.tf32)
    return ldmatrix(from, layout::MatrixLoad::rightTransposed().transposed);
  // Rows of weightFragments' keys. Their four pairs, 2 (d + 4) words apart, begin in banks 0, 8, 16 and 24.
  SmallVector<V> words;
  for (int64_t tile = 0; tile < 2; ++tile)
    for (int64_t key = 0; key < 2; ++key)
      words.push_back(loadShared(e.b.getI32Type(), e.add(from, rows.offset(key, 8 * tile))));
  return words;
}

// acc[i, e] += sum over planes a + b <= 2 of p_a[i, j] v_b[j, e], 16 keys at a step, or 8 of tf32
SmallVector<V> CtaEmitter::accumulateByMma(ArrayRef<V> weights, ArrayRef<V> before) {
  SmallVector<V> acc(before);
  const layout::SharedOperand &v = placed.v;
  V vAt = valueRow();
  int64_t steps = t.keys / t.depth();
  SmallVector<SmallVector<SmallVector<V>>> p; // by step, by plane
  for (int64_t step = 0; step < steps; ++step)
    p.push_back(weightFragments(weights, step));
  bool hasSmall = placed.planesP + v.planes > 2;
  for (int64_t pair = 0; pair < valueTiles() / 2; ++pair) {
    MutableArrayRef<V> sums = MutableArrayRef<V>(acc).slice(8 * pair, 8);
    SmallVector<V> big(hasSmall ? SmallVector<V>(8, e.scalar(0)) : SmallVector<V>(sums)), small(8, e.scalar(0));
    for (int64_t step = 0; step < steps; ++step)
      addPlanes(p[step], v.planes, [&](int64_t plane) { return valueFragments(vAt, plane, step, pair); }, big, small);
    for (auto [n, sum] : llvm::enumerate(sums))
      sum = hasSmall ? e.fadd(sum, e.fadd(big[n], small[n])) : big[n];
  }
  return acc;
}

/// Weights go through shared memory, for a thread needs those of whole rows. Absent ones are a NaN that no operation
/// makes; their products are not taken.
SmallVector<V> CtaEmitter::accumulateByElement(ArrayRef<V> weights, ArrayRef<V> visible, ArrayRef<V> before) {
  constexpr int32_t kAbsent = (int32_t)0xffffdead;
  V row = numberOf(0);
  auto at = [&](unsigned r, V j) {
    return e.add(e.mul(e.add(e.mul(e.add(row, 8 * r), t.keys), j), 4), placed.map.weights);
  };
  nv::BarrierOp::create(e.b, e.loc);
  for (int64_t n = 0; n < keyTiles(); ++n)
    for (unsigned r = 0; r < 2; ++r)
      for (int64_t x = 0; x < 2; ++x) {
        unsigned at0 = elementOf(r, 8 * n + x);
        V bits = e.bitcast(weights[at0], e.b.getI32Type());
        // Where weights may be 0 by themselves, such a pair has no product either.
        V meets = plainPhi ? visible[at0] : e.cmpf(arith::CmpFPredicate::UNE, weights[at0], e.scalar(0));
        storeShared(e.select(meets, bits, i32(kAbsent)), at(r, e.add(column, 8 * n + x)));
      }
  nv::BarrierOp::create(e.b, e.loc);
  return e.loop(e.i64(0), e.i64(t.keys), 1, before, [&](V j, ValueRange acc) {
    SmallVector<V> sums(acc);
    std::array<V, 2> p, in;
    V rowOfKey = e.mul(j, placed.v.rows.rowBytes);
    if (stageAt)
      rowOfKey = e.add(rowOfKey, stageAt);
    for (unsigned r = 0; r < 2; ++r) {
      V bits = loadShared(e.b.getI32Type(), at(r, j));
      p[r] = e.bitcast(bits, e.real), in[r] = e.ne(bits, i32(kAbsent));
    }
    for (int64_t n = 0; n < valueTiles(); ++n)
      for (int64_t x = 0; x < 2; ++x) {
        V v = joined(placed.v, e.add(rowOfKey, e.mul(e.add(column, 8 * n + x), placed.v.rows.elementBytes)));
        for (unsigned r = 0; r < 2; ++r) {
          V &sum = sums[elementOf(r, 8 * n + x)];
          sum = e.select(in[r], e.fma(p[r], v, sum), sum);
        }
      }
    return sums;
  });
}
