/// How a file is read.
package struct ReadSettings: Sendable, Hashable {
    package enum Method: String, Sendable, Hashable, CaseIterable {
        /// From the disk into our memory; costs the processor next to nothing.
        case direct
        /// Through the page cache, whose pages are given back at once.
        case buffered
    }

    package var method: Method
    /// Pieces that are under way at once.
    package var depth: Int

    package init(_ method: Method, depth: Int) {
        self.method = method
        self.depth = depth
    }

    /// What is tried on a file, in this order; of equals the first wins.
    private static let candidates = [
        ReadSettings(.direct, depth: 4), ReadSettings(.direct, depth: 2), ReadSettings(.direct, depth: 8),
        ReadSettings(.buffered, depth: 2), ReadSettings(.buffered, depth: 1),
    ]
    static let depthMax = 8
    /// Under way through the page cache at once; what that may hold meanwhile is part of a budget.
    package static let bufferedDepthMax = 2

    /// Those that a file can be read with.
    static func candidates(canReadDirectly: Bool) -> [ReadSettings] {
        candidates.filter { canReadDirectly || $0.method == .buffered }
    }
}
