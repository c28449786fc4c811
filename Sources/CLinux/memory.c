#include "shard_linux.h"

#include <limits.h>
#include <stdlib.h>

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
