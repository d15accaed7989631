// The built-in normalizers (normalizers.mlir, text in the form that users write), and the pass that links them into a
// module.
#include "attn/Dialect/Attn/Attn.h"

using namespace mlir;
using namespace attn;

StringRef attn::normalizerLibraryText() {
  static const char text[] =
#include "attn/Dialect/Attn/normalizers.inc"
      ;
  return text;
}

SmallVector<StringRef> attn::normalizerLibraryNames() {
  SmallVector<StringRef> names;
  StringRef text = normalizerLibraryText(), head = "\nattn.normalizer @";
  for (size_t at = text.find(head); at != StringRef::npos; at = text.find(head, at + 1))
    names.push_back(text.substr(at + head.size()).take_until([](char c) { return c == ' ' || c == '('; }));
  return names;
}

bool attn::isLibraryNormalizer(StringRef name) { return llvm::is_contained(normalizerLibraryNames(), name); }

LogicalResult attn::linkNormalizers(ModuleOp module) {
  if (failed(expandRepeats(module)))
    return failure();
  SmallVector<StringRef> missing;
  auto need = [&](StringRef name) {
    if (!module.lookupSymbol<NormalizerOp>(name) && !llvm::is_contained(missing, name))
      missing.push_back(name);
  };
  module.walk([&](AttendOp op) { need(op.normalizerName()); });
  module.walk([&](MergeOp op) { need(op.getNormalizer()); });
  if (missing.empty())
    return success();
  ParserConfig config(module.getContext());
  OwningOpRef<ModuleOp> library = parseSourceString<ModuleOp>(normalizerLibraryText(), config, "normalizers");
  if (!library)
    return module.emitError("the built-in normalizer library does not parse");
  for (StringRef name : missing) {
    auto found = library->lookupSymbol<NormalizerOp>(name);
    if (!found)
      return module.emitError("[attend_c10] there is no normalizer @") << name << " in the module or the library";
    if (Operation *other = module.lookupSymbol(name))
      return other->emitError("[attend_c10] is named like the built-in normalizer @")
             << name << ", which the module uses; give it another name";
    OpBuilder b(module.getBodyRegion());
    b.clone(*found);
  }
  return success();
}

NormalizerOp attn::lookupNormalizer(AttendOp attend) {
  auto module = attend->getParentOfType<ModuleOp>();
  return module ? module.lookupSymbol<NormalizerOp>(attend.normalizerName()) : NormalizerOp();
}

namespace {
struct LinkNormalizers : PassWrapper<LinkNormalizers, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(LinkNormalizers)
  StringRef getArgument() const final { return "attn-link-normalizers"; }
  StringRef getDescription() const final { return "add the built-in normalizers that the module uses"; }
  void runOnOperation() final {
    if (failed(linkNormalizers(getOperation())))
      signalPassFailure();
  }
};
} // namespace

std::unique_ptr<Pass> attn::createAttnLinkNormalizersPass() { return std::make_unique<LinkNormalizers>(); }
