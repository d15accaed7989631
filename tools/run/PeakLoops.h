// The loops by instructions; see PeakLoop.h.
#ifndef ATTN_TOOLS_RUN_PEAKLOOPS_H
#define ATTN_TOOLS_RUN_PEAKLOOPS_H

#include "PeakLoop.h"

namespace attn::run {

extern const PeakLoop kPeakLoopsAVX2[2], kPeakLoopsAVX512[2]; // of f32, of f64
extern const PeakLoop kPeakLoopTiles;

} // namespace attn::run

#endif
