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
  auto op = nv::MmaOp::create(e.b, e.loc, t.f16 ? "f16" : "bf16", a, b, c);
  return SmallVector<V>(op.getResults());
}

V CtaEmitter::pack(V lo, V hi) {
  return nv::PackOp::create(e.b, e.loc, e.b.getI32Type(), lo, hi, e.b.getStringAttr(t.f16 ? "f16" : "bf16"));
}

SmallVector<V> CtaEmitter::scores() { return guarded ? scoresByElement() : scoresByMma(); }

// s[i, j] += sum over planes a + b <= 2 of q_a[i, c] k_b[j, c], 16 features at a step
SmallVector<V> CtaEmitter::scoresByMma() {
  int64_t steps = GpuTiles::pad(t.dot) / 16, tiles = keyTiles();
  // Row and column of the 8 x 8 matrices whose rows the lanes address: of queries 16 x 16, of keys 16 x 16.
  V low = e.both(lane, e.i64(15)), high = e.divUnsigned(lane, 16);
  V qAt = e.add(e.mul(e.add(e.mul(warp, 16), low), t.dotRowBytes()), e.mul(high, 16));
  V key = e.add(e.both(lane, e.i64(7)), e.mul(high, 8));
  V kAt = e.add(e.mul(key, t.dotRowBytes()), e.mul(e.both(e.divUnsigned(lane, 8), e.i64(1)), 16));
  SmallVector<V> zero(4 * tiles, e.scalar(0));
  auto step = [&](V at, ValueRange before) { // bytes along the features
    SmallVector<V> s(before);
    SmallVector<SmallVector<V>> a;
    for (int64_t p = 0; p < t.planesQ; ++p)
      a.push_back(ldmatrix(e.add(e.add(qAt, at), t.q(p)), false));
    for (int64_t pair = 0; pair < tiles / 2; ++pair)
      for (int64_t pb = t.planesK - 1; pb >= 0; --pb) { // the small ones first
        SmallVector<V> b = ldmatrix(e.add(e.add(kAt, at), t.k(pb) + pair * 16 * t.dotRowBytes()), false);
        for (int64_t pa = std::min(t.planesQ - 1, 2 - pb); pa >= 0; --pa)
          for (int64_t n = 0; n < 2; ++n) {
            MutableArrayRef<V> c = MutableArrayRef<V>(s).slice(4 * (2 * pair + n), 4);
            llvm::copy(mma(a[pa], {b[2 * n], b[2 * n + 1]}, c), c.begin());
          }
      }
    return s;
  };
  int64_t pairs = t.planesQ == 1 || t.planesK == 1 ? t.planesQ * t.planesK : 6;
  if (steps * tiles * pairs > 96)
    return e.loop(e.i64(0), e.i64(steps * 32), 32, zero, step);
  SmallVector<V> s = zero;
  for (int64_t n = 0; n < steps; ++n)
    s = step(e.i64(32 * n), s);
  return s;
}

/// A number of an operand in shared memory: the sum of its planes. Two bytes at an offset from the operand's start.
V CtaEmitter::joined(int64_t offset, int64_t planeBytes, int64_t planes, V bytes) {
  V sum;
  for (int64_t p = planes - 1; p >= 0; --p) {
    V bits = loadShared(e.b.getI16Type(), e.add(bytes, offset + p * planeBytes)), x;
    if (t.f16) {
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
  V row = e.add(e.mul(warp, 16), e.divUnsigned(lane, 4));
  return e.loop(e.i64(0), e.i64(t.dot), 1, zero, [&](V c, ValueRange before) {
    SmallVector<V> s(before);
    V at = e.mul(c, 2);
    std::array<V, 2> q;
    for (unsigned r = 0; r < 2; ++r)
      q[r] = joined(t.q(), t.rows * t.dotRowBytes(), t.planesQ, e.add(e.mul(e.add(row, 8 * r), t.dotRowBytes()), at));
    for (int64_t n = 0; n < keyTiles(); ++n)
      for (int64_t x = 0; x < 2; ++x) {
        V k = joined(t.k(), t.keys * t.dotRowBytes(), t.planesK,
                     e.add(e.mul(e.add(column, 8 * n + x), t.dotRowBytes()), at));
        for (unsigned r = 0; r < 2; ++r) {
          V &sum = s[4 * n + 2 * r + x];
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

/// The left operand of 16 keys, plane by plane: accumulators of two tiles of scores are its registers.
SmallVector<V> CtaEmitter::weightFragments(ArrayRef<V> w, int64_t step) {
  ArrayRef<V> p = w.slice(8 * step, 8); // tile 2 step, then 2 step + 1
  const int order[4][2] = {{0, 1}, {2, 3}, {4, 5}, {6, 7}};
  SmallVector<V> fragments;
  if (t.planesP == 1) {
    for (auto &o : order)
      fragments.push_back(pack(p[o[0]], p[o[1]]));
    return fragments;
  }
  SmallVector<SmallVector<V>> parts;
  for (V x : p)
    parts.push_back(split(x, t.planesP));
  Type i32Type = e.b.getI32Type();
  for (int64_t plane = 0; plane < t.planesP; ++plane)
    for (auto &o : order) {
      V lo = arith::ShRUIOp::create(e.b, e.loc, e.bitcast(parts[o[0]][plane], i32Type), i32(16));
      V hi = e.both(e.bitcast(parts[o[1]][plane], i32Type), i32((int32_t)0xffff0000));
      fragments.push_back(e.either(lo, hi));
    }
  return fragments;
}

// acc[i, e] += sum over planes a + b <= 2 of p_a[i, j] v_b[j, e], 16 keys at a step
SmallVector<V> CtaEmitter::accumulateByMma(ArrayRef<V> weights, ArrayRef<V> before) {
  SmallVector<V> acc(before);
  V vAt = e.add(e.mul(e.both(lane, e.i64(15)), t.valueRowBytes()), e.mul(e.divUnsigned(lane, 16), 16));
  for (int64_t step = 0; step < t.keys / 16; ++step) {
    SmallVector<V> p = weightFragments(weights, step);
    for (int64_t pair = 0; pair < valueTiles() / 2; ++pair)
      for (int64_t pb = t.planesV - 1; pb >= 0; --pb) {
        SmallVector<V> b = ldmatrix(e.add(vAt, t.v(pb) + step * 16 * t.valueRowBytes() + pair * 32), true);
        for (int64_t pa = std::min(t.planesP - 1, 2 - pb); pa >= 0; --pa)
          for (int64_t n = 0; n < 2; ++n) {
            MutableArrayRef<V> c = MutableArrayRef<V>(acc).slice(4 * (2 * pair + n), 4);
            llvm::copy(mma(ArrayRef<V>(p).slice(4 * pa, 4), {b[2 * n], b[2 * n + 1]}, c), c.begin());
          }
      }
  }
  return acc;
}

/// Weights go through shared memory, for a thread needs those of whole rows. Absent ones are a NaN that no operation
/// makes; their products are not taken.
SmallVector<V> CtaEmitter::accumulateByElement(ArrayRef<V> weights, ArrayRef<V> visible, ArrayRef<V> before) {
  constexpr int32_t kAbsent = (int32_t)0xffffdead;
  V row = e.add(e.mul(warp, 16), e.divUnsigned(lane, 4));
  auto at = [&](unsigned r, V j) { return e.add(e.mul(e.add(e.mul(e.add(row, 8 * r), t.keys), j), 4), t.weights()); };
  nv::BarrierOp::create(e.b, e.loc);
  for (int64_t n = 0; n < keyTiles(); ++n)
    for (unsigned r = 0; r < 2; ++r)
      for (int64_t x = 0; x < 2; ++x) {
        int64_t at0 = 4 * n + 2 * r + x;
        V bits = e.bitcast(weights[at0], e.b.getI32Type());
        storeShared(e.select(visible[at0], bits, i32(kAbsent)), at(r, e.add(column, 8 * n + x)));
      }
  nv::BarrierOp::create(e.b, e.loc);
  return e.loop(e.i64(0), e.i64(t.keys), 1, before, [&](V j, ValueRange acc) {
    SmallVector<V> sums(acc);
    std::array<V, 2> p, in;
    for (unsigned r = 0; r < 2; ++r) {
      V bits = loadShared(e.b.getI32Type(), at(r, j));
      p[r] = e.bitcast(bits, e.real), in[r] = e.ne(bits, i32(kAbsent));
    }
    for (int64_t n = 0; n < valueTiles(); ++n)
      for (int64_t x = 0; x < 2; ++x) {
        V v = joined(t.v(), t.keys * t.valueRowBytes(), t.planesV,
                     e.add(e.mul(j, t.valueRowBytes()), e.mul(e.add(column, 8 * n + x), 2)));
        for (unsigned r = 0; r < 2; ++r) {
          V &sum = sums[4 * n + 2 * r + x];
          sum = e.select(in[r], e.fma(p[r], v, sum), sum);
        }
      }
    return sums;
  });
}
