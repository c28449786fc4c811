#ifndef SHARD_CURING_H
#define SHARD_CURING_H
#include <liburing.h>
#endif
