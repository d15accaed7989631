// Compiled for AVX-512, unlike most else: nothing here but the loops, reached by lookupPeakLoop().
#include "PeakLoopVectors.h"
#include "PeakLoops.h"

extern const attn::run::PeakLoop attn::run::kPeakLoopsAVX512[2] = {
    {flopsOf<float, 64>, 64, fmaLoop<float, 64>},
    {flopsOf<double, 64>, 32, fmaLoop<double, 64>},
};
