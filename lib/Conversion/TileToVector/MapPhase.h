// Programs without panels: elementwise ones, of one `map` phase, and small problems side by side. Both have their
// scratch where others have weights.
#ifndef ATTN_LIB_CONVERSION_TILETOVECTOR_MAPPHASE_H
#define ATTN_LIB_CONVERSION_TILETOVECTOR_MAPPHASE_H

#include "TaskEmitter.h"

namespace attn {

/// The map of an elementwise program, null for any other.
tile::MapOp mapOf(tile::ProgramOp program);
mlir::LogicalResult emitMapPhase(TaskEmitter &task, tile::MapOp map);
/// The main phase, bytes of scratch and guard of problems side by side (see SidePhase.cpp).
mlir::LogicalResult emitSidePhase(TaskEmitter &task, tile::PhaseOp pack, tile::PhaseOp main);
int64_t sideRoom(TaskEmitter &task, tile::PhaseOp pack, tile::PhaseOp main);
mlir::Value emitSideGuard(TaskEmitter &task);

/// Transposes lanes x lanes elements held as rows.
void transpose(Emit &e, llvm::SmallVector<mlir::Value> &rows);

/// Bytes of scratch beyond the layout's own.
int64_t mapRoom(TaskEmitter &task, tile::MapOp map);
/// How many tasks there are, as the positions of the query axis.
mlir::LogicalResult emitMapSizes(TaskEmitter &task, tile::MapOp map, mlir::Value sizes);

/// What the constants of a kernel of several steps say of the leading one: see attn_kernel_info.
struct StepInfo {
  std::string name;
  bool hasKeys = false;
  std::vector<EmittedVariant> variants;
};
/// The constants and entries of a sequence whose programs are there already.
void emitSequenceInfo(mlir::ModuleOp module, tile::SequenceOp sequence, llvm::ArrayRef<StepInfo> steps,
                      int64_t isaLevel);

} // namespace attn

#endif
