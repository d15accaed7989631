#include "Probe.h"

#include "llvm/ADT/StringExtras.h"

using namespace attn;
using namespace attn::test;

std::string Probe::text() const {
  auto type = [&](llvm::StringRef indices, const std::string &of) {
    std::string t = "tensor<";
    llvm::SmallVector<llvm::StringRef> list;
    indices.split(list, ", ");
    for (llvm::StringRef index : list)
      t += index == "e" ? "2x" : index == "c" ? "1x" : "?x";
    return t + of + ">";
  };
  std::string named, types, listed, results;
  for (const auto &[n, o] : llvm::enumerate(outputs)) {
    const std::string t = type(o.indices, o.element.empty() ? element : o.element), sep = n ? ", " : "";
    named += sep + o.name + ": " + t;
    types += sep + t;
    listed += sep + o.name + "[" + o.indices + "]";
    results += sep + "%r" + std::to_string(n);
  }
  const std::string q = type("b, i, c", element), k = type("b, j, c", element), v = type("b, j, e", element);
  return normalizers + "attn.kernel @probe(%q: " + q + ", %k: " + k + (valueless ? "" : ", %v: " + v) + args +
         ") -> (" + named + ") {\n" + results + " = attn.attend dims(b | i | j | " + (valueless ? "c" : "c, e") +
         ") q = %q[b, i, c] k = %k[b, j, c]" + (valueless ? "" : " v = %v[b, j, e]") + "\n" + scale + " " + clauses +
         "\noutputs " + listed + " : (" + q + ", " + k + (valueless ? "" : ", " + v) + ") -> (" + types +
         ")\nattn.return " + results + " : " + types + "\n}\n";
}

std::vector<double> Probe::scores(int64_t b, int64_t i) const {
  std::vector<double> list;
  for (size_t j = 0; j < k.size(); ++j)
    list.push_back(score(b, i, (int64_t)j));
  return list;
}

Probe::Running Probe::start() const {
  const Format format = element == "f64" ? Format::F64 : element == "bf16" ? Format::BF16 : Format::F32;
  const auto I = (int64_t)q.size(), J = (int64_t)k.size();
  std::vector<double> queries = q, keys = k, values;
  for (double x : q)
    queries.push_back(-x);
  keys.insert(keys.end(), k.begin(), k.end());
  for (int64_t n = 0; n < 2 * J; ++n)
    for (int64_t e = 0; e < 2; ++e)
      values.push_back(value(n % J, e));
  Running r{Program(text()), {Tensor(format, {2, I, 1}, queries), Tensor(format, {2, J, 1}, keys)}, nullptr};
  if (!valueless)
    r.tensors.emplace_back(format, std::vector<int64_t>{2, J, 2}, values);
  r.tensors.insert(r.tensors.end(), captured.begin(), captured.end());
  r.interpreter = Call{r.tensors, params}.create(r.program);
  return r;
}

RowResult Probe::row(int64_t b, int64_t i, Precision precision) const {
  return start().interpreter->row({b}, i, precision);
}

ColumnResult Probe::columns(int64_t b, Precision precision) const {
  return start().interpreter->columns({b}, precision);
}

void Probe::expect(llvm::StringRef output, std::function<std::vector<double>(int64_t b, int64_t i)> want, double plain,
                   double exact) const {
  Running running = start();
  for (int64_t b = 0; b < 2; ++b)
    for (int64_t i = 0; i < (int64_t)q.size(); ++i)
      for (Precision p : {Precision::Double, Precision::Plain})
        expectValues(running.interpreter->row({b}, i, p).outputs.at(output.str()), want(b, i),
                     p == Precision::Double ? exact : plain,
                     output.str() + " of row " + std::to_string(b) + ", " + std::to_string(i) +
                         (p == Precision::Double ? "" : " (plain)"));
}

void test::expectValues(const std::vector<double> &got, const std::vector<double> &want, double tolerance,
                        llvm::StringRef what) {
  ASSERT_EQ(got.size(), want.size()) << what.str();
  for (size_t n = 0; n < got.size(); ++n)
    expectValue(got[n], want[n], tolerance, what.str() + " [" + std::to_string(n) + "]");
}
