import Foundation
import Sharding
import Testing
import ZeroMQ

@testable import Worker

@Suite("Worker", .serialized, .timeLimit(.minutes(2)))
struct WorkerTests {
    static func step(
        _ coordinator: ScriptedCoordinator, id: UInt64, epoch: Epoch, stage: Int = 0, begins: Bool, position: Int = 0,
        width: Int, output: RowOutput = .token
    ) -> StepMessage {
        let sequence = SequenceID(1)
        return StepMessage(
            run: coordinator.run, epoch: epoch, stage: stage, width: width,
            step: Step(
                id: id, operations: begins ? [.begin(sequence, SequenceStart(tokens: [1, 2, 3]))] : [],
                rows: [StepRow(sequence: sequence, position: position, token: 1, output: output)]))
    }

    /// The width of the model's hidden states, as the worker itself would refuse another one.
    static func hidden(_ width: Int) -> [Float] { (0..<width).map { Float($0 % 7) * 0.25 - 0.5 } }

    @Test("hello, load, activate, step, result, drain, stop")
    func wholeLife() async throws {
        let coordinator = try ScriptedCoordinator()
        let worker = try coordinator.makeWorker(ending: .withLauncher)
        let hello = try coordinator.expectHello()
        #expect(hello.version == .current)
        #expect(hello.name == "a")
        #expect(hello.device == "cpu")
        #expect(hello.memoryAvailableBytes > 0)
        #expect(hello.run == nil)
        #expect(Endpoint(hello.dataEndpoint)?.isLoopback == true)
        try coordinator.accept()
        let order = try coordinator.load(epoch: Epoch(1))
        try coordinator.bringUp(order)
        let width = try Fixtures.hiddenSize()
        let hidden = Self.hidden(width)
        for id in 1...3 as ClosedRange<UInt64> {
            let message = Self.step(
                coordinator, id: id, epoch: Epoch(1), begins: id == 1, position: Int(id - 1), width: width,
                output: id == 3 ? .logits : .token)
            try coordinator.sendStep(message, hidden: hidden)
            let result = try coordinator.nextResult()
            #expect(result.run == coordinator.run)
            #expect(result.result.step == id)
            #expect(result.result.stageNanoseconds.count == 1)
            #expect(result.wireBytes > UInt64(width * 4))
            if id == 3 {
                #expect(result.result.logits.count > 0)
                #expect(result.result.logits.allSatisfy { $0.isFinite })
            } else {
                guard case .tokens(let tokens) = result.result.sequences.first?.outcome else {
                    Issue.record("no token: \(result)")
                    return
                }
                #expect(tokens.count == 1)
            }
        }
        try coordinator.send(.drain(Epoch(1)))
        #expect(try coordinator.next() == .drained(Epoch(1)))
        try coordinator.send(.stop(reason: "the test is over"))
        #expect(try coordinator.next() == .leaving("the test is over"))
        #expect(await worker.outcome() == .left("the test is over"))
    }

    @Test("two stages in one worker give what one stage gives, bit for bit")
    func ring() async throws {
        let coordinator = try ScriptedCoordinator()
        let worker = try coordinator.makeWorker(ending: .withLauncher)
        let hello = try coordinator.expectHello()
        try coordinator.accept()
        let width = try Fixtures.hiddenSize()
        let hidden = Self.hidden(width)
        func logits(_ epoch: Epoch) throws -> [UInt32] {
            let message = Self.step(
                coordinator, id: 1, epoch: epoch, begins: true, width: width, output: .logits)
            try coordinator.sendStep(message, hidden: hidden)
            return try coordinator.nextResult().result.logits.map(\.bitPattern)
        }
        let whole = try coordinator.load(epoch: Epoch(1))
        try coordinator.bringUp(whole)
        let expected = try logits(Epoch(1))
        var split = try coordinator.load(epoch: Epoch(2), layers: 0..<1, stage: 0, of: 3)
        split.stages[0].nextEndpoint = hello.dataEndpoint
        split.stages.append(
            StageOrder(index: 1, layers: 1..<2, includesHead: false, nextEndpoint: hello.dataEndpoint))
        split.stages.append(
            StageOrder(
                index: 2, layers: 2..<2, includesHead: true, nextEndpoint: coordinator.resultsEndpoint.description))
        // The first epoch stays: a worker holds two.
        try coordinator.bringUp(split)
        #expect(try logits(Epoch(2)) == expected)
        let again = Self.step(
            coordinator, id: 2, epoch: Epoch(1), begins: false, position: 1, width: width, output: .logits)
        try coordinator.sendStep(again, hidden: hidden)
        #expect(try coordinator.nextResult().epoch == Epoch(1))
        worker.leave("done")
        _ = await worker.outcome()
    }

    @Test("garbage, frames of older epochs, of other runs and repeated steps are dropped; the next step is computed")
    func hostileData() async throws {
        let coordinator = try ScriptedCoordinator()
        let worker = try coordinator.makeWorker()
        try coordinator.expectHello()
        try coordinator.accept()
        try coordinator.bringUp(try coordinator.load(epoch: Epoch(5)))
        let width = try Fixtures.hiddenSize()
        let hidden = Self.hidden(width)
        let payload = hidden.withUnsafeBytes { Array($0) }
        let good = Self.step(coordinator, id: 1, epoch: Epoch(5), begins: true, width: width)
        let frame = try hidden.withUnsafeBytes { try good.frame(payload: $0) }
        try coordinator.sendData([])
        try coordinator.sendData([UInt8](repeating: 0xFF, count: 200), payload: [1, 2, 3])
        try coordinator.sendData(Array(frame.dropLast()), payload: payload)
        var damaged = payload
        damaged[5] ^= 1
        try coordinator.sendData(frame, payload: damaged)
        var older = good
        older.epoch = Epoch(4)
        try coordinator.sendStep(older, hidden: hidden)
        var foreign = good
        foreign.run = RunID(high: 9, low: 9)
        try coordinator.sendStep(foreign, hidden: hidden)
        try coordinator.sendStep(good, hidden: hidden)
        #expect(try coordinator.nextResult().result.step == 1)
        try coordinator.sendStep(good, hidden: hidden)
        var second = Self.step(coordinator, id: 2, epoch: Epoch(5), begins: false, position: 1, width: width)
        second.step.rows[0].token = 2
        try coordinator.sendStep(second, hidden: hidden)
        #expect(try coordinator.nextResult().result.step == 2)
        worker.leave("done")
        _ = await worker.outcome()
    }

    @Test("a lost step, another width and a hole in a sequence fail the step by name", arguments: [0, 1, 2])
    func stepFailures(kind: Int) async throws {
        let coordinator = try ScriptedCoordinator()
        let worker = try coordinator.makeWorker()
        try coordinator.expectHello()
        try coordinator.accept()
        try coordinator.bringUp(try coordinator.load(epoch: Epoch(1)))
        let width = try Fixtures.hiddenSize()
        var message = Self.step(coordinator, id: 1, epoch: Epoch(1), begins: true, width: width)
        let expected: String
        switch kind {
        case 0:
            message.step.id = 2
            expected = "expected step 1, got 2: a message was lost"
        case 1:
            message.width = width + 1
            expected = "width: expected \(width), got \(width + 1)"
        default:
            message.step.rows[0].position = 7
            expected = "sequence 1"
        }
        try coordinator.sendStep(message, hidden: Self.hidden(message.width))
        guard case .stepFailed(let failure) = try coordinator.next() else {
            Issue.record("no failure")
            return
        }
        #expect(failure.epoch == Epoch(1))
        #expect(failure.stage == 0)
        #expect(failure.message.contains(expected))
        worker.leave("done")
        _ = await worker.outcome()
    }

    @Test("a hidden state that is not finite fails its request, not the step")
    func notFinite() async throws {
        let coordinator = try ScriptedCoordinator()
        let worker = try coordinator.makeWorker()
        try coordinator.expectHello()
        try coordinator.accept()
        try coordinator.bringUp(try coordinator.load(epoch: Epoch(1)))
        let width = try Fixtures.hiddenSize()
        var hidden = Self.hidden(width)
        hidden[3] = .nan
        try coordinator.sendStep(
            Self.step(coordinator, id: 1, epoch: Epoch(1), begins: true, width: width), hidden: hidden)
        let result = try coordinator.nextResult()
        guard case .failed(let message) = result.result.sequences.first?.outcome else {
            Issue.record("a token came of it")
            return
        }
        #expect(message.contains("not finite"))
        worker.leave("done")
        _ = await worker.outcome()
    }

    @Test("a SIGTERM is a good-bye to the coordinator")
    func leave() async throws {
        let coordinator = try ScriptedCoordinator()
        let worker = try coordinator.makeWorker()
        try coordinator.expectHello()
        try coordinator.accept()
        worker.leave("SIGTERM")
        #expect(await worker.outcome() == .left("SIGTERM"))
    }
}
