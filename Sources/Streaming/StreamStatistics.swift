/// What a stream did since it began.
package struct StreamStatistics: Sendable, Hashable {
    /// Of pieces that were asked for, without what alignment adds.
    package var usedBytes = 0
    /// Of pieces that were read, those included that nobody asked for.
    package var readBytes = 0
    /// For which the reader of pieces waited because one was not there.
    package var waited = Duration.zero

    package init() {}

    package static func + (left: StreamStatistics, right: StreamStatistics) -> StreamStatistics {
        var sum = left
        sum.usedBytes += right.usedBytes
        sum.readBytes += right.readBytes
        sum.waited += right.waited
        return sum
    }

    package static func - (left: StreamStatistics, right: StreamStatistics) -> StreamStatistics {
        var difference = left
        difference.usedBytes -= right.usedBytes
        difference.readBytes -= right.readBytes
        difference.waited -= right.waited
        return difference
    }
}

/// Something that a stream did, for a picture of it.
package struct StreamEvent: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable {
        /// A piece was under way.
        case read
        /// A piece was in use.
        case use
        /// Nothing could be done because a piece was not there.
        case wait
    }

    package var kind: Kind
    /// Index of the piece, and its bytes.
    package var piece: Int
    package var byteCount: Int
    package var start: ContinuousClock.Instant
    package var end: ContinuousClock.Instant

    package init(
        _ kind: Kind, piece: Int, byteCount: Int, start: ContinuousClock.Instant, end: ContinuousClock.Instant
    ) {
        self.kind = kind
        self.piece = piece
        self.byteCount = byteCount
        self.start = start
        self.end = end
    }
}
