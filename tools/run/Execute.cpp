// Calls and what their status means for the user.
#include "Execute.h"
#include "Failure.h"

using namespace attn;
using namespace attn::run;
using llvm::Error;

llvm::Expected<std::unique_ptr<Execution>> Execution::create(const Program &program, const Problem &problem,
                                                             const Options &options) {
  CompileOptions compileOptions;
  compileOptions.target = options.target;
  compileOptions.blockRows = options.blockRows;
  compileOptions.tokenOrder = options.tokenOrder;
  compileOptions.f32Products = options.f32Products;
  compileOptions.blockKeys = options.blockKeys;
  compileOptions.splitKeys = options.splitKeys;
  compileOptions.kernel = llvm::StringRef(const_cast<KernelOp &>(program.kernel).getSymName()).str();
  auto kernel = compile(program.source, compileOptions, options.file);
  if (!kernel)
    return kernel.takeError();
  std::unique_ptr<Execution> e(new Execution(std::move(*kernel), problem));
  e->args = problem.callArguments();
  e->params = problem.params();
  e->call.abi_version = ATTN_RT_ABI_VERSION;
  e->call.size = sizeof(attn_call);
  e->call.args = e->args.data();
  e->call.params = e->params.data();
  e->call.n_args = int32_t(e->args.size());
  e->call.n_params = int32_t(e->params.size());
  e->call.workers = options.threads;
  e->call.stats = &e->counters;
  e->call.error = &e->error;
  if (const attn_gpu_info *gpu = e->compiled.gpu()) {
    if (options.bench)
      return fail(ExitUnsupported,
                  "--bench: a kernel for GPUs runs in the simulator here, whose time says nothing about "
                  "a GPU's; scripts/gpu-check measures on one");
    auto simulation = Simulation::create(*gpu, options.seed);
    if (!simulation)
      return simulation.takeError();
    e->simulated = std::move(*simulation);
  }
  if (Error error = e->chooseVariant(options))
    return std::move(error);

  uint64_t bytes = 0;
  if (attn_status status = e->compiled.workspace(e->call, bytes))
    return e->describe(status);
  if (bytes > options.maxBytes - std::min(options.maxBytes, problem.bytes()))
    return fail(
        ExitBadInput,
        "the workspace needs {} bytes, more than --max-bytes {} leaves; choose smaller --size or fewer --threads",
        bytes, options.maxBytes);
  e->workspace = Buffer::allocate(bytes);
  if (!e->workspace.data())
    return fail(ExitBadInput, "no memory for {} bytes of workspace; choose smaller --size or fewer --threads", bytes);
  e->call.workspace = e->workspace.data();
  e->call.workspace_bytes = bytes;
  if (options.threads > 1 && !(e->threads = attn_pool_create(options.threads)))
    return fail(ExitBadInput, "{} threads cannot be started; choose fewer --threads", options.threads);
  e->call.pool = e->threads;
  return std::move(e);
}

Execution::~Execution() {
  if (threads)
    attn_pool_destroy(threads);
}

Error Execution::chooseVariant(const Options &options) {
  call.variant = -1;
  if (options.variant.empty())
    return Error::success();
  std::string names;
  std::vector<std::string> known = variantNames();
  for (size_t v = 0; v < known.size(); ++v) {
    if (options.variant == known[v] || options.variant == fmt::format("{}", v)) {
      call.variant = int32_t(v);
      return Error::success();
    }
    names += fmt::format("{}{} ({})", v ? ", " : "", known[v], v);
  }
  return fail(ExitBadInput, "--variant {}: no such variant; there is {}", options.variant, names);
}

/// In order; of a kernel of several steps those of the step that leads.
std::vector<std::string> Execution::variantNames() const {
  std::vector<std::string> names;
  if (const attn_gpu_info *gpu = compiled.gpu()) {
    for (int32_t step = 0; gpu->n_steps && step < compiled.gpu()->n_steps; ++step)
      if (compiled.gpu()->steps[step].kernel->n_variants > gpu->n_variants)
        gpu = compiled.gpu()->steps[step].kernel;
    for (int32_t v = 0; v < gpu->n_variants; ++v)
      names.push_back(gpu->variants[v].name);
    return names;
  }
  for (int32_t v = 0; v < compiled.info().n_variants; ++v)
    names.push_back(compiled.info().variants[v].name);
  return names;
}

Error Execution::run() {
  badIndexText.clear();
  attn_status status = ATTN_OK;
  if (!simulated) {
    status = compiled.run(call);
  } else {
    if (Error e = simulated->run(call, status))
      return e;
    const SimulatedWork &w = simulated->work();
    counters.blocks_full = w.blocksFull, counters.blocks_partial = w.blocksPartial;
    counters.blocks_skipped = w.blocksSkipped;
    counters.block_rows = w.blockRows, counters.block_keys = w.blockKeys;
    counters.tile_rows = w.blockRows ? 16 : 0, counters.tile_keys = w.blockRows ? 8 : 0; // an mma's
    counters.tiles = (w.blocksFull + w.blocksPartial) * (w.blockRows / 16) * (w.blockKeys / 8);
  }
  if (status == ATTN_OK)
    return Error::success();
  if (status != ATTN_E_INDEX)
    return describe(status);
  const attn_kernel_info &info = compiled.info();
  badIndexText =
      fmt::format("{}: index {} along axis {} of {} is out of bounds{}; mend the tensor that holds the index",
                  attn_status_name(status), error.found, error.axis,
                  error.arg >= 0 && error.arg < info.n_args ? info.args[error.arg].name : "a tensor",
                  error.expected > 0 ? fmt::format(" [0, {})", error.expected) : "");
  return Error::success();
}

/// "[1, 17]": the place of an element by its number in the order of the axes.
static std::string placeOf(const Tensor &t, int64_t n) {
  std::string text;
  for (size_t x = t.shape.size(); x--; n /= t.shape[x])
    text = fmt::format("{}{}{}", n % t.shape[x], text.empty() ? "" : ", ", text);
  return "[" + text + "]";
}

/// The runtime says what broke the promise; where it is, the first that fits, is for us to find.
Error Execution::describeFact() const {
  const Tensor &t = problem.tensors[size_t(error.arg)];
  const attn_arg_info &info = compiled.info().args[error.arg];
  const bool order = error.axis >= 0;
  auto element = [&](int64_t n) {
    int64_t offset = 0;
    for (size_t x = t.shape.size(); x--; n /= t.shape[x])
      offset += n % t.shape[x] * t.strides[x];
    return loadInteger(t.data.data(), t.element, offset);
  };
  int64_t n = order ? 1 : 0; // the first offender, in the runtime's order
  while (n < t.elements() &&
         (element(n) != error.found || (order && (n % t.shape.back() == 0 || element(n - 1) <= error.found))))
    ++n;
  const std::string promise =
      order ? fmt::format("comes after {}, but {{attn.sorted}} promises that its last axis ascends",
                          n < t.elements() ? element(n - 1) : error.expected)
            : fmt::format("lies outside of the promised {{attn.range = array<i64: {}, {}>}}", info.range_lo,
                          info.range_hi);
  return fail(t.isGiven ? ExitBadInput : ExitInternal,
              "{}{}: its value {} at {} {}; mend it or take the promise back ({})", t.isGiven ? "--input " : "", t.name,
              error.found, placeOf(t, n), promise, attn_status_name(ATTN_E_FACT));
}

Error Execution::describe(attn_status status) const {
  if (status == ATTN_E_FACT)
    return describeFact();
  const attn_kernel_info &info = compiled.info();
  std::string where;
  if (error.arg >= 0 && error.arg < info.n_args)
    where =
        fmt::format("{}{}: ", info.args[error.arg].name, error.axis >= 0 ? fmt::format(", axis {}", error.axis) : "");
  const std::string text = fmt::format("{}{} ({}; expected {}, found {})", where, attn_status_string(status),
                                       attn_status_name(status), error.expected, error.found);
  switch (status) {
  case ATTN_E_ISA:
    return fail(ExitUnsupported, "{}; compile with --target for this CPU", text);
  case ATTN_E_LENGTH:
  case ATTN_E_SHAPE:
  case ATTN_E_VARIANT:
  case ATTN_E_OVERFLOW:
  case ATTN_E_ALIAS:
  case ATTN_E_STRIDE:
    return fail(ExitBadInput, "{}", text);
  default: // what attn-run itself got wrong
    return fail(ExitInternal, "{}", text);
  }
}

std::string Execution::variantName() const {
  std::vector<std::string> names = variantNames();
  return counters.variant >= 0 && size_t(counters.variant) < names.size() ? names[size_t(counters.variant)] : "?";
}

std::vector<std::string> Execution::variantReasons() const {
  const attn_kernel_info &info = compiled.info();
  attn_task facts{};
  facts.args = args.data();
  facts.params = params.data();
  facts.extents = problem.extents.data();
  std::vector<std::string> reasons;
  auto taken = [&](int32_t v) {
    return v == call.variant ? ", forced" : v == counters.variant ? ", the first that may run" : "";
  };
  if (const attn_gpu_info *gpu = compiled.gpu()) { // of a kernel of several steps each has its own
    for (int32_t v = 0; v < gpu->n_variants; ++v) {
      const attn_gpu_variant_info &variant = gpu->variants[v];
      reasons.push_back(fmt::format(
          "{}: {}{}", variant.name,
          variant.min_keys ? fmt::format("from {} keys on, for at most {} CTAs", variant.min_keys, variant.max_ctas)
                           : "no guard",
          taken(v)));
    }
    return reasons;
  }
  for (int32_t v = 0; v < info.n_variants; ++v) {
    const attn_variant_info &variant = info.variants[v];
    const char *why = !variant.guard          ? "no guard"
                      : variant.guard(&facts) ? "its guard holds"
                                              : "its guard does not hold";
    reasons.push_back(fmt::format("{}: {}{}", variant.name, why, taken(v)));
  }
  return reasons;
}
