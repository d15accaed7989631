// What is read, and what is refused with which words and where.
#include "Run.h"

using namespace attn::sim;

namespace {

std::string errorOf(const std::string &text) {
  try {
    parseModule(text);
  } catch (const Error &e) {
    return std::to_string(e.place.line) + ":" + std::to_string(e.place.column) + ": " + e.what();
  }
  return "";
}

const char *const head = ".version 8.4\n.target sm_80\n.address_size 64\n";

} // namespace

TEST(Parser, ReadsModules) {
  const Module m =
      parseModule(std::string(head) +
                  ".file 1 \"a.cu\"\n"
                  ".global .align 4 .f32 table[2][2] = {{1.5, 0f40000000}, {-3.0, 4.0}};\n"
                  ".const .u16 odd = 0x1234;\n"
                  ".extern .shared .align 16 .b8 dynamic[];\n"
                  ".visible .entry k(.param .u64 .ptr .global .align 16 a, .param .align 8 .b8 s[24], .param .f32 x)\n"
                  ".maxntid 128, 1, 1 .minnctapersm 2\n{\n"
                  ".reg .pred %p<2>; .reg .b32 %r<3>, one;\n"
                  ".loc 1 2 3\n"
                  "$L__BB0_0: // a label\n"
                  "@!%p1 bra.uni $L__BB0_0; /* a comment */\n"
                  "{ .reg .b32 %r<1>; add.s32 %r0, one, -2; }\n"
                  "st.shared.v2.u32 [dynamic+8], {%r0, %r1};\n"
                  "}\n"
                  ".section .debug_str { info: .b8 1, 2 }\n");
  EXPECT_EQ(m.version, "8.4");
  ASSERT_EQ(m.variables.size(), 3u);
  EXPECT_EQ(m.variables[0].bytes, 16u);
  EXPECT_EQ(m.variables[0].initial[3], 0x3f);
  EXPECT_EQ(m.variables[1].initial, (std::vector<uint8_t>{0x34, 0x12}));
  EXPECT_TRUE(m.variables[2].external && m.variables[2].bytes == 0);
  const Function &f = *m.findFunction("k");
  EXPECT_EQ(f.params.size(), 3u);
  EXPECT_EQ(f.params[0].align, 8u);
  EXPECT_EQ(f.params[1].bytes, 24u);
  EXPECT_EQ(f.maxntid[0], 128u);
  ASSERT_EQ(f.statements.size(), 4u); // and the return at the end
  EXPECT_TRUE(f.statements[0].guardNegated && f.statements[0].text == "bra.uni");
  EXPECT_EQ(f.registers[f.statements[1].operands[0].index].name, "%r0");
  EXPECT_GT(f.statements[1].operands[0].index, f.statements[1].operands[1].index); // the inner scope's own
  EXPECT_EQ(int64_t(f.statements[1].operands[2].bits), -2);
  EXPECT_EQ(f.statements[2].operands[0].offset, 8);
}

TEST(Parser, SaysWhereAndWhat) {
  EXPECT_EQ(errorOf("add.s32 a, b;"), "1:1: expected a directive such as .entry or .global, found 'add'");
  EXPECT_EQ(errorOf(std::string(head) + ".texref t;"), "4:1: the directive .texref is not simulated");
  const std::string body = std::string(head) + ".entry k() {\n.reg .b32 %r<2>;\n";
  EXPECT_EQ(errorOf(body + "add.s32 %r0, %r1 %r1;\n}"),
            "6:18: expected ',' or ';' after an operand of 'add.s32', found '%r1'");
  EXPECT_EQ(errorOf(body + "@%r1 add.s32 %r0, %r1, 1;\n}"), "6:2: '%r1' is no predicate register");
  EXPECT_EQ(errorOf(body + "mov.f32 %r0, 0f3f80000;\n}"), "6:14: 0f needs 8 hexadecimal digits");
  EXPECT_EQ(errorOf(body + "L: L: ret;\n}"), "6:4: the label 'L' is defined twice");
  EXPECT_EQ(errorOf(body + "ret;"), "4:12: the body that begins here has no closing '}'");
  EXPECT_EQ(errorOf(body + "mov.u32 %r0, 99999999999999999999;\n}"),
            "6:14: '99999999999999999999' is not an integer of 64 bits");
  EXPECT_EQ(errorOf(body + "mov.u32 %r0, #;\n}"), "6:14: unexpected character '#'");
  EXPECT_EQ(errorOf(std::string(head) + "/* no end"), "4:1: the comment that begins here has no end; close it with */");
}

TEST(Decoder, RefusesWithTheExactText) {
  const auto refusal = [](const std::string &body) { return runBody(body).error; };
  EXPECT_NE(refusal("tex.1d.v4.f32.s32 %r0, %r1;").find("the instruction 'tex.1d.v4.f32.s32' is not simulated"),
            std::string::npos);
  EXPECT_NE(refusal("add.rn.wild.f32 %f0, %f1, %f2;")
                .find("'add.rn.wild.f32' is not simulated: nothing is known of '.wild' there"),
            std::string::npos);
  EXPECT_NE(refusal("add.s32 %r0, %rd1, 1;").find("'add.s32' reads 32 bits, register %rd1 has 64"), std::string::npos);
  EXPECT_NE(refusal("add.s32 %r0, %r1;").find("'add.s32' takes 3 operands, found 2"), std::string::npos);
  EXPECT_NE(refusal("mov.u32 %r0, nothing;").find("'nothing' is not declared"), std::string::npos);
  EXPECT_NE(refusal("mov.u32 %r0, %pm0;").find("the special register %pm0 is not simulated here"), std::string::npos);
  EXPECT_NE(refusal("bra nowhere;").find("'nowhere' is no label of 'k'"), std::string::npos);
  EXPECT_NE(refusal("wgmma.fence.sync.aligned;").find("'wgmma.fence.sync.aligned' is not simulated"),
            std::string::npos);
  EXPECT_NE(refusal("cp.async.ca.shared.global [%r0], [%rd0], 12;").find(".ca copies 4, 8 or 16 bytes"),
            std::string::npos);
  EXPECT_NE(refusal("red.acquire.gpu.global.add.u32 [%rd0], %r0;").find("red never acquires"), std::string::npos);
  EXPECT_NE(
      refusal("ld.shared.u32 %r0, [in];").find("'in' is a .param variable, 'ld.shared.u32' accesses shared memory"),
      std::string::npos);
}

TEST(Launch, ChecksShapesAndArguments) {
  const Module m = parseModule(kernelOf(""));
  std::vector<Argument> none;
  const auto errorOfLaunch = [&](LaunchOptions o, const char *kernel) -> std::string {
    try {
      launch(m, kernel, none, o);
    } catch (const Error &e) {
      return e.what();
    }
    return "";
  };
  LaunchOptions o;
  EXPECT_EQ(errorOfLaunch(o, "j"), "there is no kernel 'j'; the module has k");
  EXPECT_EQ(errorOfLaunch(o, "k"), "'k' has 2 parameters, 0 arguments were given");
  o.block = {1024, 2, 1};
  EXPECT_EQ(errorOfLaunch(o, "k"), "a block of 2048 threads; 1 to 1024 are possible");
}
