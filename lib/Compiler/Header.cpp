// The C header of a program's kernels: prototypes, and what stands at which place of attn_call.args and
// attn_call.params.
#include "Program.h"

#include "llvm/Support/FormatVariadic.h"

using namespace llvm;
using namespace attn;

static std::string elementName(mlir::Type type) {
  if (type.isIndex())
    return "int64";
  if (type.isBF16())
    return "bfloat16";
  if (type.isInteger(1))
    return "bool, one byte";
  return (mlir::isa<mlir::FloatType>(type) ? "float" : "int") + std::to_string(type.getIntOrFloatBitWidth());
}

/// `b`, `h / 4`: an index expression in the names of the text.
static std::string indexText(mlir::AffineExpr expr, AttendOp attend) {
  if (auto dim = mlir::dyn_cast<mlir::AffineDimExpr>(expr))
    return attend.dimName(dim.getPosition()).str();
  if (auto binary = mlir::dyn_cast<mlir::AffineBinaryOpExpr>(expr);
      binary && expr.getKind() == mlir::AffineExprKind::FloorDiv)
    if (auto divisor = mlir::dyn_cast<mlir::AffineConstantExpr>(binary.getRHS()))
      return indexText(binary.getLHS(), attend) + " / " + std::to_string(divisor.getValue());
  return ""; // a constant: one of several tensors packed along this axis
}

/// The index expression of every axis that has one, and every static extent: [b, h / 4, j, c = 64].
static std::string shapeText(mlir::RankedTensorType type, mlir::AffineMap map, AttendOp attend) {
  SmallVector<std::string> axes;
  for (auto [axis, extent] : llvm::enumerate(type.getShape())) {
    std::string index = map && axis < map.getNumResults() ? indexText(map.getResult(axis), attend) : "";
    std::string size = mlir::ShapedType::isDynamic(extent) ? "" : std::to_string(extent);
    axes.push_back(!index.empty() && !size.empty() ? index + " = " + size
                   : !index.empty()                ? index
                   : !size.empty()                 ? size
                                                   : "?");
  }
  return "[" + join(axes, ", ") + "]";
}

namespace {

/// One place of attn_call.args or attn_call.params.
struct Place {
  StringRef name;
  std::string text;
};

} // namespace

/// The map by which the kernel's attend reads `value`, if it is an operand.
static mlir::AffineMap operandMap(AttendOp attend, mlir::Value value) {
  if (!attend)
    return {};
  return value == attend.getQ()   ? attend.getQMap()
         : value == attend.getK() ? attend.getKMap()
         : value == attend.getV() ? attend.getVMap()
                                  : mlir::AffineMap();
}

static void describe(KernelOp kernel, SmallVector<Place> &args, SmallVector<Place> &params) {
  AttendOp attend;
  for (auto op : kernel.getBody().getOps<AttendOp>())
    attend = op;
  for (auto [n, type] : llvm::enumerate(kernel.getArgumentTypes())) {
    if (auto tensor = mlir::dyn_cast<mlir::RankedTensorType>(type)) {
      mlir::AffineMap map = operandMap(attend, kernel.getBody().getArgument(n));
      args.push_back({kernel.argName(n),
                      formatv("in   {0} {1}", elementName(tensor.getElementType()), shapeText(tensor, map, attend))});
    } else {
      params.push_back(
          {kernel.argName(n), formatv("{0} {1}", mlir::isa<mlir::FloatType>(type) ? ".f" : ".i", elementName(type))});
    }
  }
  auto ret = mlir::cast<ReturnOp>(kernel.getBody().front().getTerminator());
  for (auto [n, type] : llvm::enumerate(kernel.getResultTypes())) {
    auto tensor = mlir::cast<mlir::RankedTensorType>(type);
    auto result = mlir::dyn_cast<mlir::OpResult>(ret.getOperand(n));
    AttendOp source = result ? mlir::dyn_cast<AttendOp>(result.getOwner()) : AttendOp();
    mlir::AffineMap map = source ? source.outMap(result.getResultNumber()) : mlir::AffineMap();
    args.push_back({kernel.resName(n),
                    formatv("out  {0} {1}", elementName(tensor.getElementType()), shapeText(tensor, map, source))});
  }
}

static void printPlaces(raw_ostream &os, StringRef array, ArrayRef<Place> places) {
  size_t width = 0;
  for (const Place &place : places)
    width = std::max(width, place.name.size());
  for (auto [n, place] : llvm::enumerate(places))
    os << " *   " << array << "[" << n << "]  " << left_justify(place.name, width) << "  " << place.text << "\n";
}

static void printEnum(raw_ostream &os, StringRef kernel, StringRef what, ArrayRef<Place> places) {
  os << "enum {\n";
  for (auto [n, place] : llvm::enumerate(places))
    os << "  attn_" << kernel << "_" << what << "_" << place.name << " = " << n << ",\n";
  os << "  attn_" << kernel << "_num_" << what << "s = " << places.size() << "\n};\n";
}

static void printKernel(raw_ostream &os, KernelOp kernel) {
  SmallVector<Place> args, params;
  describe(kernel, args, params);
  StringRef name = kernel.getSymName();
  os << "\n/* @" << name
     << ": places of attn_call.args and attn_call.params. Axes are indexed as shown, fixed extents follow '='; other "
        "axes of\n"
     << " * one dimension agree. Any output may have data = NULL if it is not wanted.\n *\n";
  printPlaces(os, "args", args);
  printPlaces(os, "params", params);
  os << " */\n";
  printEnum(os, name, "arg", args);
  printEnum(os, name, "param", params);
  os << "attn_status attn_" << name << "(const attn_call *call);\n"
     << "attn_status attn_" << name << "_workspace(const attn_call *call, uint64_t *bytes);\n"
     << "extern const attn_kernel_info attn_" << name << "_info;\n";
}

std::string attn::printHeader(Program &program) {
  std::string text;
  raw_string_ostream os(text);
  std::string guard = "ATTN_KERNELS_" + StringRef(join(program.kernelNames(), "_")).upper() + "_H";
  os << "/* Attention kernels. Written by attnc; do not edit. */\n#ifndef " << guard << "\n#define " << guard
     << "\n\n#include \"attn-rt/attn_rt.h\"\n\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n";
  for (KernelOp kernel : program.kernels())
    printKernel(os, kernel);
  os << "\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n";
  return text;
}
