import ModelFiles

/// Reads pieces of files ahead of their use, through a ring of memory, round after round.
///
/// The order is fixed: from the first piece to the last and again from the first. Whoever uses them may leave some out;
/// the stream finds out and goes on from there. Or it is what was asked for, and nothing else is read. Only what fits the
/// ring is read ahead. Belongs to one thread: reads are begun and taken when a piece is taken and given back, and go on
/// by themselves in between.
package final class PieceStream {
    private let files: [PieceFile]
    private let pieces: [Piece]
    private let memory: UnsafeMutableRawPointer
    /// Of the memory: reads that are under way go on until the stream has waited for them.
    private let owner: AnyObject?
    private let queues: ReadQueues
    private var ring: PieceRing
    /// How pieces are read from now on: what was found fastest, or is in use until that is known.
    package var settings: ReadSettings
    private var trials: ReadTrials?
    /// In the ring, in the order of use; ids count on from the oldest.
    private var inRing: [Slot] = []
    private var oldestID: UInt64 = 0
    private var underWayCount = 0
    /// To be read next.
    private var nextPiece = 0
    /// Where pieces are read on demand, those that are to be read, and how many of them reads have begun for.
    private var asked: [Int]?
    private var askedCount = 0
    private var isInUse = false
    private var useStart = ContinuousClock.now

    /// Whether the pieces from here on are needed in this round: those of an output head that has nothing to do are not.
    package var optionalFrom: Int
    package var usesOptional = true
    /// Whether buffered reads first give back what is in the page cache already: pages that somebody else read before are
    /// gone when they are needed again, and say nothing of the disk.
    var measuresDisk = false
    /// Whether the first piece follows the last one.
    package var isRepeated = true
    package private(set) var statistics = StreamStatistics()
    /// Told of reads, uses and waits as they end.
    package var observer: ((StreamEvent) -> Void)?

    private struct Slot {
        let piece: Int
        /// In the ring, aligned as the piece is in its file.
        let place: Range<Int>
        let method: ReadSettings.Method
        let started: ContinuousClock.Instant
        var readCount = 0
        var isComplete = false
        var error: ModelFileError?
    }

    /// - Parameters:
    ///   - pieces: in the order of use, at least one.
    ///   - ring: at least as large as ``ringBytes(for:)``; used until the stream is gone.
    ///   - owner: of that memory, kept as long.
    ///   - settings: nil measures which is fastest with the first pieces.
    package init(
        files: [PieceFile], pieces: [Piece], ring: UnsafeMutableRawBufferPointer, owner: AnyObject? = nil,
        settings: ReadSettings? = nil,
        queues: ReadQueues = ReadQueues()
    ) {
        guard let base = ring.baseAddress, !pieces.isEmpty, ring.count >= Self.ringBytes(for: pieces) else {
            preconditionFailure("a stream has pieces, and a ring that holds the largest twice")
        }
        precondition(Int(bitPattern: base) % ReadAlignment.bytes == 0, "a ring is aligned as direct reads are")
        self.files = files
        self.pieces = pieces
        self.queues = queues
        memory = base
        self.owner = owner
        self.ring = PieceRing(byteCount: ring.count / ReadAlignment.bytes * ReadAlignment.bytes)
        optionalFrom = pieces.count
        let canReadDirectly = files.contains(where: \.isDirectPossible)
        self.settings = settings ?? ReadSettings(canReadDirectly ? .direct : .buffered, depth: 2)
        if settings == nil { trials = ReadTrials(canReadDirectly: canReadDirectly) }
    }

    /// A stream of pieces that are asked for, in any order.
    package static func onDemand(
        files: [PieceFile], pieces: [Piece], ring: UnsafeMutableRawBufferPointer, owner: AnyObject?
    ) -> PieceStream {
        let canReadDirectly = files.contains(where: \.isDirectPossible)
        let stream = PieceStream(
            files: files, pieces: pieces, ring: ring, owner: owner,
            settings: ReadSettings.candidates(canReadDirectly: canReadDirectly)[0]
        )
        stream.asked = []
        return stream
    }

    /// These pieces are taken next, in this order, and are read from now on. What was asked for before and not taken is
    /// forgotten.
    package func ask(for pieces: [Int]) {
        precondition(asked != nil && !isInUse, "only a stream on demand is asked, between pieces")
        drain()
        (asked, askedCount) = (pieces, 0)
        advance()
    }

    deinit { drain() }

    /// Bytes of the smallest ring: one piece is read while another is in use.
    package static func ringBytes(for pieces: [Piece]) -> Int {
        2 * (pieces.map(\.alignedRange.count).max() ?? 0)
    }

    /// What trials found: the fastest way and its rate; nil before all are done.
    package var found: ReadTrials.Result? { trials.flatMap { $0.isRunning ? nil : $0.best } }

    /// Waits for a piece, which stays until ``release()``.
    ///
    /// - Throws: ``ModelFileError`` when it cannot be read or its file changed; the next one is read afresh.
    package func take(_ index: Int) throws(ModelFileError) -> UnsafeRawBufferPointer {
        precondition(!isInUse, "a piece is given back before the next is taken")
        if index >= optionalFrom { usesOptional = true }
        dropUnwanted(before: index)
        runTrial()
        advance()
        guard let first = inRing.first, first.piece == index else {
            preconditionFailure("the ring has room for a piece")
        }
        if !inRing[0].isComplete { waitForOldest() }
        if let error = inRing[0].error { throw fail(error) }
        do {
            try files[pieces[index].file].checkUnchanged()
        } catch {
            throw fail(error)
        }
        isInUse = true
        useStart = .now
        let piece = pieces[index]
        statistics.usedBytes += piece.byteCount
        let start = inRing[0].place.lowerBound + piece.offset - piece.alignedRange.lowerBound
        return UnsafeRawBufferPointer(start: memory + start, count: piece.byteCount)
    }

    /// Gives the piece that was taken back.
    package func release() {
        precondition(isInUse, "only a piece in use is given back")
        isInUse = false
        tell(.use, inRing[0].piece, from: useStart)
        removeOldest()
        advance()
    }

    private func tell(_ kind: StreamEvent.Kind, _ piece: Int, from start: ContinuousClock.Instant) {
        observer?(StreamEvent(kind, piece: piece, byteCount: pieces[piece].byteCount, start: start, end: .now))
    }

    // MARK: Reading ahead

    /// Begins the first reads, where it is known how to read.
    package func begin() { advance() }

    /// Begins what may be begun, and takes what has ended.
    private func advance() {
        while let end = queues.nextEnded() { finish(end) }
        if trials?.isRunning == true { return }
        // All that was begun has come before it was needed: the disk is fast enough however it is read, and the processor
        // has better to do than to copy.
        let isAhead = !inRing.isEmpty && underWayCount == 0 && !measuresDisk
        let method = isAhead ? .direct : settings.method
        while underWayCount < settings.depth, startNext(method) {}
    }

    /// False when the ring is full.
    private func startNext(_ method: ReadSettings.Method) -> Bool {
        if let asked {
            guard askedCount < asked.count else { return false }
            nextPiece = asked[askedCount]
        } else if nextPiece >= (usesOptional ? pieces.count : optionalFrom) {
            guard isRepeated else { return false }
            nextPiece = 0
        }
        let range = pieces[nextPiece].alignedRange
        guard let place = ring.allocate(range.count) else { return false }
        let isDirectPossible = files[pieces[nextPiece].file].isDirectPossible
        inRing.append(
            Slot(piece: nextPiece, place: place, method: isDirectPossible ? method : .buffered, started: .now))
        start(inRing.count - 1)
        nextPiece += 1
        askedCount += 1
        return true
    }

    /// Begins or goes on with the read of a slot.
    private func start(_ index: Int) {
        let slot = inRing[index]
        let (piece, file) = (pieces[slot.piece], files[pieces[slot.piece].file])
        if measuresDisk, slot.method == .buffered { file.dropPages(piece.alignedRange) }
        queues.start(
            FileRead(
                id: oldestID + UInt64(index), descriptor: file.descriptor(for: slot.method),
                offset: piece.alignedRange.lowerBound + slot.readCount,
                byteCount: slot.place.count - slot.readCount,
                target: memory + slot.place.lowerBound + slot.readCount), slot.method)
        underWayCount += 1
    }

    private func finish(_ end: ReadEnd) {
        underWayCount -= 1
        let index = Int(end.id - oldestID)
        let piece = pieces[inRing[index].piece]
        let wanted = piece.offset + piece.byteCount - piece.alignedRange.lowerBound
        let readCount = inRing[index].readCount
        guard end.result > 0 else {
            inRing[index].error = files[piece.file].readError(
                at: piece.alignedRange.lowerBound + readCount, errno: Int32(-end.result))
            inRing[index].isComplete = true
            return
        }
        inRing[index].readCount += end.result
        guard inRing[index].readCount >= wanted else { return restart(index, after: end.result) }
        inRing[index].isComplete = true
        statistics.readBytes += piece.byteCount
        if inRing[index].method == .buffered { files[piece.file].dropPages(piece.alignedRange) }
        tell(.read, inRing[index].piece, from: inRing[index].started)
    }

    /// After a short read: what is left, which direct reads can only go on with from an aligned byte.
    private func restart(_ index: Int, after count: Int) {
        guard inRing[index].method == .direct else { return start(index) }
        inRing[index].readCount = ReadAlignment.down(inRing[index].readCount)
        if count < ReadAlignment.bytes {
            // Nothing more comes in whole blocks: the file ends here.
            let piece = pieces[inRing[index].piece]
            inRing[index].error = files[piece.file].readError(
                at: piece.alignedRange.lowerBound + inRing[index].readCount + count, errno: 0)
            inRing[index].isComplete = true
            return
        }
        start(index)
    }

    private func waitForOldest() {
        let start = ContinuousClock.now
        while !inRing[0].isComplete {
            finish(queues.next())
            advance()
        }
        statistics.waited += ContinuousClock.now - start
        tell(.wait, inRing[0].piece, from: start)
    }

    // MARK: Leaving out

    /// Makes `index` the oldest piece, or the next to be read: those before it are not wanted.
    private func dropUnwanted(before index: Int) {
        while let first = inRing.first, first.piece != index {
            while !inRing[0].isComplete { finish(queues.next()) }
            removeOldest()
        }
        if inRing.isEmpty { nextPiece = index }
    }

    private func removeOldest() {
        inRing.removeFirst()
        oldestID += 1
        ring.releaseOldest()
    }

    /// Waits for all reads and forgets them.
    private func drain() {
        while underWayCount > 0 { finish(queues.next()) }
        while !inRing.isEmpty { removeOldest() }
    }

    private func fail(_ error: ModelFileError) -> ModelFileError {
        drain()
        return error
    }

    // MARK: Trials

    /// Where the ring is empty and some way of reading was not tried yet: fills the ring that way, and takes the time.
    private func runTrial() {
        guard inRing.isEmpty, let trials, let candidate = self.trials?.next(ringBytes: ring.byteCount, pieces: pieces)
        else { return }
        settings = candidate
        measuresDisk = true
        defer { measuresDisk = false }
        let start = ContinuousClock.now
        // What is under way counts as if it had come.
        var soFar: (bytes: Int, time: Duration) {
            (inRing.reduce(0) { $0 + pieces[$1.piece].byteCount }, ContinuousClock.now - start)
        }
        while !trials.isHopeless(soFar), startNext(candidate.method), inRing.count < pieces.count {
            if underWayCount >= candidate.depth { finish(queues.next()) }
        }
        while underWayCount > 0 { finish(queues.next()) }
        self.trials?.record(candidate, soFar)
        if let best = self.trials?.best { settings = best.settings }
    }
}
