import Testing

@testable import Sharding

@Suite("Messages round trip")
struct WireRoundTripTests {
    @Test("a worker's report arrives as it was", arguments: WireSamples.reports)
    func report(report: WorkerReport) throws {
        let frame = try report.frame(run: WireSamples.run)
        try frame.withUnsafeBytes { bytes in
            let checked = try CheckedFrame(bytes)
            #expect(checked.prefix.run == WireSamples.run)
            #expect(try WorkerReport(checked) == report)
            #expect(throws: WireError.self) { try CoordinatorOrder(checked) }
        }
    }

    @Test("a coordinator's order arrives as it was", arguments: WireSamples.orders)
    func order(order: CoordinatorOrder) throws {
        let frame = try order.frame(run: WireSamples.run)
        try frame.withUnsafeBytes { bytes in
            let checked = try CheckedFrame(bytes)
            #expect(try CoordinatorOrder(checked) == order)
            #expect(throws: WireError.self) { try WorkerReport(checked) }
        }
    }

    @Test("a step arrives as it was, its hidden states bit for bit")
    func step() throws {
        let frame = try WireSamples.stepFrame()
        // A frame's bytes may start at any address.
        for shift in 0..<4 {
            let shifted = [UInt8](repeating: 0, count: shift) + frame
            try shifted[shift...].withUnsafeBytes { bytes in
                try WireSamples.payload.withUnsafeBytes { payload in
                    let checked = try CheckedFrame(bytes, payload: payload)
                    #expect(try StepMessage(checked) == WireSamples.step)
                    #expect(checked.prefix.rowCount == 5)
                    #expect(checked.byteCount == frame.count + payload.count)
                }
            }
        }
    }

    @Test("a payload in the first frame is read as one in the second is")
    func joinedStep() throws {
        let frame = try WireSamples.stepFrame()
        try (frame + WireSamples.payload).withUnsafeBytes { bytes in
            let checked = try CheckedFrame(bytes)
            #expect(try StepMessage(checked) == WireSamples.step)
            #expect(Array(checked.payload) == WireSamples.payload)
            #expect(checked.byteCount == bytes.count)
        }
    }

    @Test("a step of operations alone has no payload")
    func operationsOnly() throws {
        let message = StepMessage(
            run: WireSamples.run, epoch: Epoch(1), stage: 0, width: 64,
            step: Step(id: 1, operations: [.free(SequenceID(1))]))
        let frame = try message.frame(payload: UnsafeRawBufferPointer(start: nil, count: 0))
        let read = try frame.withUnsafeBytes { try StepMessage(CheckedFrame($0)) }
        #expect(read == message)
    }

    @Test("a result without logits is whole at once")
    func result() throws {
        var assembler = StepResultAssembler(logitCountMax: 0)
        let frame = try WireSamples.result.frame()
        let whole = try frame.withUnsafeBytes {
            try assembler.take(CheckedFrame($0), run: WireSamples.run, epoch: Epoch(5))
        }
        #expect(whole == WireSamples.result)
    }

    @Test(
        "logits come in pieces of at most 1 MiB and are put together", arguments: [1, 1 << 18, (1 << 18) + 1, 700_001])
    func logits(count: Int) throws {
        var message = WireSamples.result
        message.result.logits = (0..<count).map { Float(bitPattern: UInt32(truncatingIfNeeded: $0 &* 2_654_435_761)) }
        var assembler = StepResultAssembler(logitCountMax: count)
        let first = try message.frame().withUnsafeBytes {
            try assembler.take(CheckedFrame($0), run: WireSamples.run, epoch: Epoch(5))
        }
        #expect(first == nil)
        let pieces = message.logitsPieces
        #expect(pieces.count == (count + (1 << 18) - 1) >> 18)
        var whole: StepResultMessage?
        for piece in pieces {
            try message.result.logits[piece].withUnsafeBytes { payload in
                #expect(payload.count <= 1 << 20)
                let frame = try message.logitsFrame(piece, payload: payload)
                #expect(whole == nil)
                whole = try frame.withUnsafeBytes {
                    try assembler.take(CheckedFrame($0, payload: payload), run: WireSamples.run, epoch: Epoch(5))
                }
            }
        }
        #expect(whole?.result.logits.map(\.bitPattern) == message.result.logits.map(\.bitPattern))
    }

    @Test("the prefix lies as it is documented")
    func layout() throws {
        let frame = try WireSamples.stepFrame()
        #expect(Array(frame[0..<8]) == [0x53, 0x48, 0x52, 0x44, 3, 0, 64, 0])
        #expect(Array(frame[8..<16]) == [0xEF, 0xCD, 0xAB, 0x89, 0x67, 0x45, 0x23, 0x01])
        #expect(Array(frame[24..<42]) == [5, 0, 0, 0, 0, 0, 0, 0, 99, 0, 0, 0, 0, 0, 0, 0, 2, 0])
        #expect(Array(frame[42..<52]) == [0, 0, 5, 0, 0, 0, 3, 0, 0, 0])
        #expect(Array(frame[56..<60]) == [60, 0, 0, 0])
    }

    @Test("the checksum is CRC-32C")
    func checksum() {
        var crc = CRC32C()
        Array("1234".utf8).withUnsafeBytes { crc.update($0) }
        Array("56789".utf8).withUnsafeBytes { crc.update($0) }
        #expect(crc.value == 0xE306_9283)
    }
}
