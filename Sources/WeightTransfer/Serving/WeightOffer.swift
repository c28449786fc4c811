import ModelFiles
import Sharding
import Synchronization

/// What this process can hand out, by hash; any thread adds to it and takes away from it while it is served.
package final class WeightOffer: Sendable {
    /// What was added together, to be withdrawn together.
    package struct Ticket: Sendable, Hashable {
        fileprivate let number: Int
    }

    /// A run of a file's bytes.
    struct Offered: Sendable {
        let ticket: Ticket
        let file: MappedFile
        let range: Range<Int>
        /// Whether the file may change under its name; a tensor of the store may not.
        let canChange: Bool

        init(ticket: Ticket, file: MappedFile, range: Range<Int>, canChange: Bool) {
            self.ticket = ticket
            self.file = file
            self.range = range
            self.canChange = canChange
        }

        /// The mapping outlives the entry: a tensor that was removed meanwhile is still read.
        init(_ entry: StoreEntry) {
            self.init(
                ticket: Ticket(number: -1), file: entry.file, range: 0..<entry.byteCount, canChange: false)
        }

        var isUnchanged: Bool { !canChange || file.isUnchanged }
    }

    private struct State: Sendable {
        var offered: [FileHash: [Offered]] = [:]
        var hashes: [Ticket: [FileHash]] = [:]
        var kept: [Ticket: [StoreEntry]] = [:]
        var stored: [FileHash: StoreEntry] = [:]
        var nextNumber = 0
    }

    /// Tensors of the store that were asked for are kept open, this many at most.
    private static let storeEntriesMax = 512

    private let state = Mutex(State())
    private let store: TensorStore?

    /// - Parameter store: hands out what it has, too.
    package init(store: TensorStore? = nil) { self.store = store }

    /// Offers runs of mapped files; whatever has another hash than is said here will be refused by those who get it.
    @discardableResult
    package func add(_ runs: [(hash: FileHash, file: MappedFile, range: Range<Int>)]) -> Ticket {
        for run in runs {
            precondition(run.file.bytes.indices.contains(run.range), "what is offered lies inside its file")
        }
        return add(runs.map { ($0.hash, $0.file, $0.range, $0.file.identity != nil) })
    }

    /// Offers the tensors of a model that it holds itself.
    @discardableResult
    package func add(_ model: ModelFile, hashes: [String: FileHash]) -> Ticket {
        add(
            model.tensors.compactMap { tensor in
                guard let hash = hashes[tensor.name], model.holds(tensor) else { return nil }
                return (hash, model.files[tensor.fileIndex], tensor.range)
            })
    }

    /// Offers bytes in memory, of which it keeps a copy.
    @discardableResult
    package func add(_ bytes: [UInt8], name: String) -> (ticket: Ticket, hash: FileHash) {
        let hash = bytes.withUnsafeBytes { FileHash(of: $0) }
        let file = MappedFile(bytes: bytes, name: name)
        return (add([(hash, file, 0..<bytes.count, false)]), hash)
    }

    /// Offers tensors of the store, which stay in use meanwhile.
    @discardableResult
    package func add(_ entries: [StoreEntry]) -> Ticket {
        add(entries.map { ($0.hash, $0.file, 0..<$0.byteCount, false) }, keeping: entries)
    }

    /// Offers no longer what came with a ticket; what is being sent is sent.
    package func withdraw(_ ticket: Ticket) {
        state.withLock { state in
            for hash in state.hashes.removeValue(forKey: ticket) ?? [] {
                state.offered[hash]?.removeAll { $0.ticket == ticket }
                if state.offered[hash]?.isEmpty == true { state.offered[hash] = nil }
            }
            state.kept[ticket] = nil
        }
    }

    /// Lets go of tensors of the store that were asked for; they can be evicted, and are opened again when asked for again.
    package func releaseStored() { state.withLock { $0.stored.removeAll() } }

    package var hashes: [FileHash] { state.withLock { Array($0.offered.keys) } }

    /// The first run with this hash whose file is still what it was; nil where there is none, and whether one changed.
    func find(_ hash: FileHash) -> (offered: Offered?, hasChanged: Bool) {
        let all = state.withLock { $0.offered[hash] ?? [] }
        if let good = all.first(where: \.isUnchanged) { return (good, false) }
        return (fromStore(hash), !all.isEmpty)
    }

    private func fromStore(_ hash: FileHash) -> Offered? {
        guard let store else { return nil }
        if let entry = state.withLock({ $0.stored[hash] }) { return Offered(entry) }
        guard let entry = try? store.entry(hash) else { return nil }
        state.withLock { state in
            if state.stored.count >= Self.storeEntriesMax { state.stored.removeAll() }
            state.stored[hash] = entry
        }
        return Offered(entry)
    }

    private func add(
        _ runs: [(hash: FileHash, file: MappedFile, range: Range<Int>, canChange: Bool)], keeping: [StoreEntry] = []
    ) -> Ticket {
        state.withLock { state in
            let ticket = Ticket(number: state.nextNumber)
            state.nextNumber += 1
            for run in runs {
                state.offered[run.hash, default: []].append(
                    Offered(ticket: ticket, file: run.file, range: run.range, canChange: run.canChange))
            }
            state.hashes[ticket] = runs.map(\.hash)
            state.kept[ticket] = keeping.isEmpty ? nil : keeping
            return ticket
        }
    }
}
