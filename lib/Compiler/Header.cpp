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
  if (mlir::isa<mlir::Float8E4M3FNType>(type))
    return "float8_e4m3fn";
  if (mlir::isa<mlir::Float8E5M2Type>(type))
    return "float8_e5m2";
  return (mlir::isa<mlir::FloatType>(type) ? "float" : "int") + std::to_string(type.getIntOrFloatBitWidth());
}

/// `b`, `h / 4`: an index expression in the names of the text.
static std::string indexText(mlir::AffineExpr expr, mlir::ArrayAttr dims) {
  if (mlir::isa<mlir::AffineSymbolExpr>(expr)) // the rank of a topk
    return "";
  if (auto dim = mlir::dyn_cast<mlir::AffineDimExpr>(expr))
    return mlir::cast<mlir::StringAttr>(dims[dim.getPosition()]).str();
  if (auto binary = mlir::dyn_cast<mlir::AffineBinaryOpExpr>(expr);
      binary && expr.getKind() == mlir::AffineExprKind::FloorDiv)
    if (auto divisor = mlir::dyn_cast<mlir::AffineConstantExpr>(binary.getRHS()))
      return indexText(binary.getLHS(), dims) + " / " + std::to_string(divisor.getValue());
  if (auto binary = mlir::dyn_cast<mlir::AffineBinaryOpExpr>(expr);
      binary && expr.getKind() == mlir::AffineExprKind::Add)
    if (auto offset = mlir::dyn_cast<mlir::AffineConstantExpr>(binary.getRHS()))
      return indexText(binary.getLHS(), dims) + " + " + std::to_string(offset.getValue());
  return ""; // a constant: one of several tensors packed along this axis
}

namespace {

/// How a step of the kernel indexes a tensor.
struct Indexed {
  mlir::AffineMap map;
  mlir::ArrayAttr dims;
};

} // namespace

/// The index expression of every axis that has one, and every static extent: [b, h / 4, j, c = 64].
static std::string shapeText(mlir::RankedTensorType type, const Indexed &indexed) {
  SmallVector<std::string> axes;
  for (auto [axis, extent] : llvm::enumerate(type.getShape())) {
    bool known = indexed.map && axis < indexed.map.getNumResults();
    std::string index = known ? indexText(indexed.map.getResult(axis), indexed.dims) : "";
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

/// The map by which a step of the kernel reads `value`, if it is an operand: that of the first such step.
static Indexed operandMap(KernelOp kernel, mlir::Value value) {
  for (mlir::Operation &op : kernel.getBody().front()) {
    if (auto attend = mlir::dyn_cast<AttendOp>(op)) {
      if (value == attend.getQ())
        return {attend.getQMap(), attend.getDimNames()};
      if (value == attend.getK())
        return {attend.getKMap(), attend.getDimNames()};
      if (value == attend.getV())
        return {attend.getVMap(), attend.getDimNames()};
    } else if (auto map = mlir::dyn_cast<MapOp>(op)) {
      for (auto [n, input] : llvm::enumerate(map.getInputs()))
        if (input == value)
          return {map.inMap(n), map.getDimNames()};
    } else if (auto merge = mlir::dyn_cast<MergeOp>(op)) {
      for (unsigned p = 0; p < merge.numParts(); ++p) {
        if (merge.getPartOuts()[p] == value)
          return {merge.partOutMap(p), merge.getDimNames()};
        if (merge.getPartLses()[p] == value)
          return {merge.partLseMap(p), merge.getDimNames()};
      }
    }
  }
  return {};
}

/// The map by which a step writes `value`.
static Indexed resultMap(mlir::Value value) {
  auto result = mlir::dyn_cast<mlir::OpResult>(value);
  mlir::Operation *step = result ? result.getOwner() : nullptr;
  if (auto attend = mlir::dyn_cast_or_null<AttendOp>(step))
    return {attend.outMap(result.getResultNumber()), attend.getDimNames()};
  if (auto map = mlir::dyn_cast_or_null<MapOp>(step))
    return {map.getOutMap(), map.getDimNames()};
  if (auto merge = mlir::dyn_cast_or_null<MergeOp>(step))
    return {result == merge.getOut() ? merge.getOutMap() : merge.getLseMap(), merge.getDimNames()};
  return {};
}

static void describe(KernelOp kernel, SmallVector<Place> &args, SmallVector<Place> &params) {
  for (auto [n, type] : llvm::enumerate(kernel.getArgumentTypes())) {
    if (auto tensor = mlir::dyn_cast<mlir::RankedTensorType>(type)) {
      Indexed indexed = operandMap(kernel, kernel.getBody().getArgument(n));
      args.push_back({kernel.argName(n),
                      formatv("in   {0} {1}", elementName(tensor.getElementType()), shapeText(tensor, indexed))});
    } else {
      params.push_back(
          {kernel.argName(n), formatv("{0} {1}", mlir::isa<mlir::FloatType>(type) ? ".f" : ".i", elementName(type))});
    }
  }
  auto ret = mlir::cast<ReturnOp>(kernel.getBody().front().getTerminator());
  for (auto [n, type] : llvm::enumerate(kernel.getResultTypes())) {
    auto tensor = mlir::cast<mlir::RankedTensorType>(type);
    args.push_back({kernel.resName(n), formatv("out  {0} {1}", elementName(tensor.getElementType()),
                                               shapeText(tensor, resultMap(ret.getOperand(n))))});
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

static void printKernel(raw_ostream &os, KernelOp kernel, bool forGpu) {
  SmallVector<Place> args, params;
  describe(kernel, args, params);
  StringRef name = kernel.getSymName();
  os << "\n/* @" << name
     << ": places of attn_call.args and attn_call.params. Axes are indexed as shown, fixed extents follow '='; other "
        "axes of\n"
     << " * one dimension agree. Any output may have data = NULL if it is not wanted.\n *\n";
  printPlaces(os, "args", args);
  printPlaces(os, "params", params);
  if (forGpu)
    os << " *\n * Tensors and the workspace are device memory, the workspace a multiple of 64; stream is a CUstream.\n";
  os << " */\n";
  // The header for CPUs and that for GPUs may both be included.
  os << "#ifndef attn_" << name << "_places\n#define attn_" << name << "_places\n";
  printEnum(os, name, "arg", args);
  printEnum(os, name, "param", params);
  os << "#endif\n";
  StringRef suffix = forGpu ? "_gpu" : "";
  os << "attn_status attn_" << name << suffix << "(const attn_call *call" << (forGpu ? ", void *stream" : "") << ");\n"
     << "attn_status attn_" << name << suffix << "_workspace(const attn_call *call, uint64_t *bytes);\n"
     << "extern const attn_" << (forGpu ? "gpu" : "kernel") << "_info attn_" << name << suffix << "_info;\n";
}

std::string attn::printHeader(Program &program) {
  std::string text;
  raw_string_ostream os(text);
  std::string guard =
      "ATTN_KERNELS_" + StringRef(join(program.kernelNames(), "_")).upper() + (program.forGpu() ? "_GPU_H" : "_H");
  os << "/* Attention kernels. Written by attnc; do not edit. */\n#ifndef " << guard << "\n#define " << guard
     << "\n\n#include \"attn-rt/attn_" << (program.forGpu() ? "gpu" : "rt")
     << ".h\"\n\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n";
  for (KernelOp kernel : program.kernels())
    printKernel(os, kernel, program.forGpu());
  os << "\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n";
  return text;
}
