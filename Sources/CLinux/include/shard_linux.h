// What Linux has beyond POSIX, which Swift's Glibc module does not show.
#ifndef SHARD_LINUX_H
#define SHARD_LINUX_H

#include <stddef.h>
#include <stdint.h>

/// Names the calling thread for debuggers and `top -H`: at most 15 bytes, more are cut. Failure changes nothing.
void shard_thread_set_name(const char *_Nonnull name);

/// Pins the calling thread to one core; 0, or an error number when the process may not use that core.
int shard_thread_pin(int cpu);

/// Waits some nanoseconds, as a loop should that looks at a value until another thread changes it.
static inline void shard_spin_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb" ::: "memory");
#endif
}

/// Joins a thread when it ends within so many nanoseconds; 0, or an error number: ETIMEDOUT when it still runs.
int shard_thread_join_within(unsigned long thread, int64_t nanoseconds);

/// Lets two paths exchange what they name, at once; 0, or an error number: EINVAL or ENOSYS where that cannot be done.
int shard_exchange_paths(const char *_Nonnull first, const char *_Nonnull second);

/// Sets disk space aside for a file's first `size` bytes, while its size stays as it is; 0, or an error number: ENOSPC, or
/// EOPNOTSUPP where the file system cannot.
int shard_reserve_space(int descriptor, int64_t size);

/// Opens a file for reads past the page cache (O_DIRECT); its descriptor, or -1 where its file system has no such reads.
int shard_open_direct(const char *_Nonnull path);

/// Opens an unnamed file in memory with a copy of these bytes; its descriptor, or -1.
int shard_open_copy(const void *_Nullable bytes, size_t count);

/// Sets a file's time of access to now and leaves that of its change; failure changes nothing.
void shard_note_access(int descriptor);

/// Bytes of a mapping that are in memory, whether this process has looked at them or not; all of them where the caller may
/// not know, -1 on failure.
int64_t shard_mapped_bytes_present(uintptr_t address, size_t size);

/// Keeps up to `kept_bytes` of freed memory with the process instead of giving it back to the system at once; pieces of
/// `mapped_bytes` and more are mapped and unmapped each time. For the whole process; does nothing without glibc.
void shard_keep_freed_memory(size_t kept_bytes, size_t mapped_bytes);

#endif
