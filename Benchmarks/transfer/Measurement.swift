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

/// Processor time that a process and its threads have taken.
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

/// Another process of this program.
struct Peer {
    let process = Process()
    let input = Pipe()
    let output = Pipe()

    init(_ arguments: [String]) throws {
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = arguments
        process.standardInput = input
        process.standardOutput = output
        try process.run()
    }

    /// Closes its input, which ends it, and waits for that.
    func end() throws {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }
}

struct BenchmarkError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
