#define _GNU_SOURCE
#include "shard_linux.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

int shard_exchange_paths(const char *first, const char *second) {
    return renameat2(AT_FDCWD, first, AT_FDCWD, second, RENAME_EXCHANGE) == 0 ? 0 : errno;
}
