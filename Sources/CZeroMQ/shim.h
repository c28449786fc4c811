#ifndef SHARD_CZEROMQ_H
#define SHARD_CZEROMQ_H
#include <pthread.h>
#include <sys/eventfd.h>
#include <zmq.h>

// Glibc's header hides it unless _GNU_SOURCE is set, which Swift's importer does not.
int pthread_setname_np(pthread_t thread, const char *name);

// In the manual and in every library since 4.3.0, but in the header only beside functions that may still change.
#ifndef ZMQ_ZAP_ENFORCE_DOMAIN
#define ZMQ_ZAP_ENFORCE_DOMAIN 93
#endif
#endif
