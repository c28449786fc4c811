import Devices
import Foundation

/// The most memory that a process had at once, as Linux keeps it.
package enum PeakMemory {
    /// Forgets earlier peaks; where the system does not allow it, peaks are those since the process's start.
    package static func reset(process: Int32? = nil) {
        // 5: the peak of resident memory (proc(5), clear_refs).
        let path = "/proc/\(process.map(String.init) ?? "self")/clear_refs"
        guard let file = FileHandle(forWritingAtPath: path) else { return }
        try? file.write(contentsOf: Data("5\n".utf8))
        try? file.close()
    }

    /// Since the last reset; nil where the system does not say.
    package static func bytes(process: Int32? = nil) -> Int? {
        MachineFiles().memory(ofProcess: process.map(String.init) ?? "self")?.peakBytes
    }
}
