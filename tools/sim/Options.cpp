// attn-sim's command line.
#include "Options.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

using namespace attn;
using namespace attn::simtool;

const char *const attn::simtool::usageText =
    R"(attn-sim kernel.ptx [options]: runs a PTX kernel on the host and reports races, poison, bounds, deadlocks and counters.

  --kernel NAME           which kernel (default: the only one)
  --list                  the kernels and their parameters, nothing runs
  --grid X[,Y[,Z]]        CTAs (default 1)
  --block X[,Y[,Z]]       threads of a CTA (default: .reqntid, else 32)
  --shared BYTES          dynamic shared memory
  --arg A                 the next parameter, in order:
                            u32:7 i32:-7 u64:7 i64:7 f32:1.5 f64:1.5 f16:1 bf16:1 u16:7 u8:7     a value
                            bytes:00ff10..                       a value of any size, in memory order
                            in.npy                               a buffer that is only read
                            inout:a.npy=b.npy                    read from a.npy, written, saved as b.npy
                            out:f32:2x64=o.npy                   a buffer without contents, saved as o.npy (no =FILE: not saved)
                          Types of outputs: f64 f32 f16 bf16 i64 i32 i8. A bf16 file is numpy's uint16.
  --seed N                order of warps, approximations, orders of sums (default 1)
  --async WHEN            earliest, latest or random: when asynchronous copies read their source (default random)
  --no-races              skips the race detector (faster)
  --resident N            CTAs that run interleaved (default 4); kernels whose CTAs wait for each other need them all
  --max-steps N           instructions of warps before a launch is called endless (default 2^32)
  --report FILE           findings and counters as JSON; - for standard output
  --quiet                 no summary

Exit status: 0 clean, 1 something was found, 2 wrong usage, a parse error or an instruction that is not simulated.

Examples:
  attn-sim saxpy.ptx --grid 4 --block 256 --arg i32:1000 --arg f32:2 --arg x.npy --arg inout:y.npy=z.npy
  attn-sim gemm.ptx --kernel gemm --grid 2,2 --block 128 --shared 49152 --arg a.npy --arg b.npy --arg out:f32:128x128=c.npy --report -
)";

namespace {

bool parseUnsigned(const std::string &text, uint64_t &value) {
  char *end;
  errno = 0;
  value = strtoull(text.c_str(), &end, 0);
  return !text.empty() && isdigit(uint8_t(text[0])) && !*end && !errno;
}

bool parseTriple(const std::string &text, std::array<uint32_t, 3> &triple) {
  triple = {1, 1, 1};
  size_t at = 0;
  for (size_t n = 0; n < 3; ++n) {
    const size_t comma = text.find(',', at);
    uint64_t v;
    if (!parseUnsigned(text.substr(at, comma == std::string::npos ? comma : comma - at), v) || !v || v > UINT32_MAX)
      return false;
    triple[n] = uint32_t(v);
    if (comma == std::string::npos)
      return true;
    at = comma + 1;
  }
  return false;
}

template <typename T> std::vector<uint8_t> bytesOfValue(T value) {
  std::vector<uint8_t> bytes(sizeof(T));
  memcpy(bytes.data(), &value, sizeof(T));
  return bytes;
}

/// A value of "u32:7"; false if `text` is none.
bool parseScalar(const std::string &text, std::vector<uint8_t> &bytes, std::string &error) {
  const size_t colon = text.find(':');
  const std::string type = text.substr(0, colon), value = colon == std::string::npos ? "" : text.substr(colon + 1);
  char *end = nullptr;
  if (type == "bytes") {
    if (value.size() % 2 || value.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos || value.empty())
      return error = fmt::format("--arg {}: bytes are pairs of hexadecimal digits", text), false;
    for (size_t n = 0; n < value.size(); n += 2)
      bytes.push_back(uint8_t(strtoul(value.substr(n, 2).c_str(), nullptr, 16)));
    return true;
  }
  if (type == "f64" || type == "f32" || type == "f16" || type == "bf16") {
    const double x = strtod(value.c_str(), &end);
    if (value.empty() || *end)
      return error = fmt::format("--arg {}: '{}' is no number", text, value), false;
    bytes = type == "f64"   ? bytesOfValue(x)
            : type == "f32" ? bytesOfValue(float(x))
                            : bytesOfValue(type == "f16" ? toF16(x) : toBF16(x));
    return true;
  }
  const unsigned width = type.size() > 1 && (type[0] == 'u' || type[0] == 'i') ? unsigned(atoi(type.c_str() + 1)) : 0;
  if (width != 8 && width != 16 && width != 32 && width != 64)
    return error = fmt::format("--arg {}: neither a value (u32:7, f32:1.5, ...), a .npy file, nor out: or inout:; "
                               "--help shows the forms",
                               text),
           false;
  errno = 0;
  const uint64_t bits = type[0] == 'u' ? strtoull(value.c_str(), &end, 0) : uint64_t(strtoll(value.c_str(), &end, 0));
  const bool fits =
      width == 64 ||
      (type[0] == 'u' ? bits >> width == 0 : int64_t(bits) >> (width - 1) == 0 || int64_t(bits) >> (width - 1) == -1);
  if (value.empty() || *end || errno || !fits || (type[0] == 'u' && value[0] == '-'))
    return error = fmt::format("--arg {}: '{}' is no {}-bit integer", text, value, width), false;
  bytes = bytesOfValue(bits);
  bytes.resize(width / 8);
  return true;
}

bool parseOutput(const std::string &text, ArgumentText &a, std::string &error) { // f32:2x64=o.npy
  const size_t colon = text.find(':'), equals = text.find('=');
  const std::string type = text.substr(0, colon),
                    shape = colon == std::string::npos
                                ? ""
                                : text.substr(colon + 1, equals == std::string::npos ? equals : equals - colon - 1);
  bool known = false;
  for (Element e : {Element::F64, Element::F32, Element::F16, Element::BF16, Element::I64, Element::I32, Element::I8})
    if (type == nameOf(e))
      a.element = e, known = true;
  if (!known)
    return error = fmt::format("--arg out:{}: '{}' is no type of outputs (f64 f32 f16 bf16 i64 i32 i8)", text, type),
           false;
  size_t at = 0;
  uint64_t total = uint64_t(bytesOf(a.element));
  while (at <= shape.size()) {
    const size_t x = std::min(shape.find('x', at), shape.size());
    uint64_t extent;
    if (!parseUnsigned(shape.substr(at, x - at), extent) || !extent || extent > (uint64_t(1) << 32) / total)
      return error = fmt::format("--arg out:{}: '{}' is no shape such as 2x64 of at most 4 GiB", text, shape), false;
    total *= extent;
    a.shape.push_back(int64_t(extent));
    at = x + 1;
  }
  if (equals != std::string::npos)
    a.output = text.substr(equals + 1);
  return true;
}

bool parseArgument(const std::string &text, ArgumentText &a, std::string &error) {
  a.text = text;
  if (text.rfind("out:", 0) == 0) {
    a.kind = ArgumentText::Output;
    return parseOutput(text.substr(4), a, error);
  }
  if (text.rfind("inout:", 0) == 0) {
    a.kind = ArgumentText::InOut;
    const size_t equals = text.find('=');
    a.input = text.substr(6, equals == std::string::npos ? equals : equals - 6);
    a.output = equals == std::string::npos ? "" : text.substr(equals + 1);
    return true;
  }
  if (text.size() > 4 && text.compare(text.size() - 4, 4, ".npy") == 0) {
    a.kind = ArgumentText::Input;
    a.input = text;
    return true;
  }
  return parseScalar(text, a.value, error);
}

} // namespace

std::optional<Options> attn::simtool::parseOptions(const std::vector<std::string> &args, std::string &error) {
  Options o;
  o.launch.block = {0, 0, 0};
  for (size_t n = 0; n < args.size(); ++n) {
    std::string name = args[n], value;
    if (name == "--help" || name == "-h") {
      o.help = true;
      return o;
    }
    if (name == "--no-races") {
      o.launch.races = false;
      continue;
    }
    if (name == "--quiet") {
      o.quiet = true;
      continue;
    }
    if (name == "--list") {
      o.list = true;
      continue;
    }
    if (name.rfind("--", 0) != 0) {
      if (!o.file.empty())
        return error = fmt::format("two files: {} and {}", o.file, name), std::nullopt;
      o.file = name;
      continue;
    }
    bool known = false;
    for (const char *option : {"--kernel", "--grid", "--block", "--shared", "--arg", "--seed", "--async", "--max-steps",
                               "--resident", "--report"})
      known |= name == option;
    if (!known)
      return error = fmt::format("unknown option {}; --help shows them", name), std::nullopt;
    if (++n == args.size())
      return error = fmt::format("{} needs a value", name), std::nullopt;
    value = args[n];
    uint64_t number = 0;
    bool good = true;
    if (name == "--kernel") {
      o.kernel = value;
    } else if (name == "--grid") {
      good = parseTriple(value, o.launch.grid);
    } else if (name == "--block") {
      good = parseTriple(value, o.launch.block);
    } else if (name == "--shared") {
      good = parseUnsigned(value, number) && number <= UINT32_MAX;
      o.launch.sharedBytes = uint32_t(number);
    } else if (name == "--seed") {
      good = parseUnsigned(value, o.launch.seed);
    } else if (name == "--max-steps") {
      good = parseUnsigned(value, o.launch.maxSteps);
    } else if (name == "--resident") {
      good = parseUnsigned(value, number) && number && number <= 1024;
      o.launch.residentCtas = uint32_t(number);
    } else if (name == "--async") {
      good = value == "earliest" || value == "latest" || value == "random";
      o.launch.async = value == "earliest" ? sim::AsyncTime::Earliest
                       : value == "latest" ? sim::AsyncTime::Latest
                                           : sim::AsyncTime::Random;
    } else if (name == "--report") {
      o.report = value;
    } else {
      o.arguments.emplace_back();
      if (!parseArgument(value, o.arguments.back(), error))
        return std::nullopt;
    }
    if (!good)
      return error = fmt::format("{} {}: no such value; --help shows the forms", name, value), std::nullopt;
  }
  if (o.file.empty())
    return error = "no file; attn-sim kernel.ptx, and --help shows more", std::nullopt;
  return o;
}
