// Reads through io_uring. liburing's own header stays out of Swift's sight: it asks glibc for another standard than
// Swift's importer does, and types of glibc that then differ cannot be in one program.
#ifndef SHARD_URING_H
#define SHARD_URING_H

#include <stdbool.h>
#include <stdint.h>

typedef struct shard_uring shard_uring;

/// A read that has ended: the number it was begun with, and bytes read or a negated error number.
typedef struct {
    uint64_t id;
    int32_t result;
} shard_uring_end;

/// Opens a ring for so many reads at once; NULL where the kernel has none, a sandbox forbids it, or it cannot do plain
/// reads.
shard_uring *_Nullable shard_uring_open(uint32_t entry_count);

void shard_uring_close(shard_uring *_Nonnull uring);

/// Begins a read; 0, or an error number: ENOBUFS when as many as the ring holds are under way.
int shard_uring_read(shard_uring *_Nonnull uring, int descriptor, void *_Nonnull target, uint32_t byte_count,
                     uint64_t offset, uint64_t id);

/// The next read that has ended, waiting for it or not; 0, or an error number: EAGAIN when none has ended yet.
int shard_uring_next(shard_uring *_Nonnull uring, bool waits, shard_uring_end *_Nonnull end);

#endif
