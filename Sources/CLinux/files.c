#define _GNU_SOURCE
#include "shard_linux.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int shard_exchange_paths(const char *first, const char *second) {
    return renameat2(AT_FDCWD, first, AT_FDCWD, second, RENAME_EXCHANGE) == 0 ? 0 : errno;
}

int shard_reserve_space(int descriptor, int64_t size) {
    int code;
    do {
        code = fallocate(descriptor, FALLOC_FL_KEEP_SIZE, 0, size);
    } while (code != 0 && errno == EINTR);
    return code == 0 ? 0 : errno;
}

int shard_open_direct(const char *path) {
    enum { BLOCK = 4096 };
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_DIRECT);
    void *block;
    if (descriptor < 0 || posix_memalign(&block, BLOCK, BLOCK) != 0) {
        return descriptor;
    }
    // Some file systems open so and refuse the first read.
    bool reads = pread(descriptor, block, BLOCK, 0) >= 0;
    free(block);
    if (!reads) {
        close(descriptor);
        return -1;
    }
    return descriptor;
}

int shard_open_copy(const void *bytes, size_t count) {
    int descriptor = memfd_create("shard", MFD_CLOEXEC);
    for (size_t done = 0; descriptor >= 0 && done < count;) {
        ssize_t written = pwrite(descriptor, (const char *)bytes + done, count - done, (off_t)done);
        if (written > 0) {
            done += (size_t)written;
        } else if (errno != EINTR) {
            close(descriptor);
            return -1;
        }
    }
    return descriptor;
}

void shard_note_access(int descriptor) {
    const struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_OMIT}};
    (void)futimens(descriptor, times);
}
