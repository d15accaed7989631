// Rows of the sets by lists, words and rows of a sparse matrix, and of random blocks.
#include "Visibility.h"

#include "attn/Support/Philox.h"

using namespace attn;
using namespace attn::run;

std::vector<int64_t> Visibility::elements(const Tensor *t, int64_t offset, int64_t from, int64_t to) const {
  std::vector<int64_t> values;
  for (int64_t n = from; n < to; ++n)
    values.push_back(loadInteger(t->data.data(), t->element, offset + n * t->strides.back()));
  return values;
}

Ranges Visibility::blocksOf(std::vector<int64_t> ids, int64_t block) const {
  const int64_t blocks = llvm::divideCeil(problem.keys(), block);
  llvm::erase_if(ids, [&](int64_t id) { return id < 0 || id >= blocks; });
  std::sort(ids.begin(), ids.end());
  Ranges keys;
  for (int64_t id : ids) {
    const int64_t lo = id * block, hi = std::min(lo + block, problem.keys());
    if (!keys.empty() && lo <= keys.back().second)
      keys.back().second = hi;
    else
      keys.emplace_back(lo, hi);
  }
  return keys;
}

Ranges Visibility::csr(SetCsrOp op) const {
  const Tensor *offsets = problem.tensorOf(op.getOffsets()), *columns = problem.tensorOf(op.getColumns());
  const int64_t count = columns->shape.back();
  auto ends = elements(offsets, rowOffset(offsets, op.getMap()), query, query + 2);
  for (int64_t &end : ends)
    end = std::clamp<int64_t>(end, 0, count);
  return blocksOf(elements(columns, rowOffset(columns, op.getMap()), ends[0], ends[1]), 1);
}

Ranges Visibility::bits(SetBitsOp op) const {
  const Tensor *words = problem.tensorOf(op.getWords());
  const int64_t width = 8 * bytesOf(words->element), offset = rowOffset(words, op.getMap());
  return filter([&](int64_t j) {
    const int64_t word = loadInteger(words->data.data(), words->element, offset + j / width * words->strides.back());
    return word >> j % width & 1;
  });
}

Ranges Visibility::randomBlocks(SetRandomBlocksOp op) const {
  const int64_t rows = op.getBlock()[0], keys = op.getBlock()[1], a = query / rows;
  const Tensor *table = problem.tensorOf(op.getProbability());
  const attn_scalar *scalar = problem.scalarOf(op.getProbability());
  mlir::FloatAttr constant;
  matchPattern(op.getProbability(), m_Constant(&constant));
  auto probability = [&](int64_t b) -> double {
    if (table)
      return loadNumber(table->data.data(), table->element,
                        std::min(std::abs(a - b), table->shape[0] - 1) * table->strides[0]);
    return scalar ? float(scalar->f) : constant.getValueAsDouble();
  };
  std::vector<int64_t> indices(batch), kept;
  indices.insert(indices.end(), {a, 0});
  for (int64_t b = 0; b * keys < problem.keys(); ++b) {
    indices.back() = b;
    if (randomUnit(number(op.getSeed()), indices) < probability(b))
      kept.push_back(b);
  }
  return blocksOf(std::move(kept), keys);
}

std::optional<Visibility::Bounds> Visibility::evaluateList(mlir::Operation *op) {
  return llvm::TypeSwitch<mlir::Operation *, std::optional<Bounds>>(op)
      .Case<SetListOp>([&](SetListOp o) {
        const Tensor *t = problem.tensorOf(o.getList());
        return exactly(blocksOf(elements(t, rowOffset(t, o.getMap()), 0, t->shape.back()), o.getBlock()));
      })
      .Case<SetDiagonalsOp>([&](SetDiagonalsOp o) {
        const Tensor *t = problem.tensorOf(o.getList());
        const int64_t corner = aligned(o.getAlignment(), o.getQLengths(), o.getKLengths());
        std::vector<int64_t> keys;
        for (int64_t distance : elements(t, rowOffset(t, o.getMap()), 0, t->shape.back())) {
          int64_t j;
          if (!__builtin_sub_overflow(corner, distance, &j) && (!o.getSymmetric() || distance >= 0))
            keys.push_back(j);
          if (o.getSymmetric() && distance >= 0 && !__builtin_add_overflow(corner, distance, &j))
            keys.push_back(j);
        }
        return exactly(blocksOf(std::move(keys), 1));
      })
      .Case<SetCsrOp>([&](SetCsrOp o) { return exactly(csr(o)); })
      .Case<SetBitsOp>([&](SetBitsOp o) { return exactly(bits(o)); })
      .Case<SetRandomBlocksOp>([&](SetRandomBlocksOp o) {
        mlir::Value p = o.getProbability();
        mlir::FloatAttr constant;
        const bool known = problem.tensorOf(p) || problem.scalarOf(p) || matchPattern(p, m_Constant(&constant));
        return known && isKnown(o.getSeed()) ? exactly(randomBlocks(o)) : unknown();
      })
      .Default([](mlir::Operation *) { return std::nullopt; });
}
