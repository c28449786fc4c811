import Sharding

/// A run of bytes that is wanted, by hash: a tensor, or a model's description.
package struct WantedBlob: Sendable, Hashable {
    package var hash: FileHash
    /// At least 1.
    package var byteCount: Int
    /// What errors call it.
    package var name: String

    package init(hash: FileHash, byteCount: Int, name: String) {
        self.hash = hash
        self.byteCount = byteCount
        self.name = name
    }
}

/// How far one wanted blob is.
struct FetchBlob: Sendable {
    enum State: Sendable {
        /// Until a connection has room for it.
        case waiting
        /// The driver looks whether the store has it.
        case opening
        /// Another process writes it.
        case elsewhere
        /// Assigned to a connection, or about to be: it may be partly there.
        case receiving
        /// All of it is there.
        case hashing
        /// Its hash was compared, or the store had it.
        case ready
    }

    let hash: FileHash
    let byteCount: Int
    let name: String
    var state = State.waiting
    /// Whether it is being written here.
    var isOpen = false
    var connection: Int?
    /// From the front.
    var requestedBytes = 0
    var receivedBytes = 0
    /// Those that were there when it was opened.
    var resumedBytes = 0
    /// Sources that sent some of it.
    var senders: Set<Int> = []
    /// Sources that have none of it, and why.
    var refusals: [Int: String] = [:]
    var elsewhereBytes = 0
    var elsewhereSince: ContinuousClock.Instant?
    var lookAgain: ContinuousClock.Instant?

    init(_ wanted: WantedBlob) {
        hash = wanted.hash
        byteCount = wanted.byteCount
        name = wanted.name
    }

    mutating func restart() {
        (requestedBytes, receivedBytes, resumedBytes) = (0, 0, 0)
        senders = []
    }
}

/// Where blobs can be asked for.
struct FetchSource: Sendable {
    let name: String
    /// Why it is asked no more.
    var dropReason: String?
    var strayChunks = 0
    /// No blob before this one waits for this source.
    var firstWaiting = 0

    init(name: String) { self.name = name }
}
