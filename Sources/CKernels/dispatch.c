// The choice of a table: the only file that asks the processor what it can do.
#pragma STDC FP_CONTRACT OFF

#include "kernels.h"

#include <string.h>

typedef struct entry {
    const char *name;
    /// NULL where the architecture is another.
    const shard_kernels *table;
} entry;

/// From the plainest to the fastest.
static const entry entries[] = {
    {"scalar", &shard_kernels_scalar},
};

enum { ENTRY_COUNT = sizeof entries / sizeof entries[0] };

static bool machine_has(size_t index) {
    return index == 0;
}

uint32_t shard_crc32c(uint32_t previous, const void *data, size_t size) {
    return crc32c_scalar(previous, data, size);
}

size_t shard_kernels_count(void) {
    return ENTRY_COUNT;
}

const char *shard_kernels_name(size_t index) {
    return entries[index].name;
}

const shard_kernels *shard_kernels_named(const char *name) {
    for (size_t i = 0; i < ENTRY_COUNT; i++) {
        if (strcmp(name, entries[i].name) == 0) {
            return machine_has(i) ? entries[i].table : NULL;
        }
    }
    return NULL;
}

const shard_kernels *shard_kernels_best(void) {
    for (size_t i = ENTRY_COUNT - 1; i > 0; i--) {
        if (machine_has(i)) {
            return entries[i].table;
        }
    }
    return entries[0].table;
}
