import Sharding

extension FetchMachine {
    /// What to ask for next over a connection, or which blob to open for it.
    mutating func nextRequest(_ index: Int, now: Instant) -> Action? {
        guard let bytesMax = connections[index].room(settings) else { return nil }
        while let blob = connections[index].assigned.first {
            let missing = blobs[blob].byteCount - blobs[blob].requestedBytes
            guard blobs[blob].connection == index, missing > 0 else {
                connections[index].assigned.removeFirst()
                continue
            }
            // Its front is being opened; what follows it waits, so that blobs come in their order.
            guard blobs[blob].state == .receiving else { return nil }
            return request(blob, byteCount: min(missing, bytesMax), connection: index, now: now)
        }
        guard let blob = nextWaiting(for: connections[index].source) else { return nil }
        assign(blob, to: index)
        if blobs[blob].isOpen {
            blobs[blob].state = .receiving
            return nextRequest(index, now: now)
        }
        blobs[blob].state = .opening
        return .open(blob: blob)
    }

    private mutating func request(_ blob: Int, byteCount: Int, connection: Int, now: Instant) -> Action {
        let offset = blobs[blob].requestedBytes
        blobs[blob].requestedBytes += byteCount
        connections[connection].add(
            FetchConnection.Request(blob: blob, offset: offset, byteCount: byteCount), now: now)
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
