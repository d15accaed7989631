// Rules of the sets over distances, grids and lists, of attn.member and attn.random.
#include "Rules.h"

using namespace mlir;
using namespace attn;

LogicalResult SetDilatedOp::verify() { return success(); }
LogicalResult SetNotSelfOp::verify() { return success(); }
LogicalResult SetBlockCausalOp::verify() { return success(); }
LogicalResult SetGlobalOp::verify() { return success(); }
LogicalResult SetSinksOp::verify() { return success(); }
LogicalResult SetSharedPrefixOp::verify() { return success(); }
LogicalResult SetNeighborhoodOp::verify() { return success(); }
LogicalResult SetHaloOp::verify() { return success(); }
LogicalResult SetDiscOp::verify() { return success(); }
LogicalResult SetListOp::verify() { return success(); }
LogicalResult SetDiagonalsOp::verify() { return success(); }
LogicalResult SetCsrOp::verify() { return success(); }
LogicalResult SetBitsOp::verify() { return success(); }
LogicalResult SetRandomBlocksOp::verify() { return success(); }
LogicalResult MemberOp::verify() { return success(); }
LogicalResult RandomOp::verify() { return success(); }
