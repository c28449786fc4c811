import Foundation
import Sharding
import Testing

@testable import Coordinator

@Suite("Traces")
struct TraceTests {
    private struct Event: Decodable {
        struct Arguments: Decodable { var name: String? }
        var name: String
        var ph: String
        var pid: Int
        var tid: Int
        var ts: Double?
        var dur: Double?
        var args: Arguments
    }

    private struct Document: Decodable { var traceEvents: [Event] }

    private func temporary(_ body: (String) throws -> Void) throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "trace-\(UUID().uuidString).json").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(path)
    }

    private func read(_ path: String) throws -> [Event] {
        try JSONDecoder().decode(Document.self, from: Data(contentsOf: URL(filePath: path))).traceEvents
    }

    private func step(_ id: UInt64) -> CompletedStep {
        let start = Duration.milliseconds(10 * Int(id))
        return CompletedStep(
            id: id, rows: 4, promptRows: 1, sentAt: start, arrivedAt: start + .milliseconds(15),
            spans: [start..<(start + .milliseconds(5)), (start + .milliseconds(6))..<(start + .milliseconds(14))])
    }

    private func request(_ id: UInt64, from start: Int, to end: Int, begun: Int? = nil) -> EndedRequest {
        EndedRequest(
            id: SequenceID(id), outcome: "stop", promptTokens: 3, generatedTokens: 5, submittedAt: .seconds(start),
            begunAt: begun.map { .seconds($0) }, firstTokenAt: begun.map { .seconds($0 + 1) }, endedAt: .seconds(end))
    }

    @Test("stages have tracks with their names, and nothing on one track overlaps but what belongs together")
    func tracks() throws {
        try temporary { try tracks(at: $0) }
    }

    private func tracks(at path: String) throws {
        let file = try TraceFile(path: path)
        file.note(.plan(["stage 0: a\"\\\n, 0-3", "stage 1: b, head"]))
        for id in 1...50 as ClosedRange<UInt64> { file.note(.step(step(id))) }
        file.note(.request(request(1, from: 0, to: 10, begun: 2)))
        file.note(.request(request(2, from: 1, to: 11, begun: 3)))
        file.note(.request(request(3, from: 12, to: 13)))
        file.stopAndJoin()
        let events = try read(path)
        let names = events.filter { $0.ph == "M" && $0.pid == 1 && $0.name == "thread_name" }.compactMap(
            \.args.name)
        #expect(names == ["stage 0: a\"\\ , 0-3", "stage 1: b, head"])
        let spans = events.filter { $0.ph == "X" }
        #expect(spans.count(where: { $0.pid == 1 }) == 100)
        for track in Set(spans.filter { $0.pid != 3 }.map { [$0.pid, $0.tid] }) {
            let own = spans.filter { [$0.pid, $0.tid] == track }.sorted { ($0.ts ?? 0) < ($1.ts ?? 0) }
            for (one, next) in zip(own, own.dropFirst()) {
                #expect((one.ts ?? 0) + (one.dur ?? 0) <= (next.ts ?? 0) + 1e-6)
            }
        }
        let requests = spans.filter { $0.pid == 3 }
        #expect(requests.map(\.name).contains("request 1: stop"))
        #expect(
            requests.filter { $0.tid == 1 && $0.ts ?? 0 < 12e6 }.map(\.name).dropFirst() == [
                "queued", "prompt", "generation",
            ])
        #expect(Set(requests.map(\.tid)) == [1, 2], "the third has the first one's place")
    }

    @Test("a file is whole JSON after every write, and not longer than it may be")
    func whole() throws {
        try temporary { path in
            let document = try TraceDocument(path: path, bytesMax: 2000)
            #expect(try read(path).isEmpty)
            var formatter = TraceEvents()
            var count = 0
            var end: TraceDocument.End?
            for id in 1...100 as ClosedRange<UInt64> where end == nil {
                let objects = formatter.objects(.step(step(id)))
                do throws(TraceDocument.End) {
                    try document.append(objects)
                    count += objects.count
                } catch {
                    end = error
                }
                #expect(try read(path).count == count)
            }
            #expect(end != nil && count > 3)
            #expect(try Data(contentsOf: URL(filePath: path)).count <= 2000)
        }
    }

    @Test(
        "a place that cannot be written is named before anything starts",
        arguments: ["/nowhere/trace.json", "/dev/full", "/"])
    func unwritable(path: String) {
        let error = #expect(throws: CoordinatorError.self) { _ = try TraceFile(path: path) }
        #expect(error?.message.contains("--trace: \(path): cannot be written") == true && error?.code == .configuration)
    }

    @Test("times are microseconds with three places")
    func microseconds() {
        #expect(TraceEvents.microseconds(.nanoseconds(1_234_567)) == "1234.567")
        #expect(TraceEvents.microseconds(.seconds(1)) == "1000000.000")
        #expect(TraceEvents.microseconds(.nanoseconds(-5)) == "0.000")
        #expect(TraceEvents.microseconds(.nanoseconds(7)) == "0.007")
    }
}
