import Foundation

/// A server with OpenAI's interface, and how to ask it.
package struct LoadTarget: Sendable, Hashable {
    /// Without a slash at its end, and without `/v1`.
    package let url: String
    /// Goes with every request, where there is one.
    package let key: ServerKey?
    /// The whole time that a request may take.
    package let timeout: Duration

    /// - Throws: ``LoadFailure`` for what is no URL of a server.
    package init(url text: String, key: ServerKey?, timeout: Duration) throws(LoadFailure) {
        func wrong(_ problem: String) -> LoadFailure {
            LoadFailure(.malformed, "\(text): expected a URL such as http://127.0.0.1:8080, got \(problem)")
        }
        guard let parts = URLComponents(string: text) else { throw wrong("something else") }
        guard let scheme = parts.scheme, ["http", "https"].contains(scheme) else {
            throw wrong(parts.scheme.map { "the scheme \($0)" } ?? "none with http:// or https://")
        }
        guard let host = parts.host, !host.isEmpty else { throw wrong("none with a host") }
        guard parts.user == nil, parts.password == nil else { throw wrong("one with a user; give --api-key-file") }
        guard parts.query == nil, parts.fragment == nil else { throw wrong("one with a query") }
        var url = text
        while url.hasSuffix("/") { url.removeLast() }
        if url.hasSuffix("/v1") { url.removeLast("/v1".count) }
        self.url = url
        self.key = key
        self.timeout = timeout
    }
}

/// A secret: it appears in no description.
package struct ServerKey: Sendable, Hashable, CustomStringConvertible {
    package static let bytesMax = 4096

    let value: String

    /// - Parameters:
    ///   - text: the key; white space around it is left out.
    ///   - place: where it comes from, for errors.
    package init(_ text: String, from place: String) throws(LoadFailure) {
        let value = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard !value.isEmpty, value.utf8.count <= Self.bytesMax, value.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else {
            throw LoadFailure(
                .malformed,
                "\(place): expected a key of 1 to \(Self.bytesMax) printable characters in one word, got something else"
            )
        }
        self.value = value
    }

    package var description: String { "(secret)" }
}
