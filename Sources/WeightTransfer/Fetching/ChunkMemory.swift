import CLinux

/// Memory that libzmq receives chunks into.
///
/// It allocates each frame and frees it a moment later. Left to itself, the C library gives such large pieces back to
/// the system and asks for them again, and each time the kernel clears their pages: a fifth of what receiving costs.
enum ChunkMemory {
    /// Freed memory that stays with the process; what is fetched never has more than this at a time.
    private static let keptBytes = 64 << 20
    /// Larger pieces, weights for instance, are mapped and unmapped as ever.
    private static let mappedBytes = 4 << 20

    /// Keeps it for the next chunk, from the first fetch on.
    static let keep: Void = shard_keep_freed_memory(keptBytes, mappedBytes)
}
