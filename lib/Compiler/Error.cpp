// CompileError.
#include "Program.h"

using namespace llvm;
using namespace attn;

char CompileError::ID = 0;

void CompileError::log(raw_ostream &os) const { os << message; }

std::error_code CompileError::convertToErrorCode() const { return inconvertibleErrorCode(); }

Error attn::compileError(CompileFailure kind, const Twine &message) {
  return make_error<CompileError>(kind, StringRef(message.str()).rtrim().str());
}

Error attn::internalError(StringRef stage, const Twine &message, std::string reproducer) {
  auto error =
      std::make_unique<CompileError>(CompileFailure::Internal, ("stage " + stage + " failed: " + message).str());
  error->message = StringRef(error->message).rtrim().str();
  error->stage = stage.str();
  error->reproducer = std::move(reproducer);
  return Error(std::move(error));
}
