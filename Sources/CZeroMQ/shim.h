#ifndef SHARD_CZEROMQ_H
#define SHARD_CZEROMQ_H
#include <zmq.h>
#endif
