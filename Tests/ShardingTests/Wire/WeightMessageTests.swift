import Testing

@testable import Sharding

@Suite("Messages with weights")
struct WeightMessageTests {
    @Test("requests, chunks and refusals arrive as they were")
    func roundTrip() throws {
        let request = try WireSamples.request.frame().withUnsafeBytes { try WeightRequest(CheckedFrame($0)) }
        #expect(request == WireSamples.request)
        let frame = try WireSamples.chunkFrame()
        try WireSamples.weights.withUnsafeBytes { payload in
            let checked = try frame.withUnsafeBytes { bytes in
                let checked = try CheckedFrame(bytes, payload: payload)
                #expect(try WeightChunk(checked) == WireSamples.chunk)
                return checked.prefix
            }
            #expect((checked.elementType, checked.rowCount, checked.width) == (24, 1, 45))
        }
        for refusal in WireSamples.refusals {
            let read = try refusal.frame().withUnsafeBytes { try WeightRefusal(CheckedFrame($0)) }
            #expect(read == refusal)
        }
    }

    @Test("none is taken for another")
    func otherTypes() throws {
        try WireSamples.request.frame().withUnsafeBytes { bytes in
            let checked = try CheckedFrame(bytes)
            let error = #expect(throws: WireError.self) { try WeightChunk(checked) }
            #expect(error?.description == "weightRequest: type: expected 97 (weightChunk), got 96")
            #expect(throws: WireError.self) { try WeightRefusal(checked) }
            #expect(throws: WireError.self) { try CoordinatorOrder(checked) }
        }
    }

    @Test("runs of no bytes, of more than 1 MiB, or beyond 2^50 are refused at both ends")
    func ranges() throws {
        for byteCount in [0, -1, (1 << 20) + 1, .max] {
            let request = WeightRequest(hash: WireSamples.hash, offset: 0, byteCount: byteCount)
            #expect(throws: WireError.self) { try request.frame() }
        }
        for offset in [(1 << 50) + 1, Int.max] {
            #expect(throws: WireError.self) {
                try WeightRequest(hash: WireSamples.hash, offset: offset, byteCount: 1).frame()
            }
            let chunk = WeightChunk(hash: WireSamples.hash, offset: offset, byteCount: 45)
            let frame = try WireSamples.weights.withUnsafeBytes { try chunk.frame(payload: $0) }
            #expect(throws: WireError.self) { try readMessage(frame, payload: WireSamples.weights) }
        }
        let large = [UInt8](repeating: 1, count: (1 << 20) + 1)
        let chunk = WeightChunk(hash: WireSamples.hash, offset: 0, byteCount: large.count)
        #expect(throws: WireError.self) { try large.withUnsafeBytes { try chunk.frame(payload: $0) } }
    }

    @Test("a chunk whose prefix says other than its payload is refused", arguments: [42, 44, 48])
    func prefix(offset: Int) throws {
        for value: UInt16 in [0, 2, 44, 46, .max] {
            let damaged = resealed(try WireSamples.chunkFrame(), payload: WireSamples.weights) { bytes in
                bytes.replaceSubrange(offset..<offset + 2, with: withUnsafeBytes(of: value.littleEndian) { Array($0) })
            }
            #expect(throws: WireError.self) { try readMessage(damaged, payload: WireSamples.weights) }
        }
    }

    @Test("a refusal's long message is cut, and its reason that only a newer program knows counts as unknown")
    func refusalText() throws {
        var refusal = WireSamples.refusals[0]
        refusal.message = String(repeating: "é", count: 5000)
        let read = try refusal.frame().withUnsafeBytes { try WeightRefusal(CheckedFrame($0)) }
        #expect(read.message == String(repeating: "é", count: 2048))
        #expect(WeightRefusal.Reason(.UNRECOGNIZED(77)) == .unknown)
    }
}
