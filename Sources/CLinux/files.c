#define _GNU_SOURCE
#include "shard_linux.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

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
