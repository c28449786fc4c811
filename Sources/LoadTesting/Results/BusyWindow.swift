/// The time in which all clients of a closed loop are at it: from when the last of them has begun its first request until the first
/// of them has no more to ask.
struct BusyWindow: Sendable, Hashable {
    private let streams: Int
    private var begun = 0
    private var opened: Duration?
    private var closed: Duration?
    /// Tokens that came in it.
    private(set) var tokens = 0.0

    init(streams: Int) { self.streams = streams }

    /// A client begins its first request.
    mutating func begin(at time: Duration) {
        begun += 1
        if begun == streams, closed == nil { opened = time }
    }

    /// A client has no more to ask.
    mutating func end(at time: Duration) { closed = min(closed ?? time, time) }

    /// Counts an answer's tokens, spread evenly over its pieces.
    mutating func add(_ answer: LoadAnswer) {
        guard let opened, !answer.pieces.isEmpty else { return }
        let inside = answer.pieces.count { $0 > opened && $0 <= closed ?? $0 }
        tokens += Double(inside) * Double(answer.tokenCount) / Double(answer.pieces.count)
    }

    /// Nil where the clients were never all at it.
    var duration: Duration? {
        guard let opened, let closed, closed > opened else { return nil }
        return closed - opened
    }
}
