import Synchronization
import Testing

@testable import LoadTesting

@Suite("What a server takes")
struct ServerProbeTests {
    private let wanted = RequestShape(
        model: "m", prompts: .tokens, ignoresEnd: true, asksUsage: true, temperature: 0, tokenIDs: 300...999)
    private let answer = LoadAnswer(pieces: [], text: "", finishReason: nil, usage: nil)

    private func shape(
        takes: @escaping @Sendable (RequestShape) -> LoadFailure?
    ) async throws -> (shape: RequestShape, notes: [String]) {
        try await ServerProbe.shape(wanted) { _, shape in takes(shape).map { .failure($0) } ?? .success(answer) }
    }

    @Test("a server that takes all is asked for all")
    func all() async throws {
        let found = try await shape { _ in nil }
        #expect(found.shape == wanted && found.notes.isEmpty)
    }

    @Test("what a server refuses is left out, and nothing else; each is told")
    func less() async throws {
        let bad = LoadFailure(.status(400), "no")
        let text = try await shape { $0.prompts == .tokens ? bad : nil }
        #expect(text.shape.prompts == .text && text.shape.ignoresEnd && text.shape.asksUsage && text.notes.count == 1)
        let end = try await shape { $0.ignoresEnd ? bad : nil }
        #expect(end.shape.prompts == .tokens && !end.shape.ignoresEnd && end.notes[0].contains("ignore_eos"))
        let both = try await shape { $0.ignoresEnd || $0.prompts == .tokens ? bad : nil }
        #expect(both.shape.prompts == .text && !both.shape.ignoresEnd && both.shape.asksUsage && both.notes.count == 2)
    }

    @Test("a server that takes nothing is quoted about what was wanted first")
    func nothing() async throws {
        let count = Mutex(0)
        let error = await #expect(throws: LoadFailure.self) {
            try await shape { _ in
                LoadFailure(.status(400), "problem \(count.withLock { $0 += 1; return $0 })")
            }
        }
        #expect(error?.detail == "problem 1" && count.withLock { $0 } == 8)
    }

    @Test("a server that is not there, or wants a key, is not asked again")
    func absent() async throws {
        for kind in [LoadFailure.Kind.connection, .status(401), .refused(503)] {
            let count = Mutex(0)
            await #expect(throws: LoadFailure.self) {
                try await shape { _ in
                    count.withLock { $0 += 1 }
                    return LoadFailure(kind, "no")
                }
            }
            #expect(count.withLock { $0 } == 1)
        }
    }
}
