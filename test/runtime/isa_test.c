/* isa_test.c - which of a kernel's levels runs. ATTN_MAX_ISA is read once a process, so each setting has a process of
 * its own: this program, started with the setting and the highest level that it admits. */
#define _GNU_SOURCE
#include "check.h"

#include "attn-rt/attn_rt.h"

#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static attn_kernel_info level(int32_t isa, const attn_kernel_info *higher) {
  return (attn_kernel_info){
      .abi_version = ATTN_RT_ABI_VERSION, .size = sizeof(attn_kernel_info), .isa = isa, .higher = higher};
}

/* The level taken of 1 to 6 and 9, which no CPU has. */
static int taken(void) {
  const attn_kernel_info none = level(9, NULL), v4_amx = level(6, &none), v4_bf16 = level(5, &v4_amx),
                         v4 = level(4, &v4_bf16), v3 = level(3, &v4), v2 = level(2, &v3), v1 = level(1, &v2);
  return attn_rt_level(&v1)->isa;
}

#if defined(__x86_64__) && defined(__linux__)
/* As the kernel's manual says: asks for the registers (arch_prctl, ARCH_REQ_XCOMP_PERM), then uses one. On a CPU
 * without them the call fails, or the instruction ends the process. */
static int use_tiles(void) {
  static const unsigned char config[64] = {[0] = 1, [16] = 64, [48] = 16};
  static unsigned char in[16 * 64], out[16 * 64];
  if (syscall(SYS_arch_prctl, 0x1023, 18) != 0)
    return 1;
  for (unsigned n = 0; n < sizeof in; ++n)
    in[n] = (unsigned char)(n * 7);
  const uint64_t stride = 64;
  /* ldtilecfg; tileloadd tmm0; tilestored tmm0; tilerelease: as bytes, which any assembler knows */
  __asm__ volatile(".byte 0xc4, 0xe2, 0x78, 0x49, 0x00" ::"a"(config), "m"(config));
  __asm__ volatile(".byte 0xc4, 0xe2, 0x7b, 0x4b, 0x04, 0x08" ::"a"(in), "c"(stride) : "memory");
  __asm__ volatile(".byte 0xc4, 0xe2, 0x7a, 0x4b, 0x04, 0x08" ::"a"(out), "c"(stride) : "memory");
  __asm__ volatile(".byte 0xc4, 0xe2, 0x78, 0x49, 0xc0" ::: "memory");
  return memcmp(in, out, sizeof in) != 0;
}
#else
static int use_tiles(void) { return 1; }
#endif

static int can_use_tiles(const char *self) {
  const pid_t child = fork();
  if (child == 0) {
    execl(self, self, "tiles", (char *)NULL);
    _exit(99);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int taken_under(const char *self, const char *setting) {
  const pid_t child = fork();
  if (child == 0) {
    if (setting)
      setenv("ATTN_MAX_ISA", setting, 1);
    else
      unsetenv("ATTN_MAX_ISA");
    execl(self, self, "child", (char *)NULL);
    _exit(99);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int main(int argc, char **argv) {
  if (argc > 1)
    return strcmp(argv[1], "tiles") == 0 ? use_tiles() : taken();
  const int cpu = taken_under(argv[0], NULL);
  CHECK(cpu >= 1 && cpu <= 6, "level %d", cpu);
#if defined(__x86_64__)
  CHECK((cpu >= 3) == (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")), "level %d", cpu);
  CHECK((cpu >= 4) == (cpu >= 3 && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw")),
        "level %d", cpu);
  CHECK((cpu >= 5) == (cpu >= 4 && __builtin_cpu_supports("avx512bf16")), "level %d", cpu);
  /* What the system says it saves, and whether a tile can be loaded then: a process of its own finds out. */
  CHECK((cpu >= 6) == (cpu >= 5 && can_use_tiles(argv[0])), "level %d", cpu);
#endif
  for (int n = 1; n <= 4; ++n) {
    const char setting[] = {'x', '8', '6', '-', '6', '4', '-', 'v', (char)('0' + n), 0};
    const int got = taken_under(argv[0], setting);
    CHECK(got == (n < cpu ? n : cpu), "%s gives %d", setting, got);
  }
  const int bf16 = taken_under(argv[0], "x86-64-v4-bf16");
  CHECK(bf16 == (cpu < 5 ? cpu : 5), "x86-64-v4-bf16 gives %d", bf16);
  const int amx = taken_under(argv[0], "x86-64-v4-amx");
  CHECK(amx == cpu, "x86-64-v4-amx gives %d", amx);
  for (const char *const *no =
           (const char *const[]){"", "x86-64-v", "x86-64-v5", "x86-64-v0", "x86-64-v33", "x86-64-v4-", "x86-64-v3-bf16",
                                 "x86-64-v3-amx", "x86-64-v4-amx2", "avx2", NULL};
       *no; ++no)
    CHECK(taken_under(argv[0], *no) == cpu, "'%s' is a limit", *no);

  /* An info of another version is not looked into; one that names no other is its own level. */
  const attn_kernel_info v1 = level(1, NULL);
  attn_kernel_info old = level(1, &v1);
  old.abi_version = 3;
  CHECK(attn_rt_level(&old) == &old, "an old info was read");
  CHECK(attn_rt_level(&v1) == &v1 && !attn_rt_level(NULL), "no other level");
  return check_report();
}
