// The text of --explain.
#include "Report.h"
#include "TileForm.h"

#include "attn/Dialect/Attn/ExpandBilinear.h"
#include "attn/Schedule/Lists.h"
#include "attn/Schedule/Schedule.h"

using namespace attn;
using namespace attn::run;

namespace {

std::string percent(double fraction) { return fmt::format("{:.3g} %", 100 * fraction); }

std::string counted(int64_t n, const char *one, const char *many) {
  return fmt::format("{} {}", n, n == 1 ? one : many);
}

/// "token 0", "tokens 0 to 15, 32 and 60 others"
std::string tokens(const Ranges &ranges) {
  constexpr size_t most = 3;
  std::string text = countOf(ranges) == 1 ? "token " : "tokens ";
  int64_t rest = countOf(ranges);
  for (size_t n = 0; n < ranges.size() && n < most; ++n) {
    auto [lo, hi] = ranges[n];
    text += fmt::format("{}{}", n ? ", " : "", lo);
    if (hi - lo > 1)
      text += fmt::format(" to {}", hi - 1);
    rest -= hi - lo;
  }
  return rest ? fmt::format("{} and {}", text, counted(rest, "other", "others")) : text;
}

/// Why no variant splits the keys; nothing where one may.
void printSplit(const Report &r, AttendOp attend) {
  std::string why = whyUnsplit(attend);
  if (const Options &o = *r.options; why.empty() && o.splitKeys == 0 && (o.blockRows > 0 || o.blockKeys > 0))
    why = "the sizes of blocks are forced";
  if (!why.empty())
    printLine("unsplit", "keys are not split among tasks: " + why);
}

/// Which keys are gathered, where there are lists.
void printLists(const Report &r, AttendOp attend) {
  if (r.execution && r.execution->simulation())
    return;
  const Options &o = *r.options;
  if (gatherable(attend))
    return printLine("lists", "all queries of a head share one: its keys alone are packed");
  if (!listOfBlocks(attend) || o.blockRows > 0 || o.blockKeys > 0 || o.splitKeys > 0)
    return;
  const std::string why = whyNotGathered(attend);
  const std::string shared = fmt::format("{} queries share one", rowsPerList(attend));
  printLine("lists",
            why.empty() ? shared + ": its keys are gathered for them" : shared + ": pairs are looked up, for " + why);
}

/// Whether heads that share keys are rows of the same CTAs of a kernel for GPUs.
void printHeads(const Report &r, AttendOp attend) {
  if (!r.execution || !r.execution->simulation())
    return;
  if (auto why = whyApart(attend, /*onGpu=*/true))
    printLine("heads", why->empty() ? "those that share keys are rows of the same CTAs"
                                    : "each reads the keys that it shares with others: " + *why);
}

/// Where a kernel for GPUs holds its tiles: that of the variant that ran.
void printPlaces(const Report &r) {
  if (!r.execution || !r.execution->simulation() || !r.program->attend)
    return;
  auto form = TileForm::create(*r.program, *r.options);
  if (!form)
    return llvm::consumeError(form.takeError());
  for (auto variant : form->program().getOps<tile::VariantOp>()) {
    if (variant.getName() != r.execution->variantName())
      continue;
    const char *what = "placed";
    for (const std::string &line : placesOf(variant))
      printLine(std::exchange(what, ""), line);
  }
}

/// What a CPU that multiplies bf16 multiplies so, and why the rest is not.
void printBf16(const Report &r, AttendOp attend) {
  const int32_t level = r.execution ? r.execution->kernel().level() : 0;
  if (level < ATTN_ISA_X86_64_V4_BF16)
    return;
  const bool tiles = level >= ATTN_ISA_X86_64_V4_AMX;
  const char *where = tiles ? "bf16 on tiles, where keys are packed" : "bf16, where keys are packed";
  auto product = [&](const char *what, std::string why) {
    if (why.empty() && tiles)
      why = whyNotTiles(attend);
    printLine("products", fmt::format("{}: {}", what, why.empty() ? where : "f32, for " + why));
  };
  product("q and k", whyNotBf16Scores(attend));
  product("weights and v", whyNotBf16Values(attend));
}

/// Which operand takes in the bilinear tensor, and by what count.
void printBilinear(AttendOp attend) {
  if (!attend.getBilinear())
    return;
  BilinearCost cost = bilinearCost(attend);
  const bool onK = cost.prefersK();
  printLine("bilinear",
            fmt::format("the tensor is taken into {}: {:.3g} multiply-adds where all pairs are seen, {:.3g} on {}{}",
                        onK ? "k" : "q", onK ? cost.onK : cost.onQ, onK ? cost.onQ : cost.onK, onK ? "q" : "k",
                        cost.assumed.empty() ? "" : "; chosen before the call, with " + cost.assumed + " assumed"));
}

void printMap(const Survey &s) {
  if (!s.map)
    return printLine("map", "not drawn: " + s.noMap);
  const BlockMap &m = *s.map;
  printLine("map", fmt::format("batch 0, blocks of {} x {}: # {} full, + {} partial, . {} skipped", m.blockRows,
                               m.blockKeys, m.full, m.partial, m.skipped));
  fmt::print("{}", drawMap(m));
}

void printHeard(const GraphFacts &g) {
  const char *bound = g.exact() ? "" : "at most ";
  for (size_t n = 0; n < g.heard.size(); ++n) {
    const Heard &h = g.heard[n];
    printLine(n ? "" : "heard of",
              fmt::format("{}{} of the tokens on average after {}, {} by the one that heard of most", bound,
                          percent(h.mean), counted(h.layers, "layer", "layers"), percent(h.most)));
  }
  if (g.finished)
    printLine("", g.heard.back().layers == 1 ? "and no more in later layers" : "and no more after that");
  else
    printLine("", "what comes after that was not computed: 3 seconds were over");
}

void printGraph(const GraphFacts &g) {
  if (!g.nodes)
    return printLine("graph", "no token sees any");
  const char *least = g.exact() ? "" : "at least ";
  printLine("graph",
            fmt::format("{}: {}{}, {} of them closed{}",
                        g.exact() ? "token by token"
                                  : fmt::format("block level, {} tokens a block: an upper bound of who hears of whom",
                                                g.tokensPerNode),
                        least, counted(g.components, "strongly connected component", "strongly connected components"),
                        g.closed,
                        g.padding ? fmt::format("; without {} that see nothing and are not seen",
                                                counted(g.padding, "token", "tokens"))
                                  : ""));
  if (!g.connected())
    printLine("", "no token reaches all: in no depth do all of them hear of a common one");
  else if (g.exact())
    printLine("",
              fmt::format("{} {} all{}", tokens(g.roots), countOf(g.roots) == 1 ? "reaches" : "reach",
                          g.rootSeesItself ? ": layers of this mask alone, without residuals, pull all tokens together"
                                           : ", but no such token sees itself"));
  else
    printLine("",
              fmt::format("whether some token reaches all is not certain at this level; only {} can", tokens(g.roots)));
  if (g.radius)
    printLine("radius",
              fmt::format("{}{} from {} to all", least, counted(*g.radius, "layer", "layers"), tokens(g.centre)));
  else if (g.connected())
    printLine("radius", "not computed: 3 seconds were over");
  printHeard(g);
}

void printSurvey(const std::optional<Survey> &survey, int64_t keys) {
  if (!survey)
    return printLine("map", "there are no pairs");
  const Survey &s = *survey;
  printMap(s);
  printLine("set", fmt::format("batch 0: {} of the pairs are seen; {} of {}{} are empty, {} seen by no row",
                               percent(s.visible / double(s.of) / double(keys)), s.emptyRows,
                               counted(s.rows, "row", "rows"), s.complete() ? "" : " looked at",
                               s.unseenKeys ? counted(*s.unseenKeys, "key is", "keys are")
                                            : "it is not known how many keys are"));
  if (s.graph)
    printGraph(*s.graph);
  else
    printLine("graph", "none: " + s.noGraph);
}

} // namespace

void attn::run::printExplanation(const Report &r) {
  if (r.execution) {
    for (const std::string &reason : r.execution->variantReasons())
      printLine("variant", reason);
    const attn_stats &s = r.execution->stats();
    if (s.tiles || !r.execution->simulation())
      printLine("tiles", fmt::format("{} of {} x {}", s.tiles, s.tile_rows, s.tile_keys));
  }
  if (r.program->attend) {
    printSplit(r, r.program->attend);
    printLists(r, r.program->attend);
    printHeads(r, r.program->attend);
    printPlaces(r);
    printBf16(r, r.program->attend);
    printBilinear(r.program->attend);
    return printSurvey(r.survey, r.problem->keys());
  }
  for (const auto &step : r.steps) {
    printLine("step", fmt::format("{} of {}", step->step, r.program->steps.size()));
    printSplit(r, step->program->attend);
    printLists(r, step->program->attend);
    printHeads(r, step->program->attend);
    printBf16(r, step->program->attend);
    printBilinear(step->program->attend);
    printSurvey(step->survey, step->problem.keys());
  }
}
