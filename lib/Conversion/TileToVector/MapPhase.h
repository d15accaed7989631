// Programs without panels: elementwise ones, of one `map` phase, and small problems side by side. Both have their
// scratch where others have weights.
#ifndef ATTN_LIB_CONVERSION_TILETOVECTOR_MAPPHASE_H
#define ATTN_LIB_CONVERSION_TILETOVECTOR_MAPPHASE_H

#include "TaskEmitter.h"

namespace attn {

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

} // namespace attn

#endif
