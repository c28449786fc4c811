#define _GNU_SOURCE
#include "shard_allocations.h"

#include <errno.h>
#include <stdlib.h>

static _Thread_local size_t allocation_count;
static _Thread_local bool shows;

size_t shard_allocation_count(void) {
    return allocation_count;
}

void shard_allocations_show(bool show) {
    shows = show;
}

#if defined(__GLIBC__)

#include <execinfo.h>
#include <unistd.h>

// glibc's own, under the names that it has for this purpose. Memory of theirs is freed by the C library's free.
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static void note(void) {
    allocation_count++;
    if (!shows) {
        return;
    }
    shows = false; // what follows may allocate
    enum { FRAMES_MAX = 24 };
    void *frames[FRAMES_MAX];
    int count = backtrace(frames, FRAMES_MAX);
    backtrace_symbols_fd(frames, count, STDERR_FILENO);
    (void)!write(STDERR_FILENO, "\n", 1);
    shows = true;
}

bool shard_allocations_are_counted(void) {
    return true;
}

void *malloc(size_t size) {
    note();
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    note();
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size) {
    note();
    return __libc_realloc(memory, size);
}

void *memalign(size_t alignment, size_t size) {
    note();
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    note();
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
    if (alignment % sizeof(void *) != 0 || alignment == 0 || (alignment & (alignment - 1)) != 0) {
        return EINVAL;
    }
    note();
    void *found = __libc_memalign(alignment, size);
    if (found == NULL) {
        return ENOMEM;
    }
    *memory = found;
    return 0;
}

#else

bool shard_allocations_are_counted(void) {
    return false;
}

#endif
