// Rules of attn.map and attn.merge, by label.
#include "Rules.h"

using namespace mlir;
using namespace attn;
using namespace attn::rules;

LogicalResult MapOp::verify() { return success(); }
LogicalResult MapOp::verifyRegions() { return success(); }
LogicalResult MergeOp::verify() { return success(); }
