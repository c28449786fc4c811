// The calling thread's name and core: what Linux has beyond POSIX, which Swift's Glibc module does not show.
#ifndef SHARD_THREADS_H
#define SHARD_THREADS_H

/// Names the calling thread for debuggers and `top -H`: at most 15 bytes, more are cut. Failure changes nothing.
void shard_thread_set_name(const char *_Nonnull name);

/// Pins the calling thread to one core; 0, or an error number when the process may not use that core.
int shard_thread_pin(int cpu);

/// Cores that this process may use; at least 1.
int shard_usable_cpu_count(void);

#endif
