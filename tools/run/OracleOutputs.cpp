#include "OracleOutputs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

using namespace attn;
using namespace attn::run;

static unsigned dimOf(mlir::AffineExpr e) {
  return llvm::isa<mlir::AffineSymbolExpr>(e) ? kRankDim : llvm::cast<mlir::AffineDimExpr>(e).getPosition();
}

/// Whether a pass of the attend's normalizer has a seed: then a row without pairs is computed like any other.
static bool hasSeed(AttendOp attend) {
  NormalizerOp normalizer = lookupNormalizer(attend);
  return llvm::any_of(normalizer.getBody().front().getOps<PassOp>(), [](PassOp pass) { return pass.seedRegion(); });
}

OutputRows::OutputRows(const Program &program, const Problem &problem, unsigned result, OutputSource source)
    : tensor(problem.output(result)), source(source), numBatch(problem.numBatch) {
  AttendOp attend = program.attend;
  map = attend.outMap(result);
  outputName = attend.outName(result).str();
  const unsigned candidates[] = {attend.keyDim(), attend.valueDim(), attend.dotDim()};
  for (unsigned dim : candidates)
    if (inner < 0 && map.isFunctionOfDim(dim) && !(isOverKeys() && dim == attend.keyDim()))
      inner = int(dim);
  if (map.getNumSymbols())
    inner = int(kRankDim);
  for (auto [axis, e] : llvm::enumerate(map.getResults()))
    if (int(dimOf(e)) == inner) {
      rowLength = tensor.shape[axis];
      stride = tensor.strides[axis];
    }
  exactWhereEmpty =
      source.kind == OutputSource::Reduction || source.kind == OutputSource::Weights ||
      ((source.kind == OutputSource::LogSumExp || source.kind == OutputSource::Finish) && !hasSeed(attend));
}

void OutputRows::add(llvm::ArrayRef<int64_t> batch, int64_t token, const std::vector<double> &exactRow,
                     const std::vector<double> &plainRow, size_t from, bool empty) {
  int64_t offset = 0;
  for (auto [axis, e] : llvm::enumerate(map.getResults()))
    if (int(dimOf(e)) != inner)
      offset += (dimOf(e) < numBatch ? batch[dimOf(e)] : token) * tensor.strides[axis];
  for (int64_t n = 0; n < rowLength; ++n) {
    got.push_back(loadNumber(tensor.data.data(), tensor.element, offset + n * stride));
    exact.push_back(exactRow.at(from + size_t(n)));
    plain.push_back(plainRow.at(from + size_t(n)));
  }
  exactRows.push_back(empty && exactWhereEmpty);
  rows.emplace_back(batch.begin(), batch.end());
  rows.back().push_back(token);
}

std::string OutputRows::placeOf(int64_t element) const {
  const std::vector<int64_t> &row = rows[size_t(element / rowLength)];
  std::vector<int64_t> at;
  for (mlir::AffineExpr e : map.getResults())
    at.push_back(int(dimOf(e)) == inner ? element % rowLength : dimOf(e) < numBatch ? row[dimOf(e)] : row.back());
  return fmt::format("{}[{}]", tensor.name, fmt::join(at, ", "));
}

ErrorReport OutputRows::compareKeys() const {
  ErrorReport report;
  int64_t bad = 0;
  for (size_t n = 0; n < got.size(); ++n)
    if (got[n] != exact[n] && got[n] != plain[n] && !bad++)
      report.worst = int64_t(n);
  if (bad) {
    report.ok = false;
    report.maxError = report.ratio = INFINITY;
    report.what = fmt::format("{} of {} keys differ", bad, got.size());
  }
  return report;
}

Comparison OutputRows::compare() const {
  Comparison c;
  c.name = tensor.name;
  c.report =
      isFloat(tensor.element) ? checkError({tensor.element, rowLength, got, exact, plain, exactRows}) : compareKeys();
  if (const int64_t w = c.report.worst; w >= 0)
    c.worst = fmt::format("{} is {:.9g}, expected {:.9g}", placeOf(w), got[size_t(w)], exact[size_t(w)]);
  return c;
}
