// Made-up values of the lists, words and graphs that sets go by. See Generate.cpp for what they are like.
#ifndef ATTN_TOOLS_RUN_LISTVALUES_H
#define ATTN_TOOLS_RUN_LISTVALUES_H

#include "Problem.h"

#include "attn/Support/Random.h"

namespace attn::run {

/// Where the padding of a list stands. None: the last id is repeated instead.
enum class Padding { Last, First, None };

/// Every row: ids of [lo, hi) without repeats, then -1. `sorted`: the ids ascend.
void fillIds(Tensor &t, const Random &random, int64_t lo, int64_t hi, Padding padding, bool sorted);
/// Every row: 0, then mostly small positive distances; all in (-keys, queries), or in [0, longer) if symmetric.
void fillDiagonals(Tensor &t, const Random &random, const Problem &problem, bool symmetric);
/// Every row ascends from 0 to `count` in steps that vary around their mean.
void fillOffsets(Tensor &t, const Random &random, int64_t count);
void fillBits(Tensor &t, const Random &random);
/// Integers outside of [lo, hi] become the nearer end.
void clampElements(Tensor &t, int64_t lo, int64_t hi);
/// Every row in ascending order.
void sortRows(Tensor &t);

} // namespace attn::run

#endif
