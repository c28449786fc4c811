#define _GNU_SOURCE
#include "shard_linux.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

void shard_keep_freed_memory(size_t kept_bytes, size_t mapped_bytes) {
#if defined(__GLIBC__)
    mallopt(M_TRIM_THRESHOLD, kept_bytes > INT_MAX ? INT_MAX : (int)kept_bytes);
    mallopt(M_MMAP_THRESHOLD, mapped_bytes > INT_MAX ? INT_MAX : (int)mapped_bytes);
#else
    (void)kept_bytes;
    (void)mapped_bytes;
#endif
}

int64_t shard_mapped_bytes_present(uintptr_t address, size_t size) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE), count = (size + page - 1) / page;
    unsigned char *pages = malloc(count + 1);
    int64_t present = -1;
    if (pages && mincore((void *)address, size, pages) == 0) {
        present = 0;
        for (size_t i = 0; i < count; i++) {
            present += pages[i] & 1 ? (int64_t)page : 0;
        }
    }
    free(pages);
    return present;
}
