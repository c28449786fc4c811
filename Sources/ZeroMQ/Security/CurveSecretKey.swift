/// A secret key, which no text, log or dump shows.
package struct CurveSecretKey: Sendable, Hashable {
    private let key: CurveKeyBytes

    /// Reads 40 characters of Z85; nil for everything else.
    package init?(_ text: String) {
        guard let key = CurveKeyBytes(text: text.utf8) else { return nil }
        self.key = key
    }

    /// The key itself, in Z85, for the file that keeps it and for nothing else.
    package var secretText: String { key.text }

    var bytes: [UInt8] { key.bytes }
}

extension CurveSecretKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "(secret)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
