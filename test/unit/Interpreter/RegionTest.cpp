// The ops of arith and math, one expression a row: x and y are i64 or f64 elements, the lse of the program is the
// result.
#include "Harness.h"

using namespace attn::test;

namespace {

const char *const kIdentity =
    "attn.normalizer @id { attn.pass ref = none phi(%s) { attn.yield %s : f32 } sums(l = one, n = value)\n"
    "attn.finish(%l, %n) { attn.yield %l, %n : f32, f32 } outputs(lse, o) empty(0.0, 0.0) }\n";

/// Runs `body`, which defines %t : f64 from %x and %y of the element type, in f64.
double run(const std::string &body, Format f, double x, double y) {
  std::string e = attn::interpreter::formatName(f).str(), tensor = "tensor<?x" + e + ">";
  Program program(
      kIdentity +
      simpleKernel(1,
                   "score(%s : f64, j = %j) { %one = arith.constant 1 : index %x = attn.load %a[%j] : " + tensor +
                       " %y = attn.load %a[%one] : " + tensor + "\n" + body + "\nattn.yield %t : f64 } normalize = @id",
                   ", %a: " + tensor, "f64"));
  Tensor one(Format::F64, {1, 1, 1, 1}, {1});
  return Call{{one, one, one, Tensor(f, {2}, {x, y})}}
      .create(program)
      ->row({0, 0}, 0, Precision::Plain)
      .outputs["lse"][0];
}

double integers(const std::string &op, Format f, double x, double y) {
  std::string e = attn::interpreter::formatName(f).str();
  return run("%r = " + op + " %x, %y : " + e + " %t = arith.sitofp %r : " + e + " to f64", f, x, y);
}
double reals(const std::string &op, double x, double y) {
  return run("%t = " + op + " %x, %y : f64", Format::F64, x, y);
}
double real(const std::string &op, double x) { return run("%t = " + op + " %x : f64", Format::F64, x, 0); }

TEST(Region, IntegerArithmetic) {
  struct {
    const char *op;
    double x, y, want;
  } rows[] = {
      {"arith.addi", 100, 100, -56},    {"arith.subi", -100, 100, 56},   {"arith.muli", 100, 3, 44},
      {"arith.divsi", -7, 2, -3},       {"arith.divsi", -128, -1, -128}, {"arith.divsi", 5, 0, 0},
      {"arith.divui", -2, 2, 127},      {"arith.ceildivsi", -7, 2, -3},  {"arith.ceildivsi", 7, 2, 4},
      {"arith.ceildivsi", -7, -2, 4},   {"arith.ceildivsi", 7, -2, -3},  {"arith.ceildivsi", 6, 2, 3},
      {"arith.ceildivui", -1, 2, -128}, {"arith.floordivsi", -7, 2, -4}, {"arith.floordivsi", 7, -2, -4},
      {"arith.floordivsi", -7, -2, 3},  {"arith.floordivsi", 7, 2, 3},   {"arith.floordivsi", -128, -1, -128},
      {"arith.remsi", -7, 2, -1},       {"arith.remsi", 7, -2, 1},       {"arith.remui", -1, 10, 5},
      {"arith.andi", 12, 10, 8},        {"arith.ori", 12, 10, 14},       {"arith.xori", -1, 10, -11},
      {"arith.shli", 1, 7, -128},       {"arith.shli", 1, 8, 0},         {"arith.shrsi", -128, 3, -16},
      {"arith.shrsi", -1, 100, -1},     {"arith.shrui", -128, 3, 16},    {"arith.shrui", -1, -1, 0},
      {"arith.maxsi", -1, 1, 1},        {"arith.minsi", -1, 1, -1},      {"arith.maxui", -1, 1, -1},
      {"arith.minui", -1, 1, 1},        {"math.ipowi", -3, 3, -27},      {"math.ipowi", 2, 8, 0},
      {"math.ipowi", -1, -3, -1},       {"math.ipowi", 2, -1, 0},
  };
  for (auto &row : rows)
    EXPECT_EQ(integers(row.op, Format::I8, row.x, row.y), row.want) << row.op << " " << row.x << " " << row.y;
  EXPECT_EQ(integers("arith.addi", Format::I32, 2147483647, 1), -2147483648.0);
  EXPECT_EQ(integers("arith.muli", Format::I64, 4294967296, 4294967296), 0);
}

TEST(Region, IntegerUnaryAndExtended) {
  auto unary = [](const std::string &op, double x) {
    return run("%r = " + op + " %x : i8 %t = arith.sitofp %r : i8 to f64", Format::I8, x, 0);
  };
  EXPECT_EQ(unary("math.absi", -5), 5);
  EXPECT_EQ(unary("math.ctlz", 1), 7);
  EXPECT_EQ(unary("math.ctlz", 0), 8);
  EXPECT_EQ(unary("math.cttz", 8), 3);
  EXPECT_EQ(unary("math.cttz", 0), 8);
  EXPECT_EQ(unary("math.ctpop", -1), 8);
}

TEST(Region, Casts) {
  auto from = [](const std::string &body, Format f, double x) { return run(body, f, x, 0); };
  EXPECT_EQ(from("%r = arith.extsi %x : i1 to i32 %t = arith.sitofp %r : i32 to f64", Format::I1, 1), -1);
  EXPECT_EQ(from("%r = arith.extui %x : i1 to i32 %t = arith.sitofp %r : i32 to f64", Format::I1, 1), 1);
  EXPECT_EQ(from("%r = arith.extui %x : i8 to i64 %t = arith.sitofp %r : i64 to f64", Format::I8, -1), 255);
  EXPECT_EQ(from("%r = arith.trunci %x : i32 to i8 %t = arith.sitofp %r : i8 to f64", Format::I32, 200), -56);
  EXPECT_EQ(from("%r = arith.index_castui %x : i8 to index %n = arith.index_cast %r : index to i64 %t = arith.sitofp "
                 "%n : i64 to f64",
                 Format::I8, -1),
            255);
  EXPECT_EQ(from("%t = arith.uitofp %x : i64 to f64", Format::I64, -1), 18446744073709551616.0);
  EXPECT_EQ(from("%r = arith.fptosi %x : f64 to i8 %t = arith.sitofp %r : i8 to f64", Format::F64, -3.9), -3);
  EXPECT_EQ(from("%r = arith.fptosi %x : f64 to i8 %t = arith.sitofp %r : i8 to f64", Format::F64, 1e9), 127);
  EXPECT_EQ(from("%r = arith.fptosi %x : f64 to i64 %t = arith.sitofp %r : i64 to f64", Format::F64, -1e30),
            -9223372036854775808.0);
  EXPECT_EQ(from("%r = arith.fptosi %x : f64 to i32 %t = arith.sitofp %r : i32 to f64", Format::F64, kNaN), 0);
  EXPECT_EQ(from("%r = arith.fptoui %x : f64 to i8 %t = arith.uitofp %r : i8 to f64", Format::F64, 200.7), 200);
  EXPECT_EQ(from("%r = arith.fptoui %x : f64 to i8 %t = arith.uitofp %r : i8 to f64", Format::F64, -5), 0);
  EXPECT_EQ(from("%r = arith.fptoui %x : f64 to i64 %t = arith.uitofp %r : i64 to f64", Format::F64, 1e30),
            18446744073709551616.0);
  EXPECT_EQ(from("%r = arith.truncf %x : f64 to f16 %t = arith.extf %r : f16 to f64", Format::F64, 2049), 2048);
  EXPECT_EQ(from("%r = arith.sitofp %x : i64 to f32 %t = arith.extf %r : f32 to f64", Format::I64, 16777217), 16777216);
}

TEST(Region, IntegerComparisons) {
  auto compare = [](const std::string &p, double x, double y) {
    return run("%r = arith.cmpi " + p +
                   ", %x, %y : i32 %c = arith.constant 1.0 : f64 %d = arith.constant 0.0 : f64 %t = arith.select %r, "
                   "%c, %d : f64",
               Format::I32, x, y);
  };
  struct {
    const char *name;
    std::function<bool(int32_t, int32_t)> holds;
  } rows[] = {{"eq", [](int32_t a, int32_t b) { return a == b; }},
              {"ne", [](int32_t a, int32_t b) { return a != b; }},
              {"slt", [](int32_t a, int32_t b) { return a < b; }},
              {"sle", [](int32_t a, int32_t b) { return a <= b; }},
              {"sgt", [](int32_t a, int32_t b) { return a > b; }},
              {"sge", [](int32_t a, int32_t b) { return a >= b; }},
              {"ult", [](int32_t a, int32_t b) { return (uint32_t)a < (uint32_t)b; }},
              {"ule", [](int32_t a, int32_t b) { return (uint32_t)a <= (uint32_t)b; }},
              {"ugt", [](int32_t a, int32_t b) { return (uint32_t)a > (uint32_t)b; }},
              {"uge", [](int32_t a, int32_t b) { return (uint32_t)a >= (uint32_t)b; }}};
  for (auto &row : rows)
    for (int32_t a : {-2, 0, 3})
      for (int32_t b : {-2, 3})
        EXPECT_EQ(compare(row.name, a, b), row.holds(a, b)) << row.name << a << b;
}

TEST(Region, RealComparisons) {
  struct {
    const char *name;
    bool less, equal, greater, unordered;
  } rows[] = {{"false", 0, 0, 0, 0}, {"oeq", 0, 1, 0, 0}, {"ogt", 0, 0, 1, 0}, {"oge", 0, 1, 1, 0},
              {"olt", 1, 0, 0, 0},   {"ole", 1, 1, 0, 0}, {"one", 1, 0, 1, 0}, {"ord", 1, 1, 1, 0},
              {"ueq", 0, 1, 0, 1},   {"ugt", 0, 0, 1, 1}, {"uge", 0, 1, 1, 1}, {"ult", 1, 0, 0, 1},
              {"ule", 1, 1, 0, 1},   {"une", 1, 0, 1, 1}, {"uno", 0, 0, 0, 1}, {"true", 1, 1, 1, 1}};
  for (auto &row : rows) {
    auto compare = [&](double x, double y) {
      return run(std::string("%r = arith.cmpf ") + row.name + ", %x, %y : f64 %t = arith.uitofp %r : i1 to f64",
                 Format::F64, x, y) == 1;
    };
    EXPECT_EQ(compare(1, 2), row.less) << row.name;
    EXPECT_EQ(compare(2, 2), row.equal) << row.name;
    EXPECT_EQ(compare(2, 1), row.greater) << row.name;
    EXPECT_EQ(compare(2, kNaN), row.unordered) << row.name;
  }
}

TEST(Region, RealBinary) {
  EXPECT_EQ(reals("arith.addf", 1.5, 2), 3.5);
  EXPECT_EQ(reals("arith.subf", 1.5, 2), -0.5);
  EXPECT_EQ(reals("arith.mulf", 1.5, 2), 3);
  EXPECT_EQ(reals("arith.divf", 1, 4), 0.25);
  EXPECT_EQ(reals("arith.remf", -7, 4), -3);
  EXPECT_TRUE(std::isnan(reals("arith.maximumf", 1, kNaN)));
  EXPECT_EQ(reals("arith.maxnumf", 1, kNaN), 1);
  EXPECT_EQ(reals("arith.minnumf", kNaN, 2), 2);
  EXPECT_TRUE(std::isnan(reals("arith.minimumf", kNaN, 1)));
  EXPECT_FALSE(std::signbit(reals("arith.maximumf", -0.0, 0.0)) || std::signbit(reals("arith.maximumf", 0.0, -0.0)));
  EXPECT_EQ(reals("arith.maximumf", 3, 2), 3);
  EXPECT_EQ(reals("arith.minimumf", 3, 2), 2);
  EXPECT_EQ(reals("math.atan2", 1, -1), std::atan2(1, -1));
  EXPECT_EQ(reals("math.copysign", 3, -1), -3);
  EXPECT_EQ(reals("math.powf", 2, 0.5), std::pow(2, 0.5));
  EXPECT_EQ(run("%t = math.fma %x, %x, %y : f64", Format::F64, 0.1, -0.01), std::fma(0.1, 0.1, -0.01));
  EXPECT_EQ(run("%t = math.clampf %x to [%y, %y] : f64", Format::F64, 7, 3), 3);
  EXPECT_EQ(run("%n = arith.fptosi %y : f64 to i32 %t = math.fpowi %x, %n : f64, i32", Format::F64, 1.5, -2),
            std::pow(1.5, -2));
}

TEST(Region, RealUnary) {
  struct {
    const char *op;
    double (*f)(double);
    double x;
  } rows[] = {{"math.absf", std::fabs, -2},
              {"math.acos", std::acos, 0.3},
              {"math.acosh", std::acosh, 2},
              {"math.asin", std::asin, 0.3},
              {"math.asinh", std::asinh, 2},
              {"math.atan", std::atan, 2},
              {"math.atanh", std::atanh, .3},
              {"math.cbrt", std::cbrt, -8},
              {"math.ceil", std::ceil, 1.2},
              {"math.cos", std::cos, 1},
              {"math.cosh", std::cosh, 1},
              {"math.erf", std::erf, 0.5},
              {"math.erfc", std::erfc, 0.5},
              {"math.exp", std::exp, 1.5},
              {"math.exp2", std::exp2, 1.5},
              {"math.expm1", std::expm1, 1e-9},
              {"math.floor", std::floor, -1.2},
              {"math.log", std::log, 3},
              {"math.log10", std::log10, 3},
              {"math.log1p", std::log1p, 1e-9},
              {"math.log2", std::log2, 3},
              {"math.round", std::round, 2.5},
              {"math.roundeven", std::nearbyint, 2.5},
              {"math.sin", std::sin, 1},
              {"math.sinh", std::sinh, 1},
              {"math.sqrt", std::sqrt, 2},
              {"math.tan", std::tan, 1},
              {"math.tanh", std::tanh, 1},
              {"math.trunc", std::trunc, -1.7}};
  for (auto &row : rows)
    EXPECT_EQ(real(row.op, row.x), row.f(row.x)) << row.op;
  EXPECT_EQ(real("arith.negf", 2), -2);
  EXPECT_EQ(real("math.rsqrt", 4), 0.5);
  auto is = [](const std::string &op, double x) {
    return run("%r = " + op + " %x : f64 %t = arith.uitofp %r : i1 to f64", Format::F64, x, 0);
  };
  EXPECT_EQ(is("math.isnan", kNaN) + is("math.isinf", kInf) + is("math.isfinite", 1) + is("math.isnormal", 1), 4);
  EXPECT_EQ(is("math.isnan", 1) + is("math.isinf", kNaN) + is("math.isfinite", kInf) + is("math.isnormal", 5e-324), 0);
}

} // namespace
