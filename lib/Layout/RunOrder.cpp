#include "attn/Layout/RunOrder.h"

using namespace attn::layout;

RunOrder::RunOrder(int64_t run, int64_t chunks, int64_t chunkFeatures)
    : run(run), chunks(chunks), chunkFeatures(chunkFeatures), perChunk(chunkFeatures / run), inGroups(chunks % 8 != 0) {
  const int64_t whole = chunks / 8 * 8;
  if (!inGroups)
    row = {{{chunks * perChunk, 0, 1}}}, feature = {{{1, chunks * perChunk, run}}};
  else if (whole)
    pieces.push_back({0, 0, {{{whole, 0, 1}}}, {{{1, whole, 1}}}});
  int64_t first = whole; // chunks of a row that are taken
  for (int64_t w : {4, 2, 1}) {
    if (!((chunks - whole) & w))
      continue;
    // Item m of the piece: w chunks of row m / 8 + w (m mod 8 / w).
    pieces.push_back({8 * first, first, {{{8, 0, 1}, {w, 8 / w, w}}}, {{{1, w, 1}}}});
    first += w;
  }
}

Cell RunOrder::at(int64_t item) const {
  if (!inGroups)
    return {row.at(item), feature.at(item)};
  const int64_t number = item / perChunk, within = item % perChunk * run;
  const int64_t group = number / (8 * chunks), n = number % (8 * chunks);
  const Piece *piece = &pieces.front();
  for (const Piece &p : pieces)
    if (n >= p.first)
      piece = &p;
  const int64_t m = n - piece->first;
  return {group * 8 + piece->row.at(m), (piece->firstChunk + piece->chunk.at(m)) * chunkFeatures + within};
}
