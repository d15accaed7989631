// Every kind of set, with parameters that leave some pairs and some rows out.
#include "PairsProgram.h"

#include <algorithm>
#include <fmt/format.h>

using namespace attn;
using namespace attn::test;

namespace {

using B = PairsBuilder;

std::string integer(B &b, int64_t lo, int64_t hi) {
  const int64_t value = b.draw.in(lo, hi);
  return b.draw.chance(50) ? std::to_string(value) : b.integerScalar(value);
}

std::string lengths(B &b) {
  const std::string q = b.captureInteger("b", 0, b.I).name;
  return "q = " + q + ", k = " + b.captureInteger("b", 0, b.J).name;
}

std::string side(B &b) { return b.draw.of<std::string>({"top_left", "bottom_right"}); }

/// Elements of 0 .. last in any order, some of them padding.
std::string tokenList(B &b, const std::string &leading, int64_t last, int64_t length) {
  Index shape;
  std::string list, type = "tensor<";
  auto add = [&](const std::string &index, int64_t extent) {
    list += (list.empty() ? "" : ", ") + index;
    shape.push_back(extent);
    type += "?x";
  };
  for (size_t n = 0; n < b.batch.size(); ++n)
    if (leading.find(b.batch[n]) != std::string::npos)
      add(b.batch[n], b.batchExtents[n]);
  if (leading.find('i') != std::string::npos)
    add("i", b.I);
  if (leading.find('I') != std::string::npos)
    add("i floordiv 6", (b.I + 5) / 6);
  shape.push_back(length);
  const std::string element = b.draw.of<std::string>({"i32", "i64"});
  Tensor t(elementOf(element), shape, b.capturedLayout(shape.size()));
  t.fill([&](auto) { return last < 0 || b.draw.chance(15) ? -1.0 : double(b.draw.in(0, last)); });
  return b.addTensor(type + "?x" + element + ">", std::move(t)) + (list.empty() ? "" : "[" + list + "]");
}

std::string csr(B &b) {
  const bool head = !b.batch.empty() && b.draw.chance(50);
  const int64_t rows = head ? b.batchExtents.back() : 1, n = b.J ? 3 * b.I : 0;
  const std::string index = head ? "[" + b.batch.back() + "]" : "", axes = head ? "?x?x" : "?x";
  Index offsetShape, columnShape;
  if (head)
    offsetShape = columnShape = {rows};
  offsetShape.push_back(b.I + 1);
  columnShape.push_back(n);
  Tensor offsets(Element::I32, offsetShape), columns(Element::I64, columnShape);
  columns.fill([&](auto) { return double(b.draw.in(0, std::max<int64_t>(b.J - 1, 0))); });
  std::vector<int64_t> ends(size_t(b.I) + 1);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t &e : ends)
      e = b.draw.in(0, n);
    std::sort(ends.begin(), ends.end());
    for (int64_t i = 0; i <= b.I; ++i)
      offsets.set(head ? Index{r, i} : Index{i}, double(ends[size_t(i)]));
  }
  const std::string from = b.addTensor("tensor<" + axes + "i32>", std::move(offsets));
  return "csr<" + from + index + ", " + b.addTensor("tensor<" + axes + "i64>", std::move(columns)) + index + ">";
}

std::string bits(B &b) {
  const std::string type = b.draw.of<std::string>({"i8", "i32", "i64"});
  const int64_t width = 8 * bytesOf(elementOf(type));
  const bool query = b.draw.chance(70), head = !b.batch.empty();
  Index shape;
  std::string list, axes;
  if (head) {
    shape.push_back(b.batchExtents.back());
    list = b.batch.back();
    axes = "?x";
  }
  if (query) {
    shape.push_back(b.I);
    list += (list.empty() ? "i" : ", i");
    axes += "?x";
  }
  shape.push_back((b.J + width - 1) / width);
  Tensor words(elementOf(type), shape, b.capturedLayout(shape.size()));
  Random random(b.draw.seed(), "words");
  uint64_t n = 0;
  words.each([&](llvm::ArrayRef<int64_t> at) {
    const std::array<uint32_t, 4> w = random.words(n++);
    const uint64_t word = uint64_t(w[0] & w[2]) << 32 | w[1];
    words.setBits(at, width == 64 ? word : word & ((uint64_t(1) << width) - 1));
  });
  return "bits<" + b.addTensor("tensor<" + axes + "?x" + type + ">", std::move(words)) +
         (list.empty() ? "" : "[" + list + "]") + ">";
}

std::string diagonals(B &b) {
  const bool head = !b.batch.empty() && b.draw.chance(60);
  Index shape;
  if (head)
    shape.push_back(b.batchExtents.back());
  shape.push_back(b.draw.in(2, 9));
  Tensor t(Element::I32, shape, b.capturedLayout(shape.size()));
  t.fill([&](auto) { return double(b.draw.in(-12, 12)); });
  const std::string l = b.addTensor(head ? "tensor<?x?xi32>" : "tensor<?xi32>", std::move(t));
  return fmt::format("diagonals<{}, {}{}{}>", side(b), l, head ? "[" + b.batch.back() + "]" : "",
                     b.draw.chance(40) ? ", symmetric" : "");
}

std::string segments(B &b, bool sorted) {
  auto ids = [&](int64_t length) {
    const bool batched = !b.batch.empty() && b.draw.chance(60);
    const Index shape = batched ? Index{b.batchExtents[0], length} : Index{length};
    Tensor t(Element::I32, shape, b.capturedLayout(shape.size()));
    t.fill([&](llvm::ArrayRef<int64_t> at) {
      return double(sorted ? (at.back() + (batched ? at[0] : 0)) / 7 : b.draw.in(0, 3));
    });
    return b.addTensor(std::string(batched ? "tensor<?x?xi32>" : "tensor<?xi32>") + (sorted ? " {attn.sorted}" : ""),
                       std::move(t));
  };
  if (b.I == b.J && b.draw.chance(60))
    return "same_segment<" + ids(b.I) + ">";
  const std::string q = ids(b.I);
  return "same_segment<q = " + q + ", k = " + ids(b.J) + ">";
}

std::string sharedPrefix(B &b) {
  const std::string q = b.captureInteger(b.batch.empty() ? "i" : "bi", 0, 4).name,
                    k = b.captureInteger(b.batch.empty() ? "j" : "bj", 0, 4).name;
  return fmt::format("shared_prefix<q = {}, k = {}, shared = 1, all = {}>", q, k, integer(b, 0, 4));
}

std::string randomBlocks(B &b) {
  const std::string p = b.draw.chance(50) ? "0.6" : b.addScalar("f32", floatParam(0.5));
  return fmt::format("random_blocks<seed = {}, probability = {}, block = [{}, {}]>", integer(b, 0, 1 << 30), p,
                     b.draw.in(1, 9), b.draw.in(1, 20));
}

void grid(B &b, int rank) {
  b.queryGrid = b.keyGrid = rank == 1 ? "[?]" : rank == 2 ? "[?, 5]" : "[?, 3, 2]";
  if (b.draw.chance(40)) {
    const int64_t first = b.draw.in(0, 4);
    b.clauses += fmt::format("    first = {}\n", b.draw.chance(50) ? std::to_string(first) : b.integerScalar(first));
  }
}

std::string neighborhood(B &b) {
  const int rank = int(b.draw.in(1, 3));
  grid(b, rank);
  auto list = [&](int64_t lo, int64_t hi) {
    std::string s;
    for (int n = 0; n < rank; ++n)
      s += (n ? ", " : "") + std::to_string(b.draw.in(lo, hi));
    return "[" + s + "]";
  };
  const std::string size = list(2, 5), dilation = list(1, 2), stride = list(1, 2), causal = list(0, 1);
  return "neighborhood<size = " + size + ", dilation = " + dilation + ", stride = " + stride + ", causal = " + causal +
         ">";
}

std::string halo(B &b) {
  grid(b, 2);
  return fmt::format("halo<block = [{}, {}], halo = [{}, 1]{}>", b.draw.in(1, 4), b.draw.in(2, 4), b.draw.in(0, 2),
                     b.draw.chance(30) ? ", padded" : "");
}

std::string disc(B &b) {
  grid(b, int(b.draw.in(1, 3)));
  return "disc<radius = " + integer(b, 1, 4) + ">";
}

std::string whereLoad(B &b) {
  std::string body;
  const B::Captured q = b.captureInteger(b.draw.of<std::string>({"hi", "bi", "i"}), 0, 6),
                    k = b.captureInteger(b.draw.of<std::string>({"hj", "j"}), 0, 6);
  const std::string x = b.op(body, fmt::format("attn.load {}[{}]", q.name, q.loads), q.type),
                    y = b.op(body, fmt::format("attn.load {}[{}]", k.name, k.loads), k.type);
  std::string u = x, v = y;
  if (q.element != k.element) {
    u = b.op(body, "arith.index_cast " + x, q.element + " to index");
    v = b.op(body, "arith.index_cast " + y, k.element + " to index");
  }
  const std::string r = b.op(body, "arith.cmpi sge, " + u + ", " + v, q.element != k.element ? "index" : q.element);
  return "where(" + b.indices("ij") + ") {\n" + body + "      attn.yield " + r + " : i1 }";
}

std::string whereMember(B &b) {
  std::string body;
  Index shape;
  std::string index, axes;
  if (!b.batch.empty()) {
    shape.push_back(b.batchExtents.back());
    index = "%" + b.batch.back();
    axes = "?x";
  }
  shape.push_back(9);
  Tensor t(Element::I32, shape, b.capturedLayout(shape.size()));
  t.fill([&](auto) { return double(b.draw.in(-6, 9)); });
  const std::string type = "tensor<" + axes + "?xi32>", list = b.addTensor(type, std::move(t)),
                    x = b.op(body, "arith.subi %i, %j", "index"),
                    r = b.op(body, fmt::format("attn.member {} in {}[{}]", x, list, index), type);
  return "where(" + b.indices("ij") + ") {\n" + body + "      attn.yield " + r + " : i1 }";
}

std::string mask(B &b, const std::string &dims, const std::string &element) {
  const B::Captured c = b.capture(dims, element, [&](auto) { return double(b.draw.chance(60)); });
  return "mask<" + c.name + "[" + c.list + "]>";
}

std::string composite(B &b) {
  const std::string left = integer(b, 1, 9), sinks = integer(b, 0, 3);
  return fmt::format("(window<{}, left = {}> or sinks<{}>) and causal<bottom_right> minus {}", side(b), left, sinks,
                     "tokens<" + tokenList(b, "", b.J - 1, 3) + ">");
}

} // namespace

const std::vector<PairsSet> &test::pairsSets() {
  static const std::vector<PairsSet> sets = {
      {"no set", [](B &) { return std::string(); }},
      {"causal top_left", [](B &) { return std::string("causal<top_left>"); }},
      {"causal bottom_right", [](B &) { return std::string("causal<bottom_right>"); }},
      {"causal lengths", [](B &b) { return "causal<bottom_right, " + lengths(b) + ">"; }, true},
      {"window",
       [](B &b) {
         const std::string left = integer(b, 0, 9), right = integer(b, -1, 5);
         return fmt::format("window<{}, left = {}, right = {}>", side(b), left, right);
       }},
      {"dilated", [](B &b) { return fmt::format("dilated<{}, step = {}>", side(b), b.draw.in(2, 7)); }},
      {"not_self", [](B &b) { return fmt::format("not_self<{}>", side(b)); }},
      {"prefix", [](B &b) { return "prefix<" + integer(b, 0, b.J + 1) + ">"; }},
      {"prefix tensor", [](B &b) { return "prefix<" + b.captureInteger("b", 0, b.J).name + ">"; }, true},
      {"sinks or window",
       [](B &b) {
         const std::string n = integer(b, 0, 4), left = integer(b, 0, 8);
         return fmt::format("(sinks<{}> or window<bottom_right, left = {}>) and causal<bottom_right>", n, left);
       }},
      {"lengths", [](B &b) { return "lengths<" + lengths(b) + ">"; }, true},
      {"same_segment", [](B &b) { return segments(b, false); }},
      {"same_segment sorted", [](B &b) { return segments(b, true); }},
      {"shared_prefix", sharedPrefix},
      {"block_causal", [](B &b) { return fmt::format("block_causal<{}, block = {}>", side(b), b.draw.in(2, 17)); }},
      {"global", [](B &b) { return "global<" + integer(b, 0, 5) + "> or not_self<top_left> and causal<top_left>"; }},
      {"tokens", [](B &b) { return "tokens<" + tokenList(b, "bhi", b.J - 1, b.draw.in(1, 9)) + ">"; }},
      {"tokens of a head", [](B &b) { return "tokens<" + tokenList(b, "h", b.J - 1, b.draw.in(1, 20)) + ">"; }},
      {"blocks",
       [](B &b) {
         const int64_t block = b.draw.in(2, 9);
         return fmt::format("blocks<{}, block = {}>", tokenList(b, "hI", (b.J + block - 1) / block - 1, 3), block);
       }},
      {"pages",
       [](B &b) {
         const int64_t page = b.draw.in(3, 16);
         return fmt::format("pages<{}, block = {}>", tokenList(b, "b", (b.J + page - 1) / page - 1, 3), page);
       }},
      {"csr", csr},
      {"bits", bits},
      {"diagonals", diagonals},
      {"random_blocks", randomBlocks},
      {"neighborhood", neighborhood},
      {"halo", halo},
      {"disc", disc},
      {"mask", [](B &b) { return mask(b, b.draw.of<std::string>({"bhij", "hij", "bj"}), "i1"); }},
      {"mask of floats", [](B &b) { return mask(b, b.draw.of<std::string>({"bij", "ij", "hi"}), "f32"); }},
      {"where load", whereLoad},
      {"where member", whereMember},
      {"composite", composite},
      {"empty", [](B &) { return std::string("empty"); }},
  };
  return sets;
}
