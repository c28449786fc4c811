import Foundation
import Logging
import ModelFiles
import Sharding
import WeightTransfer
import ZeroMQ

/// B: a server of a file's tensors in one process, a fetch of them all into an empty store in another.
enum FetchRound {
    static func measure(_ model: SampleModel, store folder: String, connectionCount: Int, keys: [String]) throws
        -> Measurement
    {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let server = try Peer(["--role", "serve", "--path", model.path] + keys, input: model.list)
        let fetch = try Peer(
            [
                "--role", "fetch", "--endpoint", try server.line(), "--path", folder, "--connections",
                "\(connectionCount)",
            ] + keys, input: model.list)
        let words = try fetch.line().split(separator: " ").compactMap { Double($0) }
        guard words.count == 2 else { throw BenchmarkError("the fetch did not say what it measured") }
        try fetch.end()
        return Measurement(
            byteCount: model.byteCount, seconds: words[0], senderSeconds: try server.end(), receiverSeconds: words[1])
    }

    /// Serves the runs of a file that its input lists, until that ends; says its endpoint.
    static func serve(file path: String, _ keys: BenchmarkKeys?) throws {
        let file = try MappedFile(path: path)
        let offer = WeightOffer()
        offer.add(
            try SampleModel.readList(byteCount: file.byteCount).map { (hash: $0.hash, file: file, range: $0.range) })
        let context = try Context()
        let admission = try keys?.admit(in: context, to: .weights)
        defer { admission?.stop() }
        let server = try WeightServer(
            WeightServer.Options(socket: .weightServer.serving(keys, .weights)), offer: offer, context: context,
            logger: Logger(label: "benchmark"))
        try Peer.say("\(server.endpoint)")
        Peer.waitForEnd()
        server.stop()
    }

    /// Fetches what its input lists; says the seconds and the processor time that this took.
    static func fetch(from endpoint: String, into folder: String, _ connectionCount: Int, _ keys: BenchmarkKeys?) throws
    {
        guard let endpoint = Endpoint(endpoint) else { throw BenchmarkError("\(endpoint): no endpoint") }
        let wanted = try SampleModel.readList(byteCount: .max).enumerated().map { index, tensor in
            WantedBlob(hash: tensor.hash, byteCount: tensor.range.count, name: "tensor \(index)")
        }
        let byteCount = wanted.reduce(0) { $0 + $1.byteCount }
        let store = try TensorStore(cacheFolder: folder, byteLimit: 2 * byteCount)
        let context = try Context()
        let source = WeightFetch.Source(
            name: "server", endpoint: endpoint, socket: .weightClient.asking(keys), connectionCount: connectionCount)
        let (start, own) = (ContinuousClock.now, ProcessorTime.own)
        let summary = try WeightFetch(
            wanted, from: [source], into: store, context: context, logger: Logger(label: "benchmark")
        ).join()
        let seconds = start.duration(to: .now) / .seconds(1)
        let processorSeconds = ProcessorTime.own - own
        guard summary.receivedBytes == byteCount, summary.duplicateBytes == 0 else {
            throw BenchmarkError("expected \(byteCount) bytes once, got \(summary)")
        }
        try Peer.say("\(seconds) \(processorSeconds)")
        Peer.waitForEnd()
    }
}
