// From here on functions are compiled for SHARD_TARGET; lanes/end.h closes the region.
#define SHARD_TEXT_(text) #text
#define SHARD_PRAGMA(text) _Pragma(SHARD_TEXT_(text))

#if defined(__clang__)
SHARD_PRAGMA(clang attribute push(__attribute__((target(SHARD_TARGET))), apply_to = function))
#else
SHARD_PRAGMA(GCC push_options)
SHARD_PRAGMA(GCC target(SHARD_TARGET))
#endif
