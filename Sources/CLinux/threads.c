#define _GNU_SOURCE
#include "shard_linux.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <time.h>

void shard_thread_set_name(const char *name) {
    char cut[16] = {0};
    strncpy(cut, name, sizeof(cut) - 1);
    (void)pthread_setname_np(pthread_self(), cut);
}

int shard_thread_pin(int cpu) {
    if (cpu < 0 || cpu >= CPU_SETSIZE) {
        return EINVAL;
    }
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

int shard_thread_join_within(unsigned long thread, int64_t nanoseconds) {
    struct timespec end;
    if (clock_gettime(CLOCK_MONOTONIC, &end) != 0) {
        return errno;
    }
    int64_t sum = end.tv_nsec + nanoseconds % 1000000000;
    end.tv_sec += nanoseconds / 1000000000 + sum / 1000000000;
    end.tv_nsec = sum % 1000000000;
    return pthread_clockjoin_np((pthread_t)thread, NULL, CLOCK_MONOTONIC, &end);
}
