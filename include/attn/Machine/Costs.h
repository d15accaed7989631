//===- Costs.h - What operations cost on a core ----------------------------===//
//
// Cycles of one core for one native vector, in the middle of code that gives the core enough else to do: what an
// operation takes of the ports, not how long its result takes. A table, one row a target name, that a prediction of
// time adds up; see Analysis/KernelCost.h for what is counted by it.
//
// Where the numbers come from: products are what a microtile reaches whose operands lie in L1; an operation is a cycle
// by the vectors that a core of this level starts in one while fused multiply-adds of a neighbouring microtile are in
// flight; functions are their operations, counted in MathEmitter.cpp; divisions and roots, what the manuals say; the
// others are measured once, on one machine (AMD Zen3), with programs that do little else. Clock and bandwidth are no
// part of the table: they are measured where a prediction is made.
//
//===----------------------------------------------------------------------===//
#ifndef ATTN_MACHINE_COSTS_H
#define ATTN_MACHINE_COSTS_H

#include <string_view>

namespace attn {

struct X86Costs {
  const char *machine; // of Machine/X86.h
  double fmaPerCycle;
  /// Part of the peak of fused multiply-adds that a product from panels reaches.
  double product;
  /// Multiply-adds of two bf16 in a cycle, on tiles; 0: there are none.
  double tileProduct;
  /// Addition, multiplication, comparison, selection, conversion, shift; a load or store that stays in L1.
  double op, access;
  double divide, squareRoot;
  /// Indexed loads, a lane each.
  double gatherLane;
  /// A lane at a time: what has no vector form.
  double scalarLane;
  // Operations that functions are made of.
  double exp2Ops, expOps, logOps, tanhOps, otherOps, randomOps;
  /// A microtile: besides products and the vectors of its scores. A strip of rows against a block of keys. A block of
  /// queries against one of keys, as far as ranges are asked for.
  double tile, strip, block;
  /// Asking of a microtile whether it is visible, where its block is partial: so many times what a mask takes.
  double questions;
  /// A row: references, sums, finish.
  double row;
  /// A vector of features that is packed, or loaded and stored for a query, beside memory.
  double packedVector, rowVector;
  /// Where keys are read where they lie: a vector of features by a row of queries; eight sums across lanes.
  double placeProduct, acrossLanes;
  /// A row's state that is saved and merged, by its vectors.
  double stateVector;
  /// A task; a phase; a call.
  double task, phase, call;
  /// Bytes a cycle of panels that come from the second level, or are on their way to it.
  double panelBytes;
  /// What is waited for memory and what is computed meanwhile: the part of the lesser that the greater does not hide.
  double unhidden;
};

/// The row of that name, or the one of the level below; null if there is none.
const X86Costs *lookupX86Costs(std::string_view machine);

} // namespace attn

#endif
