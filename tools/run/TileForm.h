// The program in the tile dialect, as the options have it compiled.
#ifndef ATTN_TOOLS_RUN_TILEFORM_H
#define ATTN_TOOLS_RUN_TILEFORM_H

#include "Options.h"
#include "Program.h"

#include "attn/Dialect/Tile/Tile.h"

namespace attn::run {

class TileForm {
public:
  /// Of a kernel of one attend. An error says why there is none.
  static llvm::Expected<TileForm> create(const Program &program, const Options &options);
  tile::ProgramOp program() const { return found; }

private:
  std::unique_ptr<mlir::MLIRContext> context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  tile::ProgramOp found;
};

/// Where a variant for GPUs holds its tiles: a line for each, by what it is; empty for other variants.
std::vector<std::string> placesOf(tile::VariantOp variant);

} // namespace attn::run

#endif
