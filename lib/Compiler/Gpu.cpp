// Programs for GPUs: device code to images, and the host's object that carries them.
#include "Program.h"

#include "attn/Dialect/NV/NV.h"

using namespace llvm;
using namespace attn;
namespace ll = mlir::LLVM;

Expected<nvptx::DeviceCode> Program::generateDevice() {
  if (Error e = lower())
    return std::move(e);
  auto code = nvptx::DeviceCode::create(nv::deviceModule(*op), *targets.gpus.front());
  if (code)
    return code;
  std::string why = diagnostics.take();
  return internalError("codegen", why + toString(code.takeError()), print());
}

Error Program::assemble(DeviceImages &images) {
  for (const NvidiaMachine *machine : targets.gpus) {
    auto cubin = nvptx::assemble(images.ptx, *machine);
    if (cubin) {
      images.cubins.push_back(std::move(*cubin));
      continue;
    }
    return handleErrors(
        cubin.takeError(),
        [](const nvptx::ToolchainError &e) {
          return compileError(CompileFailure::ToolchainMissing, "error: " + e.message());
        },
        [this](const ErrorInfoBase &e) { return internalError("ptxas", e.message(), print()); });
  }
  return Error::success();
}

/// attn_device_images of attn_gpu.h: the cubins, the PTX for all other GPUs, and the end.
static void defineImages(mlir::ModuleOp host, const DeviceImages &images, const NvidiaMachine &lowest) {
  // Declared where infos refer to it.
  if (mlir::Operation *declared = host.lookupSymbol(nv::kDeviceImages))
    declared->erase();
  mlir::OpBuilder b = mlir::OpBuilder::atBlockBegin(host.getBody());
  mlir::Location loc = host.getLoc();
  mlir::MLIRContext *context = b.getContext();
  mlir::Type i32 = b.getI32Type(), i64 = b.getI64Type(), ptr = ll::LLVMPointerType::get(context);
  auto imageType = ll::LLVMStructType::getLiteral(context, {i32, i32, ptr, i64});
  struct Image {
    int sm;
    bool isPtx;
    StringRef bytes;
    ll::GlobalOp data;
  };
  std::vector<Image> all;
  for (const nvptx::Cubin &cubin : images.cubins)
    all.push_back({cubin.sm, false, cubin.bytes, {}});
  std::string text = images.ptx + '\0';
  all.push_back({lowest.sm, true, text, {}});
  for (auto [n, image] : llvm::enumerate(all)) {
    auto type = ll::LLVMArrayType::get(b.getI8Type(), image.bytes.size());
    image.data = ll::GlobalOp::create(b, loc, type, /*isConstant=*/true, ll::Linkage::Internal,
                                      (nv::kDeviceImages + "_" + Twine(n)).str(), b.getStringAttr(image.bytes),
                                      /*alignment=*/16);
  }
  all.push_back({0, false, "", {}});
  auto type = ll::LLVMArrayType::get(imageType, all.size());
  auto table = ll::GlobalOp::create(b, loc, type, /*isConstant=*/true, ll::Linkage::Internal, nv::kDeviceImages,
                                    mlir::Attribute());
  b.createBlock(&table.getInitializerRegion());
  mlir::Value value = ll::UndefOp::create(b, loc, type);
  for (auto [n, image] : llvm::enumerate(all)) {
    mlir::Value data = image.data ? mlir::Value(ll::AddressOfOp::create(b, loc, image.data))
                                  : mlir::Value(ll::ZeroOp::create(b, loc, ptr));
    mlir::Value fields[] = {ll::ConstantOp::create(b, loc, i32, image.sm),
                            ll::ConstantOp::create(b, loc, i32, image.isPtx), data,
                            ll::ConstantOp::create(b, loc, i64, (int64_t)image.bytes.size())};
    for (auto [k, field] : llvm::enumerate(fields))
      value = ll::InsertValueOp::create(b, loc, value, field, ArrayRef<int64_t>{(int64_t)n, (int64_t)k});
  }
  ll::ReturnOp::create(b, loc, value);
}

Expected<x86::CodeGenerator> Program::generateHost(const DeviceImages &images) {
  if (names.empty())
    return compileError(CompileFailure::BadInput,
                        name +
                            ": error: [input_kernels] the program is device code alone, which becomes PTX and cubins");
  mlir::OwningOpRef<mlir::ModuleOp> host = op->clone();
  nv::deviceModule(*host)->erase();
  defineImages(*host, images, *targets.gpus.front());
  x86::CodeGenOptions codegen;
  codegen.kernels = names;
  codegen.suffixes = {"_gpu", "_gpu_workspace", "_gpu_info"};
  // Nothing here is worth more than the lowest level.
  auto generator = x86::CodeGenerator::create(x86::Level{*host, lookupX86Machine("x86-64-v2")}, codegen);
  if (generator)
    return generator;
  std::string why = diagnostics.take();
  return internalError("codegen", why + toString(generator.takeError()), print());
}
