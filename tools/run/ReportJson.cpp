// JSON.
#include "Report.h"

#include "llvm/Support/JSON.h"

#include <cmath>

using namespace attn;
using namespace attn::run;
namespace json = llvm::json;

namespace {

json::Value number(std::optional<double> x) {
  if (!x || std::isnan(*x))
    return nullptr;
  return std::isinf(*x) ? std::copysign(1e9, *x) : *x;
}

json::Value orNull(bool have, json::Value value) { return have ? std::move(value) : json::Value(nullptr); }

json::Object comparison(const Comparison &c) {
  json::Object o{
      {"ok", c.report.ok}, {"max_abs_error", number(c.report.maxError)}, {"error_ratio", number(c.report.ratio)}};
  if (!c.worst.empty())
    o["worst"] = c.worst;
  if (!c.report.ok)
    o["rule"] = c.report.what;
  return o;
}

json::Value blocks(const Report &r) {
  if (!r.execution)
    return nullptr;
  const attn_stats &s = r.execution->stats();
  return json::Object{{"full", s.blocks_full},
                      {"partial", s.blocks_partial},
                      {"skipped", s.blocks_skipped},
                      {"size", json::Array{s.block_rows, s.block_keys}}};
}

json::Value pairs(const Report &r) {
  if (!r.pairs)
    return nullptr;
  json::Value visited = nullptr;
  if (r.execution) {
    const attn_stats &s = r.execution->stats();
    visited = s.tiles * s.tile_rows * s.tile_keys;
  }
  return json::Object{
      {"visible", number(r.pairs->visible)}, {"visited", std::move(visited)}, {"exact", r.pairs->exact}};
}

json::Value peak(const Report &r) {
  if (!r.bench)
    return nullptr;
  const BenchResult &b = *r.bench;
  return json::Object{{"method", b.method},
                      {"by_cycles", number(b.byCycles)},
                      {"by_time", number(b.byTime)},
                      {"accepted", b.accepted},
                      {"rounds", b.rounds},
                      {"gflops", orNull(b.byTime.has_value(), b.peakGflops)},
                      {"clock_ghz", number(b.clockGHz)}};
}

json::Value prediction(const Report &r) {
  if (!r.notPredicted.empty())
    return json::Object{{"absent", r.notPredicted}};
  if (!r.predicted)
    return nullptr;
  json::Object parts;
  for (auto [name, seconds] : partsOf(r.predicted->time))
    parts[name] = seconds;
  const double seconds = r.predicted->time.seconds();
  return json::Object{{"seconds", seconds},
                      {"of_measured", r.seconds ? json::Value(seconds / *r.seconds) : json::Value(nullptr)},
                      {"parts", std::move(parts)},
                      {"cycles_per_second", r.predicted->rates.cyclesPerSecond},
                      {"bytes_per_second", r.predicted->rates.bytesPerSecond}};
}

json::Value map(const Report &r) {
  if (!r.survey || !r.survey->map)
    return nullptr;
  const BlockMap &m = *r.survey->map;
  return json::Object{{"full", m.full},
                      {"partial", m.partial},
                      {"skipped", m.skipped},
                      {"size", json::Array{m.blockRows, m.blockKeys}}};
}

/// The first batch alone.
json::Value set(const Report &r) {
  if (!r.survey)
    return nullptr;
  const Survey &s = *r.survey;
  return json::Object{{"rows", s.rows},
                      {"of", s.of},
                      {"keys", r.problem->keys()},
                      {"density", s.visible / (double(s.of) * double(r.problem->keys()))},
                      {"empty_rows", s.emptyRows},
                      {"unseen_keys", s.unseenKeys ? json::Value(*s.unseenKeys) : json::Value(nullptr)}};
}

/// How many tokens, and the first of their ranges: first token, last token.
json::Value tokens(const Ranges &ranges) {
  json::Array first;
  for (size_t n = 0; n < ranges.size() && n < 16; ++n)
    first.push_back(json::Array{ranges[n].first, ranges[n].second - 1});
  return json::Object{{"count", countOf(ranges)}, {"ranges", std::move(first)}};
}

json::Value graph(const Report &r) {
  if (!r.survey || (!r.survey->graph && r.survey->noGraph.empty()))
    return nullptr;
  if (!r.survey->graph)
    return json::Object{{"absent", r.survey->noGraph}};
  const GraphFacts &g = *r.survey->graph;
  json::Array heard;
  for (const Heard &h : g.heard)
    heard.push_back(json::Object{{"layers", h.layers}, {"mean", h.mean}, {"most", h.most}});
  return json::Object{{"exact", g.exact()},
                      {"tokens_per_node", g.tokensPerNode},
                      {"nodes", g.nodes},
                      {"padding", g.padding},
                      {"components", g.components},
                      {"closed", g.closed},
                      {"connected", g.connected()},
                      {"roots", tokens(g.roots)},
                      {"root_sees_itself", g.rootSeesItself},
                      {"radius", g.radius ? json::Value(*g.radius) : json::Value(nullptr)},
                      {"centre", tokens(g.centre)},
                      {"heard", std::move(heard)},
                      {"finished", g.finished}};
}

/// The attends of a kernel of several steps.
json::Value steps(const Report &r) {
  if (!r.program || r.program->attend)
    return nullptr;
  json::Array all;
  for (const auto &step : r.steps) {
    json::Object o{{"step", step->step}};
    if (step->pairs)
      o["pairs"] = json::Object{{"visible", number(step->pairs->visible)}, {"exact", step->pairs->exact}};
    if (step->survey)
      o["empty_rows"] = step->survey->emptyRows;
    all.push_back(std::move(o));
  }
  return std::move(all);
}

} // namespace

void attn::run::printJson(const Report &r) {
  std::optional<double> error, ratio;
  auto take = [&](const Comparison &c) {
    error = std::max(error.value_or(0), c.report.maxError);
    ratio = std::max(ratio.value_or(0), c.report.ratio);
  };
  json::Object compared, expected, sizes;
  if (r.check)
    for (const Comparison &c : r.check->outputs) {
      take(c);
      compared[c.name] = comparison(c);
    }
  for (const Comparison &c : r.expected) {
    if (!r.check)
      take(c);
    expected[c.name] = comparison(c);
  }
  if (r.problem)
    for (size_t d = 0; d < r.problem->extents.size(); ++d)
      sizes[r.problem->dimNames[d]] = r.problem->extents[d];
  KernelOp kernel = r.program ? r.program->kernel : KernelOp();

  json::Object o;
  o["ok"] = r.exitCode == 0;
  o["exit_code"] = r.exitCode;
  o["error"] = orNull(!r.error.empty(), r.error);
  o["kernel"] = kernel ? json::Value(kernel.getSymName()) : json::Value(nullptr);
  o["sizes"] = orNull(r.problem, std::move(sizes));
  o["dtype"] = r.program ? json::Value(elementName(*r.program)) : json::Value(nullptr);
  o["threads"] = r.options->threads;
  o["seed"] = int64_t(r.options->seed);
  o["logits"] = nameOf(r.options->logits);
  o["target"] = r.options->target;
  o["emulated"] = orNull(r.execution && !r.execution->kernel().emulated().empty(),
                         r.execution ? r.execution->kernel().emulated() : "");
  o["variant"] = orNull(r.execution, r.execution ? r.execution->variantName() : "");
  o["max_abs_error"] = number(error);
  o["error_ratio"] = number(ratio);
  json::Object checked;
  if (r.check) {
    checked = json::Object{{"rows", r.check->rows}, {"of", r.check->of}};
    if (r.check->ofBatches > 0) {
      checked["column_batches"] = r.check->batches;
      checked["column_batches_of"] = r.check->ofBatches;
    }
  }
  o["compared"] = r.check ? json::Value(std::move(checked)) : json::Value(nullptr);
  o["outputs"] = orNull(r.check.has_value(), std::move(compared));
  o["expected"] = orNull(!r.expected.empty(), std::move(expected));
  o["seconds"] = number(r.seconds);
  o["gflops"] = r.problem && r.program ? number(r.gflops()) : json::Value(nullptr);
  o["peak_fraction"] = r.bench ? number(r.bench->peakFraction) : json::Value(nullptr);
  o["peak"] = peak(r);
  o["predicted"] = prediction(r);
  o["workspace_bytes"] = r.execution ? json::Value(r.execution->workspaceBytes()) : json::Value(nullptr);
  o["compile_ms"] = r.execution ? json::Value(r.execution->kernel().compileMilliseconds()) : json::Value(nullptr);
  o["blocks"] = blocks(r);
  o["pairs"] = pairs(r);
  o["density"] = r.problem ? number(r.density()) : json::Value(nullptr);
  o["map"] = map(r);
  o["set"] = set(r);
  o["graph"] = graph(r);
  o["steps"] = steps(r);
  o["pictures"] = json::Array(r.pictures);
  o["unsupported"] = orNull(!r.unsupported.empty(), r.unsupported);
  o["guarded"] = r.execution ? json::Value(r.execution->stats().guarded) : json::Value(nullptr);
  std::string text;
  llvm::raw_string_ostream(text) << json::Value(std::move(o));
  fmt::print("{}\n", text);
}
