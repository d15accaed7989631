//===- KernelCost.h - What the parts of a kernel cost -----------------------===//
//
// A prediction of time in two steps. This one reads a variant of a tile program, what the kernel is emitted from, and
// says what a unit of each kind of work costs, in cycles of one core. How many units a call has is counted by the call
// itself (attn_stats) or follows from its extents; predict() adds them up.
//
//   products   a microtile's: fused multiply-adds of features by keys by rows
//   weights    of its scores: the operations of the score region that are done for every pair (PairParts.h), those of
//              the weights, one for each sum, and a store
//   masks      of a microtile that is partial: the operations of the set's text for a vector of keys
//   packing    of a key: its features, converted
//   rows       of a query: its features, the finish, the state that is saved and merged where keys are split
//   blocks     of a block of queries against one of keys: ranges, strips, panels that come from the second level
//   tasks      launching
//
// Multiply-adds and operations are counted in the text. Nothing is fitted to one program, so a program that is
// written tomorrow is predicted as well or badly as those of today.
//
//===----------------------------------------------------------------------===//
#ifndef ATTN_ANALYSIS_KERNELCOST_H
#define ATTN_ANALYSIS_KERNELCOST_H

#include "attn/Dialect/Tile/Tile.h"
#include "attn/Machine/Costs.h"

#include "llvm/Support/Error.h"

namespace attn {

/// Cycles of one core.
struct VariantCost {
  int64_t tileRows = 0, tileKeys = 0, blockRows = 0, taskRows = 0, blockKeys = 0, chunks = 1;
  double products = 0, weights = 0; // of a microtile, in all sweeps
  double mask = 0;                  // of a partial one, besides
  double packedKey = 0;             // 0: keys are read where they lie
  double packedBytes = 0;           // written for a key
  double row = 0, state = 0;        // state: of a row and a chunk
  double block = 0, strip = 0, question = 0;
  double panels = 0;                   // bytes of panels that a block of keys is
  double panelBytes = 0, unhidden = 0; // of the table
  double task = 0, phase = 0, call = 0;
  int64_t phases = 0;
  bool packsByTasks = false; // each block of queries packs its keys
  bool together = false;     // queries of all heads of a group are rows of one block
  bool inPlace = false;      // keys are read where they lie, and their bytes are what is waited for
};

/// Why there is none: what the text has and the model does not.
llvm::Expected<VariantCost> costOf(tile::VariantOp variant, int64_t lanes, const X86Costs &costs);

/// What a call has, from its extents and from what it counted.
struct CallCounts {
  double visible = 0; // pairs
  double tiles = 0;   // microtiles visited
  double blocksFull = 0, blocksPartial = 0;
  double rows = 0, queries = 0; // of all batches and heads; of one
  double keys = 0, units = 0;   // of one head; heads of keys in all batches
  double cacheBytes = 0;        // of the last level; 0: nobody knows
  double tensorBytes = 0;       // arguments and results, each once
  int64_t threads = 1;
};

/// What is measured where the prediction is made.
struct MachineRates {
  double cyclesPerSecond = 0; // of one core, by the peak loop on as many threads
  double bytesPerSecond = 0;  // of all threads, reading the call's tensors
};

/// Seconds, by part; each is that of all threads together, less what they do side by side.
struct Prediction {
  double products = 0, weights = 0, masks = 0, packing = 0, rows = 0, blocks = 0, tasks = 0;
  double memory = 0; // what of the bytes is not hidden behind the rest
  double seconds() const { return products + weights + masks + packing + rows + blocks + tasks + memory; }
};
Prediction predict(const VariantCost &cost, const CallCounts &counts, const MachineRates &rates);

} // namespace attn

#endif
