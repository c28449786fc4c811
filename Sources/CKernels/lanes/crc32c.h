// CRC-32C with an instruction for 8 bytes: each waits for the one before, so three runs of the data are taken at a time.
//
// The one who includes this defines CRC32C_NAME, CRC32C_TARGET (the attribute that allows the instruction), and
// CRC32C_EIGHT(crc, value) and CRC32C_ONE(crc, byte).
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/// Remainder of a × b, polynomials whose highest bit stands for x⁰, modulo the one that CRC-32C has.
static inline uint32_t crc32c_multiply(uint32_t a, uint32_t b) {
    uint32_t product = 0;
    for (int i = 0; i < 32; i++) {
        product ^= b & -(a >> 31);
        a <<= 1;
        b = b >> 1 ^ (0x82f63b78 & -(b & 1));
    }
    return product;
}

/// A length of a run and the remainder of x to the power of its bits: what its bytes do to the value before them.
typedef struct crc32c_run {
    size_t size;
    uint32_t power;
} crc32c_run;

static const crc32c_run crc32c_runs[] = {{16384, 0xbf455269}, {1024, 0xe4172b16}};

static inline uint64_t crc32c_load(const uint8_t *bytes) {
    uint64_t eight;
    memcpy(&eight, bytes, sizeof eight);
    return eight;
}

CRC32C_TARGET uint32_t CRC32C_NAME(uint32_t previous, const void *data, size_t size) {
    const uint8_t *bytes = data;
    uint32_t crc = ~previous;
    for (size_t i = 0; i < sizeof crc32c_runs / sizeof *crc32c_runs; i++) {
        const size_t run = crc32c_runs[i].size;
        const uint32_t power = crc32c_runs[i].power;
        for (; size >= 3 * run; bytes += 3 * run, size -= 3 * run) {
            uint32_t first = crc, second = 0, third = 0;
            for (size_t j = 0; j < run; j += 8) {
                first = CRC32C_EIGHT(first, crc32c_load(bytes + j));
                second = CRC32C_EIGHT(second, crc32c_load(bytes + run + j));
                third = CRC32C_EIGHT(third, crc32c_load(bytes + 2 * run + j));
            }
            crc = crc32c_multiply(crc32c_multiply(first, power) ^ second, power) ^ third;
        }
    }
    for (; size >= 8; bytes += 8, size -= 8) {
        crc = CRC32C_EIGHT(crc, crc32c_load(bytes));
    }
    for (; size > 0; bytes++, size--) {
        crc = CRC32C_ONE(crc, *bytes);
    }
    return ~crc;
}
