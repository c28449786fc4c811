import CKernels
import Sharding

/// SHA-256 of bytes that come piece by piece; two computations side by side take little longer than one.
final class BlobHasher {
    private static let blockBytes = 64
    private static let isFast = shard_sha256_is_fast()

    // The first words of the square roots' fractions of the first eight primes (FIPS 180-4, section 5.3.3).
    private var words: Words = (
        0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19
    )
    private var byteCount = 0
    /// The start of a block whose rest has not come.
    private var started: [UInt8] = []
    /// Where the processor has no instructions for it, the library is faster than our own.
    private var library: FileHasher?

    private typealias Words = (UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32)

    init() {
        if Self.isFast { started.reserveCapacity(Self.blockBytes) } else { library = FileHasher() }
    }

    func update(_ bytes: UnsafeRawBufferPointer) {
        guard library == nil else {
            library?.update(bytes)
            return
        }
        takeBlocks(of: completeBlock(with: bytes))
    }

    /// Goes on with two computations at once.
    static func update(
        _ first: BlobHasher, _ firstBytes: UnsafeRawBufferPointer, _ second: BlobHasher,
        _ secondBytes: UnsafeRawBufferPointer
    ) {
        guard isFast else {
            first.update(firstBytes)
            second.update(secondBytes)
            return
        }
        var (a, b) = (first.completeBlock(with: firstBytes), second.completeBlock(with: secondBytes))
        let blockCount = min(a.count, b.count) / blockBytes
        if blockCount > 0, let start = a.baseAddress, let other = b.baseAddress {
            var lanes = (first.lane(at: start), second.lane(at: other))
            withUnsafeMutablePointer(to: &lanes) {
                $0.withMemoryRebound(to: shard_sha256_lane.self, capacity: 2) {
                    shard_sha256_blocks(true, 2, $0, blockCount)
                }
            }
            (first.words, second.words) = (lanes.0.words, lanes.1.words)
            a = UnsafeRawBufferPointer(rebasing: a[(blockCount * blockBytes)...])
            b = UnsafeRawBufferPointer(rebasing: b[(blockCount * blockBytes)...])
        }
        first.takeBlocks(of: a)
        second.takeBlocks(of: b)
    }

    /// The hash of all that came; nothing may follow.
    func finish() -> FileHash {
        if let library { return library.finish() }
        let bitCount = UInt64(byteCount) * 8
        var padding: [UInt8] = [0x80]
        let used = (started.count + 1 + 8) % Self.blockBytes
        padding += [UInt8](repeating: 0, count: used == 0 ? 0 : Self.blockBytes - used)
        withUnsafeBytes(of: bitCount.bigEndian) { padding += $0 }
        padding.withUnsafeBytes { takeBlocks(of: completeBlock(with: $0)) }
        let bytes = withUnsafeBytes(of: words) { raw in
            raw.bindMemory(to: UInt32.self).flatMap { word in withUnsafeBytes(of: word.bigEndian) { Array($0) } }
        }
        guard let hash = FileHash(bytes: bytes) else { preconditionFailure("eight words are 32 bytes") }
        return hash
    }

    /// Uses bytes to complete a block that was started; returns the others, which begin a block.
    private func completeBlock(with bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        byteCount += bytes.count
        guard !started.isEmpty else { return bytes }
        let missing = min(Self.blockBytes - started.count, bytes.count)
        started += bytes[..<missing]
        if started.count == Self.blockBytes {
            started.withUnsafeBytes { compress($0, blockCount: 1) }
            started.removeAll(keepingCapacity: true)
        }
        return UnsafeRawBufferPointer(rebasing: bytes[missing...])
    }

    /// Takes whole blocks, and keeps what is less than one.
    private func takeBlocks(of bytes: UnsafeRawBufferPointer) {
        let blockCount = bytes.count / Self.blockBytes
        if blockCount > 0 { compress(bytes, blockCount: blockCount) }
        started += bytes[(blockCount * Self.blockBytes)...]
    }

    private func compress(_ bytes: UnsafeRawBufferPointer, blockCount: Int) {
        guard let start = bytes.baseAddress else { return }
        var lane = lane(at: start)
        shard_sha256_blocks(true, 1, &lane, blockCount)
        words = lane.words
    }

    private func lane(at start: UnsafeRawPointer) -> shard_sha256_lane {
        shard_sha256_lane(words: words, data: start.assumingMemoryBound(to: UInt8.self))
    }
}
