import Foundation
import Testing

@Suite("Examples")
struct ExampleTests {
    @Test(
        "they run to their end",
        arguments: [
            ("example-complete", "12 plus 7 is", "12 plus 7 is 19."), ("example-workers", "2", "the logits equal"),
        ])
    func run(program: String, argument: String, expected: String) async throws {
        let process = Process()
        process.executableURL = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
            .appending(path: program)
        process.arguments = [Fixtures.demo.path, argument]
        let output = Pipe()
        process.standardOutput = output
        let ended = AsyncStream<Int32>.makeStream()
        process.terminationHandler = { ended.continuation.yield($0.terminationStatus) }
        try process.run()
        let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        var statuses = ended.stream.makeAsyncIterator()
        #expect(await statuses.next() == 0)
        #expect(text.contains(expected))
    }
}
