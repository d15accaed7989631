// The program under test: as text for the compiler, as parsed IR for the interpreter and for the making of inputs.
#ifndef ATTN_TOOLS_RUN_PROGRAM_H
#define ATTN_TOOLS_RUN_PROGRAM_H

#include "Options.h"

#include "attn/Dialect/Attn/Attn.h"

namespace attn::run {

struct Program {
  std::unique_ptr<mlir::MLIRContext> context; // outlives the module
  mlir::OwningOpRef<mlir::ModuleOp> module;   // normalizers linked, nothing else done to it
  KernelOp kernel;
  AttendOp attend;    // null where the kernel has several steps, or none that is an attend
  std::string source; // what to compile: the file, or what --dtype made of it
  /// Of such a kernel: each step as a program of its own, without context and source; its attend is null where the step
  /// is none. What its arguments are in the whole kernel.
  std::vector<Program> steps;
  std::vector<mlir::Value> captured;
};

llvm::Expected<Program> loadProgram(const Options &options);

/// Rewrites the kernel's f32 operands q, k, v and its result o to `element`; f64 rewrites every f32 of the kernel. The
/// error says what stands in the way.
llvm::Error rewriteElements(KernelOp kernel, AttendOp attend, Element element);
/// The same for a kernel of several steps: f64 alone.
llvm::Error rewriteSteps(KernelOp kernel, Element element);

std::optional<Element> elementOf(mlir::Type type);
mlir::Type typeOf(Element element, mlir::MLIRContext *context);

} // namespace attn::run

#endif
