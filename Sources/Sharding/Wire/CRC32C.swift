import CKernels

/// The Castagnoli cyclic redundancy check, in hardware where there is one, over bytes that come in parts.
struct CRC32C {
    private(set) var value: UInt32 = 0

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress, !bytes.isEmpty else { return }
        value = shard_crc32c(value, start, bytes.count)
    }
}
