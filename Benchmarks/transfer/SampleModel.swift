import Foundation
import ModelFiles
import Sharding

/// A file of random bytes, cut into tensors like those of a model with 2048 hidden elements in bf16.
struct SampleModel {
    struct Tensor {
        var name: String
        var range: Range<Int>
        var hash: FileHash
    }

    let path: String
    private(set) var tensors: [Tensor] = []

    private static let sizes = [
        ("attn_norm", 8 << 10), ("attn_q", 8 << 20), ("attn_k", 2 << 20), ("attn_v", 2 << 20), ("attn_output", 8 << 20),
        ("ffn_norm", 8 << 10), ("ffn_gate", 23 << 20), ("ffn_up", 23 << 20), ("ffn_down", 23 << 20),
    ]

    init(layerCount: Int, path: String) throws {
        self.path = path
        let layerBytes = Self.sizes.reduce(0) { $0 + $1.1 }
        try Self.write(byteCount: layerCount * layerBytes, to: path)
        let file = try MappedFile(path: path)
        var start = 0
        for layer in 0..<layerCount {
            for (name, size) in Self.sizes {
                let range = start..<start + size
                let hash = FileHash(of: UnsafeRawBufferPointer(rebasing: file.bytes[range]))
                tensors.append(Tensor(name: "blk.\(layer).\(name).weight", range: range, hash: hash))
                start += size
            }
        }
    }

    var byteCount: Int { tensors.last?.range.upperBound ?? 0 }

    /// As the serving process reads it.
    var list: String {
        tensors.map { "\($0.hash) \($0.range.lowerBound) \($0.range.count)\n" }.joined() + "\n"
    }

    /// Writes a file of the same size and removes it: the pages of the page cache that it had are free then, and there.
    func touchPages(in folder: String) throws {
        let path = folder + "/pages"
        defer { unlink(path) }
        try Self.write(byteCount: byteCount, to: path)
    }

    private static func write(byteCount: Int, to path: String) throws {
        guard FileManager.default.createFile(atPath: path, contents: nil) else {
            throw BenchmarkError("\(path): cannot be made")
        }
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        var state: UInt64 = 1
        var words = [UInt64](repeating: 0, count: 1 << 17)
        var left = byteCount
        while left > 0 {
            for index in words.indices {
                // xorshift64: fast, and nothing that a file system could compress.
                state ^= state << 13
                state ^= state >> 7
                state ^= state << 17
                words[index] = state
            }
            let count = min(left, words.count * 8)
            try handle.write(contentsOf: words.withUnsafeBytes { Data($0.prefix(count)) })
            left -= count
        }
        try handle.close()
    }
}
