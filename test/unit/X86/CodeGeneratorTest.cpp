// Passes that code generation leaves out go by LLVM's names, which another LLVM may change.
#include "attn/Target/X86/X86.h"

#include "llvm/InitializePasses.h"
#include "llvm/PassInfo.h"
#include "llvm/PassRegistry.h"
#include "gtest/gtest.h"

TEST(CodeGenerator, PassesLeftOutAreLLVMs) {
  llvm::PassRegistry &registry = *llvm::PassRegistry::getPassRegistry();
  llvm::initializeCodeGen(registry);
  llvm::initializeScalarOpts(registry);
  llvm::initializeTransformUtils(registry);
  EXPECT_FALSE(attn::x86::passesLeftOut().empty());
  for (llvm::StringRef name : attn::x86::passesLeftOut())
    EXPECT_TRUE(registry.getPassInfo(name)) << name.str();
}
