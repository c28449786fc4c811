import Testing

@testable import Sharding

@Suite("Hostile messages")
struct WireHostileTests {
    /// Frame and payload of one message of each kind.
    static func messages() throws -> [(frame: [UInt8], payload: [UInt8])] {
        var messages: [(frame: [UInt8], payload: [UInt8])] = []
        for report in WireSamples.reports { messages.append((try report.frame(run: WireSamples.run), [])) }
        for order in WireSamples.orders { messages.append((try order.frame(run: WireSamples.run), [])) }
        messages.append((try WireSamples.stepFrame(), WireSamples.payload))
        // A short payload stands behind the header.
        messages.append((try WireSamples.stepFrame() + WireSamples.payload, []))
        messages.append((try WireSamples.result.frame(), []))
        messages.append((try WireSamples.request.frame(), []))
        messages.append((try WireSamples.chunkFrame(), WireSamples.weights))
        messages.append((try WireSamples.probeFrame(), WireSamples.weights))
        for echo in WireSamples.echoes { messages.append((try echo.frame(), [])) }
        for refusal in WireSamples.refusals { messages.append((try refusal.frame(), [])) }
        return messages
    }

    @Test("every truncation is refused")
    func truncations() throws {
        for (frame, payload) in try Self.messages() {
            try readMessage(frame, payload: payload)
            for count in 0..<frame.count {
                #expect(throws: WireError.self) { try readMessage(Array(frame[..<count]), payload: payload) }
            }
            for count in 0..<payload.count {
                #expect(throws: WireError.self) { try readMessage(frame, payload: Array(payload[..<count])) }
            }
            #expect(throws: WireError.self) { try readMessage(frame + [0], payload: payload) }
            #expect(throws: WireError.self) { try readMessage(frame, payload: payload + [0]) }
        }
    }

    @Test("every single flipped bit is refused")
    func bitFlips() throws {
        for (frame, payload) in try Self.messages() {
            for bit in 0..<frame.count * 8 {
                var damaged = frame
                damaged[bit / 8] ^= 1 << (bit % 8)
                #expect(throws: WireError.self) { try readMessage(damaged, payload: payload) }
            }
            for bit in 0..<payload.count * 8 {
                var damaged = payload
                damaged[bit / 8] ^= 1 << (bit % 8)
                #expect(throws: WireError.self) { try readMessage(frame, payload: damaged) }
            }
        }
    }

    @Test("any header bytes under a right checksum are read or refused, never a trap", arguments: [1, 2, 3])
    func fuzz(seed: UInt64) throws {
        var generator = SplitMix(state: seed)
        for (frame, payload) in try Self.messages() {
            for _ in 0..<2000 {
                let damaged = resealed(frame, payload: payload) { bytes in
                    for _ in 0...generator.next() % 3 {
                        // The lengths and the magic stay: others are refused before the header is looked at.
                        let place = Int(generator.next() % UInt64(bytes.count))
                        if place < 4 || (52..<64).contains(place) { continue }
                        bytes[place] = UInt8(truncatingIfNeeded: generator.next())
                    }
                }
                try? readMessage(damaged, payload: payload)
            }
        }
    }

    @Test("lengths at the end of their range are refused", arguments: [44, 48, 52, 56])
    func hostileLengths(offset: Int) throws {
        for value: UInt32 in [.max, 1 << 31, (1 << 31) - 1, 1 << 16, 0] {
            let frame = try WireSamples.stepFrame()
            let damaged = resealed(frame, payload: WireSamples.payload) { bytes in
                bytes.replaceSubrange(offset..<offset + 4, with: withUnsafeBytes(of: value.littleEndian) { Array($0) })
            }
            #expect(throws: WireError.self) { try readMessage(damaged, payload: WireSamples.payload) }
        }
    }

    @Test("fields that a later version adds are ignored")
    func unknownFields() throws {
        // Field 1000, a varint: two bytes of key, one of value.
        let extra: [UInt8] = [0xC0, 0x3E, 5]
        for (frame, payload) in try Self.messages() {
            let headerBytes = try #require(frame.withUnsafeBytes { FramePrefix($0)?.headerBytes })
            // Behind the header of one of them stands the payload.
            guard Int(headerBytes) == frame.count - FramePrefix.byteCount else { continue }
            let longer = resealed(frame, payload: payload) { bytes in
                bytes += extra
                let count = UInt32(bytes.count - FramePrefix.byteCount)
                bytes.replaceSubrange(52..<56, with: withUnsafeBytes(of: count.littleEndian) { Array($0) })
            }
            try readMessage(longer, payload: payload)
        }
    }

    @Test("an unknown type is refused by its number")
    func unknownType() throws {
        let frame = resealed(try WireSamples.reports[1].frame(run: .none)) { $0[7] = 0x7F }
        let error = #expect(throws: WireError.self) { try readMessage(frame) }
        #expect(error?.code == .type)
        #expect(error?.description == "message: type: expected a known number, got 32514")
    }

    @Test("another version's message is refused by both numbers; its hello is read")
    func otherVersion() throws {
        let frame = resealed(try WireSamples.reports[1].frame(run: .none)) { $0[4] = 9 }
        let error = #expect(throws: WireError.self) { try readMessage(frame) }
        #expect(error?.code == .version)
        #expect(error?.description == "loadProgress: version: expected protocol 3, got protocol 9")
        var hello = WireSamples.hello
        hello.version = ProtocolVersion(number: 9, program: "9.0")
        let helloFrame = try WorkerReport.hello(hello).frame(run: .none)
        #expect(helloFrame[4] == 9)
        let read = try helloFrame.withUnsafeBytes { try WorkerReport(CheckedFrame($0)) }
        #expect(read == .hello(hello))
    }

    @Test(
        "sampling parameters outside their range are refused by name",
        arguments: [
            ("temperature", SamplingParameters(temperature: .nan)),
            ("temperature", SamplingParameters(temperature: -1)),
            ("temperature", SamplingParameters(temperature: .infinity)), ("top_p", SamplingParameters(topP: 1.5)),
            ("min_p", SamplingParameters(minP: -0.1)), ("repetition_penalty", SamplingParameters(repetitionPenalty: 0)),
            ("repetition_penalty", SamplingParameters(repetitionPenalty: 101)),
            ("presence_penalty", SamplingParameters(presencePenalty: .infinity)),
            ("frequency_penalty", SamplingParameters(frequencyPenalty: .nan)),
            ("biases", SamplingParameters(logitBias: [TokenLogitBias(token: 1, bias: .nan)])),
            ("top_logprob_count", SamplingParameters(topLogprobCount: 101)),
        ])
    func sampling(field: String, parameters: SamplingParameters) throws {
        let message = StepMessage(
            run: .none, epoch: Epoch(1), stage: 0, width: 1,
            step: Step(id: 1, operations: [.begin(SequenceID(1), SequenceStart(tokens: [1], sampling: parameters))]))
        let frame = try message.frame(payload: UnsafeRawBufferPointer(start: nil, count: 0))
        let error = #expect(throws: WireError.self) { try readMessage(frame) }
        #expect(error?.field == "sampling.\(field)")
    }

    @Test(
        "names that lead out of a folder are refused",
        arguments: ["", ".", "..", "a/b", "/etc/passwd", "..\\x", "a\0b", "a\nb", String(repeating: "x", count: 256)])
    func fileNames(name: String) throws {
        var order = WireSamples.load
        order.model.files[0].name = name
        let frame = try CoordinatorOrder.load(order).frame(run: .none)
        let error = #expect(throws: WireError.self) { try readMessage(frame) }
        #expect(error?.field == "model.files.name")
    }

    @Test("a sampler state above 64 bytes is refused")
    func samplerState() throws {
        var message = WireSamples.result
        message.result.sequences[0].samplerState.append(0)
        let error = #expect(throws: WireError.self) { try readMessage(try message.frame()) }
        #expect(error?.field == "sampler_state")
    }

    @Test("a mean that is no number is refused, and one of too many numbers is neither sent nor read")
    func means() throws {
        var message = WireSamples.result
        message.result.sequences[2].outcome = .mean([1, .nan])
        #expect(#expect(throws: WireError.self) { try readMessage(try message.frame()) }?.field == "sequences.mean")
        let half = [Float](repeating: 1, count: WireLimits.meanElementsMax / 2)
        message.result.sequences[1].outcome = .mean(half)
        message.result.sequences[2].outcome = .mean(half)
        try readMessage(try message.frame())
        message.result.sequences[2].outcome = .mean(half + [1])
        #expect(#expect(throws: WireError.self) { try message.frame() }?.field == "sequences.mean")
        let header = WireStepResultHeader(message)
        #expect(throws: WireError.self) { try header.stepResult(step: 1, FieldReader(.stepResult)) }
    }

    @Test("more logits than the step can have, pieces out of order or of no result, are refused")
    func logits() throws {
        var message = WireSamples.result
        message.result.logits = [1, 2, 3]
        var small = StepResultAssembler(logitCountMax: 2)
        #expect(throws: WireError.self) {
            try message.frame().withUnsafeBytes {
                _ = try small.take(CheckedFrame($0), run: WireSamples.run, epoch: Epoch(5))
            }
        }
        var assembler = StepResultAssembler(logitCountMax: 3)
        func take(_ range: Range<Int>) throws -> StepResultMessage? {
            try message.result.logits[range].withUnsafeBytes { payload in
                let frame = try message.logitsFrame(range, payload: payload)
                return try frame.withUnsafeBytes {
                    try assembler.take(CheckedFrame($0, payload: payload), run: WireSamples.run, epoch: Epoch(5))
                }
            }
        }
        #expect(throws: WireError.self) { try take(0..<1) }
        let first = try message.frame().withUnsafeBytes {
            try assembler.take(CheckedFrame($0), run: WireSamples.run, epoch: Epoch(5))
        }
        #expect(first == nil)
        #expect(throws: WireError.self) { try take(1..<2) }
        #expect(try take(0..<2) == nil)
        #expect(throws: WireError.self) { try take(0..<1) }
        #expect(try take(2..<3) == message)
    }

    @Test("results of another run or epoch are dropped before anything of them is kept")
    func otherEpoch() throws {
        var message = WireSamples.result
        message.result.logits = [1]
        var assembler = StepResultAssembler(logitCountMax: 1)
        for step in 0..<UInt64(StepResultAssembler.pendingMax) {
            message.result.step = step
            try message.frame().withUnsafeBytes { bytes in
                let frame = try CheckedFrame(bytes)
                #expect(try assembler.take(frame, run: WireSamples.run, epoch: Epoch(6)) == nil)
                #expect(try assembler.take(frame, run: .none, epoch: Epoch(5)) == nil)
            }
        }
        message.result.step = 1000
        let frame = try message.frame()
        #expect(
            try frame.withUnsafeBytes {
                try assembler.take(CheckedFrame($0), run: WireSamples.run, epoch: Epoch(5))
            } == nil)
        let whole = try message.result.logits.withUnsafeBytes { payload in
            try message.logitsFrame(0..<1, payload: payload).withUnsafeBytes {
                try assembler.take(
                    CheckedFrame($0, payload: payload), run: WireSamples.run, epoch: Epoch(5))
            }
        }
        #expect(whole == message)
    }

    @Test("amounts that receivers add up are refused above their bound")
    func amounts() throws {
        let amounts: [UInt64] = [.max, 1 << 63, (1 << 50) + 1]
        for amount in amounts {
            var steps = [WireSamples.step, WireSamples.step]
            steps[0].wireBytes = amount
            steps[1].stageNanoseconds[1] = amount
            for step in steps {
                let frame = try WireSamples.hidden.withUnsafeBytes { try step.frame(payload: $0) }
                #expect(throws: WireError.self) { try readMessage(frame, payload: WireSamples.payload) }
            }
            var results = [WireSamples.result, WireSamples.result]
            results[0].wireBytes = amount
            results[1].result.stageNanoseconds[1] = amount
            for result in results {
                #expect(throws: WireError.self) { try readMessage(try result.frame()) }
            }
        }
    }

    @Test("the largest number in every other field of 64 bits is read or refused, never a trap")
    func largestNumbers() throws {
        var hello = WireSamples.hello
        (hello.instance, hello.memoryTotalBytes, hello.memoryAvailableBytes) = (.max, .max, .max)
        hello.highestEpoch = Epoch(.max)
        let reports: [WorkerReport] = [
            .hello(hello), .loadProgress(LoadProgress(epoch: Epoch(.max), doneBytes: .max, totalBytes: .max)),
            .loaded(Loaded(epoch: Epoch(.max), weightBytes: .max, cacheBytes: .max)), .activated(Epoch(.max)),
            .drained(Epoch(.max)),
            .heartbeat(
                WorkerHeartbeat(
                    epoch: Epoch(.max), stepsReceived: .max, stepsCompleted: .max, layersCompleted: .max,
                    memoryAvailableBytes: .max)),
            .stepFailed(StepFailure(epoch: Epoch(.max), step: .max, stage: 0, message: "")),
        ]
        for report in reports { try? readMessage(try report.frame(run: WireSamples.run)) }
        var load = WireSamples.load
        load.epoch = Epoch(.max)
        load.model.files[0].bytes = .max
        (load.limits.cacheBytes, load.limits.memoryBytes, load.limits.cachePositions) = (.max, .max, .max)
        let orders: [CoordinatorOrder] = [
            .load(load), .activate(Epoch(.max)), .drain(Epoch(.max)),
            .helloReply(
                .accepted(
                    WireSamples.run,
                    HeartbeatSettings(interval: .seconds(Int64.max), deadAfter: .seconds(Int64.max)))),
        ]
        for order in orders { try? readMessage(try order.frame(run: WireSamples.run)) }
        var result = WireSamples.result
        (result.result.step, result.epoch) = (.max, Epoch(.max))
        result.result.sequences[0].sequence = SequenceID(.max)
        try? readMessage(try result.frame())
    }
}

/// A small seeded generator, so that a failing case can be run again.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
