import Sharding

extension FetchMachine {
    /// What to ask for next over a connection, or which blob to open for it.
    ///
    /// Two blobs are asked for in turn, chunk by chunk: hashing two at once takes little longer than one. Of several
    /// connections each has one.
    mutating func nextRequest(_ index: Int, now: Instant) -> Action? {
        guard let bytesMax = connections[index].room(settings) else { return nil }
        while connections[index].assigned.count < blobsInTurn {
            guard let blob = nextWaiting(for: connections[index].source) else { break }
            assign(blob, to: index)
            blobs[blob].state = blobs[blob].isOpen ? .receiving : .opening
            if !blobs[blob].isOpen { return .open(blob: blob) }
        }
        let turn = connections[index].assigned.firstIndex { blobs[$0].state == .receiving }
        guard let turn else { return nil }
        let blob = connections[index].assigned.remove(at: turn)
        let missing = blobs[blob].byteCount - blobs[blob].requestedBytes
        precondition(missing > 0, "a blob that was asked for to its end is on no list")
        let byteCount = min(missing, bytesMax)
        if byteCount < missing { connections[index].assigned.append(blob) }
        return request(blob, byteCount: byteCount, connection: index, now: now)
    }

    private var blobsInTurn: Int { connections.count == 1 ? settings.interleavedBlobs : 1 }

    private mutating func request(_ blob: Int, byteCount: Int, connection: Int, now: Instant) -> Action {
        let offset = blobs[blob].requestedBytes
        blobs[blob].requestedBytes += byteCount
        connections[connection].add(
            FetchConnection.Request(blob: blob, offset: offset, byteCount: byteCount, asked: now), now: now)
        return .request(
            connection: connection, WeightRequest(hash: blobs[blob].hash, offset: offset, byteCount: byteCount))
    }

    /// The first blob that waits, and that this source is the first to be asked for.
    private mutating func nextWaiting(for source: Int) -> Int? {
        while sources[source].firstWaiting < blobs.count {
            let blob = sources[source].firstWaiting
            if blobs[blob].state == .waiting, self.source(of: blob) == source { return blob }
            sources[source].firstWaiting += 1
        }
        return nil
    }

    /// The first source that may have a blob.
    func source(of blob: Int) -> Int? {
        sources.indices.first { sources[$0].dropReason == nil && blobs[blob].refusals[$0] == nil }
    }

    private mutating func assign(_ blob: Int, to connection: Int) {
        blobs[blob].connection = connection
        connections[connection].assigned.append(blob)
    }

    mutating func unassign(_ blob: Int) {
        guard let connection = blobs[blob].connection else { return }
        blobs[blob].connection = nil
        connections[connection].assigned.removeAll { $0 == blob }
    }

    /// Lets any connection take a blob up, from what was received of it; fails when nobody has it.
    mutating func returnToWaiting(_ blob: Int) {
        unassign(blob)
        blobs[blob].state = .waiting
        blobs[blob].requestedBytes = blobs[blob].receivedBytes
        guard let source = source(of: blob) else { return failFor(blob) }
        sources[source].firstWaiting = min(sources[source].firstWaiting, blob)
    }

    private mutating func failFor(_ blob: Int) {
        let reasons = sources.indices.map { index in
            "\(sources[index].name) \(blobs[blob].refusals[index] ?? sources[index].dropReason ?? "was not asked")"
        }
        queued.append(
            .fail(
                .sources, place: blobs[blob].name,
                expected: "a source with the \(blobs[blob].byteCount) bytes of SHA-256 \(blobs[blob].hash)",
                got: reasons.isEmpty ? "no source" : "none: " + reasons.joined(separator: "; ")))
    }

    /// Asks a source no more.
    mutating func drop(_ source: Int, _ reason: String) {
        guard sources[source].dropReason == nil else { return }
        sources[source].dropReason = reason
        queued.append(.dropped(source: source, reason: reason))
        for index in connections.indices where connections[index].source == source { close(index) }
        // What waited for it waits for the next one.
        for blob in blobs.indices where blobs[blob].state == .waiting { returnToWaiting(blob) }
    }

    /// Gives a connection up; its source with the last of them.
    mutating func giveUp(_ connection: Int, _ reason: String) {
        let source = connections[connection].source
        let others = connections.indices.filter {
            $0 != connection && connections[$0].source == source && connections[$0].isOpen
        }
        if others.isEmpty { drop(source, reason) } else { close(connection) }
    }

    private mutating func close(_ connection: Int) {
        guard connections[connection].isOpen else { return }
        connections[connection].isOpen = false
        connections[connection].isReady = false
        queued.append(.close(connection: connection))
        _ = connections[connection].removeAll()
        for blob in blobs.indices where blobs[blob].connection == connection {
            if blobs[blob].state == .receiving { returnToWaiting(blob) } else { unassign(blob) }
        }
    }
}
