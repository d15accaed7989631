#include "Simulate.h"
#include "Failure.h"

#include <cstring>

using namespace attn;
using namespace attn::run;
using llvm::Error;

llvm::Expected<std::unique_ptr<Simulation>> Simulation::create(const attn_gpu_info &info, uint64_t seed) {
  std::unique_ptr<Simulation> s(new Simulation(info, seed));
  const attn_gpu_info &code = info.n_steps ? *info.steps[0].kernel : info;
  for (const attn_gpu_image *image = code.images; image && image->data; ++image) {
    if (!image->is_ptx)
      continue;
    try {
      s->module = sim::parseModule(std::string_view(static_cast<const char *>(image->data), image->bytes - 1));
    } catch (const std::exception &e) {
      return fail(ExitInternal, "the simulator does not take the kernel's PTX: {}", e.what());
    }
    return std::move(s);
  }
  return fail(ExitInternal, "the kernel has no PTX");
}

/// The bytes that the elements of a tensor lie in.
static uint64_t bytesOf(const attn_arg_info &arg, const int64_t *shape, const int64_t *stride) {
  uint64_t last = 0;
  for (int32_t axis = 0; axis < arg.rank; ++axis) {
    if (!shape[axis])
      return 0;
    last += uint64_t(shape[axis] - 1) * uint64_t(stride[axis]);
  }
  return (last + 1) * (arg.bits / 8);
}

/// What a main phase counted since the last one (attn_gpu.h).
void Simulation::countBlocks(const attn_gpu_launch &launch, int64_t *status) {
  const attn_gpu_variant_info &variant = launch.info->variants[launch.variant];
  if (launch.phase->kind != ATTN_GPU_MAIN || !variant.block_keys)
    return;
  const attn_kernel_info &kernel = *launch.info->kernel;
  int64_t keys = 0, members = 1;
  for (int32_t d = 0; d < kernel.n_dims; ++d) {
    const attn_dim_info &dim = kernel.dims[d];
    if (dim.kind == ATTN_DIM_KEY)
      keys = launch.words[d];
    if (dim.kind == ATTN_DIM_BATCH && launch.phase->together)
      members *= dim.share > 0 ? dim.share : launch.words[d];
  }
  const int64_t ctas =
      int64_t(launch.grid) / (std::max(launch.phase->chunks, 1) * int64_t(std::max(launch.phase->slices, 1)));
  const int64_t all = ctas * ((keys + variant.block_keys - 1) / variant.block_keys);
  counted.blocksFull += status[4];
  counted.blocksPartial += status[5];
  counted.blocksSkipped += all - status[4] - status[5];
  counted.blockRows = launch.phase->block;
  counted.blockKeys = variant.block_keys;
  counted.blockQueries = std::max<int64_t>(1, launch.phase->block / members);
  status[4] = status[5] = 0;
}

attn_status Simulation::launch(const attn_gpu_launch &launch, const attn_call &call) {
  const attn_kernel_info &kernel = *launch.info->kernel;
  std::vector<sim::Argument> arguments;
  const int64_t *words = launch.words + kernel.n_dims;
  std::vector<uint8_t *> homes;
  for (int32_t n = 0; n < kernel.n_args; ++n) {
    const attn_arg_info &info = kernel.args[n];
    auto *data = static_cast<uint8_t *>(launch.pointers[n]);
    sim::Argument a;
    a.name = info.name;
    const uint64_t bytes = bytesOf(info, words, words + info.rank);
    words += 2 * info.rank;
    a.isBuffer = data && bytes;
    if (a.isBuffer) {
      a.data.assign(data, data + bytes);
      a.readOnly = info.role == ATTN_ARG_INPUT;
      a.defined = a.readOnly;
    } else {
      a.value.assign(8, 0);
    }
    homes.push_back(data);
    arguments.push_back(std::move(a));
  }
  auto *workspace = static_cast<uint8_t *>(launch.pointers[kernel.n_args]);
  if (launch.phase == launch.info->variants[launch.variant].phases) {
    std::memset(workspace, 0, 64); // the status words
    reinterpret_cast<int64_t *>(workspace)[6] = 1;
  }
  sim::Argument all;
  all.name = "workspace";
  all.isBuffer = true;
  all.data.assign(workspace, static_cast<uint8_t *>(call.workspace) + call.workspace_bytes);
  arguments.push_back(std::move(all));
  sim::Argument byValue;
  byValue.name = "words";
  byValue.value.resize(std::max(launch.n_words, 1) * sizeof(int64_t));
  std::memcpy(byValue.value.data(), launch.words, size_t(launch.n_words) * sizeof(int64_t));
  arguments.push_back(std::move(byValue));

  sim::LaunchOptions options;
  options.grid = {launch.grid, 1, 1};
  options.block = {uint32_t(launch.phase->threads), 1, 1};
  options.sharedBytes = uint32_t(launch.phase->shared_bytes);
  options.seed = seed; // one device for all launches
  sim::Report report;
  try {
    report = sim::launch(module, launch.phase->entry, arguments, options);
  } catch (const std::exception &e) {
    trouble = fmt::format("{}: {}", launch.phase->entry, e.what());
    return ATTN_E_ARGUMENT;
  }
  // The workspace first: temporaries lie in it and are arguments too.
  std::memcpy(workspace, arguments[size_t(kernel.n_args)].data.data(), arguments[size_t(kernel.n_args)].data.size());
  for (int32_t n = 0; n < kernel.n_args; ++n) {
    const sim::Argument &a = arguments[size_t(n)];
    if (!a.isBuffer || a.readOnly)
      continue;
    for (size_t byte = 0; byte < a.data.size(); ++byte)
      if (byte >= a.poison.size() || !a.poison[byte])
        homes[size_t(n)][byte] = a.data[byte];
  }
  countBlocks(launch, reinterpret_cast<int64_t *>(workspace));
  ++counted.launches;
  counted.ctas += int64_t(report.ctas);
  counted.instructions += int64_t(report.steps);
  for (const auto &[opcode, count] : report.instructions)
    if (opcode.rfind("mma.", 0) == 0)
      counted.tensorInstructions += int64_t(count);
  for (const sim::SiteCounters &site : report.sites) {
    counted.bankConflicts += int64_t(site.wavefronts - std::min(site.wavefronts, site.idealWavefronts));
    counted.sectors += int64_t(site.sectors);
    counted.idealSectors += int64_t(site.idealSectors);
  }
  if (!report.clean()) {
    trouble = fmt::format("{}: {} findings, the first: {}", launch.phase->entry, report.findings.size(),
                          sim::describe(report.findings.front(), ptxName));
    return ATTN_E_ARGUMENT;
  }
  return ATTN_OK;
}

Error Simulation::run(const attn_call &call, attn_status &status) {
  struct Context {
    Simulation *simulation;
    const attn_call *call;
  } context{this, &call};
  counted = {};
  trouble.clear();
  status = attn_gpu_plan(
      &call, &info,
      [](void *c, const attn_gpu_launch *launch) {
        auto *context = static_cast<Context *>(c);
        return context->simulation->launch(*launch, *context->call);
      },
      &context);
  if (!trouble.empty())
    return fail(ExitCheckFailed, "the simulator found that {}", trouble);
  if (status == ATTN_OK)
    status = attn_gpu_faults(
        &call, &info,
        [](void *, void *to, const void *from, uint64_t bytes) {
          std::memcpy(to, from, bytes);
          return attn_status(ATTN_OK);
        },
        nullptr);
  return Error::success();
}
