import CZeroMQ
import Testing

@testable import ZeroMQ

@Suite("Admission requests")
struct AdmissionRequestTests {
    static let key = [UInt8](repeating: 3, count: 32)

    static func frames(
        version: String = "1.0", domain: String = "data", mechanism: String = "CURVE", credentials: [[UInt8]] = [key]
    ) -> [[UInt8]] {
        [version, "1", domain, "10.0.0.7", "", mechanism].map { Array($0.utf8) } + credentials
    }

    static func status(_ frames: [[UInt8]], allowed: Set<CurvePublicKey> = []) -> String {
        let lists = AdmissionLists()
        lists.allow(allowed, in: .data)
        return lists.answer(frames, at: .now).reply.status
    }

    @Test("a request reads as libzmq writes it")
    func wellFormed() throws {
        let key = try #require(CurvePublicKey(bytes: Self.key))
        let request = try #require(AdmissionRequest(frames: Self.frames()))
        #expect(request.domain == .data)
        #expect(request.address == "10.0.0.7")
        #expect(request.proof == .key(key))
        #expect(Self.status(Self.frames(), allowed: [key]) == "200")
        #expect(Self.status(Self.frames()) == "400")
        #expect(Self.status(Self.frames(domain: ""), allowed: [key]) == "400")
        #expect(Self.status(Self.frames(domain: "Data"), allowed: [key]) == "400")
        for mechanism in ["NULL", "PLAIN", "GSSAPI", "curve", ""] {
            #expect(Self.status(Self.frames(mechanism: mechanism), allowed: [key]) == "400")
        }
        #expect(Self.status(Self.frames(mechanism: "PLAIN", credentials: [[1], [2]])) == "400")
    }

    @Test("the reply names the key and the connection's number, which no other has")
    func reply() throws {
        let key = try #require(CurvePublicKey(bytes: Self.key))
        let lists = AdmissionLists()
        lists.allow([key], in: .data)
        for number in UInt8(1)...3 {
            let frames = lists.answer(Self.frames(), at: .now).reply.frames
            #expect(frames.count == 6)
            #expect(frames[0] == Array("1.0".utf8))
            #expect(frames[1] == Array("1".utf8))
            #expect(frames[2] == Array("200".utf8))
            #expect(frames[4] == Array(key.description.utf8))
            #expect(frames[5] == [9] + Array("Admission".utf8) + [0, 0, 0, 1, UInt8(ascii: "0") + number])
        }
    }

    @Test("whatever is malformed gets 500, and is counted")
    func malformed() {
        let good = Self.frames()
        for count in 0..<good.count - 1 { #expect(Self.status(Array(good.prefix(count))) == "500", "\(count) frames") }
        #expect(Self.status(Self.frames(version: "1.1")) == "500")
        #expect(Self.status(Self.frames(version: "")) == "500")
        #expect(Self.status(Self.frames(credentials: [])) == "500")
        #expect(Self.status(Self.frames(credentials: [Self.key, Self.key])) == "500")
        for length in [0, 1, 31, 33, 255] {
            #expect(Self.status(Self.frames(credentials: [[UInt8](repeating: 3, count: length)])) == "500")
        }
        for index in good.indices {
            var long = good
            long[index] = [UInt8](repeating: 65, count: 256)
            #expect(Self.status(long) == "500", "frame \(index)")
        }
        #expect(Self.status(good + [[UInt8]](repeating: [1], count: 20)) == "500")
        let lists = AdmissionLists()
        _ = lists.answer([], at: .now)
        #expect(lists.refusals.total == 1)
        #expect(lists.refusals.withoutKey == 1)
    }

    @Test("random frames never trap, and never admit")
    func random() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SplitMix(state: seed)
        let key = try #require(CurvePublicKey(bytes: Self.key))
        for _ in 0..<5000 {
            var frames = Self.frames(credentials: [[UInt8](repeating: 4, count: 32)])
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let index = Int.random(in: 0..<frames.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: frames.remove(at: index)
                case 1: frames.insert([UInt8](repeating: 0, count: index * 60), at: index)
                default: frames[index] = frames[index].map { $0 ^ UInt8.random(in: 0...255, using: &generator) }
                }
                if frames.isEmpty { break }
            }
            #expect(Self.status(frames, allowed: [key]) != "200", "seed \(seed)")
        }
    }

    @Test("the running admission answers malformed requests and goes on")
    func running() throws {
        let peer = try CurveKeyPair.generate()
        let server = try SecureServer(allowing: [peer.publicKey])
        let asker = try #require(zmq_socket(server.loop.context.handle, ZMQ_DEALER))
        defer { zmq_close(asker) }
        #expect(zmq_connect(asker, Admission.endpoint) == 0)
        func ask(_ frames: [[UInt8]]) {
            for (index, frame) in frames.enumerated() {
                #expect(zmq_send(asker, frame, frame.count, index < frames.count - 1 ? ZMQ_SNDMORE : 0) >= 0)
            }
        }
        func answer() throws -> [[UInt8]] {
            var timeout: Int32 = 20_000
            zmq_setsockopt(asker, ZMQ_RCVTIMEO, &timeout, 4)
            var frames: [[UInt8]] = []
            repeat {
                var frame = [UInt8](repeating: 0, count: 300)
                let count = zmq_recv(asker, &frame, frame.count, 0)
                try #require(count >= 0, "no answer")
                frames.append(Array(frame.prefix(Int(count))))
                var more: Int32 = 0
                var size = 4
                zmq_getsockopt(asker, ZMQ_RCVMORE, &more, &size)
                if more == 0 { return frames }
            } while true
        }
        // Without an envelope it is dropped by libzmq; the next one is answered.
        ask([[1, 2, 3]])
        ask([[], [9]])
        #expect(try answer()[3] == Array("500".utf8))
        ask([[]] + (0..<400).map { [UInt8](repeating: 7, count: $0) })
        #expect(try answer()[3] == Array("500".utf8))
        ask([[]] + Self.frames())
        #expect(try answer()[3] == Array("400".utf8))
        let client = try server.connect(as: peer)
        try server.send([1], on: client)
        #expect(try server.receive().key == peer.publicKey)
        #expect(server.admission.refusals.total == 3)
    }
}

/// Steele, Lea, Flood 2014: numbers from a seed.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        return word ^ word >> 31
    }
}
