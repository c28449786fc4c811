import Foundation
import Logging
import ModelFiles
import Sharding
import WeightTransfer
import ZeroMQ

/// B: a server of a file's tensors in one process, a fetch of them all into an empty store in another.
enum FetchRound {
    static func measure(_ model: SampleModel, store folder: String, connectionCount: Int) throws -> Measurement {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let children = ProcessorTime.children
        let peer = try Peer(["--role", "serve", "--file", model.path])
        try peer.input.fileHandleForWriting.write(contentsOf: Data(model.list.utf8))
        let line = String(decoding: peer.output.fileHandleForReading.availableData, as: UTF8.self)
        guard let endpoint = Endpoint(line.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw BenchmarkError("the server did not start")
        }
        let store = try TensorStore(cacheFolder: folder, byteLimit: 2 * model.byteCount)
        let context = try Context()
        let own = ProcessorTime.own
        let start = ContinuousClock.now
        let fetch = try WeightFetch(
            model.tensors.map { WantedBlob(hash: $0.hash, byteCount: $0.range.count, name: $0.name) },
            from: [
                WeightFetch.Source(name: "server", endpoint: endpoint, connectionCount: connectionCount)
            ], into: store, context: context, logger: Logger(label: "benchmark"))
        let summary = try fetch.join()
        let time = start.duration(to: .now)
        let receiverSeconds = ProcessorTime.own - own
        guard summary.receivedBytes == model.byteCount, summary.duplicateBytes == 0 else {
            throw BenchmarkError("expected \(model.byteCount) bytes once, got \(summary)")
        }
        try peer.end()
        return Measurement(
            byteCount: model.byteCount, seconds: time / .seconds(1),
            senderSeconds: ProcessorTime.children - children, receiverSeconds: receiverSeconds)
    }

    /// Serves the runs of a file that its input lists, until that ends.
    static func serve(file path: String) throws {
        let file = try MappedFile(path: path)
        let offer = WeightOffer()
        var runs: [(hash: FileHash, file: MappedFile, range: Range<Int>)] = []
        while let line = readLine(), !line.isEmpty {
            let words = line.split(separator: " ")
            guard words.count == 3, let hash = FileHash(String(words[0])), let start = Int(words[1]),
                let count = Int(words[2]), start >= 0, count > 0, start + count <= file.byteCount
            else { throw BenchmarkError("\(line): expected a hash, an offset and a size") }
            runs.append((hash, file, start..<start + count))
        }
        offer.add(runs)
        let server = try WeightServer(
            WeightServer.Options(), offer: offer, context: try Context(), logger: Logger(label: "benchmark"))
        try FileHandle.standardOutput.write(contentsOf: Data("\(server.endpoint)\n".utf8))
        _ = FileHandle.standardInput.readDataToEndOfFile()
        server.stop()
    }
}
