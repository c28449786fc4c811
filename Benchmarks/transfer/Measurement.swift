import Foundation

/// What one round moved, in which time, and what it cost.
struct Measurement {
    var byteCount: Int
    var seconds: Double
    /// Processor time of the sending and of the receiving process.
    var senderSeconds: Double
    var receiverSeconds: Double

    var bytesPerSecond: Double { Double(byteCount) / seconds }

    var line: String {
        String(
            format: "%.2f GB/s  (%.3f s; processor time per GB: sender %.2f s, receiver %.2f s)",
            bytesPerSecond / 1e9, seconds, senderSeconds / Double(byteCount) * 1e9,
            receiverSeconds / Double(byteCount) * 1e9)
    }

    /// The round whose speed is in the middle.
    static func median(_ rounds: [Measurement]) -> Measurement {
        rounds.sorted { $0.bytesPerSecond < $1.bytesPerSecond }[rounds.count / 2]
    }
}

/// Processor time that processes and all of their threads have taken.
enum ProcessorTime {
    static var own: Double { seconds(RUSAGE_SELF) }
    /// Of children that have ended.
    static var children: Double { seconds(RUSAGE_CHILDREN) }

    private static func seconds(_ who: __rusage_who) -> Double {
        var usage = rusage()
        getrusage(__rusage_who_t(who.rawValue), &usage)
        return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
            + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
    }
}

/// Another process of this program, which speaks in lines.
struct Peer {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()

    init(_ arguments: [String], input text: String = "") throws {
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = arguments
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
    }

    /// The next line that it says.
    func line() throws -> String {
        var bytes: [UInt8] = []
        while let byte = try output.fileHandleForReading.read(upToCount: 1)?.first, byte != UInt8(ascii: "\n") {
            bytes.append(byte)
        }
        guard !bytes.isEmpty else { throw BenchmarkError("\(process.arguments ?? []): ended without an answer") }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Closes its input, which ends it, and waits for that; returns the processor time that it took.
    @discardableResult
    func end() throws -> Double {
        let before = ProcessorTime.children
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
        return ProcessorTime.children - before
    }

    /// Says a line to the one who started this process.
    static func say(_ line: String) throws {
        try FileHandle.standardOutput.write(contentsOf: Data("\(line)\n".utf8))
    }

    /// Waits until the one who started this process has enough.
    static func waitForEnd() { _ = FileHandle.standardInput.readDataToEndOfFile() }
}

struct BenchmarkError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
