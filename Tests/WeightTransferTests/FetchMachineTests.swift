import Sharding
import Testing

@testable import WeightTransfer

/// Plays files, sockets and time for a machine.
struct PlayedFetch {
    var machine: FetchMachine
    var now = ContinuousClock.now
    /// Requests of each connection that were not answered yet.
    var requests: [[WeightRequest]]
    var restarted: [Int] = []
    var closed: [Int] = []
    var dropped: [String] = []
    var failure: String?
    /// What is in the store when a blob is opened.
    var fronts: [Int: Int] = [:]
    var isElsewhere: Set<Int> = []

    static func blob(_ number: Int, _ byteCount: Int) -> WantedBlob {
        WantedBlob(
            hash: FileHash(bytes: [UInt8](repeating: UInt8(number), count: 32))!, byteCount: byteCount,
            name: "tensor \(number)")
    }

    init(_ sizes: [Int], sources: [(String, Int)] = [("a", 1)], settings: FetchMachine.Settings = .init()) {
        let connectionCount = sources.reduce(0) { $0 + $1.1 }
        requests = Array(repeating: [], count: connectionCount)
        machine = FetchMachine(
            sizes.enumerated().map { Self.blob($0, $1) },
            sources: sources.map { (name: $0.0, connectionCount: $0.1) }, settings: settings, now: now)
        machine.start()
    }

    mutating func connectAll() {
        for index in requests.indices { machine.connected(index, now: now) }
        perform()
    }

    mutating func perform() {
        while let action = machine.next(now: now) {
            switch action {
            case .open(let blob) where isElsewhere.contains(blob):
                machine.isElsewhere(blob, receivedBytes: 7, now: now)
            case .open(let blob): machine.opened(blob, receivedBytes: fronts[blob] ?? 0)
            case .request(let connection, let request): requests[connection].append(request)
            case .restart(let blob): restarted.append(blob)
            case .close(let connection):
                closed.append(connection)
                requests[connection] = []
            case .dropped(let source, let reason): dropped.append("\(machine.sources[source].name) \(reason)")
            case .fail(_, let place, let expected, let got):
                failure = failure ?? "\(place): expected \(expected), got \(got)"
            }
        }
    }

    mutating func pass(_ time: Duration) {
        now += time
        machine.tick(now: now)
        perform()
    }

    /// Answers the first request of a connection; hashes what became whole, as `hash` says.
    @discardableResult
    mutating func answer(_ connection: Int, hash: FileHash? = nil) -> FetchMachine.Verdict? {
        guard !requests[connection].isEmpty else { return nil }
        let request = requests[connection].removeFirst()
        let verdict = machine.received(
            WeightChunk(hash: request.hash, offset: request.offset, byteCount: request.byteCount),
            connection: connection, now: now)
        if case .append(let blob) = verdict, machine.blobs[blob].state == .hashing {
            machine.hashed(blob, as: hash ?? request.hash)
        }
        perform()
        return verdict
    }

    mutating func answerAll(_ connection: Int) { while answer(connection) != nil {} }

    mutating func refuse(_ connection: Int, _ reason: WeightRefusal.Reason, at place: Int = 0) {
        let request = requests[connection].remove(at: place)
        machine.refused(
            WeightRefusal(hash: request.hash, offset: request.offset, reason: reason, message: "so"),
            connection: connection, now: now)
        perform()
    }
}

@Suite("What is asked of whom")
struct FetchMachineTests {
    @Test("nothing is asked before the connection stands; then small tensors share one window")
    func window() {
        var fetch = PlayedFetch(Array(repeating: 4096, count: 200))
        fetch.perform()
        #expect(fetch.requests == [[]])
        fetch.connectAll()
        #expect(fetch.requests[0].count == fetch.machine.settings.requestsMax)
        fetch.answerAll(0)
        #expect(fetch.machine.isDone)
    }

    @Test("what is on the way stays within the windows, however many connections there are", arguments: [1, 2, 8])
    func windows(connectionCount: Int) {
        var fetch = PlayedFetch([4 << 30, 4 << 30, 4 << 30], sources: [("a", connectionCount)])
        fetch.connectAll()
        for _ in 0..<2000 {
            fetch.now += .microseconds(200)
            for connection in 0..<connectionCount { fetch.answer(connection) }
        }
        let settings = fetch.machine.settings
        #expect(fetch.machine.outstandingBytes <= settings.windowBytesInAllMax + connectionCount * 1 << 20)
        for connection in fetch.machine.connections[..<min(3, connectionCount)] {
            #expect(connection.outstandingBytes <= settings.windowBytesMax + settings.chunkBytesMax)
            #expect(connection.chunkBytes == settings.chunkBytesMax)
        }
    }

    @Test("a window is worth the link's speed and delay", arguments: [(0.1, 16), (0.01, 6), (0.0001, 4)])
    func delay(seconds: Double, mebibytes: Int) {
        var fetch = PlayedFetch([8 << 30])
        fetch.connectAll()
        // 300 MB/s: what was asked for comes after the delay, one chunk after the other.
        var free = fetch.now
        var due: [ContinuousClock.Instant] = []
        for _ in 0..<3000 {
            while due.count < fetch.requests[0].count {
                let byteCount = Double(fetch.requests[0][due.count].byteCount)
                free = max(free, fetch.now + .seconds(seconds)) + .seconds(byteCount / 300e6)
                due.append(free)
            }
            fetch.pass(max(.zero, fetch.now.duration(to: due.removeFirst())))
            fetch.answer(0)
        }
        let window = Double(fetch.machine.connections[0].windowBytes) / Double(1 << 20)
        #expect(abs(window - Double(mebibytes)) < 2, "\(window)")
    }

    @Test("on a slow link a chunk takes a second at most, and little more than two are on the way")
    func slowLink() {
        var fetch = PlayedFetch([100 << 20])
        fetch.connectAll()
        // 5 Mbit/s: each chunk takes as long as its size says.
        let bytesPerSecond = 625_000.0
        for _ in 0..<40 {
            guard let next = fetch.requests[0].first else { break }
            fetch.pass(.seconds(Double(next.byteCount) / bytesPerSecond))
            fetch.answer(0)
        }
        #expect(fetch.dropped.isEmpty)
        #expect(fetch.machine.connections[0].chunkBytes == 512 << 10)
        #expect(fetch.requests[0].allSatisfy { $0.byteCount <= 625_000 })
        #expect(fetch.machine.outstandingBytes <= 2 * 625_000 + 512 << 10)
    }

    @Test("a chunk that does not come is asked for again; a silent source is dropped, and the next goes on from there")
    func silence() {
        var fetch = PlayedFetch([10 << 20], sources: [("a", 1), ("b", 1)])
        fetch.connectAll()
        fetch.answer(0)
        let received = fetch.machine.blobs[0].receivedBytes
        let asked = fetch.requests[0].count
        fetch.pass(.seconds(4.9))
        #expect(fetch.requests[0].count == asked)
        fetch.pass(.seconds(0.2))
        #expect(fetch.requests[0].count > asked)
        #expect(fetch.requests[0][asked].offset == received)
        // The first answers come late after all: those asked for again are then duplicates.
        fetch.answer(0)
        #expect(fetch.machine.blobs[0].receivedBytes > received)
        fetch.pass(.seconds(5.1))
        fetch.pass(.seconds(5.1))
        #expect(fetch.dropped == ["a gave no answer in time, 2 times in a row"])
        #expect(fetch.closed == [0])
        #expect(fetch.requests[1].first?.offset == fetch.machine.blobs[0].receivedBytes)
        fetch.answerAll(1)
        #expect(fetch.machine.isDone)
    }

    @Test("a link that was measured to be slow has more time")
    func slowDeadline() {
        var fetch = PlayedFetch([10 << 20])
        fetch.connectAll()
        // 20 kB/s: the first chunk alone takes 3.3 s, four times that is its limit.
        for _ in 0..<6 {
            fetch.pass(.seconds(3.3))
            fetch.answer(0)
        }
        let next = fetch.requests[0].first?.byteCount ?? 0
        #expect(next > 0)
        fetch.pass(.seconds(5))
        #expect(fetch.machine.connections[0].strikes == (next >= 32 << 10 ? 0 : 1))
    }

    @Test("a source without a connection is dropped, with what its handshake failed of")
    func noConnection() {
        var fetch = PlayedFetch([10], sources: [("a", 1), ("b", 1)])
        fetch.machine.connected(1, now: fetch.now)
        fetch.machine.handshakeFailed(0, "refused with status 400")
        fetch.pass(.seconds(9))
        #expect(fetch.requests[1].isEmpty)
        fetch.pass(.seconds(2))
        #expect(fetch.dropped == ["a gave no connection within 10 s: refused with status 400"])
        fetch.answerAll(1)
        #expect(fetch.machine.isDone)
    }

    @Test("one of several connections may fail; the others take up its tensors")
    func oneOfTwo() {
        var fetch = PlayedFetch([3 << 20, 3 << 20, 3 << 20, 3 << 20], sources: [("a", 2)])
        fetch.machine.connected(0, now: fetch.now)
        fetch.perform()
        for _ in 0..<4 {
            fetch.pass(.seconds(3))
            fetch.answer(0)
        }
        #expect(fetch.closed == [1])
        #expect(fetch.dropped.isEmpty)
        fetch.answerAll(0)
        #expect(fetch.machine.isDone)
    }

    @Test("what was on its way over a broken connection is asked for again, once it stands")
    func loss() {
        var fetch = PlayedFetch([3 << 20, 100, 200])
        fetch.connectAll()
        fetch.answer(0)
        let received = fetch.machine.blobs.map(\.receivedBytes)
        fetch.requests[0] = []
        fetch.machine.disconnected(0, now: fetch.now)
        fetch.perform()
        #expect(fetch.requests[0].isEmpty)
        fetch.machine.connected(0, now: fetch.now)
        fetch.perform()
        #expect(fetch.requests[0].filter { $0.hash == fetch.machine.blobs[0].hash }.first?.offset == received[0])
        fetch.answerAll(0)
        #expect(fetch.machine.isDone)
        #expect((fetch.machine.duplicateBytes, fetch.machine.lossCount) == (0, 1))
    }

    @Test(
        "a source that has not one tensor is still asked for the others",
        arguments: [WeightRefusal.Reason.unknown, .range, .changed])
    func refusal(reason: WeightRefusal.Reason) {
        var fetch = PlayedFetch([100, 100, 100], sources: [("a", 1), ("b", 1)])
        fetch.connectAll()
        fetch.answer(0)
        fetch.refuse(0, reason)
        #expect(fetch.requests[1].map(\.hash) == [fetch.machine.blobs[1].hash])
        fetch.answerAll(0)
        fetch.answerAll(1)
        #expect(fetch.machine.isDone)
        #expect(fetch.dropped.isEmpty)
    }

    @Test("a busy source is asked again after a pause, and dropped when it stays busy")
    func busy() {
        var fetch = PlayedFetch([100])
        fetch.connectAll()
        for _ in 0..<3 {
            fetch.refuse(0, .busy)
            #expect(fetch.requests[0].isEmpty)
            fetch.pass(.milliseconds(300))
            #expect(fetch.requests[0].count == 1)
        }
        fetch.pass(.seconds(4))
        fetch.refuse(0, .busy)
        for _ in 0..<300 where fetch.dropped.isEmpty {
            fetch.pass(.milliseconds(260))
            if !fetch.requests[0].isEmpty { fetch.refuse(0, .busy) }
        }
        #expect(fetch.dropped == ["a has been busy for 60 s"])
        #expect(fetch.failure?.contains("a has been busy") == true)
    }

    @Test("who sends bytes of another hash is dropped, and nothing of it is kept")
    func wrongHash() {
        var fetch = PlayedFetch([100, 50], sources: [("a", 1), ("b", 1)])
        fetch.connectAll()
        fetch.answer(0, hash: PlayedFetch.blob(99, 1).hash)
        #expect(fetch.restarted == [0])
        #expect(fetch.dropped.count == 1)
        #expect(fetch.dropped[0].hasPrefix("a sent tensor 0 with SHA-256 6363"))
        #expect(fetch.requests[1].map(\.offset) == [0, 0])
        fetch.answerAll(1)
        #expect(fetch.machine.isDone)
    }

    @Test("where the front was there before, nobody is blamed: all of it is asked for again")
    func wrongFront() {
        var fetch = PlayedFetch([100], sources: [("a", 1)])
        fetch.fronts = [0: 40]
        fetch.connectAll()
        #expect(fetch.requests[0].map(\.offset) == [40])
        fetch.answer(0, hash: PlayedFetch.blob(99, 1).hash)
        #expect(fetch.dropped.isEmpty)
        #expect(fetch.restarted == [0])
        #expect(fetch.requests[0].map(\.offset) == [0])
        fetch.answer(0, hash: PlayedFetch.blob(99, 1).hash)
        #expect(fetch.dropped.count == 1)
        #expect(fetch.failure?.hasPrefix("tensor 0: expected a source with the 100 bytes of SHA-256 0000") == true)
    }

    @Test("when nobody is left, the error names the tensor and every source with its reason")
    func noneLeft() {
        var fetch = PlayedFetch([100], sources: [("a", 1), ("b", 1)])
        fetch.connectAll()
        fetch.refuse(0, .changed)
        fetch.machine.broke(1, "message: magic: expected SHRD, got other bytes")
        fetch.perform()
        #expect(
            fetch.failure?.hasSuffix(
                "got none: a refused it (changed): so; b sent what it should not: message: magic: expected SHRD, "
                    + "got other bytes") == true)
        var nobody = PlayedFetch([100], sources: [])
        nobody.perform()
        #expect(nobody.failure?.hasSuffix("got no source") == true)
    }

    @Test("a tensor that another process writes is looked at again, until it stands still for too long")
    func elsewhere() {
        var fetch = PlayedFetch([100, 100])
        fetch.isElsewhere = [0]
        fetch.connectAll()
        fetch.answerAll(0)
        #expect(!fetch.machine.isDone)
        fetch.isElsewhere = []
        var other = fetch
        fetch.pass(.milliseconds(150))
        fetch.answerAll(0)
        #expect(fetch.machine.isDone)
        other.isElsewhere = [0]
        for _ in 0..<400 { other.pass(.milliseconds(100)) }
        #expect(other.failure?.hasPrefix("tensor 0: expected the process that is receiving it to finish") == true)
    }

    @Test("chunks that nobody asked for are not used, and who keeps sending them is dropped")
    func strays() {
        var fetch = PlayedFetch([1000, 50])
        fetch.connectAll()
        let stray = WeightChunk(hash: PlayedFetch.blob(0, 1).hash, offset: 5, byteCount: 10)
        #expect(fetch.machine.received(stray, connection: 0, now: fetch.now) == .ignore)
        let other = WeightChunk(hash: PlayedFetch.blob(77, 1).hash, offset: 0, byteCount: 1000)
        #expect(fetch.machine.received(other, connection: 0, now: fetch.now) == .ignore)
        #expect(fetch.machine.duplicateBytes == 1010)
        for _ in 0..<64 { _ = fetch.machine.received(stray, connection: 0, now: fetch.now) }
        fetch.perform()
        #expect(fetch.dropped == ["a sends what nobody asked for"])
    }

    @Test("whatever happens in whatever order, every byte is written once and in its place", arguments: 1...200)
    func simulation(seed: UInt64) {
        var random = SplitMix(seed)
        let sizes = (0..<Int.random(in: 1...12, using: &random)).map { _ in
            Int.random(in: 1...3_000_000, using: &random)
        }
        var fetch = PlayedFetch(sizes, sources: [("a", 2), ("b", 1), ("c", 1)])
        for blob in sizes.indices where Bool.random(using: &random) {
            fetch.fronts[blob] = Int.random(in: 0...sizes[blob], using: &random)
        }
        fetch.connectAll()
        for blob in sizes.indices where fetch.machine.blobs[blob].state == .hashing {
            fetch.machine.hashed(blob, as: fetch.machine.blobs[blob].hash)
        }
        for _ in 0..<20_000 where !fetch.machine.isDone && fetch.failure == nil {
            let connection = Int.random(in: 0..<4, using: &random)
            let before = fetch.requests[connection].first
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<2:
                fetch.requests[connection] = []
                fetch.machine.disconnected(connection, now: fetch.now)
            case 2..<3 where connection != 3 && before != nil:
                fetch.refuse(connection, .unknown)
            case 3..<5 where before != nil:
                fetch.refuse(connection, .busy, at: fetch.requests[connection].indices.randomElement(using: &random)!)
            case 5..<7: if before != nil { fetch.requests[connection].removeFirst() }
            case 7..<8: fetch.pass(.seconds(3))
            case 8..<20:
                fetch.machine.connected(connection, now: fetch.now)
                fetch.pass(.milliseconds(30))
            default:
                let received = fetch.machine.blobs.map(\.receivedBytes)
                if case .append(let blob)? = fetch.answer(connection), let before {
                    #expect(before.offset == received[blob], "seed \(seed)")
                }
            }
            fetch.perform()
            for blob in sizes.indices where fetch.machine.blobs[blob].state == .hashing {
                fetch.machine.hashed(blob, as: fetch.machine.blobs[blob].hash)
            }
        }
        #expect(fetch.machine.isDone || fetch.failure != nil, "seed \(seed) neither ends nor fails")
        if fetch.machine.isDone { #expect(fetch.machine.blobs.map(\.receivedBytes) == sizes) }
    }
}
