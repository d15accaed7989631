// Ahead-of-time outputs. Kinds that need less are made from less: a header needs no lowering, IR no code generation.
#include "Program.h"

using namespace llvm;
using namespace attn;

static constexpr StringRef kinds[] = {"o", "s", "ll", "mlir", "a", "h"};

ArrayRef<StringRef> attn::emitKinds() { return kinds; }

static Expected<std::string> emitCode(const x86::CodeGenerator &generator, StringRef kind, const std::string &kernel) {
  if (kind == "ll")
    return generator.llvmIR();
  if (kind == "s")
    return generator.assembly();
  auto object = generator.object();
  if (!object)
    return object.takeError();
  if (kind == "a")
    return x86::archive(*object, "attn_" + kernel + ".o");
  return std::string(object->begin(), object->end());
}

Expected<std::vector<std::string>> attn::emit(StringRef source, const CompileOptions &options,
                                              ArrayRef<StringRef> wanted, StringRef name) {
  for (StringRef kind : wanted)
    if (!is_contained(kinds, kind))
      return compileError(CompileFailure::BadInput,
                          "error: [input_emit] nothing is called '" + kind + "'; there is: " + join(emitKinds(), ", "));
  auto program = Program::parse(source, options, name);
  if (!program)
    return program.takeError();
  if ((*program)->numTargets() > 1 && is_contained(wanted, "mlir"))
    return compileError(CompileFailure::BadInput,
                        name + ": error: [input_targets] the LLVM dialect is of one target; objects, assembly and LLVM "
                               "IR have several");
  std::vector<std::string> outputs(wanted.size());
  // The header first: lowering consumes what it describes.
  for (auto [kind, output] : zip(wanted, outputs)) {
    if (kind != "h")
      continue;
    if ((*program)->kernels().empty())
      return compileError(CompileFailure::BadInput,
                          name + ": error: [input_emit] a header describes attn.kernel ops, and there are none");
    output = printHeader(**program);
  }
  auto needs = [&](ArrayRef<StringRef> some) {
    return any_of(wanted, [&](StringRef kind) { return is_contained(some, kind); });
  };
  if (needs({"mlir", "ll", "s", "o", "a"}))
    if (Error e = (*program)->lower())
      return std::move(e);
  for (auto [kind, output] : zip(wanted, outputs))
    if (kind == "mlir")
      output = (*program)->print();
  if (!needs({"ll", "s", "o", "a"}))
    return outputs;
  auto generator = (*program)->generate();
  if (!generator)
    return generator.takeError();
  for (auto [kind, output] : zip(wanted, outputs)) {
    if (kind == "h" || kind == "mlir")
      continue;
    auto code = emitCode(*generator, kind, (*program)->kernelNames().front());
    if (!code)
      return internalError("codegen", toString(code.takeError()), (*program)->print());
    output = std::move(*code);
  }
  return outputs;
}

Expected<std::string> attn::emit(StringRef source, const CompileOptions &options, StringRef kind, StringRef name) {
  auto outputs = emit(source, options, ArrayRef<StringRef>(kind), name);
  if (!outputs)
    return outputs.takeError();
  return std::move(outputs->front());
}
