// Reading, parsing, choosing the kernel.
#include "Program.h"

#include "Failure.h"
#include "attn/Compiler/Compiler.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;
using namespace attn;
using namespace attn::run;

namespace {

/// The first error, as `file:line:col: message; notes`.
class FirstError {
public:
  FirstError(MLIRContext *context, std::string file)
      : file(std::move(file)), handler(context, [this](Diagnostic &d) { return add(d); }) {}
  std::string text;

private:
  LogicalResult add(Diagnostic &d) {
    if (d.getSeverity() != DiagnosticSeverity::Error || !text.empty())
      return success();
    auto at = d.getLocation()->findInstanceOf<FileLineColLoc>();
    text = at ? fmt::format("{}:{}:{}: ", file, at.getLine(), at.getColumn()) : file + ": ";
    text += d.str();
    for (Diagnostic &note : d.getNotes())
      text += "; " + note.str();
    for (char &c : text) // operations in a message come with line breaks
      if (c == '\n')
        c = ' ';
    return success();
  }
  std::string file;
  ScopedDiagnosticHandler handler;
};

llvm::Expected<std::string> readText(const std::string &path) {
  llvm::sys::fs::file_status status;
  if (path != "-") {
    if (std::error_code e = llvm::sys::fs::status(path, status))
      return fail(ExitBadInput, "{}: {}; name the file that holds the program", path, e.message());
    if (status.type() == llvm::sys::fs::file_type::directory_file)
      return fail(ExitBadInput, "{}: is a directory; name the file that holds the program", path);
  }
  auto buffer = llvm::MemoryBuffer::getFileOrSTDIN(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer)
    return fail(ExitBadInput, "{}: {}", path, buffer.getError().message());
  return (*buffer)->getBuffer().str();
}

llvm::Expected<KernelOp> chooseKernel(ModuleOp module, const Options &options) {
  std::string names;
  SmallVector<KernelOp> kernels = llvm::to_vector(module.getOps<KernelOp>());
  for (KernelOp k : kernels) {
    if (!options.kernel.empty() && k.getSymName() == options.kernel)
      return k;
    names += (names.empty() ? "@" : ", @") + k.getSymName().str();
  }
  if (kernels.empty())
    return fail(ExitBadInput, "{}: there is no attn.kernel in it", options.file);
  if (!options.kernel.empty())
    return fail(ExitBadInput, "{}: no kernel @{}; there is {}", options.file, options.kernel, names);
  if (kernels.size() > 1)
    return fail(ExitBadInput, "{}: several kernels ({}); choose one with --kernel", options.file, names);
  return kernels.front();
}

std::string print(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream os(text);
  module.print(os, OpPrintingFlags().enableDebugInfo(false));
  return text;
}

} // namespace

llvm::Expected<Program> attn::run::loadProgram(const Options &options) {
  auto source = readText(options.file);
  if (!source)
    return source.takeError();
  if (llvm::Error e = checkInput(*source, options.file))
    return std::move(e);
  Program p;
  p.source = std::move(*source);
  DialectRegistry registry;
  registry.insert<AttnDialect, arith::ArithDialect, math::MathDialect>();
  p.context = std::make_unique<MLIRContext>(registry, MLIRContext::Threading::DISABLED);
  p.context->printOpOnDiagnostic(false);

  FirstError error(p.context.get(), options.file);
  llvm::SourceMgr sources;
  sources.AddNewSourceBuffer(llvm::MemoryBuffer::getMemBuffer(p.source, options.file), llvm::SMLoc());
  p.module = parseSourceFile<ModuleOp>(sources, ParserConfig(p.context.get()));
  if (!p.module)
    return fail(ExitBadInput, "{}", error.text.empty() ? options.file + ": cannot be parsed" : error.text);
  auto kernel = chooseKernel(*p.module, options);
  if (!kernel)
    return kernel.takeError();
  p.kernel = *kernel;
  if (failed(expandRepeats(*p.module)))
    return fail(ExitBadInput, "{}", error.text);
  if (failed(verifySteps(p.kernel)))
    return fail(ExitUnsupported, "{}", error.text);
  p.attend = dyn_cast_or_null<AttendOp>(getSingleStep(p.kernel));

  if (options.dtype) {
    if (llvm::Error e =
            p.attend ? rewriteElements(p.kernel, p.attend, *options.dtype) : rewriteSteps(p.kernel, *options.dtype))
      return std::move(e);
    if (failed(verify(*p.module)))
      return fail(ExitBadInput, "--dtype {} does not fit this program: {}; write its types by hand",
                  nameOf(*options.dtype), error.text);
    p.source = print(*p.module);
  }
  if (failed(linkNormalizers(*p.module)))
    return fail(ExitBadInput, "{}", error.text);
  if (p.attend)
    return std::move(p);
  for (Operation *op : stepsOf(p.kernel)) {
    Program &step = p.steps.emplace_back();
    SmallVector<Value> captured;
    step.module = isolateStep(op, p.kernel.getSymName(), captured);
    step.captured.assign(captured.begin(), captured.end());
    step.kernel = *step.module->getOps<KernelOp>().begin();
    step.attend = dyn_cast<AttendOp>(step.kernel.getBody().front().front());
  }
  return std::move(p);
}

std::optional<Element> attn::run::elementOf(Type type) {
  if (auto tensor = dyn_cast<RankedTensorType>(type))
    type = tensor.getElementType();
  if (type.isF64())
    return Element::F64;
  if (type.isF32())
    return Element::F32;
  if (type.isF16())
    return Element::F16;
  if (type.isBF16())
    return Element::BF16;
  if (isa<Float8E4M3FNType>(type))
    return Element::F8E4M3FN;
  if (isa<Float8E5M2Type>(type))
    return Element::F8E5M2;
  if (type.isSignlessInteger(64))
    return Element::I64;
  if (type.isSignlessInteger(32))
    return Element::I32;
  if (type.isSignlessInteger(8))
    return Element::I8;
  if (type.isSignlessInteger(1))
    return Element::I1;
  return std::nullopt;
}

Type attn::run::typeOf(Element element, MLIRContext *context) {
  switch (element) {
  case Element::F64:
    return Float64Type::get(context);
  case Element::F32:
    return Float32Type::get(context);
  case Element::F16:
    return Float16Type::get(context);
  case Element::BF16:
    return BFloat16Type::get(context);
  case Element::F8E4M3FN:
    return Float8E4M3FNType::get(context);
  case Element::F8E5M2:
    return Float8E5M2Type::get(context);
  case Element::I64:
    return IntegerType::get(context, 64);
  case Element::I32:
    return IntegerType::get(context, 32);
  case Element::I8:
    return IntegerType::get(context, 8);
  case Element::I1:
    return IntegerType::get(context, 1);
  }
  llvm_unreachable("all elements are listed");
}
