import Foundation
import Links
import Logging
import Sharding
import Testing
import ZeroMQ

@testable import Worker

/// Finds files of this repository: the folder above this file that holds Package.swift.
enum Fixtures {
    static let root: String = {
        var folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        while folder.path != "/", !FileManager.default.fileExists(atPath: folder.path + "/Package.swift") {
            folder.deleteLastPathComponent()
        }
        return folder.path
    }()

    /// A tiny Llama: see its `reference.json`.
    static var llamaFolder: String { root + "/Tests/Fixtures/conformance/models/llama" }
    static let llamaFile = "llama-f16.gguf"

    /// Elements of the tiny Llama's hidden states.
    static func hiddenSize() throws -> Int {
        let text = try Data(contentsOf: URL(fileURLWithPath: llamaFolder + "/hf/config.json"))
        let config = try #require(try JSONSerialization.jsonObject(with: text) as? [String: Any])
        return try #require(config["hidden_size"] as? Int)
    }

    static func byteCount(_ path: String) throws -> UInt64 {
        try #require(FileManager.default.attributesOfItem(atPath: path)[.size] as? UInt64)
    }
}

/// A coordinator whose every message a test decides; on loopback, in the test's own thread.
final class ScriptedCoordinator {
    struct Timeout: Error {}

    let run: RunID
    let endpoint: Endpoint
    let resultsEndpoint: Endpoint
    let loop: SocketLoop
    private let control: LoopSocket
    private let results: LoopSocket
    private var data: LoopSocket?
    private(set) var peer: [UInt8] = []
    private(set) var hello: WorkerHello?
    private var wholeResults: [StepResultMessage] = []
    /// What the worker has asked of the results socket.
    private(set) var probes: [LinkProbe] = []
    var answersProbes = true
    private var assembler = StepResultAssembler(logitCountMax: 1 << 24)

    /// Generous: only a broken test waits that long.
    static let patience = Duration.seconds(30)

    init(run: RunID = .random(), at endpoint: Endpoint = .loopback()) throws {
        self.run = run
        loop = SocketLoop(context: try Context(), wakeup: try Wakeup())
        control = try loop.open(.router)
        self.endpoint = try control.socket.bind(endpoint)
        results = try loop.open(.router)
        resultsEndpoint = try results.socket.bind(.loopback())
    }

    // MARK: Control

    /// The next report of the worker, of heartbeats and progress only the ones that are asked for.
    func next(quiet: Bool = true, includingLinks: Bool = false) throws -> WorkerReport {
        let deadline = ContinuousClock.now + Self.patience
        while true {
            if let message = try control.socket.receive() {
                peer = message.sender
                let report = try message.header.withBytes { try WorkerReport(CheckedFrame($0)) }
                switch report {
                case .linkMeasured:
                    if !includingLinks { continue }
                case .heartbeat, .loadProgress:
                    // A coordinator's heartbeats answer the worker's, so that its lease lasts.
                    if case .heartbeat = report { try send(.heartbeat) }
                    if quiet { continue }
                default: break
                }
                return report
            }
            while let message = try results.socket.receive() { try take(message) }
            try wait(until: deadline)
        }
    }

    @discardableResult
    func expectHello() throws -> WorkerHello {
        while true {
            guard case .hello(let hello) = try next() else { continue }
            self.hello = hello
            return hello
        }
    }

    func accept(
        _ heartbeat: HeartbeatSettings = HeartbeatSettings(interval: .milliseconds(100), deadAfter: .seconds(20))
    )
        throws
    {
        try send(.helloReply(.accepted(run, heartbeat)))
    }

    func send(_ order: CoordinatorOrder, run: RunID? = nil) throws {
        try send(raw: order.frame(run: run ?? self.run))
    }

    func send(raw bytes: [UInt8]) throws {
        #expect(try control.socket.send(to: peer, Message(bytes)) == .sent)
    }

    // MARK: Data

    func sendStep(_ message: StepMessage, hidden: [Float]) throws {
        let frame = try hidden.withUnsafeBytes { try message.frame(payload: $0) }
        try sendData(frame, payload: hidden.withUnsafeBytes { Array($0) })
    }

    func sendData(_ frame: [UInt8], payload: [UInt8] = []) throws {
        let deadline = ContinuousClock.now + Self.patience
        let socket = try dataSocket()
        while try socket.socket.send(Message(frame), payload: payload.isEmpty ? nil : Message(payload)) != .sent {
            guard ContinuousClock.now < deadline else { throw Timeout() }
            try socket.socket.waitUntilWritable(until: deadline)
        }
    }

    func nextResult() throws -> StepResultMessage {
        let deadline = ContinuousClock.now + Self.patience
        while true {
            if !wholeResults.isEmpty { return wholeResults.removeFirst() }
            while let message = try results.socket.receive() { try take(message) }
            if wholeResults.isEmpty { try wait(until: deadline) }
        }
    }

    /// Keeps results, and answers probes as long as it is to.
    private func take(_ message: borrowing ReceivedMessage) throws {
        let sender = message.sender
        let echo = try message.header.withBytes { header -> LinkEcho? in
            try message.payload.withBytes { payload in
                let frame = try CheckedFrame(header, payload: payload)
                if frame.type == .linkProbe {
                    probes.append(try LinkProbe(frame))
                    return probes.last.map { LinkEcho(answering: .linkProbe, number: $0.number) }
                }
                if let whole = try assembler.take(frame, run: frame.prefix.run, epoch: frame.prefix.epoch) {
                    wholeResults.append(whole)
                }
                return nil
            }
        }
        if let echo, answersProbes { try LinkAnswer.send(echo, to: sender, over: results.socket) }
    }

    /// What came back on the connection for steps.
    func nextEcho() throws -> LinkEcho {
        let deadline = ContinuousClock.now + Self.patience
        while true {
            if let message = try dataSocket().socket.receive() {
                return try message.header.withBytes { try LinkEcho(CheckedFrame($0)) }
            }
            try wait(until: deadline)
        }
    }

    private func dataSocket() throws -> LoopSocket {
        if let data { return data }
        let socket = try loop.open(.dealer)
        let endpoint = try #require(hello.flatMap { Endpoint($0.dataEndpoint) })
        try socket.socket.connect(endpoint)
        data = socket
        return socket
    }

    private func wait(until deadline: ContinuousClock.Instant) throws {
        guard ContinuousClock.now < deadline else { throw Timeout() }
        try loop.wait(until: deadline)
    }
}

extension ScriptedCoordinator {
    /// A worker that looks in the folder of the tiny Llama.
    func makeWorker(
        name: String = "a", folders: [String] = [Fixtures.llamaFolder], ending: WorkerEnding = .byItself
    ) throws -> Worker {
        try Worker(
            WorkerConfiguration(
                name: name, coordinator: endpoint.description, threads: 1, modelFolders: folders,
                ending: ending, hashes: FileHashCache(folder: nil)),
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    /// Loads one stage with these layers, and perhaps the head.
    func load(
        epoch: Epoch, layers: Range<Int> = 0..<2, stage: Int = 0, of stageCount: Int = 1, sha256: [UInt8] = [],
        file: String = Fixtures.llamaFile, next: Endpoint? = nil
    ) throws -> LoadOrder {
        let bytes = try Fixtures.byteCount(Fixtures.llamaFolder + "/" + Fixtures.llamaFile)
        return LoadOrder(
            epoch: epoch,
            model: ModelReference(
                format: .gguf, files: [ModelReferenceFile(name: file, bytes: bytes, sha256: sha256)]),
            limits: LoadLimits(
                cacheType: .f32, contextLength: 64, maxSequences: 2, maxRows: 16, cachePositions: 128,
                cacheBytes: 1 << 30,
                memoryBytes: 1 << 30),
            stageCount: stageCount,
            stages: [
                StageOrder(
                    index: stage, layers: layers, includesHead: stage == stageCount - 1,
                    nextEndpoint: (next ?? resultsEndpoint).description)
            ])
    }

    /// Hello, load and activate of one epoch.
    func bringUp(_ order: LoadOrder) throws {
        try send(.load(order))
        guard case .loaded(let loaded) = try next() else { throw Timeout() }
        #expect(loaded.epoch == order.epoch)
        #expect(loaded.weightBytes > 0)
        try send(.activate(order.epoch))
        #expect(try next() == .activated(order.epoch))
    }
}
