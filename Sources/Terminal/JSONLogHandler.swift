import Foundation
import Logging

/// Writes a log entry as one JSON object on one line of stderr: `time` (UTC, RFC 3339), `level`, `label`, `message`, and
/// `metadata` where there is some.
package struct JSONLogHandler: LogHandler {
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
        StandardError.write(
            Self.line(
                time: Self.time(), level: event.level, label: label, message: "\(event.message)",
                metadata: metadata.merging(event.metadata ?? [:]) { _, new in new }))
    }

    static func line(
        time: String, level: Logger.Level, label: String, message: String, metadata: Logger.Metadata
    ) -> String {
        var fields = [("time", time), ("level", level.rawValue), ("label", label), ("message", message)]
            .map { "\(quoted($0.0)):\(quoted($0.1))" }
        if !metadata.isEmpty { fields.append("\"metadata\":\(json(.dictionary(metadata)))") }
        return "{\(fields.joined(separator: ","))}"
    }

    private static func json(_ value: Logger.Metadata.Value) -> String {
        switch value {
        case .string(let text): quoted(text)
        case .stringConvertible(let value): quoted("\(value)")
        case .array(let values): "[\(values.map(json).joined(separator: ","))]"
        case .dictionary(let values):
            "{\(values.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(json($0.value))" }.joined(separator: ","))}"
        }
    }

    /// A JSON string; control characters, also those above ASCII, are escaped, so that no input forges a line.
    package static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}":
                result += String(format: "\\u%04x", scalar.value)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    /// The line of another process under that one's name: its own JSON with the name in front, or its text as a message.
    package static func line(_ line: String, from name: String) -> String {
        if line.hasPrefix("{\""), line.hasSuffix("}"), !line.unicodeScalars.contains(where: { $0.value < 0x20 }) {
            return "{\"from\":\(quoted(name)),\(line.dropFirst())"
        }
        let own = self.line(time: time(), level: .notice, label: "output", message: line, metadata: [:])
        return "{\"from\":\(quoted(name)),\(own.dropFirst())"
    }

    private static func time() -> String {
        var now = timespec()
        var parts = tm()
        clock_gettime(CLOCK_REALTIME, &now)
        gmtime_r(&now.tv_sec, &parts)
        return String(
            format: "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
            parts.tm_hour, parts.tm_min, parts.tm_sec, now.tv_nsec / 1_000_000)
    }
}
