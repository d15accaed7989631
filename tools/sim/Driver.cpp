// libattn_simcuda: the part of NVIDIA's driver API that libattn_rt and gpu-check use, with the simulator for a GPU.
// Named by ATTN_LIBCUDA it lets a program that calls kernels for a GPU run, and be judged, where there is none.
//
// The device has a compute capability of its own, so that no cubin fits it and libattn_rt takes the PTX. Device memory
// is the host's. A launch runs to its end at once; whatever the simulator finds is printed and fails it with
// CUDA_ERROR_LAUNCH_FAILED, as every call after it does in that process.
//
// Each launch takes other liberties (what approximations give, in which order sums are made): ATTN_SIM_SEED=N has all
// of them take the same, so that what runs twice gives the same bits, as on a device.
//
//   a pointer among the parameters -> the rest of its allocation as a buffer; of a buffer what changed goes back
#include "attn/Sim/Launch.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>

using namespace attn;

namespace {

enum Result {
  Success = 0,
  InvalidValue = 1,
  OutOfMemory = 2,
  InvalidPtx = 218,
  NoBinary = 209,
  InvalidContext = 201,
  NotFound = 500,
  InvalidHandle = 400,
  LaunchFailed = 719
};

constexpr int capability = 99; // major
constexpr size_t alignment = 256;

struct LoadedModule {
  sim::Module module;
  std::map<std::string, std::unique_ptr<struct LoadedFunction>> functions;
};

struct LoadedFunction {
  LoadedModule *owner;
  std::string name;
  int shared = 48 << 10;
};

struct State {
  std::mutex mutex;
  std::map<uintptr_t, size_t> allocations; // address -> bytes
  bool failed = false;
  char context = 0; // its address is the CUcontext
  uint64_t launches = 0;
};

State &state() {
  static State s;
  return s;
}

using Clock = std::chrono::steady_clock;
using Guard = std::lock_guard<std::mutex>;
thread_local void *current;

int complain(int result, const std::string &what) {
  fmt::print(stderr, "libattn_simcuda: {}\n", what);
  return result;
}

/// The bytes from `address` to the end of its allocation, 0 if it is in none.
size_t bytesFrom(uintptr_t address) {
  auto &all = state().allocations;
  auto it = all.upper_bound(address);
  if (it == all.begin())
    return 0;
  --it;
  return address < it->first + it->second ? it->first + it->second - address : 0;
}

bool holds(uintptr_t address, size_t bytes) { return bytesFrom(address) >= bytes; }

struct Parameter {
  sim::Argument argument;
  uint8_t *memory = nullptr;
  std::vector<uint8_t> before;
};

Parameter makeParameter(const sim::Variable &variable, const void *value) {
  Parameter p;
  p.argument.name = variable.name;
  uint64_t address = 0;
  if (variable.bytes == 8)
    memcpy(&address, value, 8);
  const size_t rest = bytesFrom(address);
  const auto *bytes = static_cast<const uint8_t *>(value);
  if (!rest) {
    p.argument.value.assign(bytes, bytes + variable.bytes);
    return p;
  }
  p.memory = reinterpret_cast<uint8_t *>(address);
  p.argument.isBuffer = true;
  p.argument.data.assign(p.memory, p.memory + rest);
  p.before = p.argument.data;
  return p;
}

int simulate(const LoadedFunction &f, unsigned grid, unsigned threads, unsigned shared, void **values) {
  State &s = state();
  const sim::Function *entry = f.owner->module.findFunction(f.name);
  std::vector<Parameter> parameters;
  std::vector<sim::Argument> arguments;
  for (size_t n = 0; n < entry->params.size(); ++n) {
    parameters.push_back(makeParameter(entry->params[n], values[n]));
    arguments.push_back(parameters.back().argument);
  }
  sim::LaunchOptions options;
  options.grid = {grid, 1, 1};
  options.block = {threads, 1, 1};
  options.sharedBytes = shared;
  const char *seed = std::getenv("ATTN_SIM_SEED");
  options.seed = seed ? std::strtoull(seed, nullptr, 10) : ++s.launches;
  options.counters = false;
  const sim::Report report = sim::launch(f.owner->module, f.name, arguments, options);
  for (auto &finding : report.findings)
    fmt::print(stderr, "{}", sim::describe(finding, f.name));
  for (size_t n = 0; n < parameters.size(); ++n)
    for (size_t k = 0; k < parameters[n].before.size(); ++k)
      if (arguments[n].data[k] != parameters[n].before[k])
        parameters[n].memory[k] = arguments[n].data[k];
  return report.clean() ? Success : LaunchFailed;
}

} // namespace

#define EXPORT extern "C" __attribute__((visibility("default")))
#define NEED(condition, result)                                                                                        \
  do {                                                                                                                 \
    if (!(condition))                                                                                                  \
      return result;                                                                                                   \
  } while (0)

// ---- device and context ----

EXPORT int cuInit(unsigned flags) { return flags ? InvalidValue : Success; }

EXPORT int cuDriverGetVersion(int *version) {
  *version = 0;
  return Success;
}

EXPORT int cuDeviceGetCount(int *count) {
  *count = 1;
  return Success;
}

EXPORT int cuDeviceGet(int *device, int ordinal) {
  NEED(ordinal == 0, InvalidValue);
  *device = 0;
  return Success;
}

EXPORT int cuDeviceGetName(char *name, int bytes, int) {
  NEED(bytes > 0, InvalidValue);
  snprintf(name, size_t(bytes), "attn-sim");
  return Success;
}

EXPORT int cuDeviceGetAttribute(int *value, int attribute, int) {
  const std::map<int, int> known = {{75, capability}, {76, 0}, {16, 1}, {97, 227 << 10}};
  const auto it = known.find(attribute);
  NEED(it != known.end(), InvalidValue);
  *value = it->second;
  return Success;
}

EXPORT int cuDeviceTotalMem_v2(size_t *bytes, int) {
  *bytes = size_t(1) << 32;
  return Success;
}

EXPORT int cuDevicePrimaryCtxRetain(void **context, int) {
  *context = &state().context;
  return Success;
}

EXPORT int cuCtxSetCurrent(void *context) {
  current = context;
  return Success;
}

EXPORT int cuCtxGetCurrent(void **context) {
  *context = current;
  return Success;
}

EXPORT int cuCtxGetDevice(int *device) {
  NEED(current, InvalidContext);
  *device = 0;
  return Success;
}

EXPORT int cuCtxSynchronize() { return state().failed ? LaunchFailed : Success; }
EXPORT int cuStreamSynchronize(void *) { return cuCtxSynchronize(); }

EXPORT int cuGetErrorName(int result, const char **name) {
  static const std::map<int, const char *> names = {{Success, "CUDA_SUCCESS"},
                                                    {InvalidValue, "CUDA_ERROR_INVALID_VALUE"},
                                                    {OutOfMemory, "CUDA_ERROR_OUT_OF_MEMORY"},
                                                    {InvalidContext, "CUDA_ERROR_INVALID_CONTEXT"},
                                                    {NoBinary, "CUDA_ERROR_NO_BINARY_FOR_GPU"},
                                                    {InvalidPtx, "CUDA_ERROR_INVALID_PTX"},
                                                    {InvalidHandle, "CUDA_ERROR_INVALID_HANDLE"},
                                                    {NotFound, "CUDA_ERROR_NOT_FOUND"},
                                                    {LaunchFailed, "CUDA_ERROR_LAUNCH_FAILED"}};
  const auto it = names.find(result);
  NEED(it != names.end(), InvalidValue);
  *name = it->second;
  return Success;
}

// ---- memory ----

EXPORT int cuMemAlloc_v2(unsigned long long *address, size_t bytes) {
  NEED(bytes, InvalidValue);
  void *memory = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  NEED(memory, OutOfMemory);
  const Guard guard(state().mutex);
  state().allocations[uintptr_t(memory)] = bytes;
  *address = uintptr_t(memory);
  return Success;
}

EXPORT int cuMemFree_v2(unsigned long long address) {
  const Guard guard(state().mutex);
  NEED(state().allocations.erase(address), InvalidValue);
  std::free(reinterpret_cast<void *>(address));
  return Success;
}

EXPORT int cuMemcpyHtoD_v2(unsigned long long to, const void *from, size_t bytes) {
  const Guard guard(state().mutex);
  NEED(!state().failed, LaunchFailed);
  NEED(holds(to, bytes), InvalidValue);
  memcpy(reinterpret_cast<void *>(to), from, bytes);
  return Success;
}

EXPORT int cuMemcpyDtoH_v2(void *to, unsigned long long from, size_t bytes) {
  const Guard guard(state().mutex);
  NEED(!state().failed, LaunchFailed);
  NEED(holds(from, bytes), InvalidValue);
  memcpy(to, reinterpret_cast<const void *>(from), bytes);
  return Success;
}

EXPORT int cuMemcpyDtoHAsync_v2(void *to, unsigned long long from, size_t bytes, void *) {
  return cuMemcpyDtoH_v2(to, from, bytes);
}

EXPORT int cuMemsetD8_v2(unsigned long long to, unsigned char byte, size_t bytes) {
  const Guard guard(state().mutex);
  NEED(!state().failed, LaunchFailed);
  NEED(holds(to, bytes), InvalidValue);
  memset(reinterpret_cast<void *>(to), byte, bytes);
  return Success;
}

EXPORT int cuMemsetD8Async(unsigned long long to, unsigned char byte, size_t bytes, void *) {
  return cuMemsetD8_v2(to, byte, bytes);
}

// ---- events: times of the host ----

EXPORT int cuEventCreate(void **event, unsigned) {
  *event = new Clock::time_point;
  return Success;
}

EXPORT int cuEventRecord(void *event, void *) {
  *static_cast<Clock::time_point *>(event) = Clock::now();
  return Success;
}

EXPORT int cuEventSynchronize(void *) { return cuCtxSynchronize(); }

EXPORT int cuEventElapsedTime(float *milliseconds, void *from, void *to) {
  const auto time = *static_cast<Clock::time_point *>(to) - *static_cast<Clock::time_point *>(from);
  *milliseconds = std::chrono::duration<float, std::milli>(time).count();
  return Success;
}

// ---- modules and launches ----

EXPORT int cuModuleLoadDataEx(void **module, const void *image, unsigned, int *, void **) {
  NEED(current, InvalidContext);
  if (!memcmp(image,
              "\x7f"
              "ELF",
              4))
    return complain(NoBinary, "a cubin; only PTX is simulated");
  try {
    auto loaded = std::make_unique<LoadedModule>();
    loaded->module = sim::parseModule(static_cast<const char *>(image));
    *module = loaded.release();
    return Success;
  } catch (const sim::Error &e) {
    return complain(InvalidPtx, fmt::format("{}:{}: {}", e.place.line, e.place.column, e.what()));
  }
}

EXPORT int cuModuleUnload(void *module) {
  delete static_cast<LoadedModule *>(module);
  return Success;
}

EXPORT int cuModuleGetFunction(void **function, void *module, const char *name) {
  auto *loaded = static_cast<LoadedModule *>(module);
  const sim::Function *found = loaded->module.findFunction(name);
  NEED(found && found->entry, NotFound);
  auto &f = loaded->functions[name];
  if (!f)
    f = std::make_unique<LoadedFunction>(LoadedFunction{loaded, name});
  *function = f.get();
  return Success;
}

EXPORT int cuFuncSetAttribute(void *function, int attribute, int value) {
  NEED(attribute == 8 && value >= 0 && value <= 227 << 10, InvalidValue);
  static_cast<LoadedFunction *>(function)->shared = value;
  return Success;
}

EXPORT int cuLaunchKernel(void *function, unsigned x, unsigned y, unsigned z, unsigned tx, unsigned ty, unsigned tz,
                          unsigned shared, void *, void **parameters, void **extra) {
  auto *f = static_cast<LoadedFunction *>(function);
  NEED(x && y == 1 && z == 1 && tx && ty == 1 && tz == 1 && parameters && !extra, InvalidValue);
  NEED(shared <= unsigned(f->shared), InvalidValue);
  const Guard guard(state().mutex);
  NEED(!state().failed, LaunchFailed);
  int result;
  try {
    result = simulate(*f, x, tx, shared, parameters);
  } catch (const sim::Error &e) {
    result = complain(LaunchFailed, fmt::format("{}:{}:{}: {}", f->name, e.place.line, e.place.column, e.what()));
  }
  state().failed = result == LaunchFailed;
  return result;
}
