// liburing's header wants all that glibc has.
#define _GNU_SOURCE

#include "shard_uring.h"

#include <errno.h>
#include <liburing.h>
#include <stdlib.h>

struct shard_uring {
    struct io_uring ring;
};

// Kernels before 5.6 have rings that cannot do plain reads.
static bool can_read(struct io_uring *ring) {
    struct io_uring_probe *probe = io_uring_get_probe_ring(ring);
    if (!probe)
        return false;
    bool can = io_uring_opcode_supported(probe, IORING_OP_READ);
    io_uring_free_probe(probe);
    return can;
}

shard_uring *shard_uring_open(uint32_t entry_count) {
    shard_uring *uring = calloc(1, sizeof *uring);
    if (!uring)
        return NULL;
    if (io_uring_queue_init(entry_count, &uring->ring, 0) != 0) {
        free(uring);
        return NULL;
    }
    if (can_read(&uring->ring))
        return uring;
    shard_uring_close(uring);
    return NULL;
}

void shard_uring_close(shard_uring *uring) {
    io_uring_queue_exit(&uring->ring);
    free(uring);
}

int shard_uring_read(shard_uring *uring, int descriptor, void *target, uint32_t byte_count, uint64_t offset,
                     uint64_t id) {
    struct io_uring_sqe *entry = io_uring_get_sqe(&uring->ring);
    if (!entry)
        return ENOBUFS;
    io_uring_prep_read(entry, descriptor, target, byte_count, offset);
    entry->user_data = id;
    int status;
    do
        status = io_uring_submit(&uring->ring);
    while (status == -EINTR || status == -EAGAIN || status == -EBUSY);
    return status < 0 ? -status : 0;
}

int shard_uring_next(shard_uring *uring, bool waits, shard_uring_end *end) {
    struct io_uring_cqe *entry = NULL;
    int status;
    do
        status = waits ? io_uring_wait_cqe(&uring->ring, &entry) : io_uring_peek_cqe(&uring->ring, &entry);
    while (status == -EINTR || (waits && status == -EAGAIN));
    if (status != 0)
        return -status;
    *end = (shard_uring_end){.id = entry->user_data, .result = entry->res};
    io_uring_cqe_seen(&uring->ring, entry);
    return 0;
}
