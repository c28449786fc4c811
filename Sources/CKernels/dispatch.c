// The choice of a table: the only file that asks the processor what it can do.
#pragma STDC FP_CONTRACT OFF

#include "kernels.h"
#include "limits.h"

#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

/// What the tables need of the processor and, for registers, of the operating system.
typedef struct machine {
    bool avx2, avx512, avxvnni, avx512vnni; // x86-64
    bool sha;                               // both
    bool neon, dotprod, crc;                // arm64
} machine;

bool shard_fetches_near;

#if defined(__x86_64__)

__attribute__((constructor)) static void ask_vendor(void) {
    uint32_t highest, name[3]; // leaf 0: ebx, edx, ecx
    if (__get_cpuid(0, &highest, &name[0], &name[2], &name[1])) {
        shard_fetches_near = memcmp(name, "AuthenticAMD", sizeof name) == 0;
    }
}

static uint64_t enabled_registers(void) {
    uint32_t low, high;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

static machine ask_machine(void) {
    enum { FMA = 1 << 12, OSXSAVE = 1 << 27, F16C = 1 << 29 };                         // leaf 1, ecx
    enum { AVX2 = 1 << 5, AVX512F = 1 << 16, AVX512DQ = 1 << 17, AVX512BW = 1 << 30 }; // leaf 7, ebx
    const uint32_t AVX512VL = 1u << 31, AVX512VNNI = 1u << 11, AVXVNNI = 1u << 4;      // ebx, ecx, sub-leaf 1 eax
    const uint32_t SHA = 1u << 29;                                                     // leaf 7, ebx
    const uint64_t ymm = 0x06, zmm = 0xe6;                                             // enabled registers
    machine has = {0};
    uint32_t a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d)) {
        return has;
    }
    uint32_t needed = FMA | F16C | OSXSAVE;
    if ((c & needed) != needed || !__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
        return has;
    }
    uint32_t sub_leaves = a, wide = AVX512F | AVX512DQ | AVX512BW | AVX512VL;
    uint64_t registers = enabled_registers();
    has.sha = (b & SHA) != 0;
    has.avx2 = (b & AVX2) && (registers & ymm) == ymm;
    has.avx512 = has.avx2 && (b & wide) == wide && (registers & zmm) == zmm;
    has.avx512vnni = has.avx512 && (c & AVX512VNNI);
    if (sub_leaves >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d)) {
        has.avxvnni = has.avx2 && (a & AVXVNNI);
    }
    return has;
}

#elif defined(__aarch64__)

static machine ask_machine(void) {
#if defined(__linux__)
    // The kernel's HWCAP_SHA2, HWCAP_CRC32, HWCAP_ASIMDDP.
    const unsigned long sha = 1ul << 6, crc = 1ul << 7, dotprod = 1ul << 20;
    unsigned long has = getauxval(AT_HWCAP);
    return (machine){
        .sha = (has & sha) != 0, .neon = true, .dotprod = (has & dotprod) != 0, .crc = (has & crc) != 0};
#else
    return (machine){.sha = true, .neon = true, .dotprod = true, .crc = true}; // every Apple processor since 2018
#endif
}

#else

static machine ask_machine(void) {
    return (machine){0};
}

#endif

enum { KNOWN_COUNT = 7 };

/// From the plainest to the fastest.
static const char *const names[KNOWN_COUNT] = {
    "scalar", "avx2", "avx512", "avxvnni", "avx512vnni", "neon", "neon-dotprod",
};

/// The index-th table, NULL where this machine cannot run it.
static const shard_kernels *table_at(size_t index, machine has) {
    switch (index) {
    case 0:
        return &shard_kernels_scalar;
#if defined(__x86_64__)
    case 1:
        return has.avx2 ? &shard_kernels_avx2 : NULL;
    case 2:
        return has.avx512 ? &shard_kernels_avx512 : NULL;
    case 3:
        return has.avxvnni ? &shard_kernels_avxvnni : NULL;
    case 4:
        return has.avx512vnni ? &shard_kernels_avx512vnni : NULL;
#elif defined(__aarch64__)
    case 5:
        return has.neon ? &shard_kernels_neon : NULL;
    case 6:
        return has.dotprod ? &shard_kernels_neon_dotprod : NULL;
#endif
    default:
        return NULL;
    }
}

size_t shard_kernels_count(void) {
    return KNOWN_COUNT;
}

const char *shard_kernels_name(size_t index) {
    return names[index];
}

const shard_kernels *shard_kernels_named(const char *name) {
    for (size_t i = 0; i < KNOWN_COUNT; i++) {
        if (strcmp(name, names[i]) == 0) {
            return table_at(i, ask_machine());
        }
    }
    return NULL;
}

const shard_kernels *shard_kernels_best(void) {
    machine has = ask_machine();
    for (size_t i = KNOWN_COUNT - 1; i > 0; i--) {
        const shard_kernels *table = table_at(i, has);
        if (table != NULL) {
            return table;
        }
    }
    return &shard_kernels_scalar;
}

const shard_limits *shard_limits_named(const char *name) {
    static const shard_limits *const all[] = {
        &shard_limits_scalar,
#if defined(__x86_64__)
        &shard_limits_avx2,   &shard_limits_avxvnni, &shard_limits_avx512, &shard_limits_avx512vnni,
#elif defined(__aarch64__)
        &shard_limits_neon,   &shard_limits_neon_dotprod,
#endif
    };
    for (size_t i = 0; shard_kernels_named(name) != NULL && i < sizeof all / sizeof all[0]; i++) {
        if (strcmp(name, all[i]->name) == 0) {
            return all[i];
        }
    }
    return NULL;
}

// Asked for every message: from what the C runtime found out at start, as cpuid itself is slow in virtual machines.
uint32_t shard_crc32c(uint32_t previous, const void *data, size_t size) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) {
        return crc32c_sse(previous, data, size);
    }
#elif defined(__aarch64__)
    if (ask_machine().crc) {
        return crc32c_neon(previous, data, size);
    }
#endif
    return crc32c_scalar(previous, data, size);
}

bool shard_sha256_is_fast(void) {
    return ask_machine().sha;
}

void shard_sha256_blocks(bool is_fast, size_t lane_count, shard_sha256_lane *lanes, size_t block_count) {
#if defined(__x86_64__)
    if (is_fast) {
        sha256_ni(lane_count, lanes, block_count);
        return;
    }
#elif defined(__aarch64__)
    if (is_fast) {
        sha256_neon(lane_count, lanes, block_count);
        return;
    }
#endif
    sha256_scalar(lane_count, lanes, block_count);
}
