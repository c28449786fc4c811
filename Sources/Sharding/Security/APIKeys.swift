import Crypto
import Foundation

/// A client of the HTTP API, as the file of keys describes it.
package struct APIKey: Sendable, Hashable {
    /// 1 to 64 characters of `A-Z a-z 0-9 . _ -`; whose requests they are.
    package let name: String
    /// Requests of a higher one begin first.
    package let priority: Int
    /// Requests that are answered at the same time at most; nil: as many as there is room for.
    package let concurrencyMax: Int?
    /// The key itself is not kept.
    fileprivate let digest: [UInt8]

    init(name: String, secret: Substring, priority: Int, concurrencyMax: Int?) {
        self.name = name
        self.priority = priority
        self.concurrencyMax = concurrencyMax
        digest = Array(SHA256.hash(data: Data(secret.utf8)))
    }
}

/// The clients that may use the HTTP API.
///
/// The file has a line for each, with comments behind `#`:
///
///     alice = shard-Zm9vYmFy…  priority=1 concurrency=4
package struct APIKeys: Sendable, Hashable {
    package static let bytesMax = 1 << 18
    package static let countMax = 1024
    package static let secretLengths = 32...256
    package static let priorities = -100...100
    package static let concurrencies = 1...4096

    private static let makingHint = "make one with shard-coordinator keygen --api-key NAME"

    /// At least one; names and secrets differ.
    package let all: [APIKey]

    /// Reads a file that belongs to us or root, and that nobody else may read or write.
    package static func load(_ path: String) throws(KeyFileError) -> APIKeys {
        try APIKeys(try KeyFileBytes.read(path, as: .secret, bytesMax: bytesMax, hint: makingHint), place: path)
    }

    /// - Throws: ``KeyFileError`` with the line's number, never its text.
    package init(_ text: String, place: String) throws(KeyFileError) {
        guard text.utf8.count <= Self.bytesMax else {
            throw KeyFileError(
                .refused, place: place, expected: "at most \(Self.bytesMax) bytes", got: "\(text.utf8.count)")
        }
        var keys: [APIKey] = []
        var names: Set<String> = []
        var digests: Set<[UInt8]> = []
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (index, line) in lines.enumerated() {
            let content = line.prefix { $0 != "#" }.trimmingCharacters(in: .whitespaces)
            if content.isEmpty { continue }
            let reader = LineReader(place: place, field: "line \(index + 1)")
            let key = try reader.key(content)
            guard names.insert(key.name).inserted else {
                throw reader.error("each name once", got: "\(key.name) again")
            }
            guard digests.insert(key.digest).inserted else {
                throw reader.error("each key once", got: "\(key.name) with another one's")
            }
            guard keys.count < Self.countMax else { throw reader.error("at most \(Self.countMax) keys", got: "more") }
            keys.append(key)
        }
        guard !keys.isEmpty else {
            throw KeyFileError(
                .refused, place: place, expected: "at least one line NAME = KEY", got: "none",
                hint: Self.makingHint)
        }
        all = keys
    }

    /// Whose key was presented; takes equally long for all keys, right ones and wrong ones.
    package func key(presented secret: String) -> APIKey? {
        let digest = SHA256.hash(data: Data(secret.utf8))
        var found = 0
        for (index, key) in all.enumerated() {
            var difference: UInt8 = 0
            for (left, right) in zip(key.digest, digest) { difference |= left ^ right }
            // All ones where nothing differs, without a branch.
            let mask = (Int(difference) - 1) >> 8
            found |= (index + 1) & mask
        }
        return found > 0 ? all[found - 1] : nil
    }
}

/// Reads one line of a file of API keys.
private struct LineReader {
    let place: String
    let field: String

    func error(_ expected: String, got found: String) -> KeyFileError {
        KeyFileError(.refused, place: place, field: field, expected: expected, got: found)
    }

    /// - Parameter line: not empty, without a comment.
    func key(_ line: String) throws(KeyFileError) -> APIKey {
        let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let words = parts.count == 2 ? parts[1].split(whereSeparator: \.isWhitespace) : []
        guard let secret = words.first else {
            throw error("NAME = KEY [priority=N] [concurrency=N]", got: "something else")
        }
        let name = parts[0].trimmingCharacters(in: .whitespaces)
        guard WorkerHello.isValidName(name) else {
            // What stands there could be a key.
            throw error("a name of 1 to 64 characters of A-Z a-z 0-9 . _ -", got: "another")
        }
        guard APIKeys.secretLengths.contains(secret.utf8.count), secret.utf8.allSatisfy(Self.isSecretByte) else {
            let lengths = APIKeys.secretLengths
            throw error(
                "a key of \(lengths.lowerBound) to \(lengths.upperBound) characters of A-Z a-z 0-9 - . _ ~ + / =",
                got: "\(secret.count) characters that are none")
        }
        var priority: Int?
        var concurrency: Int?
        for word in words.dropFirst() {
            switch word.prefix(while: { $0 != "=" }) {
            case "priority": priority = try number(word, APIKeys.priorities, before: priority)
            case "concurrency": concurrency = try number(word, APIKeys.concurrencies, before: concurrency)
            default: throw error("priority=N and concurrency=N behind the key", got: "something else")
            }
        }
        return APIKey(name: name, secret: secret, priority: priority ?? 0, concurrencyMax: concurrency)
    }

    private func number(_ word: Substring, _ range: ClosedRange<Int>, before: Int?) throws(KeyFileError) -> Int {
        let name = word.prefix { $0 != "=" }
        guard before == nil else { throw error("\(name) once", got: "it twice") }
        guard let number = Int(word.dropFirst(name.count + 1)), range.contains(number) else {
            throw error("\(name)= and a number from \(range.lowerBound) to \(range.upperBound)", got: "another")
        }
        return number
    }

    /// What HTTP takes as a token behind `Bearer` (RFC 6750, section 2.1).
    private static func isSecretByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "-._~+/=".utf8.contains(byte)
        }
    }
}
