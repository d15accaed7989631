#include "Harness.h"

#include "llvm/Support/FileSystem.h"

using namespace attn;
using namespace attn::run;
using namespace attn::test;

static std::string textOf(const Given &given) {
  if (!given.program.empty())
    return given.program;
  return "!t = tensor<?x?x?x1xf32>\nattn.kernel @k(%q: !t, %k: !t, %v: !t" + given.args +
         ") -> (o: !t) {\n%o = attn.attend dims(b, h | i" + given.queryGrid + " | j" + given.keyGrid +
         " | c, e) q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]\n" + given.clauses +
         " outputs o[b, h, i, e] : (!t, !t, !t) -> (!t)\nattn.return %o : !t\n}\n";
}

/// The value, or the end of the test program with the error.
template <typename T> static T take(llvm::Expected<T> value, const Given &given) {
  if (value)
    return std::move(*value);
  llvm::report_fatal_error(llvm::Twine(textOf(given)) + llvm::toString(value.takeError()));
}

Made::Made(const Given &given) {
  llvm::SmallString<128> path;
  int file;
  if (llvm::sys::fs::createTemporaryFile("attn-run-test", "mlir", file, path))
    llvm::report_fatal_error("no temporary file");
  llvm::raw_fd_ostream(file, /*shouldClose=*/true) << textOf(given);
  options.file = path.str();
  options.sizes = given.sizes;
  options.params = given.params;
  options.seed = given.seed;
  program = take(loadProgram(options), given);
  problem = take(makeProblem(program, options), given);
  llvm::sys::fs::remove(path);
}

std::vector<int64_t> Made::integers(llvm::StringRef name) {
  const Tensor &t = tensor(name);
  std::vector<int64_t> values;
  for (int64_t n = 0; n < t.elements(); ++n)
    values.push_back(loadInteger(t.data.data(), t.element, n));
  return values;
}

void Made::set(llvm::StringRef name, int64_t n, int64_t value) {
  const Tensor &t = tensor(name);
  storeNumber(t.data.data(), t.element, n, double(value));
}

int64_t Made::extent(llvm::StringRef dim) const {
  for (size_t d = 0; d < problem.dimNames.size(); ++d)
    if (problem.dimNames[d] == dim)
      return problem.extents[d];
  return -1;
}

int64_t Made::scalar(llvm::StringRef name) const {
  for (const Scalar &s : problem.scalars)
    if (s.name == name)
      return s.value.i;
  return -1;
}

std::unique_ptr<interpreter::Interpreter> Made::interpreter() const {
  return llvm::cantFail(makeInterpreter(program, problem));
}
