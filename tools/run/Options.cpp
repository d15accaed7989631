// Parsing of the command line: a table of options, each with what it does with its value.
#include "Options.h"
#include "Failure.h"

#include "Picture.h"
#include "attn/Compiler/Compiler.h"

#include "llvm/ADT/StringRef.h"

#include <cmath>
#include <functional>

using namespace attn;
using namespace attn::run;
using llvm::Error;
using llvm::StringRef;

const char *const attn::run::usageText = R"(usage: attn-run FILE [options]

Compiles the attention program in FILE, runs it, and says what came out.

  --input NAME=FILE.npy    a tensor argument; what is not given is made from the seed
  --param NAME=VALUE       a scalar argument
  --size NAME=N            extent of a dimension of dims(); n: of both token axes; TENSOR.AXIS: of a free axis
  --save NAME=FILE.npy     writes a result
  --expect NAME=FILE.npy   compares a result with the file
  --tolerance X            largest absolute difference for --expect (default: 1e-5; 16-bit results 1e-2)
  --kernel NAME            which kernel of FILE
  --check                  compares with the f64 interpreter by the error rule
  --bench                  times the kernel against a peak loop of fused multiply-adds
  --rounds N               at least so many rounds of --bench (default: 30)
  --explain                a map of full (#), partial (+) and skipped (.) blocks, the variant chosen and why, and the
                           mask as a graph: does some token reach all, in how many layers, who hears of how much when
  --picture FILE           the mask of the first batch, as .svg, .png or .txt; alone, nothing is compiled or run
  --json                   one object on standard output instead of text
  --threads N              worker threads (default: 1)
  --seed S                 of everything random (default: 0)
  --dtype T                rewrites the program's f32 operands: f32 f64 bf16 f16
  --logits CLASS           of made inputs: normal rising falling ties huge spikes steep
  --block-rows N, --block-keys N    schedule block sizes (default: chosen)
  --split-keys N           chunks of the keys that are tasks of their own, for any size (default: chosen)
  --variant V              forces a variant, by name or number
  --target T               x86-64-v2, x86-64-v3, x86-64-v4, x86-64-v4-bf16, x86-64-v4-amx, several by commas, or native, that
                           of this CPU (default: native, or what ATTN_TARGET in the environment names)
  --f32-products P         of GPUs: split (default), each f32 into three bf16, or tf32, rounded to 11 significant bits
  --max-bytes N            refuses problems whose tensors need more (default: 8 GiB)
  --timeout SECONDS        gives up with exit code 124

A bf16 tensor is a .npy file of uint16 with its bits. An option's value may follow after a space or '='.
Exit codes: 0 ok, 1 bad input, 2 usage, 3 unsupported on this target, 4 toolchain missing,
5 check failed, 70 internal, 124 timeout.
)";

static const char *const logitNames[] = {"normal", "rising", "falling", "ties", "huge", "spikes", "steep"};
const char *attn::run::nameOf(Logits logits) { return logitNames[int(logits)]; }

namespace {

using Setter = std::function<Error(StringRef)>;
struct Option {
  const char *name;
  bool hasValue;
  Setter set;
};

class Parser {
public:
  Parser() { addOptions(); }

  llvm::Expected<Options> run(const std::vector<std::string> &args) {
    for (size_t n = 0; n < args.size(); ++n)
      if (Error e = argument(args, n))
        return std::move(e);
    if (options.help)
      return options;
    if (options.file.empty())
      return fail(ExitUsage, "no program; say attn-run FILE [options], or attn-run --help");
    if (options.target.empty())
      options.target = defaultTarget();
    // By its name, which costs are found by and reports say.
    if (options.target == "native" && !nativeTarget().empty())
      options.target = nativeTarget().str();
    return options;
  }

private:
  void addOptions() {
    auto flag = [&](const char *name, bool &to) {
      table.push_back({name, false, [&to](StringRef) { return to = true, Error::success(); }});
    };
    auto text = [&](const char *name, std::string &to) {
      table.push_back({name, true, [&to](StringRef v) { return to = v.str(), Error::success(); }});
    };
    auto number = [&](const char *name, auto &to, int64_t least, int64_t most) {
      table.push_back({name, true, [&to, name, least, most](StringRef v) -> Error {
                         auto n = integer(name, v, least, most);
                         if (!n)
                           return n.takeError();
                         to = std::decay_t<decltype(to)>(*n);
                         return Error::success();
                       }});
    };
    auto real = [&](const char *name, std::optional<double> &to) {
      table.push_back({name, true, [&to, name](StringRef v) -> Error {
                         double x;
                         if (v.getAsDouble(x) || !std::isfinite(x) || x < 0)
                           return fail(ExitUsage, "{} takes a number that is not negative, not '{}'", name, v.str());
                         to = x;
                         return Error::success();
                       }});
    };
    auto pairs = [&](const char *name, std::vector<Assignment> &to) {
      table.push_back({name, true, [&to, name](StringRef v) -> Error {
                         auto [key, value] = v.split('=');
                         if (key.empty() || value.empty())
                           return fail(ExitUsage, "{} takes NAME=VALUE, not '{}'", name, v.str());
                         for (const Assignment &a : to)
                           if (a.name == key)
                             return fail(ExitUsage, "{} {} is given twice; leave one out", name, key.str());
                         to.push_back({key.str(), value.str()});
                         return Error::success();
                       }});
    };
    pairs("--input", options.inputs);
    pairs("--expect", options.expects);
    pairs("--save", options.saves);
    pairs("--param", options.params);
    table.push_back({"--size", true, [this](StringRef v) { return size(v); }});
    table.push_back({"--picture", true, [this](StringRef v) -> Error {
                       if (!isPicture(v))
                         return fail(ExitUsage, "--picture takes a file that ends in .svg, .png or .txt, not '{}'",
                                     v.str());
                       options.pictures.push_back(v.str());
                       return Error::success();
                     }});
    text("--kernel", options.kernel);
    text("--variant", options.variant);
    text("--target", options.target);
    text("--token-order", options.tokenOrder);
    text("--f32-products", options.f32Products);
    flag("--check", options.check);
    flag("--bench", options.bench);
    flag("--json", options.json);
    flag("--explain", options.explain);
    flag("--help", options.help);
    flag("-h", options.help);
    number("--threads", options.threads, 1, 1024);
    number("--seed", options.seed, 0, INT64_MAX);
    number("--block-rows", options.blockRows, 1, INT32_MAX);
    number("--block-keys", options.blockKeys, 1, INT32_MAX);
    number("--split-keys", options.splitKeys, 1, INT32_MAX);
    number("--max-bytes", options.maxBytes, 0, INT64_MAX);
    number("--rounds", options.rounds, 1, 1000000);
    real("--timeout", options.timeout);
    real("--tolerance", options.tolerance);
    table.push_back({"--dtype", true, [this](StringRef v) -> Error {
                       for (Element e : {Element::F32, Element::F64, Element::BF16, Element::F16})
                         if (v == attn::nameOf(e)) {
                           options.dtype = e;
                           return Error::success();
                         }
                       return fail(ExitUsage, "--dtype is one of f32, f64, bf16, f16, not '{}'", v.str());
                     }});
    table.push_back({"--logits", true, [this](StringRef v) -> Error {
                       for (int n = 0; n < int(std::size(logitNames)); ++n)
                         if (v == logitNames[n]) {
                           options.logits = Logits(n);
                           return Error::success();
                         }
                       return fail(ExitUsage,
                                   "--logits is one of normal, rising, falling, ties, huge, spikes, steep, not '{}'",
                                   v.str());
                     }});
  }

  static llvm::Expected<int64_t> integer(const std::string &what, StringRef v, int64_t least, int64_t most) {
    int64_t n;
    if (v.getAsInteger(10, n) || n < least || n > most)
      return fail(ExitUsage, "{} takes an integer from {} to {}, not '{}'", what, least, most, v.str());
    return n;
  }

  Error size(StringRef v) {
    auto [key, value] = v.split('=');
    if (key.empty() || value.empty())
      return fail(ExitUsage, "--size takes NAME=N, not '{}'", v.str());
    for (auto &other : options.sizes)
      if (other.first == key)
        return fail(ExitUsage, "--size {} is given twice; leave one out", key.str());
    auto n = integer("--size " + key.str(), value, 0, INT64_MAX);
    if (!n)
      return n.takeError();
    options.sizes.emplace_back(key.str(), *n);
    return Error::success();
  }

  Error argument(const std::vector<std::string> &args, size_t &n) {
    const StringRef arg = args[n];
    if (!arg.starts_with("-") || arg == "-") {
      if (!options.file.empty())
        return fail(ExitUsage, "one program at a time; '{}' comes after '{}'", arg.str(), options.file);
      options.file = arg.str();
      return Error::success();
    }
    auto [name, value] = arg.split('=');
    for (const Option &option : table) {
      if (name != option.name)
        continue;
      const bool attached = arg.contains('=');
      if (!option.hasValue)
        return attached ? fail(ExitUsage, "{} takes no value", name.str()) : option.set({});
      if (!attached) {
        if (n + 1 == args.size())
          return fail(ExitUsage, "{} needs a value", name.str());
        value = args[++n];
      }
      return option.set(value);
    }
    return unknown(name);
  }

  Error unknown(StringRef name) {
    const Option *nearest = nullptr;
    unsigned best = 4; // further away it is no slip of the hand
    for (const Option &option : table)
      if (unsigned d = name.edit_distance(option.name); d < best) {
        best = d;
        nearest = &option;
      }
    if (nearest)
      return fail(ExitUsage, "unknown option '{}'; did you mean {}?", name.str(), nearest->name);
    return fail(ExitUsage, "unknown option '{}'; attn-run --help lists them", name.str());
  }

  Options options;
  std::vector<Option> table;
};

} // namespace

llvm::Expected<Options> attn::run::parseOptions(const std::vector<std::string> &args) { return Parser().run(args); }
