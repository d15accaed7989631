// The header of .npy files: a strict parser of the one dict literal that numpy writes.
#include "attn/Support/Npy.h"

#include <fmt/format.h>

using namespace attn;
using llvm::StringRef;

namespace {

/// A cursor over the dict literal. The first thing that is wrong stays in `wrong`.
class DictParser {
public:
  DictParser(StringRef text, NpyHeader &header) : rest(text), header(header) {}

  bool run() {
    if (!take('{'))
      return fail("the header is not a dict literal");
    while (!take('}')) {
      if (!entry())
        return false;
      if (take(','))
        continue;
      if (take('}'))
        break;
      return fail("expected ',' or '}' in the header");
    }
    skip();
    if (!rest.empty())
      return fail("text after the header's '}'");
    if (!haveDescr || !haveOrder || !haveShape)
      return fail("the header lacks 'descr', 'fortran_order' or 'shape'");
    return true;
  }

  std::string wrong;

private:
  bool fail(std::string what) {
    if (wrong.empty())
      wrong = std::move(what);
    return false;
  }
  void skip() { rest = rest.ltrim(" \t\r\n"); }
  bool take(char c) {
    skip();
    return rest.consume_front(StringRef(&c, 1));
  }

  bool string(StringRef &value) {
    skip();
    if (rest.empty() || (rest.front() != '\'' && rest.front() != '"'))
      return fail("expected a string in the header");
    const size_t end = rest.find(rest.front(), 1);
    if (end == StringRef::npos)
      return fail("a string in the header does not end");
    value = rest.slice(1, end);
    rest = rest.drop_front(end + 1);
    return value.contains('\\') ? fail("a string in the header has an escape") : true;
  }

  bool entry() {
    StringRef key;
    if (!string(key))
      return false;
    if (!take(':'))
      return fail("expected ':' after a key of the header");
    auto once = [&](bool &have) {
      const bool fresh = !have;
      have = true;
      return fresh ? true : fail(fmt::format("the header has '{}' twice", key.str()));
    };
    if (key == "descr")
      return once(haveDescr) && descr();
    if (key == "fortran_order")
      return once(haveOrder) && order();
    if (key == "shape")
      return once(haveShape) && shape();
    return fail("the header has a key other than 'descr', 'fortran_order' and 'shape'");
  }

  bool descr() {
    skip();
    if (rest.starts_with("["))
      return fail("structured element types are not read");
    StringRef type;
    if (!string(type))
      return false;
    static const std::pair<const char *, Element> known[] = {
        {"<f8", Element::F64}, {"<f4", Element::F32}, {"<f2", Element::F16},     {"<u2", Element::BF16},
        {"<i8", Element::I64}, {"<i4", Element::I32}, {"|i1", Element::I8},      {"<i1", Element::I8},
        {"|b1", Element::I1},  {"<b1", Element::I1},  {"|u1", Element::F8E4M3FN}};
    for (auto [name, element] : known)
      if (type == name) {
        header.element = element;
        return true;
      }
    if (type.starts_with(">"))
      return fail("the data is big endian; convert it to little endian");
    if (type.ends_with("O"))
      return fail("the array holds Python objects, which are never read");
    for (char c : type)
      if (c < 0x20 || c > 0x7e)
        return fail("the element type is not text");
    return fail(
        fmt::format("element type '{}' is not read; there are <f8 <f4 <f2 <i8 <i4 |i1 |b1, <u2 for bf16 and |u1 for f8",
                    type.take_front(16).str()));
  }

  bool order() {
    skip();
    if (rest.consume_front("True"))
      header.fortranOrder = true;
    else if (!rest.consume_front("False"))
      return fail("'fortran_order' is neither True nor False");
    return true;
  }

  bool shape() {
    if (!take('('))
      return fail("'shape' is not a tuple");
    bool comma = true;
    while (!take(')')) {
      if (!comma)
        return fail("expected ',' in 'shape'");
      skip();
      const StringRef digits = rest.take_while([](char c) { return c >= '0' && c <= '9'; });
      int64_t extent;
      if (digits.empty() || (digits.size() > 1 && digits.front() == '0'))
        return fail("an extent in 'shape' is not a number");
      if (digits.getAsInteger(10, extent))
        return fail("an extent in 'shape' exceeds 63 bits");
      if (header.shape.size() == npyMaxRank)
        return fail(fmt::format("more than {} axes", npyMaxRank));
      header.shape.push_back(extent);
      rest = rest.drop_front(digits.size());
      comma = take(',');
    }
    return header.shape.size() == 1 && !comma ? fail("'shape' is a number in parentheses, not a tuple") : true;
  }

  StringRef rest;
  NpyHeader &header;
  bool haveDescr = false, haveOrder = false, haveShape = false;
};

llvm::Error error(std::string what) { return llvm::createStringError(std::move(what)); }

uint64_t littleEndian(StringRef bytes) {
  uint64_t value = 0;
  for (size_t n = bytes.size(); n--;)
    value = value << 8 | uint8_t(bytes[n]);
  return value;
}

/// Strides and the number of bytes, every product checked.
bool layOut(NpyHeader &h) {
  const int64_t rank = int64_t(h.shape.size());
  int64_t count = 1;
  bool empty = false;
  h.strides.assign(rank, 1);
  for (int64_t n = 0; n < rank; ++n) {
    const int64_t axis = h.fortranOrder ? n : rank - 1 - n;
    h.strides[axis] = count;
    empty |= h.shape[axis] == 0;
    // An axis without elements counts as one, so that strides are the same whatever is empty.
    if (__builtin_mul_overflow(count, h.shape[axis] ? h.shape[axis] : 1, &count))
      return false;
  }
  int64_t bytes;
  if (__builtin_mul_overflow(count, bytesOf(h.element), &bytes))
    return false;
  h.dataBytes = empty ? 0 : uint64_t(bytes);
  return true;
}

} // namespace

llvm::Expected<NpyHeader> attn::parseNpyHeader(StringRef start, uint64_t fileBytes) {
  if (start.empty())
    return error("the file is empty");
  if (!start.starts_with("\x93NUMPY"))
    return error("not a .npy file (it does not begin with \\x93NUMPY)");
  if (start.size() < 8)
    return error("the file ends within its version");
  const unsigned major = uint8_t(start[6]), minor = uint8_t(start[7]);
  if (major < 1 || major > 3 || minor != 0)
    return error(fmt::format("version {}.{} is not read; there are 1.0, 2.0 and 3.0", major, minor));
  const size_t lengthBytes = major == 1 ? 2 : 4;
  if (start.size() < 8 + lengthBytes)
    return error("the file ends within the length of its header");
  const uint64_t length = littleEndian(start.substr(8, lengthBytes));
  if (length > npyMaxHeader)
    return error(fmt::format("a header of {} bytes; at most {} are read", length, npyMaxHeader));
  NpyHeader header;
  header.dataOffset = 8 + lengthBytes + length;
  if (header.dataOffset > start.size() || header.dataOffset > fileBytes)
    return error("the file ends within its header");

  DictParser parser(start.substr(8 + lengthBytes, length), header);
  if (!parser.run())
    return error(std::move(parser.wrong));
  if (!layOut(header))
    return error("the extents in 'shape' multiply to more than 63 bits of bytes");
  const uint64_t have = fileBytes - header.dataOffset;
  if (have != header.dataBytes)
    return error(fmt::format("the header speaks of {} bytes of data, the file has {}", header.dataBytes, have));
  return header;
}

std::string attn::npyPreamble(Element element, llvm::ArrayRef<int64_t> shape) {
  static const char *const types[] = {"<f8", "<f4", "<f2", "<u2", "|u1", "|u1", "<i8", "<i4", "|i1", "|b1"};
  std::string tuple;
  for (int64_t n : shape)
    tuple += fmt::format("{}, ", n);
  if (shape.size() > 1)
    tuple.resize(tuple.size() - 2);
  else if (shape.size() == 1)
    tuple.pop_back(); // (3,)
  std::string dict =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", types[int(element)], tuple);
  dict.append(63 - (10 + dict.size()) % 64, ' ');
  dict += '\n';
  std::string out("\x93NUMPY\x01\x00", 8);
  out += char(dict.size() & 0xff);
  out += char(dict.size() >> 8);
  return out + dict;
}

const char *attn::numpyName(Element element) {
  static const char *const names[] = {"float64", "float32", "float16", "uint16", "uint8",
                                      "uint8",   "int64",   "int32",   "int8",   "bool"};
  return names[int(element)];
}
