//===- PairsProgram.h - Programs that cover every pair of features --------===//
//
// A program has one member of each axis: a set, a score, a normalizer, outputs, an element type, a layout, head dims,
// lengths, dropout. A plan is a list of programs in which every two members of two axes that can stand together do so
// at least once. All else of a program (parameters, indices, values) is a function of its seed.
//
// Sums in different orders differ in their last bits, which a choice (an argmax, a threshold of top-p) makes much of.
// So programs that choose have exact inputs: one nonzero feature in a row of q, few values in k and in captured
// tensors. Then scores of a row are either bit-equal by any way of computing them, or far apart.
//
//===----------------------------------------------------------------------===//
#ifndef ATTN_TEST_UNIT_EXECUTION_PAIRSPROGRAM_H
#define ATTN_TEST_UNIT_EXECUTION_PAIRSPROGRAM_H

#include "FuzzProgram.h"

#include <array>
#include <functional>

namespace attn::test {

enum PairsAxis { kSet, kScore, kNormalizer, kOutput, kElement, kLayout, kHeadDims, kLengths, kDropout, kPairsAxes };
/// A member of every axis.
using Choice = std::array<int, kPairsAxes>;

struct PairsProgram {
  std::string text, summary;
  Blocks blocks;
  std::string tokenOrder = "auto";
  Call call;
  bool exact = false;
  /// Roles of the first inputs: q, k, v, or x for all three, whose axis `slots` says which is which.
  std::string operands;
  int slots = -1;
};
PairsProgram makePairsProgram(const Choice &choice, uint64_t seed);
/// Other numbers for q, k and v.
void fillOperands(PairsProgram &program, uint64_t seed);

size_t numMembers(int axis);
std::string memberName(int axis, int member);
/// Whether two members of two axes can stand in one program.
bool compatible(int axis, int member, int otherAxis, int otherMember);

/// Programs until every pair is covered, then any.
std::vector<Choice> makePlan(uint64_t seed, size_t count);
/// Pairs in the programs, and all that can be.
struct Coverage {
  size_t covered = 0, possible = 0;
  std::string missing; // some
};
Coverage coverage(llvm::ArrayRef<Choice> plan);

/// A program under construction. What members add goes to `args`, `call`, `clauses`, `normalizers`.
class PairsBuilder {
public:
  PairsBuilder(uint64_t seed) : draw(seed) {}

  /// A tensor over some of the dimensions: "bhij", of which those that the program does not have are left out.
  struct Captured {
    std::string name, type, element;
    std::string list;  // "b, h, j"
    std::string loads; // "%b, %h, %j"
  };
  using Value = std::function<double(llvm::ArrayRef<int64_t>)>;
  Captured capture(const std::string &dims, const std::string &element, const Value &value);
  /// Numbers for scores, gates, parameters: in lo..hi, from a few where the program is exact.
  Captured captureReal(const std::string &dims, double lo, double hi);
  Captured captureInteger(const std::string &dims, int64_t lo, int64_t hi);
  std::string addTensor(const std::string &type, Tensor tensor);
  std::string addScalar(const std::string &type, attn_scalar value);
  std::string integerScalar(int64_t value);
  std::string realScalar(double value) { return addScalar(acc, floatParam(value)); }
  MemoryLayout capturedLayout(size_t rank);

  // Regions: each appends to a body and returns the SSA name.
  std::string load(std::string &body, const Captured &c);
  std::string op(std::string &body, const std::string &text, const std::string &type);
  std::string op(std::string &body, const std::string &text) { return op(body, text, acc); }
  std::string constant(std::string &body, double value);
  std::string indexConstant(std::string &body, int64_t value);
  std::string toReal(std::string &body, const std::string &index);
  /// "h = %h, " for every batch dimension, then i and j.
  std::string indices(const std::string &tokens) const;
  /// Its indices, and a number in [0, 1) of the accumulation type; exact: 0 or `some`.
  std::string noise(std::string &body, const std::string &tokens, double some);
  std::string scoreArg() const { return acc == "f32" ? "%s" : "%s : " + acc; }
  std::string realArg(const std::string &name) const { return acc == "f32" ? name : name + " : " + acc; }
  std::string newName(const char *stem) { return "%" + std::string(stem) + std::to_string(counter++); }

  Draw draw;
  PairsProgram p;
  std::string args, clauses, normalizers;
  std::string element, acc;
  std::vector<std::string> batch;
  Index batchExtents;
  int64_t I = 0, J = 0, d = 0, dv = 0;
  std::string queryGrid, keyGrid;
  std::vector<std::string> outNames, outMaps, outTypes;

private:
  int counter = 0;
};

/// One member of an axis. Sets return the expression, all others add clauses.
struct PairsMember {
  std::string name;
  std::function<void(PairsBuilder &)> add;
  bool needsBatch = false; // one batch dimension or more
  bool chooses = false;    // needs exact inputs
};
struct PairsSet {
  std::string name;
  std::function<std::string(PairsBuilder &)> add;
  bool needsBatch = false;
};
struct PairsNormalizer {
  std::string name;
  std::function<void(PairsBuilder &)> add;
  std::string other = ""; // an output beside o that needs no values
  bool chooses = false, weights = true;
};
struct PairsOutput {
  std::string name;
  std::function<void(PairsBuilder &, const PairsNormalizer &)> add;
  bool needsOther = false, needsWeights = false, chooses = false, valueless = false;
};
const std::vector<PairsSet> &pairsSets();
const std::vector<PairsMember> &pairsScores();
const std::vector<PairsNormalizer> &pairsNormalizers();
const std::vector<PairsOutput> &pairsOutputs();

} // namespace attn::test

#endif
