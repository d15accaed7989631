//===- Count.cpp - Solutions with numbers ---------------------------------===//

#include "attn/Sets/Count.h"

#include <algorithm>

using namespace attn::sets;

Ranges attn::sets::mergeRanges(Ranges input) {
  Ranges result;
  std::sort(input.begin(), input.end());
  for (const auto &r : input) {
    if (r.first > r.second)
      continue;
    if (!result.empty() && r.first <= result.back().second + 1)
      result.back().second = std::max(result.back().second, r.second);
    else
      result.push_back(r);
  }
  return result;
}

static std::pair<int64_t, int64_t> clip(const Interval &i, const Env &env, int64_t lo, int64_t hi) {
  return {std::max(lo, eval(i.lo, env)), std::min(hi, eval(i.hi, env))};
}

Ranges attn::sets::ranges(const Solution &s, const Env &env, int64_t extentLo, int64_t extentHi) {
  Ranges result;
  for (const Conjunct &c : s.conjuncts)
    if (eval(c.mayRest, env))
      result.push_back(clip(c.may, env, extentLo, extentHi));
  return mergeRanges(std::move(result));
}

Ranges attn::sets::fullRanges(const Solution &s, const Env &env, int64_t extentLo, int64_t extentHi) {
  Ranges result;
  for (const Conjunct &c : s.conjuncts)
    if (c.keyAtoms.empty() && eval(c.mustRest, env))
      result.push_back(clip(c.must, env, extentLo, extentHi));
  return mergeRanges(std::move(result));
}

TileClass attn::sets::classify(const Solution &s, const Env &env, int64_t keyLo, int64_t keyHi) {
  auto piece = [](const std::pair<int64_t, int64_t> &r) {
    return Interval{Expr::constant(r.first), Expr::constant(r.second)};
  };
  bool some = false;
  Ranges full = fullRanges(s, env, keyLo, keyHi);
  for (const Conjunct &c : s.conjuncts) {
    if (!eval(c.mayRest, env))
      continue;
    auto may = clip(c.may, env, keyLo, keyHi), must = clip(c.must, env, keyLo, keyHi);
    some = some || (may.first <= may.second && eval(mayHold(c, s, piece(may)), env));
    if (!c.keyAtoms.empty() && must.first <= must.second && eval(c.mustRest, env) &&
        eval(mustHold(c, s, piece(must)), env))
      full.push_back(must);
  }
  full = mergeRanges(std::move(full));
  if (full.size() == 1 && full[0].first == keyLo && full[0].second == keyHi)
    return TileClass::Full;
  return some ? TileClass::Partial : TileClass::Empty;
}

TileClass attn::sets::classify(const Pred &p, unsigned axisVar, const Env &env,
                               const std::map<unsigned, std::pair<int64_t, int64_t>> &rows, int64_t keyLo,
                               int64_t keyHi) {
  Box box;
  for (const auto &r : rows)
    box[r.first] = {Expr::constant(r.second.first), Expr::constant(r.second.second)};
  return classify(solve(p, axisVar, box), env, keyLo, keyHi);
}

TileCount attn::sets::countTiles(const Pred &p, unsigned rowVar, unsigned axisVar, const Env &env, int64_t rowExtent,
                                 int64_t keyExtent, int64_t rowTile, int64_t keyTile) {
  // One symbolic solution for all rows: its end points are two variables that p does not use.
  std::set<unsigned> used;
  collectVars(p, used);
  used.insert({rowVar, axisVar});
  unsigned first = *used.rbegin() + 1, last = first + 1;
  Solution s = solve(p, axisVar, {{rowVar, {Expr::var(first), Expr::var(last)}}});
  TileCount count;
  int64_t tilesPerRow = keyExtent > 0 ? (keyExtent - 1) / keyTile + 1 : 0;
  for (int64_t row = 0; row < rowExtent; row += rowTile) {
    int64_t rowEnd = std::min(row + rowTile, rowExtent) - 1, visited = 0;
    Env bound = env;
    bound.var = [&](unsigned v) { return v == first ? row : v == last ? rowEnd : env.var(v); };
    int64_t next = 0;
    for (const auto &r : ranges(s, bound, 0, keyExtent - 1))
      for (int64_t tile = std::max(next, r.first / keyTile); tile <= r.second / keyTile; ++tile) {
        next = tile + 1;
        switch (classify(s, bound, tile * keyTile, std::min((tile + 1) * keyTile, keyExtent) - 1)) {
        case TileClass::Empty:
          continue;
        case TileClass::Partial:
          ++count.partial;
          break;
        case TileClass::Full:
          ++count.full;
          break;
        }
        ++visited;
      }
    count.skipped += tilesPerRow - visited;
  }
  return count;
}
