import Foundation
import Sharding
import Synchronization
import Testing
import Threads
import ZeroMQ

@testable import WeightTransfer

/// A server that answers each request with whatever its script says.
final class ScriptedServer: Sendable {
    typealias Frames = (header: [UInt8], payload: [UInt8]?)

    let endpoint: Endpoint
    private let flag = Flag()
    private let wakeup: Wakeup
    private let thread = Mutex<OwnedThread?>(nil)

    init(_ script: @escaping @Sendable (WeightRequest) -> [Frames]) throws {
        let wakeup = try Wakeup()
        let bound = Mailbox<Endpoint>(capacity: 1, wakeup: try Wakeup())
        self.wakeup = wakeup
        let thread = OwnedThread(name: "scripted") { [flag] in
            guard let context = try? Context() else { return }
            let loop = SocketLoop(context: context, wakeup: wakeup)
            guard let router = try? loop.open(.router), let endpoint = try? router.socket.bind(.loopback()) else {
                return
            }
            try? bound.post(endpoint)
            while !flag.isSet {
                while let message = try? router.socket.receive() {
                    let request = try? message.header.withBytes { try WeightRequest(CheckedFrame($0)) }
                    guard let request else { continue }
                    for frames in script(request) {
                        _ = try? router.socket.send(
                            to: message.sender, Message(frames.header), payload: frames.payload.map { Message($0) })
                    }
                }
                try? loop.wait(until: .now + .seconds(10))
            }
        }
        let end = ContinuousClock.now + .seconds(20)
        var endpoint: Endpoint?
        while endpoint == nil, ContinuousClock.now < end {
            endpoint = bound.takeAll().first
            sched_yield()
        }
        self.endpoint = try #require(endpoint)
        self.thread.withLock { $0 = thread }
    }

    func stop() {
        flag.set()
        wakeup.signal()
        thread.withLock { $0?.join() }
    }
}

final class Flag: Sendable {
    private let flag = Atomic(false)

    var isSet: Bool { flag.load(ordering: .acquiring) }
    func set() { flag.store(true, ordering: .releasing) }
}

/// The messages that answer a request.
enum Answer {
    static func chunk(
        _ bytes: [UInt8], hash: FileHash, offset: Int, change: (inout [UInt8]) -> Void = { _ in }
    ) -> ScriptedServer.Frames {
        let chunk = WeightChunk(hash: hash, offset: offset, byteCount: bytes.count)
        var frame = (try? bytes.withUnsafeBytes { try chunk.frame(payload: $0) }) ?? []
        change(&frame)
        return (frame, bytes)
    }
}

@Suite("Hostile peers")
struct HostileTests {
    static let blob = SampleBlob(byteCount: 300_000, seed: 7)

    private static func right(_ request: WeightRequest) -> ScriptedServer.Frames {
        Answer.chunk(Array(blob.bytes[request.range]), hash: request.hash, offset: request.offset)
    }

    /// What a server may do wrong, and what of it the client says.
    static let scripts: [(says: String, script: @Sendable (WeightRequest) -> [ScriptedServer.Frames])] = [
        ("magic", { _ in [([UInt8](repeating: 1, count: 100), nil)] }),
        ("prefix", { _ in [([], nil)] }),
        ("payload bytes", { request in [(right(request).header, nil)] }),
        ("payload bytes", { request in [(right(request).header, [1, 2, 3])] }),
        (
            "checksum",
            { request in
                var frames = right(request)
                frames.payload?[5] ^= 4
                return [frames]
            }
        ),
        ("type", { request in [((try? request.frame()) ?? [], nil)] }),
        ("type", { _ in [((try? CoordinatorOrder.heartbeat.frame(run: .none)) ?? [], nil)] }),
        (
            "nobody asked for",
            { request in Array(repeating: Answer.chunk([1], hash: request.hash, offset: 299_999), count: 30) }
        ),
        (
            "SHA-256",
            { request in
                [
                    Answer.chunk(
                        [UInt8](repeating: 0, count: request.byteCount), hash: request.hash, offset: request.offset)
                ]
            }
        ),
        (
            "refused it (range)",
            { request in
                let refusal = WeightRefusal(
                    hash: request.hash, offset: request.offset, reason: .range, message: "line\nforged")
                return [((try? refusal.frame()) ?? [], nil)]
            }
        ),
    ]

    @Test(
        "a server that sends what it should not is dropped by name, and the next one used", arguments: scripts.indices)
    func servers(index: Int) throws {
        let (says, script) = Self.scripts[index]
        let hostile = try ScriptedServer(script)
        defer { hostile.stop() }
        let good = try Loopback([Self.blob])
        let source = WeightFetch.Source(name: "hostile", endpoint: hostile.endpoint)
        var settings = FetchMachine.Settings()
        settings.strayChunksMax = 16
        let summary = try good.fetch([Self.blob], from: [source, good.source], settings: settings)
        try good.expectStored([Self.blob])
        if let reason = summary.dropped["hostile"] {
            #expect(reason.contains(says), "\(reason)")
        } else {
            #expect(says.hasPrefix("refused"))
        }
        let error = #expect(throws: WeightTransferError.self) {
            let other = try Loopback()
            _ = try other.fetch([Self.blob], from: [source], settings: settings)
        }
        #expect(error?.description.contains("\n") == false)
        #expect(error?.description.contains(says) == true, "\(error?.description ?? "")")
    }

    @Test("a server that answers everything twice costs bytes, and no more")
    func twice() throws {
        let doubling = try ScriptedServer { request in [Self.right(request), Self.right(request)] }
        defer { doubling.stop() }
        let loopback = try Loopback()
        let summary = try loopback.fetch(
            [Self.blob], from: [WeightFetch.Source(name: "twice", endpoint: doubling.endpoint)])
        try loopback.expectStored([Self.blob])
        #expect(summary.receivedBytes == 300_000)
    }

    @Test("a server that says nothing is dropped after its deadlines")
    func silent() throws {
        let silent = try ScriptedServer { _ in [] }
        defer { silent.stop() }
        let good = try Loopback([Self.blob])
        var settings = FetchMachine.Settings()
        settings.answerWithin = .milliseconds(50)
        let summary = try good.fetch(
            [Self.blob], from: [WeightFetch.Source(name: "silent", endpoint: silent.endpoint), good.source],
            settings: settings)
        try good.expectStored([Self.blob])
        #expect(summary.dropped == ["silent": "gave no answer in time, 2 times in a row"])
    }

    @Test("requests that are none are dropped, and the server goes on")
    func clients() throws {
        let loopback = try Loopback([Self.blob])
        let loop = SocketLoop(context: try Context(), wakeup: try Wakeup())
        let dealer = try loop.open(.dealer)
        try dealer.socket.connect(loopback.server.endpoint)
        let request = try WeightRequest(hash: Self.blob.hash, offset: 0, byteCount: 10).frame()
        var random = SplitMix(1)
        var messages: [[[UInt8]]] = [[[]], [[1]], [request, [1]], [request, [], [1]], [Array(request.dropLast())]]
        messages.append([Self.right(WeightRequest(hash: Self.blob.hash, offset: 0, byteCount: 10)).header])
        for _ in 0..<200 {
            var damaged = request
            damaged[Int.random(in: 0..<damaged.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            messages.append([damaged])
        }
        let end = ContinuousClock.now + .seconds(20)
        for frames in messages {
            for (place, frame) in frames.enumerated() {
                try dealer.send(frame, more: place + 1 < frames.count, in: loop, until: end)
            }
        }
        #expect(try loopback.fetch([Self.blob]).receivedBytes == 300_000)
        while loopback.server.statistics.rejections < 190 {
            try #require(ContinuousClock.now < end)
            try loop.wait(until: .now + .milliseconds(5))
        }
    }

    @Test("runs beyond the end are refused by number, at every edge")
    func edges() throws {
        let loopback = try Loopback([Self.blob])
        let loop = SocketLoop(context: try Context(), wakeup: try Wakeup())
        let dealer = try loop.open(.dealer)
        try dealer.socket.connect(loopback.server.endpoint)
        let runs = [
            (0, 1, true), (299_999, 1, true), (299_999, 2, false), (300_000, 1, false), (1 << 50, 1 << 20, false),
        ]
        let end = ContinuousClock.now + .seconds(20)
        for (offset, byteCount, isThere) in runs {
            let request = WeightRequest(hash: Self.blob.hash, offset: offset, byteCount: byteCount)
            try dealer.send(try request.frame(), in: loop, until: end)
            var isAnswered = false
            while !isAnswered {
                try #require(ContinuousClock.now < end)
                try loop.wait(until: end)
                while let answer = try dealer.socket.receive() {
                    isAnswered = true
                    let (header, payload) = (answer.header.bytes, answer.payload.bytes)
                    try header.withUnsafeBytes { header in
                        try payload.withUnsafeBytes { payload in
                            let frame = try CheckedFrame(header, payload: payload)
                            #expect(frame.type == (isThere ? .weightChunk : .weightRefusal))
                            if !isThere { #expect(try WeightRefusal(frame).reason == .range) }
                        }
                    }
                }
            }
        }
    }
}
