/* isa.c - which x86-64 level the CPU and the operating system support. By cpuid itself: __builtin_cpu_supports would
 * need libgcc. */
#include "internal.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>

static uint64_t enabled_state(void) {
  uint32_t lo, hi;
  __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
  return (uint64_t)hi << 32 | lo;
}

static int32_t detect(void) {
  unsigned a, b, c, d, c1, b7 = 0, cx = 0;
  if (!__get_cpuid(1, &a, &b, &c1, &d))
    return 1;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d))
    b7 = b;
  if (__get_cpuid(0x80000001, &a, &b, &c, &d))
    cx = c;

  /* sse3 ssse3 cmpxchg16b sse4.1 sse4.2 popcnt; lahf */
  const unsigned v2 = 1u << 0 | 1u << 9 | 1u << 13 | 1u << 19 | 1u << 20 | 1u << 23;
  if ((c1 & v2) != v2 || !(cx & 1u))
    return 1;
  /* fma movbe osxsave avx f16c; bmi1 avx2 bmi2; lzcnt; the system saves xmm and ymm */
  const unsigned v3 = 1u << 12 | 1u << 22 | 1u << 27 | 1u << 28 | 1u << 29, v3b = 1u << 3 | 1u << 5 | 1u << 8;
  if ((c1 & v3) != v3 || (b7 & v3b) != v3b || !(cx & 1u << 5))
    return 2;
  const uint64_t state = enabled_state();
  if ((state & 0x6) != 0x6)
    return 2;
  /* avx512 f dq cd bw vl; the system saves opmasks and zmm */
  const unsigned v4 = 1u << 16 | 1u << 17 | 1u << 28 | 1u << 30 | 1u << 31;
  if ((b7 & v4) != v4 || (state & 0xe6) != 0xe6)
    return 3;
  /* avx512-bf16, whose state is that of avx512 */
  if (!__get_cpuid_count(7, 1, &a, &b, &c, &d) || !(a & 1u << 5))
    return ATTN_ISA_X86_64_V4;
  /* amx-bf16 amx-tile; the system saves tiles and their configuration */
  const unsigned amx = 1u << 22 | 1u << 24;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || (d & amx) != amx || (state & 0x60000) != 0x60000)
    return ATTN_ISA_X86_64_V4_BF16;
  return ATTN_ISA_X86_64_V4_AMX;
}
#else
static int32_t detect(void) { return 1; }
#endif

/* Linux lends the registers of tiles to a process that asks for them: arch_prctl(ARCH_REQ_XCOMP_PERM, XTILEDATA). It
 * then asks for larger alternate stacks of signals, so nobody asks who has no code for tiles. */
static int may_use_tiles(void) {
#if defined(__x86_64__) && defined(__linux__)
  long result = 158; /* the call's number */
  __asm__ volatile("syscall" : "+a"(result) : "D"(0x1023L), "S"(18L) : "rcx", "r11", "memory");
  return result == 0;
#else
  return 0;
#endif
}

/* ATTN_MAX_ISA=x86-64-vN, x86-64-v4-bf16 or x86-64-v4-amx; a name that is none is no limit. */
static int32_t limit(void) {
  static const char prefix[] = "x86-64-v";
  const char *name = getenv("ATTN_MAX_ISA");
  if (!name || strncmp(name, prefix, sizeof prefix - 1) != 0)
    return INT32_MAX;
  name += sizeof prefix - 1;
  if (strcmp(name, "4-bf16") == 0)
    return ATTN_ISA_X86_64_V4_BF16;
  if (strcmp(name, "4-amx") == 0)
    return ATTN_ISA_X86_64_V4_AMX;
  return name[0] >= '1' && name[0] <= '4' && !name[1] ? name[0] - '0' : INT32_MAX;
}

int attn_rt_has_isa(int32_t isa) {
  /* 0: not asked yet; racing threads find the same answer */
  static _Atomic int32_t level, tiles; /* of `tiles`, 1: lent, -1: refused */
  int32_t have = atomic_load_explicit(&level, memory_order_relaxed);
  if (!have) {
    const int32_t cpu = detect(), most = limit();
    atomic_store_explicit(&level, have = cpu < most ? cpu : most, memory_order_relaxed);
  }
  if (isa != ATTN_ISA_X86_64_V4_AMX || isa > have)
    return isa <= have;
  int32_t lent = atomic_load_explicit(&tiles, memory_order_relaxed);
  if (!lent)
    atomic_store_explicit(&tiles, lent = may_use_tiles() ? 1 : -1, memory_order_relaxed);
  return lent > 0;
}

const attn_kernel_info *attn_rt_level(const attn_kernel_info *info) {
  while (info && info->abi_version == ATTN_RT_ABI_VERSION && info->size == sizeof *info && info->higher &&
         attn_rt_has_isa(info->higher->isa))
    info = info->higher;
  return info;
}
