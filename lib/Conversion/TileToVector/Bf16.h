// Products of bf16 operands by AVX512-BF16, for targets that have it (the attributes bf16_scores and bf16_values of a
// variant). Operands stay as they are in memory, two neighbours along what is summed in one word of 32 bits:
//
//   Q  [row][word]                        a word: two features
//   K  [panel][word][width]               a word: two features of a key
//   V  [block][panel of features][keys / 2][width]   a word: one feature of two keys
//   P  [row][keys / 2]                    a word: the weights of two keys
//
// A part of the features begins with a word of its own; where its extent is odd its last word has a zero. One
// instruction (vdpbf16ps) does for 16 words
//
//   s = fma(x_odd, y_odd, s)    s = fma(x_even, y_even, s)          each rounded to f32; bf16 products are exact
//
// but it reads subnormal operands as zeros and gives zeros for subnormal results, whatever the mode. So that results
// stay within the error rule, blocks say whether an element is tiny: not 0, and below 2^-56. Where neither the queries
// of a task nor the keys of a block have one, products and their sums are multiples of 2^-126 and nothing is lost;
// where one has, the same operations in the same order are made with fma, which gives the same bits where nothing would
// have been lost. Values are asked for by themselves: a product of an element that is not tiny with a weight is lost
// only where it is below 2^-126.
#ifndef ATTN_LIB_CONVERSION_TILETOVECTOR_BF16_H
#define ATTN_LIB_CONVERSION_TILETOVECTOR_BF16_H

#include "OperandEmitter.h"

namespace attn::bf16 {

using V = mlir::Value;

/// A vector of words, as bits; and vectors of f32 of their even (low) and odd (high) halves.
mlir::VectorType wordsType(Emit &e);
V even(Emit &e, V words);
V odd(Emit &e, V words);
/// sums + the products of both halves of two vectors of words.
V dot(Emit &e, V sums, V x, V y);
/// The same by fma, and nothing is taken for zero.
V dotExactly(Emit &e, V sums, V x, V y);
/// A result of `dot` made by fma: zero where that would be.
V flushed(Emit &e, V x);
/// Numbers of 2 * lanes neighbours (first, then second), rounded to words; and of the halves of words.
V pack(Emit &e, V first, V second);
V packHalves(Emit &e, V evens, V odds);
/// Whether an element among 2 * lanes halves is tiny: an i32, 0 or not.
V anyTiny(Emit &e, V words);

/// One row: `part.extent` elements of a token to whole words. `tiny`: i32 that becomes nonzero where one is tiny.
void copyRow(TaskEmitter &t, OperandEmitter &part, V token, V to, V tinyAt);

/// Of one part of the keys, and of the values, of the block that begins with `first`; PackPhase.cpp has the same for
/// f32. `feature`: words before the part.
void packKeys(TaskEmitter &t, OperandEmitter &part, int64_t feature, V first, V count);
void packValues(TaskEmitter &t, OperandEmitter &part, V first, V count);
/// Nothing of the block is tiny, so far.
void clearTiny(TaskEmitter &t, V first, V count);

} // namespace attn::bf16

#endif
