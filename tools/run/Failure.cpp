// Failures and what the compiler's errors become.
#include "Failure.h"

#include "attn/Compiler/Compiler.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/raw_ostream.h"

using namespace attn;
using namespace attn::run;

char Failure::ID = 0;

void Failure::log(llvm::raw_ostream &os) const { os << message; }

/// The first diagnostic of several lines, without `error: ` (the tool's own line begins with it) and the quoted source.
static std::string firstLine(llvm::StringRef text) {
  std::string line = text.take_until([](char c) { return c == '\n'; }).str();
  const size_t at = line.find("error: ");
  if (at != std::string::npos)
    line.erase(at, 7);
  return line;
}

Failure attn::run::toFailure(llvm::Error error, ExitCode code) {
  Failure result(code, "");
  llvm::handleAllErrors(
      std::move(error), [&](const Failure &f) { result = Failure(f.code, f.message); },
      [&](const CompileError &e) { result = Failure(ExitCode(e.kind), firstLine(e.message)); },
      [&](const llvm::ErrorInfoBase &e) { result.message = firstLine(e.message()); });
  return result;
}
