import Foundation
import Links
import Sharding
import Testing
import ZeroMQ

@testable import Worker

@Suite("A worker's links", .serialized, .timeLimit(.minutes(2)))
struct WorkerLinkTests {
    @Test("a stage measures its way before it is active, and tells what it found")
    func measuredAtActivation() async throws {
        let coordinator = try ScriptedCoordinator()
        let worker = try coordinator.makeWorker(ending: .withLauncher)
        try coordinator.expectHello()
        try coordinator.accept()
        let order = try coordinator.load(epoch: Epoch(1))
        try coordinator.send(.load(order))
        guard case .loaded = try coordinator.next() else { throw ScriptedCoordinator.Timeout() }
        try coordinator.send(.activate(Epoch(1)))
        var measured: MeasuredLink?
        while true {
            let report = try coordinator.next(includingLinks: true)
            if case .linkMeasured(let link) = report { measured = link }
            if report == .activated(Epoch(1)) { break }
        }
        let link = try #require(measured)
        #expect(link.epoch == Epoch(1) && link.stage == 0)
        #expect(link.estimate.roundTrip > .zero && link.estimate.roundTrip < .seconds(1))
        #expect(link.estimate.bytesPerSecond > 1e6)
        #expect(coordinator.probes.count >= 4)
        #expect(coordinator.probes.allSatisfy { $0.run == coordinator.run && $0.epoch == Epoch(1) })
        try coordinator.send(.stop(reason: "the test is over"))
        _ = await worker.outcome()
    }

    @Test("one whose next stage does not answer probes is not active, and says so")
    func deafNext() async throws {
        let coordinator = try ScriptedCoordinator()
        coordinator.answersProbes = false
        let worker = try coordinator.makeWorker(ending: .withLauncher)
        try coordinator.expectHello()
        try coordinator.accept()
        try coordinator.send(.load(try coordinator.load(epoch: Epoch(1))))
        guard case .loaded = try coordinator.next() else { throw ScriptedCoordinator.Timeout() }
        try coordinator.send(.activate(Epoch(1)))
        guard case .linkFailed(let failure) = try coordinator.next() else { throw ScriptedCoordinator.Timeout() }
        #expect(failure.message == "it does not answer probes")
        #expect(failure.endpoint == coordinator.resultsEndpoint.description)
        try coordinator.send(.stop(reason: "the test is over"))
        _ = await worker.outcome()
    }

    @Test("an order to measure is answered for each end: what it gives, or why it was not reached")
    func survey() async throws {
        let coordinator = try ScriptedCoordinator()
        let worker = try coordinator.makeWorker(ending: .withLauncher)
        let hello = try coordinator.expectHello()
        try coordinator.accept()
        let closed = try await closedPort()
        try coordinator.send(
            .measureLinks(
                LinkOrder(
                    number: 3,
                    targets: [
                        .init(name: "", endpoint: coordinator.resultsEndpoint.description),
                        .init(name: "b", endpoint: closed.description), .init(name: "c", endpoint: "nonsense"),
                        .init(name: "d", endpoint: "tcp://10.1.2.3:4"),
                        // A worker may measure the way to itself.
                        .init(name: "a", endpoint: hello.dataEndpoint),
                    ])))
        guard case .linksMeasured(let findings) = try coordinator.next() else { throw ScriptedCoordinator.Timeout() }
        #expect(findings.number == 3)
        #expect(findings.results.map(\.name) == ["", "b", "c", "d", "a"])
        for (index, reason) in [(1, "no answer within"), (2, "tcp://HOST:PORT"), (3, "has no keys")] {
            guard case .unreachable(let text) = findings.results[index].finding else {
                Issue.record("\(findings.results[index])")
                continue
            }
            #expect(text.contains(reason))
        }
        for index in [0, 4] {
            guard case .measured = findings.results[index].finding else {
                Issue.record("\(findings.results[index])")
                continue
            }
        }
        try coordinator.send(.stop(reason: "the test is over"))
        _ = await worker.outcome()
    }

    /// A port where nobody listens, in all probability.
    private func closedPort() async throws -> Endpoint {
        let socket = try Socket(.pull, in: try Context())
        return try socket.bind(.loopback())
    }

    @Test("a step that asks for it is echoed when it finds the worker waiting")
    func echoedStep() async throws {
        let coordinator = try ScriptedCoordinator()
        let worker = try coordinator.makeWorker(ending: .withLauncher)
        try coordinator.expectHello()
        try coordinator.accept()
        try coordinator.bringUp(try coordinator.load(epoch: Epoch(1)))
        let width = try Fixtures.hiddenSize()
        // A busy machine may keep the worker from waiting for some of them.
        for id in 1...24 as ClosedRange<UInt64> {
            var step = WorkerTests.step(
                coordinator, id: id, epoch: Epoch(1), begins: id == 1, position: Int(id - 1), width: width)
            step.wantsEcho = id % 2 == 0
            try coordinator.sendStep(step, hidden: WorkerTests.hidden(width))
            _ = try coordinator.nextResult()
        }
        let echo = try coordinator.nextEcho()
        #expect(echo.answered == .step)
        #expect(echo.number % 2 == 0)
        try coordinator.send(.stop(reason: "the test is over"))
        _ = await worker.outcome()
    }
}
