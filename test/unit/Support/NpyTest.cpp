// .npy files: what is read, and a table of what must be refused.
#include "attn/Support/Npy.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

using namespace attn;

namespace {

std::string preamble(unsigned major, uint64_t length, const std::string &dict) {
  std::string s = "\x93NUMPY";
  s += char(major);
  s += '\0';
  for (int n = 0; n < (major == 1 ? 2 : 4); ++n)
    s += char(length >> (8 * n));
  return s + dict;
}

std::string npy(const std::string &dict, size_t dataBytes, unsigned major = 1) {
  return preamble(major, dict.size(), dict) + std::string(dataBytes, 'x');
}

std::string dict(const std::string &descr, const std::string &order, const std::string &shape) {
  return "{'descr': " + descr + ", 'fortran_order': " + order + ", 'shape': " + shape + ", }\n";
}

/// The error, or "" if the bytes are a good file.
std::string parse(const std::string &bytes, NpyHeader *out = nullptr) {
  auto header = parseNpyHeader(bytes, bytes.size());
  if (!header)
    return llvm::toString(header.takeError());
  if (out)
    *out = *header;
  return "";
}

struct Bad {
  const char *name;
  std::string bytes;
  const char *says;
};

std::vector<Bad> malformed() {
  const std::string good = dict("'<f4'", "False", "(2, 3)");
  std::vector<Bad> table = {
      {"empty", "", "empty"},
      {"one byte", "\x93", "not a .npy"},
      {"text", "hello, this is no array", "not a .npy"},
      {"zip", std::string("PK\x03\x04", 4), "not a .npy"},
      {"magic cut", "\x93NUMP", "not a .npy"},
      {"magic alone", "\x93NUMPY", "within its version"},
      {"no minor", "\x93NUMPY\x01", "within its version"},
      {"version 0", preamble(0, 4, "{}  "), "version 0.0"},
      {"version 4", npy(good, 24, 4), "version 4.0"},
      {"version 255", npy(good, 24, 255), "version 255.0"},
      {"minor 1", std::string("\x93NUMPY\x01\x01\x10\x00", 10), "version 1.1"},
      {"no length", std::string("\x93NUMPY\x01\x00", 8), "length of its header"},
      {"half a length", std::string("\x93NUMPY\x01\x00\x10", 9), "length of its header"},
      {"half a long length", std::string("\x93NUMPY\x02\x00\x10\x00", 10), "length of its header"},
      {"no header", preamble(1, 118, ""), "within its header"},
      {"header cut", preamble(1, 118, good.substr(0, 20)), "within its header"},
      {"header of 4 GiB", preamble(2, 0xffffffff, good), "at most"},
      {"header of 1 MiB", preamble(3, 1 << 20, good), "at most"},
      {"header of 0", preamble(1, 0, ""), "not a dict"},
      {"header of spaces", npy("          \n", 0), "not a dict"},
      {"a list", npy("[1, 2]\n", 0), "not a dict"},
      {"empty dict", npy("{}\n", 0), "lacks"},
      {"dict cut", npy("{'descr': '<f4', ", 24), "expected a string"},
      {"unclosed string", npy("{'descr", 24), "does not end"},
      {"no colon", npy("{'descr' '<f4'}", 24), "':'"},
      {"no comma", npy("{'descr': '<f4' 'shape': (2, 3)}", 24), "','"},
      {"no descr", npy("{'fortran_order': False, 'shape': (2, 3)}", 24), "lacks"},
      {"no order", npy("{'descr': '<f4', 'shape': (2, 3)}", 24), "lacks"},
      {"no shape", npy("{'descr': '<f4', 'fortran_order': False}", 24), "lacks"},
      {"twice", npy("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}", 24), "twice"},
      {"another key", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'x': 1}", 24), "key other"},
      {"key not a string", npy("{descr: '<f4'}", 24), "expected a string"},
      {"escape", npy("{'desc\\x72': '<f4'}", 24), "escape"},
      {"text after", npy(dict("'<f4'", "False", "(2, 3)") + "import os\n", 24), "after"},
      {"second dict", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}{}", 24), "after"},
      {"big endian", npy(dict("'>f4'", "False", "(2, 3)"), 24), "big endian"},
      {"objects", npy(dict("'|O'", "False", "(2, 3)"), 48), "Python objects"},
      {"structured", npy(dict("[('x', '<f4')]", "False", "(2, 3)"), 24), "structured"},
      {"complex", npy(dict("'<c8'", "False", "(2, 3)"), 48), "<c8"},
      {"text type", npy(dict("'<U4'", "False", "(2, 3)"), 96), "<U4"},
      {"uint32", npy(dict("'<u4'", "False", "(2, 3)"), 24), "<u4"},
      {"native order", npy(dict("'=f4'", "False", "(2, 3)"), 24), "=f4"},
      {"empty type", npy(dict("''", "False", "(2, 3)"), 24), "''"},
      {"type is a number", npy(dict("4", "False", "(2, 3)"), 24), "expected a string"},
      {"type with control characters", npy(dict("'\x1b[2J'", "False", "(2, 3)"), 24), "not text"},
      {"order is 0", npy(dict("'<f4'", "0", "(2, 3)"), 24), "neither"},
      {"order is null", npy(dict("'<f4'", "None", "(2, 3)"), 24), "neither"},
      {"order is Falsey", npy(dict("'<f4'", "Falsey", "(2, 3)"), 24), "','"},
      {"shape is a list", npy(dict("'<f4'", "False", "[2, 3]"), 24), "tuple"},
      {"shape is a number", npy(dict("'<f4'", "False", "6"), 24), "tuple"},
      {"shape in parentheses", npy(dict("'<f4'", "False", "(6)"), 24), "tuple"},
      {"shape cut", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, ", 24), "not a number"},
      {"negative extent", npy(dict("'<f4'", "False", "(-2, 3)"), 24), "not a number"},
      {"float extent", npy(dict("'<f4'", "False", "(2.0, 3)"), 24), "','"},
      {"octal extent", npy(dict("'<f4'", "False", "(02, 3)"), 24), "not a number"},
      {"hexadecimal extent", npy(dict("'<f4'", "False", "(0x2, 3)"), 24), "','"},
      {"no extent", npy(dict("'<f4'", "False", "(, 3)"), 24), "not a number"},
      {"two commas", npy(dict("'<f4'", "False", "(2,, 3)"), 24), "not a number"},
      {"extents without comma", npy(dict("'<f4'", "False", "(2 3)"), 24), "','"},
      {"extent of 64 bits", npy(dict("'<f4'", "False", "(9223372036854775808,)"), 24), "63 bits"},
      {"extent of 100 digits", npy(dict("'<f4'", "False", "(" + std::string(100, '9') + ",)"), 24), "63 bits"},
      {"product of extents", npy(dict("'<f4'", "False", "(4294967296, 4294967296)"), 24), "63 bits"},
      {"product beside a zero", npy(dict("'<f4'", "False", "(4294967296, 0, 4294967296)"), 0), "63 bits"},
      {"product of bytes", npy(dict("'<f8'", "False", "(2305843009213693952,)"), 24), "63 bits"},
      {"33 axes",
       npy(dict(
               "'<f4'", "False",
               "(" +
                   [] {
                     std::string s;
                     for (int n = 0; n < 33; ++n)
                       s += "1, ";
                     return s;
                   }() +
                   ")"),
           4),
       "axes"},
      {"no data", npy(good, 0), "24 bytes"},
      {"data cut", npy(good, 23), "24 bytes"},
      {"data too long", npy(good, 25), "24 bytes"},
      {"promises a terabyte", npy(dict("'<f4'", "False", "(262144, 1048576)"), 24), "bytes of data"},
      {"data in an empty array", npy(dict("'<f4'", "False", "(0, 3)"), 4), "0 bytes"},
      {"zero bytes in the header", npy(std::string(64, '\0'), 0), "not a dict"},
  };
  return table;
}

} // namespace

TEST(Npy, Refused) {
  for (const Bad &bad : malformed()) {
    const std::string what = parse(bad.bytes);
    EXPECT_TRUE(!what.empty() && what.find(bad.says) != std::string::npos) << std::string(bad.name) + " (" + what + ")";
    EXPECT_TRUE(what.find('\n') == std::string::npos) << bad.name;
  }
  // Every truncation of a good file, and every byte of it changed to every of a few values: an answer, never a crash.
  const std::string good = npy(dict("'<f4'", "False", "(2, 3)"), 24);
  bool allRefused = true;
  for (size_t n = 0; n < good.size(); ++n)
    allRefused &= !parse(good.substr(0, n)).empty();
  EXPECT_TRUE(allRefused);
  int accepted = 0;
  for (size_t n = 0; n + 24 < good.size(); ++n)
    for (int value = 0; value < 256; ++value) {
      std::string changed = good;
      changed[n] = char(value);
      accepted += parse(changed).empty();
    }
  EXPECT_TRUE(accepted > 0); // the byte itself, white space, another type of four bytes
}

TEST(Npy, Accepted) {
  NpyHeader h;
  for (unsigned major : {1u, 2u, 3u}) {
    EXPECT_TRUE(parse(npy(dict("'<f4'", "False", "(2, 3)"), 24, major), &h).empty());
    EXPECT_TRUE(h.element == Element::F32 && h.shape == std::vector<int64_t>({2, 3}) &&
                h.strides == std::vector<int64_t>({3, 1}));
    EXPECT_TRUE(h.dataBytes == 24 && !h.fortranOrder);
  }
  EXPECT_TRUE(parse(npy(dict("\"<f8\"", "True", "(2, 3, 4)"), 192), &h).empty());
  EXPECT_TRUE(h.fortranOrder && h.strides == std::vector<int64_t>({1, 2, 6}));
  EXPECT_TRUE(parse(npy("{'shape':(5,),'descr':'|b1','fortran_order':False}", 5), &h).empty() &&
              h.element == Element::I1);
  EXPECT_TRUE(parse(npy(dict("'<u2'", "False", "()"), 2), &h).empty() && h.shape.empty() && h.element == Element::BF16);
  EXPECT_TRUE(parse(npy(dict("'|u1'", "False", "(2, 3)"), 6), &h).empty() && h.dataBytes == 6); // bits of 8-bit floats
  EXPECT_TRUE(parse(npy(dict("'<i8'", "False", "(7, 0, 2)"), 0), &h).empty() &&
              h.strides == std::vector<int64_t>({2, 2, 1}));
}

TEST(Npy, Files) {
  llvm::SmallString<128> path;
  EXPECT_TRUE(!llvm::sys::fs::createTemporaryFile("attn-npy", "npy", path));
  const std::string name(path.str());
  for (Element e : {Element::F64, Element::F32, Element::F16, Element::BF16, Element::F8E4M3FN, Element::I64,
                    Element::I32, Element::I8, Element::I1})
    for (const std::vector<int64_t> &shape : {std::vector<int64_t>{2, 3}, {6}, {}, {0, 5}, {1, 2, 3, 4, 5, 6}}) {
      int64_t count = 1;
      for (int64_t n : shape)
        count *= n;
      std::string data(size_t(count * bytesOf(e)), '\1');
      EXPECT_TRUE(!writeNpy(name, e, shape, data.data()));
      auto back = readNpy(name, 1 << 20);
      EXPECT_TRUE(bool(back)) << nameOf(e);
      if (!back) {
        llvm::consumeError(back.takeError());
        continue;
      }
      EXPECT_TRUE(back->header.element == e && back->header.shape == shape && back->header.dataOffset % 64 == 0);
      EXPECT_TRUE(!std::memcmp(back->data.data(), data.data(), data.size()));
    }
  auto refused = [](llvm::Expected<NpyArray> a, const char *says) {
    return !a && llvm::toString(a.takeError()).find(says) != std::string::npos;
  };
  const std::vector<char> zeros(4000);
  EXPECT_TRUE(!writeNpy(name, Element::F32, {1000}, zeros.data()));
  EXPECT_TRUE(refused(readNpy(name, 3999), "max-bytes"));
  std::filesystem::resize_file(name, 200);
  EXPECT_TRUE(refused(readNpy(name, 1 << 20), "the file has"));
  EXPECT_TRUE(refused(readNpy(name + ".none", 1), "No such file"));
  EXPECT_TRUE(refused(readNpy("/", 1), "directory"));
  EXPECT_TRUE(refused(readNpy("/dev/zero", 1), "regular"));
  EXPECT_TRUE(bool(writeNpy("/nowhere/x.npy", Element::F32, {}, zeros.data())));
  llvm::sys::fs::remove(name);
}
