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

namespace {

/// How a tensor is indexed by the dimensions of the step that reads or writes it.
struct Indexing {
  mlir::AffineMap map; // null: nothing is known
  mlir::ArrayAttr dims;
};

} // namespace

/// `b`, `h / 4`: an index expression in the names of the text.
static std::string indexText(mlir::AffineExpr expr, mlir::ArrayAttr dims) {
  if (auto dim = mlir::dyn_cast<mlir::AffineDimExpr>(expr))
    return mlir::cast<mlir::StringAttr>(dims[dim.getPosition()]).getValue().str();
  if (auto binary = mlir::dyn_cast<mlir::AffineBinaryOpExpr>(expr);
      binary && expr.getKind() == mlir::AffineExprKind::FloorDiv)
    if (auto divisor = mlir::dyn_cast<mlir::AffineConstantExpr>(binary.getRHS()))
      return indexText(binary.getLHS(), dims) + " / " + std::to_string(divisor.getValue());
  return ""; // a constant: one of several tensors packed along this axis
}

/// The index expression of every axis that has one, and every static extent: [b, h / 4, j, c = 64].
static std::string shapeText(mlir::RankedTensorType type, const Indexing &indexing) {
  SmallVector<std::string> axes;
  for (auto [axis, extent] : llvm::enumerate(type.getShape())) {
    std::string index = indexing.map && axis < indexing.map.getNumResults()
                            ? indexText(indexing.map.getResult(axis), indexing.dims)
                            : "";
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

/// How a step indexes `value`, one of its operands or results.
static Indexing indexingBy(mlir::Operation *step, mlir::Value value) {
  auto first = [&](mlir::ArrayAttr dims, ArrayRef<std::pair<mlir::Value, mlir::AffineMap>> uses) {
    for (auto [used, map] : uses)
      if (used == value)
        return Indexing{map, dims};
    return Indexing();
  };
  SmallVector<std::pair<mlir::Value, mlir::AffineMap>> uses;
  if (auto attend = mlir::dyn_cast<AttendOp>(step)) {
    uses = {{attend.getQ(), attend.getQMap()}, {attend.getK(), attend.getKMap()}, {attend.getV(), attend.getVMap()}};
    for (unsigned r = 0; r < attend.getNumResults(); ++r)
      uses.push_back({attend.getResult(r), attend.outMap(r)});
    return first(attend.getDimNames(), uses);
  }
  if (auto map = mlir::dyn_cast<MapOp>(step)) {
    for (auto [n, input] : llvm::enumerate(map.getInputs()))
      uses.push_back({input, map.inMap(n)});
    uses.push_back({map.getResult(), map.getOutMap()});
    return first(map.getDimNames(), uses);
  }
  if (auto merge = mlir::dyn_cast<MergeOp>(step)) {
    for (unsigned p = 0; p < merge.numParts(); ++p)
      uses.append({{merge.getPartOuts()[p], merge.partOutMap(p)}, {merge.getPartLses()[p], merge.partLseMap(p)}});
    uses.append({{merge.getOut(), merge.getOutMap()}, {merge.getLse(), merge.getLseMap()}});
    return first(merge.getDimNames(), uses);
  }
  return {};
}

static void describe(KernelOp kernel, SmallVector<Place> &args, SmallVector<Place> &params) {
  auto indexingOf = [&](mlir::Value value) { // by the first step that says it
    for (mlir::Operation *step : stepsOf(kernel))
      if (Indexing found = indexingBy(step, value); found.map)
        return found;
    return Indexing();
  };
  for (auto [n, type] : llvm::enumerate(kernel.getArgumentTypes())) {
    if (auto tensor = mlir::dyn_cast<mlir::RankedTensorType>(type)) {
      Indexing indexing = indexingOf(kernel.getBody().getArgument(n));
      args.push_back({kernel.argName(n),
                      formatv("in   {0} {1}", elementName(tensor.getElementType()), shapeText(tensor, indexing))});
    } else {
      params.push_back(
          {kernel.argName(n), formatv("{0} {1}", mlir::isa<mlir::FloatType>(type) ? ".f" : ".i", elementName(type))});
    }
  }
  auto ret = mlir::cast<ReturnOp>(kernel.getBody().front().getTerminator());
  for (auto [n, type] : llvm::enumerate(kernel.getResultTypes())) {
    auto tensor = mlir::cast<mlir::RankedTensorType>(type);
    args.push_back({kernel.resName(n), formatv("out  {0} {1}", elementName(tensor.getElementType()),
                                               shapeText(tensor, indexingOf(ret.getOperand(n))))});
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
