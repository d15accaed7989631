#include "TileForm.h"
#include "Failure.h"

#include "attn/Layout/FragmentLayout.h"
#include "attn/Pipelines/Pipelines.h"

#include "mlir/Parser/Parser.h"

#include <fmt/format.h>

using namespace attn;
using namespace attn::run;

llvm::Expected<TileForm> TileForm::create(const Program &program, const Options &options) {
  if (!program.attend)
    return fail(ExitUnsupported, "a kernel of several steps, whose steps are not counted apart");
  TileForm form;
  mlir::DialectRegistry registry;
  registerAttnDialects(registry);
  form.context = std::make_unique<mlir::MLIRContext>(registry, mlir::MLIRContext::Threading::DISABLED);
  mlir::ScopedDiagnosticHandler quiet(form.context.get(), [](mlir::Diagnostic &) { return mlir::success(); });
  form.module = mlir::parseSourceString<mlir::ModuleOp>(program.source, form.context.get());
  KernelOp kernel = program.kernel;
  if (form.module)
    for (KernelOp other : llvm::make_early_inc_range(form.module->getOps<KernelOp>()))
      if (other.getSymName() != kernel.getSymName())
        other.erase();
  const PipelineOptions pipeline{
      options.target,     options.blockRows, options.blockKeys, options.tokenOrder, options.splitKeys, false, {},
      options.f32Products};
  if (!form.module || mlir::failed(linkNormalizers(*form.module)) ||
      mlir::failed(runPipeline(*form.module, pipeline, "tile")))
    return fail(ExitInternal, "the program has no form in the tile dialect");
  form.module->walk([&](tile::ProgramOp p) { form.found = p; });
  if (!form.found)
    return fail(ExitUnsupported, "a kernel of several steps, whose steps are not counted apart");
  return form;
}

/// What the place is of, by who takes it.
static std::string roleOf(tile::PlaceOp place) {
  for (mlir::OpOperand &use : place.getResult().getUses()) {
    mlir::Operation *user = use.getOwner();
    if (auto next = llvm::dyn_cast<tile::PlaceOp>(user))
      return roleOf(next);
    if (auto weigh = llvm::dyn_cast<tile::WeighOp>(user))
      return &use == &weigh.getKeysMutable() ? "keys" : "queries";
    if (auto sum = llvm::dyn_cast<tile::AccumulateOp>(user))
      return &use == &sum.getValuesMutable() ? "values" : "weights";
    if (llvm::isa<tile::ForOp>(user))
      return "sums of values";
  }
  return "a tile";
}

std::vector<std::string> attn::run::placesOf(tile::VariantOp variant) {
  std::vector<std::string> lines;
  variant.walk([&](tile::PlaceOp place) {
    std::string line = roleOf(place) + ": ";
    if (auto s = llvm::dyn_cast<tile::SharedAttr>(place.getWhere())) {
      line += fmt::format("shared memory from byte {}, {} rows of {} bytes", s.getAt(), s.getRows(), s.getRowBytes());
      if (s.getPlanes() > 1)
        line += fmt::format(" in each of {} planes", s.getPlanes());
      if (s.getStages() > 1)
        line += fmt::format(", {} stages of {} bytes", s.getStages(), s.getStageBytes());
    } else {
      auto f = llvm::cast<tile::FragmentAttr>(place.getWhere());
      const int64_t bits = f.getElement().getIntOrFloatBitWidth();
      const bool isSum = f.getRole() == tile::FragmentRole::Accumulator;
      const auto layout = isSum ? layout::FragmentLayout::accumulator(f.getColumns())
                          : f.getRole() == tile::FragmentRole::Left
                              ? layout::FragmentLayout::left(bits, f.getColumns())
                              : layout::FragmentLayout::right(bits, f.getColumns());
      const std::string role = tile::stringifyFragmentRole(f.getRole()).str();
      line += fmt::format("{} registers of a thread, {}", f.getPlanes() * layout.registers(),
                          isSum ? "accumulators" : "fragments of the " + role + " operand");
      if (f.getPlanes() > 1)
        line += fmt::format(" in {} planes", f.getPlanes());
    }
    if (!llvm::is_contained(lines, line))
      lines.push_back(line);
  });
  return lines;
}
