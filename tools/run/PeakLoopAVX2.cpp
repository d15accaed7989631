// Compiled for AVX2 and FMA, unlike most else: nothing here but the loops, reached by lookupPeakLoop().
#include "PeakLoopVectors.h"
#include "PeakLoops.h"

extern const attn::run::PeakLoop attn::run::kPeakLoopsAVX2[2] = {
    {flopsOf<float, 32>, 32, fmaLoop<float, 32>},
    {flopsOf<double, 32>, 16, fmaLoop<double, 32>},
};
