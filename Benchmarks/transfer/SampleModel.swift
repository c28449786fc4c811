import Foundation
import ModelFiles
import Sharding

/// A file of random bytes, cut into tensors like those of a model with 2048 hidden elements in bf16.
struct SampleModel {
    struct Tensor {
        var range: Range<Int>
        var hash: FileHash
    }

    let path: String
    private(set) var tensors: [Tensor] = []

    /// Norm, query, key, value and output of the attention; norm, gate, up and down of the feed-forward.
    private static let sizes = [
        8 << 10, 8 << 20, 2 << 20, 2 << 20, 8 << 20, 8 << 10, 23 << 20, 23 << 20, 23 << 20,
    ]

    init(layerCount: Int, path: String) throws {
        self.path = path
        let layerBytes = Self.sizes.reduce(0, +)
        try Self.write(byteCount: layerCount * layerBytes, to: path)
        let file = try MappedFile(path: path)
        var start = 0
        for size in Array(repeating: Self.sizes, count: layerCount).joined() {
            let range = start..<start + size
            let hash = FileHash(of: UnsafeRawBufferPointer(rebasing: file.bytes[range]))
            tensors.append(Tensor(range: range, hash: hash))
            start += size
        }
    }

    var byteCount: Int { tensors.last?.range.upperBound ?? 0 }

    /// The tensors, for other processes; ends with an empty line.
    var list: String {
        tensors.map { "\($0.hash) \($0.range.lowerBound) \($0.range.count)\n" }.joined() + "\n"
    }

    /// Reads a list from standard input.
    static func readList(byteCount: Int) throws -> [Tensor] {
        var tensors: [Tensor] = []
        while let line = readLine(), !line.isEmpty {
            let words = line.split(separator: " ")
            guard words.count == 3, let hash = FileHash(String(words[0])), let start = Int(words[1]),
                let count = Int(words[2]), start >= 0, count > 0, start <= byteCount, count <= byteCount - start
            else { throw BenchmarkError("\(line): expected a hash, an offset and a size") }
            tensors.append(Tensor(range: start..<start + count, hash: hash))
        }
        return tensors
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
