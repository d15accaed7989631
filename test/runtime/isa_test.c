/* isa_test.c - which of a kernel's levels runs. ATTN_MAX_ISA is read once a process, so each setting has a process of
 * its own: this program, started with the setting and the highest level that it admits. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include "attn-rt/attn_rt.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static attn_kernel_info level(int32_t isa, const attn_kernel_info *higher) {
  return (attn_kernel_info){
      .abi_version = ATTN_RT_ABI_VERSION, .size = sizeof(attn_kernel_info), .isa = isa, .higher = higher};
}

/* The level taken of 1 to 5 and 9, which no CPU has. */
static int taken(void) {
  const attn_kernel_info none = level(9, NULL), v4_bf16 = level(5, &none), v4 = level(4, &v4_bf16), v3 = level(3, &v4),
                         v2 = level(2, &v3), v1 = level(1, &v2);
  return attn_rt_level(&v1)->isa;
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
    return taken();
  const int cpu = taken_under(argv[0], NULL);
  CHECK(cpu >= 1 && cpu <= 5, "level %d", cpu);
#if defined(__x86_64__)
  CHECK((cpu >= 3) == (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")), "level %d", cpu);
  CHECK((cpu >= 4) == (cpu >= 3 && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw")),
        "level %d", cpu);
  CHECK((cpu >= 5) == (cpu >= 4 && __builtin_cpu_supports("avx512bf16")), "level %d", cpu);
#endif
  for (int n = 1; n <= 4; ++n) {
    const char setting[] = {'x', '8', '6', '-', '6', '4', '-', 'v', (char)('0' + n), 0};
    const int got = taken_under(argv[0], setting);
    CHECK(got == (n < cpu ? n : cpu), "%s gives %d", setting, got);
  }
  const int bf16 = taken_under(argv[0], "x86-64-v4-bf16");
  CHECK(bf16 == (cpu < 5 ? cpu : 5), "x86-64-v4-bf16 gives %d", bf16);
  for (const char *const *no = (const char *const[]){"", "x86-64-v", "x86-64-v5", "x86-64-v0", "x86-64-v33",
                                                     "x86-64-v4-", "x86-64-v3-bf16", "avx2", NULL};
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
