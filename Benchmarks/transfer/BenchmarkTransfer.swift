import ArgumentParser
import Foundation
import Logging
import ModelFiles
import Sharding
import WeightTransfer
import ZeroMQ

/// Compares what fetching weights moves with what its connection could.
///
///     swift build -c release --product benchmark-transfer && .build/release/benchmark-transfer
///
/// In turn, A, B, A, B, …, over loopback, between two processes each:
///
/// - A: one ZeroMQ connection (PUSH, PULL) with frames of 1 MiB, which are thrown away.
/// - B: a `WeightServer` of a file of random bytes, cut like a model of 1.3 GB, and a `WeightFetch` into an empty store;
///   until every tensor was written, hashed, compared and mapped.
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

    @Flag(help: "Also B over CURVE.")
    var curve = false

    @Option(help: ArgumentHelp("What this process does for the one that started it.", visibility: .hidden))
    var role: Role?

    @Option(help: ArgumentHelp("Where the starter listens.", visibility: .hidden))
    var endpoint: String?

    @Option(help: ArgumentHelp("The file to serve.", visibility: .hidden))
    var file: String?

    @Option(help: ArgumentHelp("Bytes to send.", visibility: .hidden))
    var bytes = 0

    enum Role: String, ExpressibleByArgument { case send, serve }

    func validate() throws {
        guard (1...1000).contains(rounds), (1...1000).contains(layers), (1...16).contains(connections) else {
            throw ValidationError("expected 1 to 1000 rounds and layers, and 1 to 16 connections")
        }
        if curve { throw ValidationError("--curve: this build's sockets cannot encrypt") }
    }

    func run() throws {
        LoggingSystem.bootstrap { _ in SwiftLogNoOpLogHandler() }
        switch role {
        case .send: try RawConnection.send(to: try required(endpoint), byteCount: bytes)
        case .serve: try FetchRound.serve(file: try required(file))
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
        var raw: [Measurement] = []
        var fetched: [Measurement] = []
        for round in 1...rounds {
            raw.append(try RawConnection.measure(byteCount: model.byteCount))
            print("A \(round)  \(raw[round - 1].line)")
            try model.touchPages(in: work)
            fetched.append(
                try FetchRound.measure(model, store: "\(work)/cache-\(round)", connectionCount: connections))
            print("B \(round)  \(fetched[round - 1].line)")
        }
        let (a, b) = (Measurement.median(raw), Measurement.median(fetched))
        print("A    \(a.line)\nB    \(b.line)")
        print(String(format: "ratio %.2f", b.bytesPerSecond / a.bytesPerSecond))
    }
}
