import Foundation

/// Adds keys to the file that ``APIKeys`` reads.
package enum APIKeyFile {
    /// As `keygen` names it.
    package static let name = "api-keys"
    private static let secretBytes = 32

    /// Makes a key and writes its line at the file's end; a file that is missing is made, for its owner only.
    ///
    /// A coordinator that watches the file finds either the whole line or none.
    ///
    /// - Returns: the key, which the file has in clear and a client presents.
    package static func add(
        _ name: String, priority: Int? = nil, concurrencyMax: Int? = nil, to path: String
    ) throws(KeyFileError) -> String {
        let secret = newSecret()
        var line = "\(name) = \(secret)"
        if let priority { line += " priority=\(priority)" }
        if let concurrencyMax { line += " concurrency=\(concurrencyMax)" }
        // What was asked for is checked as it will be read.
        _ = try APIKeys(line, place: "\(name.prefix(64))")
        if access(path, F_OK) != 0 {
            try NewFile.makeFolder(of: path)
            let head = "# API keys of shard; keep them to yourself. NAME = KEY [priority=N] [concurrency=N]\n"
            let file = try NewFile.write("\(head)\(line)\n", to: path, mode: 0o600)
            try NewFile.syncFolder(of: path)
            file.keep()
        } else {
            let text = try KeyFileBytes.read(path, as: .secret, bytesMax: APIKeys.bytesMax)
            let separator = text.isEmpty || text.hasSuffix("\n") ? "" : "\n"
            _ = try APIKeys("\(text)\(separator)\(line)", place: path)
            try append("\(separator)\(line)\n", to: path)
        }
        return secret
    }

    private static func newSecret() -> String {
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<secretBytes).map { _ in UInt8.random(in: 0...UInt8.max, using: &generator) }
        let text = Data(bytes).base64EncodedString().filter { $0 != "=" }
        return "shard-" + text.replacing("+", with: "-").replacing("/", with: "_")
    }

    private static func append(_ text: String, to path: String) throws(KeyFileError) {
        let descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path, "to open it for writing") }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        // One write, so that no reader sees half of it.
        let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        guard count == bytes.count else { throw failure(path, "to write to it") }
        guard fsync(descriptor) == 0 else { throw failure(path, "to bring it to the disk") }
    }

    private static func failure(_ path: String, _ expected: String) -> KeyFileError {
        KeyFileError(.system, place: path, expected: expected, got: String(cString: strerror(errno)))
    }
}
