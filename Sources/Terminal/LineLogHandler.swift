import Foundation
import Logging

/// Writes a log entry as one line on stderr: time, level, label, message, then metadata as `key=value`.
///
/// Control characters in values are escaped, so that no input can forge a line.
package struct LineLogHandler: LogHandler {
    package let label: String
    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]

    package init(label: String, logLevel: Logger.Level) {
        self.label = label
        self.logLevel = logLevel
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { _, new in new }
        let fields = all.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        let line = "\(Self.time()) \(event.level) \(label): \(event.message)\(fields)"
        StandardError.write(Program.singleLine(line))
    }

    /// Local wall-clock time, for people; nothing decides by it.
    private static func time() -> String {
        var now = time_t()
        var parts = tm()
        Foundation.time(&now)
        localtime_r(&now, &parts)
        return String(format: "%02d:%02d:%02d", parts.tm_hour, parts.tm_min, parts.tm_sec)
    }
}
