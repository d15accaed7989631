// attn-opt: every pass and every named pipeline stage on IR.
#include "attn/Dialect/Attn/Attn.h"

#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  registry.insert<attn::AttnDialect, mlir::arith::ArithDialect, mlir::math::MathDialect>();
  mlir::registerPass(attn::createAttnLinkNormalizersPass);
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "the attention compiler's optimizer driver\n", registry));
}
