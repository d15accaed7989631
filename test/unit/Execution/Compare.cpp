// A call's outputs against the interpreter's, by THE error rule.
#include "Harness.h"

#include "attn/Support/ErrorRule.h"

#include <fmt/format.h>

using namespace mlir;
using namespace attn;
using namespace attn::test;

namespace {

/// As a 16-bit result would be stored.
double rounded(Element element, double x) {
  return element == Element::F16 ? fromF16(toF16(x)) : element == Element::BF16 ? fromBF16(toBF16(x)) : x;
}

} // namespace

Comparison::Comparison(Program &program)
    : program(program), attend(program.attend), sources(outputSources(attend)), outputs(attend.getNumResults()) {
  auto pass = dyn_cast<PassOp>(lookupNormalizer(attend).lastStep());
  seeded = pass && pass.seedRegion();
}

bool Comparison::isColumn(unsigned r) const {
  return sources[r].kind == OutputSource::Column || sources[r].kind == OutputSource::Aggregate;
}

void Comparison::add(const Call &call) {
  auto oracle = call.oracle(program);
  llvm::ArrayRef<int64_t> extents = oracle->extents();
  int64_t batches = 1;
  for (unsigned d = 0; d < attend.numBatch(); ++d)
    batches *= extents[d];
  std::vector<int64_t> batch(attend.numBatch());
  bool badIndex = false, columns = false;
  for (unsigned r = 0; r < outputs.size(); ++r)
    columns |= isColumn(r);
  for (int64_t n = 0; n < batches; ++n) {
    for (int64_t i = 0; i < extents[attend.queryDim()]; ++i)
      badIndex |= addRow(call, *oracle, batch, i);
    if (columns)
      badIndex |= addColumns(call, *oracle, batch);
    for (size_t d = batch.size(); d-- && ++batch[d] == extents[d];)
      batch[d] = 0;
  }
  const attn_status expected = badIndex ? ATTN_E_INDEX : ATTN_OK;
  if (call.status != expected)
    message += fmt::format("status {}, expected {} (arg {}, axis {}, index {})\n", attn_status_name(call.status),
                           attn_status_name(expected), call.error.arg, call.error.axis, call.error.found);
}

void Comparison::add(unsigned r, const Tensor &t, llvm::ArrayRef<double> exact, llvm::ArrayRef<double> plain,
                     bool empty, llvm::function_ref<int64_t(unsigned dim, int64_t n)> at) {
  Rows &rows = outputs[r];
  rows.element = t.element;
  for (size_t n = 0; n < exact.size(); ++n) {
    Index index;
    for (AffineExpr x : attend.outMap(r).getResults())
      index.push_back(at(isa<AffineSymbolExpr>(x) ? kRankDim : cast<AffineDimExpr>(x).getPosition(), int64_t(n)));
    rows.got.push_back(t.get(index));
    rows.exact.push_back(exact[n]);
    rows.plain.push_back(rounded(t.element, plain[n]));
    if (!n) {
      rows.names.push_back(fmt::format("{}[{}]", attend.outName(r).str(), fmt::join(index, ", ")));
      rows.empty.push_back(empty);
    }
  }
}

bool Comparison::addRow(const Call &call, interpreter::Interpreter &oracle, const Index &batch, int64_t i) {
  const auto exact = oracle.row(batch, i, Precision::Double), plain = oracle.row(batch, i, Precision::Plain);
  const auto lse = exact.outputs.find("lse");
  const bool empty = !seeded && (exact.visible == 0 || (lse != exact.outputs.end() && lse->second[0] == -kInf));
  for (unsigned r = 0; r < outputs.size(); ++r)
    if (!call.outputs[r].null && !isColumn(r))
      add(r, call.outputs[r], exact.outputs.at(attend.outName(r).str()), plain.outputs.at(attend.outName(r).str()),
          empty && sources[r].kind != OutputSource::Epilogue, [&](unsigned d, int64_t n) {
            return d < attend.numBatch() ? batch[d] : d == attend.queryDim() ? i : n;
          });
  return exact.badIndex;
}

bool Comparison::addColumns(const Call &call, interpreter::Interpreter &oracle, const Index &batch) {
  const auto exact = oracle.columns(batch, Precision::Double), plain = oracle.columns(batch, Precision::Plain);
  const int64_t keys = oracle.extents()[attend.keyDim()];
  for (unsigned r = 0; r < outputs.size(); ++r) {
    if (call.outputs[r].null || !isColumn(r))
      continue;
    const llvm::ArrayRef<double> e = exact.outputs.at(attend.outName(r).str()),
                                 p = plain.outputs.at(attend.outName(r).str());
    const size_t width = keys ? e.size() / size_t(keys) : 0;
    for (int64_t j = 0; j < keys; ++j)
      add(r, call.outputs[r], e.slice(size_t(j) * width, width), p.slice(size_t(j) * width, width), false,
          [&](unsigned d, int64_t n) { return d < attend.numBatch()  ? batch[d]
                                              : d == attend.keyDim() ? j
                                                                     : n; });
  }
  return exact.badIndex;
}

std::string Comparison::verdict() const {
  std::string all = message;
  for (const Rows &rows : outputs) {
    if (rows.got.empty())
      continue;
    const int64_t length = int64_t(rows.got.size() / rows.names.size());
    if (!isFloat(rows.element)) {
      for (size_t n = 0; n < rows.got.size(); ++n)
        if (rows.got[n] != rows.exact[n]) {
          all += fmt::format("{} is {}, expected {}\n", rows.names[n / size_t(length)], rows.got[n], rows.exact[n]);
          break;
        }
      continue;
    }
    const ErrorReport report = checkError({rows.element, length, rows.got, rows.exact, rows.plain, rows.empty});
    if (report.ok)
      continue;
    const int64_t w = report.worst;
    all += fmt::format("{}; {} feature {} is {:.9g}, expected {:.9g}, plain {:.9g}; ratio {:.3g}\n", report.what,
                       rows.names[size_t(w / length)], w % length, rows.got[w], rows.exact[w], rows.plain[w],
                       report.ratio);
  }
  return all;
}

std::string test::compare(Program &program, const Call &call) {
  Comparison c(program);
  c.add(call);
  return c.verdict();
}

std::string test::check(Program &program, Call &call) {
  call.run(program);
  return compare(program, call);
}
