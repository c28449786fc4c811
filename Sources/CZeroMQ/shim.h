#ifndef SHARD_CZEROMQ_H
#define SHARD_CZEROMQ_H
#include <pthread.h>
#include <sys/eventfd.h>
#include <zmq.h>

// Glibc's header hides it unless _GNU_SOURCE is set, which Swift's importer does not.
int pthread_setname_np(pthread_t thread, const char *name);
#endif
