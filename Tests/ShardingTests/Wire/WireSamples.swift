import ZeroMQ

@testable import Sharding

/// One of every message, with no field left at its default.
enum WireSamples {
    static let run = RunID(high: 0x0123_4567_89AB_CDEF, low: 0xFEDC_BA98_7654_3210)

    static let key = CurvePublicKey(bytes: (1...32).map { UInt8($0) })!

    static let speed = ComputeSpeed(
        bytesPerSecond: [.q4_K: [1e10, 6e9, 2e9, 7e8], .f16: [2e10, 1e10, 3e9, 1e9]], machineBytesPerSecond: 3e10)

    static let hello = WorkerHello(
        name: "node-a.1_x", instance: 77, processID: 4242, publicKey: key, dataEndpoint: "tcp://127.0.0.1:49152",
        device: "cpu", threadCount: 3, hasChosenThreads: true, cores: [0, 2, 65536], memoryTotalBytes: 1 << 34,
        memoryAvailableBytes: 1 << 33, bytesPerSecond: 1.5e10, speed: speed, diskBytesPerSecond: 2.5e9,
        programBytes: 50 << 20,
        cachedHashes: [[UInt8](repeating: 9, count: 32)], highestEpoch: Epoch(12),
        weightsEndpoint: "tcp://127.0.0.1:49153", machine: "3f0c-77", run: run)

    static let reports: [WorkerReport] =
        [
            .hello(hello),
            .loadProgress(LoadProgress(epoch: Epoch(3), doneBytes: 5, totalBytes: 9)),
            .loaded(Loaded(epoch: Epoch(3), weightBytes: 100, cacheBytes: 50)),
            .activated(Epoch(4)), .drained(Epoch(3)),
            .heartbeat(
                WorkerHeartbeat(
                    epoch: Epoch(4), stepsReceived: 8, stepsCompleted: 7, layersCompleted: 70, memoryAvailableBytes: 1)),
            .stepFailed(StepFailure(epoch: Epoch(4), step: 8, stage: 1, message: "next stage: send refused")),
            .linkFailed(
                LinkFailure(epoch: Epoch(4), stage: 1, endpoint: "tcp://10.0.0.3:4711", message: "no connection in 5 s")
            ),
            .linkMeasured(MeasuredLink(epoch: Epoch(4), stage: 1, estimate: estimate)),
            .linksMeasured(
                LinkFindings(
                    number: 7,
                    results: [
                        .init(name: "node-b", finding: .measured(estimate)),
                        .init(name: "", finding: .unreachable("tcp://10.0.0.3:4711: no answer within 5 s")),
                    ])),
            .leaving("SIGTERM"),
        ]
        + LoadFailure.Reason.allCases.map {
            .loadFailed(LoadFailure(epoch: Epoch(3), reason: $0, message: "shard_001.gguf: sha256: …"))
        }

    static let estimate = LinkEstimate(roundTrip: .microseconds(412), bytesPerSecond: 1.17e8)

    static let load = LoadOrder(
        epoch: Epoch(5),
        model: ModelReference(
            format: .shards, folder: "shards",
            files: [
                ModelReferenceFile(
                    name: "shard_001.gguf", bytes: 12345, sha256: [UInt8](repeating: 200, count: 32),
                    units: [.layer(2), .layer(3), .head, .embedding], isCompanion: true)
            ]),
        weights: WeightOrder(
            description: hash, descriptionBytes: 12345,
            sources: [
                .init(name: "node-b", endpoint: "tcp://10.0.0.2:5557", key: key),
                .init(name: "", endpoint: "tcp://*:5557"),
            ], readers: [key]),
        limits: LoadLimits(
            cacheType: .q8_0, contextLength: 512, maxSequences: 4, maxRows: 128, cachePositions: 2048,
            cacheBytes: 1 << 20, memoryBytes: 1 << 30, residency: .memoryEfficient),
        threadCount: 3, stageCount: 4,
        stages: [
            StageOrder(
                index: 1, layers: 2..<4, includesHead: false, nextEndpoint: "tcp://127.0.0.1:5000", nextKey: key,
                admittedSenders: ["", "node-b"], admittedKeys: [key]),
            StageOrder(index: 3, layers: 4..<4, includesHead: true, nextEndpoint: "tcp://[::1]:5001"),
        ])

    static let orders: [CoordinatorOrder] =
        [
            .helloReply(.accepted(run, HeartbeatSettings(interval: .milliseconds(100), deadAfter: .milliseconds(400)))),
            .identify,
            .measureLinks(
                LinkOrder(
                    number: 7,
                    targets: [
                        .init(name: "node-b", endpoint: "tcp://10.0.0.2:4711", key: key),
                        .init(name: "", endpoint: "tcp://*:5556"),
                    ], admittedKeys: [key])),
            .load(load), .activate(Epoch(5)), .drain(Epoch(4)), .heartbeat,
            .stop(reason: "coordinator stops"),
        ]
        + HelloRefusal.Reason.allCases.map {
            .helloReply(.refused(HelloRefusal($0, version: ProtocolVersion(number: 9, program: "9.9"), message: "no")))
        }

    static let sampling = SamplingParameters(
        temperature: 0.7, topK: 40, topP: 0.9, minP: 0.05, repetitionPenalty: 1.1, presencePenalty: -0.5,
        frequencyPenalty: 0.25, seed: .max, logitBias: [TokenLogitBias(token: 5, bias: -100)], topLogprobCount: 5)

    static let step = StepMessage(
        run: run, epoch: Epoch(5), stage: 2, width: 3,
        step: Step(
            id: 99,
            operations: [
                .begin(
                    SequenceID(1),
                    SequenceStart(tokens: [1, 2, 70000], sampling: sampling, choice: 2, samplerState: [1, 2, 3])),
                .begin(
                    SequenceID(3),
                    SequenceStart(tokens: [1, 2], prefix: SharedPrefix(sequence: SequenceID(0), length: 1))),
                .truncate(SequenceID(2), length: 1), .free(SequenceID(.max)),
            ],
            rows: [
                StepRow(sequence: SequenceID(1), position: 3, token: 7),
                StepRow(sequence: SequenceID(1), position: 4, token: 8, output: .logits),
                StepRow(sequence: SequenceID(2), position: 1, token: 9, output: .token, tokenMask: [.max, 1]),
                StepRow(sequence: SequenceID(4), position: 0, token: 3, output: .pooled),
                StepRow(sequence: SequenceID(4), position: 1, token: 4, output: .mean),
            ]),
        stageNanoseconds: [1_000_000, 2_000_000], wireBytes: 4321, wantsEcho: true)

    static let hidden: [Float] = [0.5, -1, .pi, 1e-30, -.infinity, 7, 8, 9, .nan, 10, 11, 12, 13, 14, 15]

    static let result = StepResultMessage(
        run: run, epoch: Epoch(5), stage: 3,
        result: StepResult(
            step: 99,
            sequences: [
                SequenceResult(
                    sequence: SequenceID(1), position: 5,
                    outcome: .tokens([
                        AcceptedToken(
                            token: 11, logprob: -0.25,
                            top: [TokenLogprob(token: 11, logprob: -0.25), TokenLogprob(token: 3, logprob: -.infinity)])
                    ]), samplerState: [UInt8](repeating: 4, count: 64)),
                SequenceResult(
                    sequence: SequenceID(2), position: 2, outcome: .failed("the logits of position 1 are not finite")),
                SequenceResult(
                    sequence: SequenceID(4), position: 2, outcome: .mean([0.5, -0, .leastNonzeroMagnitude])),
            ], stageNanoseconds: [1, 2, 3, 4]), wireBytes: 9000, wantsEcho: true)

    static let hash = FileHash(bytes: (0..<32).map { UInt8($0 * 7) })!
    static let weights: [UInt8] = (0..<45).map { UInt8(truncatingIfNeeded: $0 &* 77) }
    static let request = WeightRequest(hash: hash, offset: 12345, byteCount: 45)
    static let chunk = WeightChunk(hash: hash, offset: 12345, byteCount: weights.count)
    static let refusals = WeightRefusal.Reason.allCases.map {
        WeightRefusal(hash: hash, offset: 12345, reason: $0, message: "demo.gguf: blk.0.ffn_up.weight: …")
    }

    static let probe = LinkProbe(run: run, epoch: Epoch(5), stage: 2, number: 1 << 40)
    static let echoes = [MessageType.linkProbe, .step, .stepResult].map { LinkEcho(answering: $0, number: 77) }

    static func probeFrame() throws -> [UInt8] { try weights.withUnsafeBytes { try probe.frame(payload: $0) } }

    static func chunkFrame() throws -> [UInt8] { try weights.withUnsafeBytes { try chunk.frame(payload: $0) } }

    static func stepFrame() throws -> [UInt8] { try hidden.withUnsafeBytes { try step.frame(payload: $0) } }

    static var payload: [UInt8] { hidden.withUnsafeBytes { Array($0) } }
}

/// Reads a message as its receiver would, whatever it is.
func readMessage(_ frame: [UInt8], payload: [UInt8] = []) throws {
    try frame.withUnsafeBytes { frame in
        try payload.withUnsafeBytes { payload in
            let checked = try CheckedFrame(frame, payload: payload)
            switch checked.type {
            case .step: _ = try StepMessage(checked)
            case .stepResult, .logits:
                var assembler = StepResultAssembler(logitCountMax: 1 << 20)
                _ = try assembler.take(checked, run: checked.prefix.run, epoch: checked.prefix.epoch)
            case .hello, .loadProgress, .loaded, .loadFailure, .activated, .drained, .workerHeartbeat, .stepFailure,
                .leaving, .linkFailure, .linkMeasured, .linksMeasured:
                _ = try WorkerReport(checked)
            case .linkProbe: _ = try LinkProbe(checked)
            case .linkEcho: _ = try LinkEcho(checked)
            case .weightRequest: _ = try WeightRequest(checked)
            case .weightChunk: _ = try WeightChunk(checked)
            case .weightRefusal: _ = try WeightRefusal(checked)
            default: _ = try CoordinatorOrder(checked)
            }
        }
    }
}

/// The frame with other bytes, and the checksum that fits them.
func resealed(_ frame: [UInt8], payload: [UInt8] = [], _ change: (inout [UInt8]) -> Void) -> [UInt8] {
    var bytes = frame
    change(&bytes)
    let checksum = bytes.withUnsafeBytes { frame in
        payload.withUnsafeBytes { payload in
            CheckedFrame.checksum(
                FramePrefix(frame)!, header: UnsafeRawBufferPointer(rebasing: frame[FramePrefix.byteCount...]),
                payload: payload)
        }
    }
    bytes.replaceSubrange(60..<64, with: withUnsafeBytes(of: checksum.littleEndian) { Array($0) })
    return bytes
}
