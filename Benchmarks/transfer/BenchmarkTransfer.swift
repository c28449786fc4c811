import ArgumentParser
import Foundation
import Logging

/// Compares what fetching weights moves with what its connection could.
///
///     swift build -c release --product benchmark-transfer && .build/release/benchmark-transfer
///
/// In turn, A, B, A, B, …, over loopback, between two new processes each:
///
/// - A: one ZeroMQ connection (PUSH, PULL) with a file of 1.3 GB of random bytes in frames of 1 MiB, which are thrown
///   away; with `--hot` one frame over and over, which no memory has to be read for.
/// - Both in clear, or both encrypted with `--curve`.
/// - B: a `WeightServer` of that file, cut into tensors like a model, and a `WeightFetch` into an empty store; until
///   every tensor was written, hashed, compared and mapped.
///
/// Prints the speed of each round, the medians and their ratio, and the processor time that each took at both ends. File
/// and store lie in /tmp unless `--folder` says otherwise; the file was just written, so it comes from the page cache.
/// Before each B as much memory is used once and given back, so that no round pays for what a virtual machine's host does
/// to provide pages. Nothing else should run meanwhile.
@main
struct BenchmarkTransfer: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "benchmark-transfer", abstract: "Compare fetching weights with a bare connection.")

    @Option(help: "Rounds of each.")
    var rounds = 5

    @Option(help: "Layers of the made-up model, of 94 MB each.")
    var layers = 14

    @Option(help: "Where file and store lie.")
    var folder = "/tmp"

    @Option(help: "Connections of the fetch.")
    var connections = 1

    @Flag(help: "Let A send the same frame over and over.")
    var hot = false

    @Flag(help: "Encrypt both by CURVE.")
    var curve = false

    @Option(help: ArgumentHelp("What this process does for the one that started it.", visibility: .hidden))
    var role: Role?

    @Option(help: ArgumentHelp("Where the other end listens.", visibility: .hidden))
    var endpoint: String?

    @Option(help: ArgumentHelp("The file to send or serve, or the store's folder.", visibility: .hidden))
    var path: String?

    @Option(help: ArgumentHelp("The file with both ends' keys.", visibility: .hidden))
    var keys: String?

    @Option(help: ArgumentHelp("Bytes to move.", visibility: .hidden))
    var bytes = 0

    enum Role: String, ExpressibleByArgument { case send, receive, serve, fetch }

    func validate() throws {
        guard (1...1000).contains(rounds), (1...1000).contains(layers), (1...16).contains(connections) else {
            throw ValidationError("expected 1 to 1000 rounds and layers, and 1 to 16 connections")
        }
    }

    func run() throws {
        LoggingSystem.bootstrap { _ in SwiftLogNoOpLogHandler() }
        let keys = try BenchmarkKeys(keys)
        switch role {
        case .send: try RawConnection.send(try required(path), to: try required(endpoint), isHot: hot, keys)
        case .receive: try RawConnection.receive(byteCount: bytes, keys)
        case .serve: try FetchRound.serve(file: try required(path), keys)
        case .fetch: try FetchRound.fetch(from: try required(endpoint), into: try required(path), connections, keys)
        case nil: try compare()
        }
    }

    private func required(_ value: String?) throws -> String {
        guard let value else { throw ValidationError("this role needs more arguments") }
        return value
    }

    private func compare() throws {
        let work = "\(folder)/shard-benchmark-\(getpid())"
        try FileManager.default.createDirectory(atPath: work, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: work) }
        let model = try SampleModel(layerCount: layers, path: "\(work)/model")
        print("\(model.tensors.count) tensors, \(model.byteCount) bytes, in \(folder)")
        if curve { try BenchmarkKeys.make(at: "\(work)/keys") }
        let keys = curve ? ["--keys", "\(work)/keys"] : []
        var raw: [Measurement] = []
        var fetched: [Measurement] = []
        for round in 1...rounds {
            raw.append(try RawConnection.measure(model, isHot: hot, keys: keys))
            print("A \(round)  \(raw[round - 1].line)")
            try model.touchPages(in: work)
            fetched.append(
                try FetchRound.measure(
                    model, store: "\(work)/cache-\(round)", connectionCount: connections, keys: keys))
            print("B \(round)  \(fetched[round - 1].line)")
        }
        let (a, b) = (Measurement.median(raw), Measurement.median(fetched))
        print("A    \(a.line)\nB    \(b.line)")
        print(String(format: "ratio %.2f", b.bytesPerSecond / a.bytesPerSecond))
    }
}
