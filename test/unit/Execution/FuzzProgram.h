//===- FuzzProgram.h - Random programs with tensors for them --------------===//
//
// Everything is a function of the seed: dtypes, maps (bhsd, bshd, MQA, GQA, packed, K = V, one batch dimension), memory
// layouts, head dims, lengths, blocks, a tree of sets over all leaves of the language, and a score region. Expressions
// keep clear of what no two evaluations need to agree on: integer overflow, division by zero, and functions of a score
// that jump.
//
//===----------------------------------------------------------------------===//
#ifndef ATTN_TEST_UNIT_EXECUTION_FUZZPROGRAM_H
#define ATTN_TEST_UNIT_EXECUTION_FUZZPROGRAM_H

#include "Harness.h"

#include "attn/Support/Random.h"

namespace attn::test {

struct FuzzProgram {
  std::string text, summary;
  Blocks blocks;
  std::string tokenOrder = "auto";
  Call call;
  /// Axis of the token in k and v; -1 where the tensor is no k or v alone.
  int keyAxis = -1, valueAxis = -1;
  size_t operands = 0; // the first inputs are q, k, v
  double queryScale = 1;
};
FuzzProgram makeFuzzProgram(uint64_t seed);

/// Numbers in a row.
class Draw {
public:
  explicit Draw(uint64_t seed) : random(seed, "fuzz") {}
  int64_t in(int64_t lo, int64_t hi) { return random.integer(n++, lo, hi); }
  bool chance(int percent) { return in(1, 100) <= percent; }
  template <typename T> const T &of(const std::vector<T> &v) { return v[size_t(in(0, int64_t(v.size()) - 1))]; }
  uint64_t seed() { return uint64_t(in(0, 1 << 30)); }

private:
  Random random;
  uint64_t n = 0;
};

/// Grids of the token axes, -1 for `?`; empty: none.
struct FuzzGrids {
  std::vector<int64_t> query, key;
  std::string firstClause;
};
FuzzGrids makeGrids(Draw &draw, Call &call, std::string &args, int64_t I, int64_t J);
std::string gridText(const std::vector<int64_t> &grid);

/// Sets and scores of a random program; captured tensors and scalars become arguments as they are needed.
class FuzzRegions {
public:
  FuzzRegions(Draw &draw, Call &call, std::string &args, std::vector<std::string> batchNames, Index extents,
              std::string acc, FuzzGrids grids)
      : draw(draw), call(call), args(args), batchNames(std::move(batchNames)), extents(std::move(extents)),
        acc(std::move(acc)), grids(std::move(grids)) {}
  std::string set(int depth);
  std::string score();
  std::string dropout();

private:
  struct Captured {
    std::string name, type, indices; // indices: of its axes by dimension name, "b, j"
  };
  struct Leading {
    std::string indices;
    Index shape;
  };
  struct ListKind {
    bool padded = false, mayBeBad = false, sorted = false, unique = false;
  };
  std::string leaf();
  std::string formulaLeaf();
  std::string oldLeaf();
  std::string where();
  // FuzzSets.cpp
  std::string gridLeaf();
  std::string listLeaf();
  Leading leading(int query);
  MemoryLayout capturedLayout(size_t rank);
  std::string addTensor(const std::string &element, Tensor tensor);
  Tensor listTensor(const std::string &element, Index shape, int64_t lo, int64_t hi, const ListKind &kind);
  std::string seedScalar();
  std::string member(std::string &body, int depth);
  std::string random(std::string &body, int depth);
  std::string scalar(int64_t lo, int64_t hi);
  std::string lengthTensor(int64_t extent);
  /// A tensor over some dimensions, its axes in the order of `dims`.
  Captured capture(const std::vector<int> &dims, const std::string &element, double lo, double hi);
  std::string newName(const char *stem) { return stem + std::to_string(counter++); }
  std::string dimName(int d) const;
  // Regions: every function appends to `body` and returns an SSA name.
  std::string integer(std::string &body, int depth);
  std::string condition(std::string &body, int depth);
  std::string integerLoad(std::string &body, int depth);
  std::string unplain(std::string &body, const std::string &index);
  std::string real(std::string &body, const std::string &s, int depth);
  std::string bias(std::string &body);
  std::string constant(std::string &body, int64_t value);
  std::string constantReal(std::string &body, double value);

  Draw &draw;
  Call &call;
  std::string &args;
  std::vector<std::string> batchNames;
  Index extents; // batch..., I, J
  std::string acc;
  FuzzGrids grids;
  int counter = 0;
};

} // namespace attn::test

#endif
