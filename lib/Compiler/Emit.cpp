// Ahead-of-time outputs. Kinds that need less are made from less: a header needs no lowering, IR no code generation,
// PTX no ptxas.
#include "Program.h"

using namespace llvm;
using namespace attn;

static constexpr StringRef kinds[] = {"o", "s", "ll", "mlir", "a", "h", "ptx", "cubin"};

ArrayRef<StringRef> attn::emitKinds() { return kinds; }

static Error bad(StringRef name, const Twine &message) {
  return compileError(CompileFailure::BadInput, name + ": error: " + message);
}

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

/// What the targets of this program cannot be written as.
static Error checkKinds(const Program &program, ArrayRef<StringRef> wanted, StringRef name) {
  for (StringRef kind : wanted) {
    if (!is_contained(kinds, kind))
      return compileError(CompileFailure::BadInput,
                          "error: [input_emit] nothing is called '" + kind + "'; there is: " + join(emitKinds(), ", "));
    if (program.forGpu() ? kind == "s" : kind == "ptx" || kind == "cubin")
      return bad(name, Twine("[input_emit] ") +
                           (kind == "s" ? "the assembly of a GPU is ptx, that of a CPU is s"
                                        : "ptx and cubin are for GPUs, --target=sm_80") +
                           "; here the target is a " + (program.forGpu() ? "GPU" : "CPU"));
  }
  if (!program.emulated().empty() && (is_contained(wanted, "o") || is_contained(wanted, "a")))
    return compileError(
        CompileFailure::Unsupported,
        name + ": error: [unsupported_emulation] objects are for the CPUs of their target; what emulates " +
            program.emulated() + " is for tests, and leave runsOn out");
  if (program.numTargets() < 2)
    return Error::success();
  if (is_contained(wanted, "mlir") && !program.forGpu())
    return bad(name, "[input_targets] the LLVM dialect is of one target; objects, assembly and LLVM IR have several");
  if (is_contained(wanted, "cubin"))
    return bad(name, "[input_targets] a cubin is of one target; objects have several");
  return Error::success();
}

/// Every kind that is code for a GPU or an object with such code.
static Error emitGpu(Program &program, ArrayRef<StringRef> wanted, std::vector<std::string> &outputs) {
  auto device = program.generateDevice();
  if (!device)
    return device.takeError();
  DeviceImages images;
  std::optional<x86::CodeGenerator> host;
  for (auto [kind, output] : zip(wanted, outputs)) {
    if (kind == "h" || kind == "mlir")
      continue;
    if (kind == "ll") {
      output = device->llvmIR();
      continue;
    }
    if (images.ptx.empty()) {
      auto ptx = device->ptx();
      if (!ptx)
        return internalError("codegen", toString(ptx.takeError()), program.print());
      images.ptx = std::move(*ptx);
    }
    if (kind == "ptx") {
      output = images.ptx;
      continue;
    }
    if (images.cubins.empty())
      if (Error e = program.assemble(images))
        return e;
    if (kind == "cubin") {
      output = images.cubins.front().bytes;
      continue;
    }
    if (!host) {
      auto generator = program.generateHost(images);
      if (!generator)
        return generator.takeError();
      host.emplace(std::move(*generator));
    }
    auto code = emitCode(*host, kind, program.kernelNames().front());
    if (!code)
      return internalError("codegen", toString(code.takeError()), program.print());
    output = std::move(*code);
  }
  return Error::success();
}

static Error emitCpu(Program &program, ArrayRef<StringRef> wanted, std::vector<std::string> &outputs) {
  auto generator = program.generate();
  if (!generator)
    return generator.takeError();
  for (auto [kind, output] : zip(wanted, outputs)) {
    if (kind == "h" || kind == "mlir")
      continue;
    auto code = emitCode(*generator, kind, program.kernelNames().front());
    if (!code)
      return internalError("codegen", toString(code.takeError()), program.print());
    output = std::move(*code);
  }
  return Error::success();
}

Expected<std::vector<std::string>> attn::emit(StringRef source, const CompileOptions &options,
                                              ArrayRef<StringRef> wanted, StringRef name) {
  auto parsed = Program::parse(source, options, name);
  if (!parsed)
    return parsed.takeError();
  Program &program = **parsed;
  if (Error e = checkKinds(program, wanted, name))
    return std::move(e);
  std::vector<std::string> outputs(wanted.size());
  // The header first: lowering consumes what it describes.
  for (auto [kind, output] : zip(wanted, outputs)) {
    if (kind != "h")
      continue;
    if (program.kernels().empty())
      return bad(name, "[input_emit] a header describes attn.kernel ops, and there are none");
    output = printHeader(program);
  }
  if (all_of(wanted, [](StringRef kind) { return kind == "h"; }))
    return outputs;
  if (Error e = program.lower())
    return std::move(e);
  for (auto [kind, output] : zip(wanted, outputs))
    if (kind == "mlir")
      output = program.print();
  if (all_of(wanted, [](StringRef kind) { return kind == "h" || kind == "mlir"; }))
    return outputs;
  if (Error e = program.forGpu() ? emitGpu(program, wanted, outputs) : emitCpu(program, wanted, outputs))
    return std::move(e);
  return outputs;
}

Expected<std::string> attn::emit(StringRef source, const CompileOptions &options, StringRef kind, StringRef name) {
  auto outputs = emit(source, options, ArrayRef<StringRef>(kind), name);
  if (!outputs)
    return outputs.takeError();
  return std::move(outputs->front());
}
