// Counts what each thread allocates: linking this puts its malloc, calloc, … in the place of the C library's.
#ifndef SHARD_ALLOCATIONS_H
#define SHARD_ALLOCATIONS_H

#include <stdbool.h>
#include <stddef.h>

/// Whether allocations are counted: on glibc only.
bool shard_allocations_are_counted(void);

/// Allocations of the calling thread so far; one that is made larger or smaller counts again.
size_t shard_allocation_count(void);

/// From now on, writes the stack of each of this thread's allocations to standard error, or no longer does.
void shard_allocations_show(bool show);

#endif
