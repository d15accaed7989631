// Code in several objects: each function is in one of them, with all that it names.
#include "Partition.h"

#include "llvm/AsmParser/Parser.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/SourceMgr.h"
#include "gtest/gtest.h"

using namespace llvm;
using attn::x86::Partition;

namespace {

/// `n` instructions that take what @NAME loads and calls, if it does.
std::string function(StringRef linkage, StringRef name, unsigned n, StringRef first) {
  std::string text = ("define " + linkage + " i32 @" + name + "() {\n  %x0 = " + first + "\n").str();
  for (unsigned i = 0; i + 2 < n; ++i)
    text += "  %x" + std::to_string(i + 1) + " = add i32 %x" + std::to_string(i) + ", 1\n";
  return text + "  ret i32 %x" + std::to_string(n - 2) + "\n}\n";
}

/// Two phases, each with a helper, which share a table; an info that names both; an entry that names the info.
std::string program() {
  return "@table = internal constant [2 x i32] [i32 1, i32 2]\n"
         "@phases = internal constant [2 x ptr] [ptr @big, ptr @small]\n"
         "@info = constant ptr @phases\n"
         "@state = internal global i32 0\n"
         "declare i32 @outside(ptr)\n" +
         function("internal", "helper_of_big", 10, "load i32, ptr @table") +
         function("internal", "helper_of_small", 10, "load i32, ptr @table") +
         function("internal", "big", 500, "call i32 @helper_of_big()") +
         function("internal", "small", 400, "call i32 @helper_of_small()") +
         function("internal", "tiny", 20, "load i32, ptr @state") +
         function("dso_local", "entry", 4, "call i32 @outside(ptr @info)");
}

struct Parsed {
  LLVMContext context;
  std::unique_ptr<Module> module;
  explicit Parsed(const std::string &text) {
    SMDiagnostic diagnostic;
    module = parseAssemblyString(text, diagnostic, context);
    EXPECT_TRUE(module) << diagnostic.getMessage().str();
  }
};

/// Which part defines `name`; -1: none, -2: more than one.
int owner(ArrayRef<std::unique_ptr<Parsed>> parts, StringRef name) {
  int found = -1;
  for (size_t n = 0; n < parts.size(); ++n)
    if (GlobalValue *value = parts[n]->module->getNamedValue(name); value && !value->isDeclaration())
      found = found == -1 ? int(n) : -2;
  return found;
}

std::vector<std::unique_ptr<Parsed>> split(const std::string &text, unsigned most) {
  Parsed whole(text);
  Partition partition(*whole.module, most);
  std::vector<std::unique_ptr<Parsed>> parts;
  for (unsigned part = 0; part < partition.size(); ++part) {
    parts.push_back(std::make_unique<Parsed>(text));
    EXPECT_FALSE(bool(partition.reduce(*parts.back()->module, part)));
    EXPECT_FALSE(verifyModule(*parts.back()->module, &errs()));
  }
  return parts;
}

TEST(Partition, CalleesAndVariablesStayWithFunctions) {
  auto parts = split(program(), 8);
  ASSERT_EQ(parts.size(), 2u); // what is small makes no object of its own
  EXPECT_GE(owner(parts, "big"), 0);
  EXPECT_GE(owner(parts, "small"), 0);
  EXPECT_NE(owner(parts, "big"), owner(parts, "small"));
  EXPECT_EQ(owner(parts, "helper_of_big"), owner(parts, "big"));
  EXPECT_EQ(owner(parts, "helper_of_small"), owner(parts, "small"));
  // Variables are together, and with whoever names them.
  for (const char *name : {"phases", "info", "entry", "tiny"}) {
    EXPECT_GE(owner(parts, name), 0) << name;
    EXPECT_EQ(owner(parts, name), owner(parts, "state")) << name;
  }
  for (const auto &part : parts) // a constant of its own for each, still local
    EXPECT_TRUE(part->module->getNamedGlobal("table")->hasInternalLinkage());
}

TEST(Partition, SymbolsThatOtherPartsNameAreHidden) {
  for (const auto &part : split(program(), 2))
    for (const char *name : {"big", "small", "helper_of_big", "phases"}) {
      GlobalValue *value = part->module->getNamedValue(name);
      EXPECT_TRUE(value->hasExternalLinkage() && value->hasHiddenVisibility()) << name;
    }
  for (const auto &part : split(program(), 2)) // what was exported is as it was
    EXPECT_TRUE(part->module->getNamedValue("entry")->hasDefaultVisibility());
}

TEST(Partition, OneIsTheWholeProgram) {
  auto parts = split(program(), 1);
  ASSERT_EQ(parts.size(), 1u);
  for (const char *name : {"big", "small", "entry", "info", "tiny"})
    EXPECT_EQ(owner(parts, name), 0) << name;
}

/// The same parts for the same text: addresses of a run decide nothing.
TEST(Partition, IsTheSameEachTime) {
  auto once = split(program(), 2), again = split(program(), 2);
  for (const char *name : {"big", "small", "entry"})
    EXPECT_EQ(owner(once, name), owner(again, name)) << name;
}

} // namespace
