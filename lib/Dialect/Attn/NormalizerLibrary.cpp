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

/// Each with its text.
static SmallVector<std::pair<StringRef, StringRef>> library() {
  SmallVector<std::pair<StringRef, StringRef>> all;
  StringRef text = normalizerLibraryText(), head = "\nattn.normalizer @";
  for (size_t at = text.find(head), next; at != StringRef::npos; at = next) {
    next = text.find(head, at + 1);
    StringRef own = text.slice(at, next);
    all.push_back({own.drop_front(head.size()).take_until([](char c) { return c == ' ' || c == '('; }), own});
  }
  return all;
}

SmallVector<StringRef> attn::normalizerLibraryNames() { return llvm::to_vector(llvm::make_first_range(library())); }

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
  auto builtIn = library();
  for (StringRef name : missing) {
    auto found = llvm::find_if(builtIn, [&](auto &entry) { return entry.first == name; });
    if (found == builtIn.end())
      return module.emitError("[attend_c10] there is no normalizer @") << name << " in the module or the library";
    if (Operation *other = module.lookupSymbol(name))
      return other->emitError("[attend_c10] is named like the built-in normalizer @")
             << name << ", which the module uses; give it another name";
    // Its text alone: to parse and check all of them takes 2 % of the time to compile a program.
    OwningOpRef<ModuleOp> parsed = parseSourceString<ModuleOp>(found->second, config, ("normalizer @" + name).str());
    if (!parsed)
      return module.emitError("the built-in normalizer @") << name << " does not parse";
    OpBuilder b(module.getBodyRegion());
    b.clone(*parsed->lookupSymbol<NormalizerOp>(name));
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
