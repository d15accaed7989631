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

Comparison::Comparison(Program &program) : program(program), attend(program.attend), outputs(attend.getNumResults()) {}

void Comparison::add(const Call &call) {
  auto oracle = call.oracle(program);
  llvm::ArrayRef<int64_t> extents = oracle->extents();
  int64_t batches = 1;
  for (unsigned d = 0; d < attend.numBatch(); ++d)
    batches *= extents[d];
  std::vector<int64_t> batch(attend.numBatch());
  bool badIndex = false;
  for (int64_t n = 0; n < batches; ++n) {
    for (int64_t i = 0; i < extents[attend.queryDim()]; ++i)
      badIndex |= addRow(call, *oracle, batch, i);
    for (size_t d = batch.size(); d-- && ++batch[d] == extents[d];)
      batch[d] = 0;
  }
  const attn_status expected = badIndex ? ATTN_E_INDEX : ATTN_OK;
  if (call.status != expected)
    message += fmt::format("status {}, expected {} (arg {}, axis {}, index {})\n", attn_status_name(call.status),
                           attn_status_name(expected), call.error.arg, call.error.axis, call.error.found);
}

bool Comparison::addRow(const Call &call, interpreter::Interpreter &oracle, const Index &batch, int64_t i) {
  const auto exact = oracle.row(batch, i, Precision::Double), plain = oracle.row(batch, i, Precision::Plain);
  const auto lse = exact.outputs.find("lse");
  empty.push_back(exact.visible == 0 || (lse != exact.outputs.end() && lse->second[0] == -kInf));
  for (unsigned r = 0; r < outputs.size(); ++r) {
    const Tensor &t = call.outputs[r];
    if (t.null)
      continue;
    const auto &e = exact.outputs.at(attend.outName(r).str()), &p = plain.outputs.at(attend.outName(r).str());
    Rows &rows = outputs[r];
    rows.element = t.element;
    for (size_t k = 0; k < e.size(); ++k) {
      Index at;
      for (AffineExpr x : attend.outMap(r).getResults()) {
        const unsigned d = cast<AffineDimExpr>(x).getPosition();
        at.push_back(d < attend.numBatch() ? batch[d] : d == attend.queryDim() ? i : int64_t(k));
      }
      rows.got.push_back(t.get(at));
      rows.exact.push_back(e[k]);
      rows.plain.push_back(rounded(t.element, p[k]));
      if (!k)
        rows.names.push_back(fmt::format("{}[{}]", attend.outName(r).str(), fmt::join(at, ", ")));
    }
  }
  return exact.badIndex;
}

std::string Comparison::verdict() const {
  std::string all = message;
  for (const Rows &rows : outputs) {
    if (rows.got.empty())
      continue;
    const int64_t length = int64_t(rows.got.size() / rows.names.size());
    const ErrorReport report = checkError({rows.element, length, rows.got, rows.exact, rows.plain, empty});
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
