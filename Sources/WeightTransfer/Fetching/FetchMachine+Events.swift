import Sharding

extension FetchMachine {
    /// What to do with the bytes of a chunk.
    enum Verdict: Sendable, Equatable {
        /// Write them behind what was received of the blob.
        case append(blob: Int)
        case ignore
    }

    // MARK: Answers

    mutating func received(_ chunk: WeightChunk, connection: Int, now: Instant) -> Verdict {
        let source = connections[connection].source
        let place = connections[connection].outstanding.firstIndex {
            $0.offset == chunk.offset && $0.byteCount == chunk.byteCount && blobs[$0.blob].hash == chunk.hash
        }
        guard let place else {
            duplicateBytes += chunk.byteCount
            countStray(source)
            return .ignore
        }
        let (request, lost) = connections[connection].answered(place)
        connections[connection].progressed(request, settings, now: now)
        connections[connection].lossesInARow = 0
        for other in lost { askAgain(other.blob, connection) }
        let blob = request.blob
        guard isReceiving(blob, over: connection), blobs[blob].receivedBytes == chunk.offset else {
            duplicateBytes += chunk.byteCount
            askAgain(blob, connection)
            return .ignore
        }
        blobs[blob].receivedBytes += chunk.byteCount
        blobs[blob].senders.insert(source)
        finishIfWhole(blob)
        // Where what follows was refused, it is asked for again.
        askAgain(blob, connection)
        return .append(blob: blob)
    }

    private func isReceiving(_ blob: Int, over connection: Int) -> Bool {
        blobs[blob].state == .receiving && blobs[blob].connection == connection
    }

    mutating func refused(_ refusal: WeightRefusal, connection: Int, now: Instant) {
        let source = connections[connection].source
        let place = connections[connection].outstanding.firstIndex {
            $0.offset == refusal.offset && blobs[$0.blob].hash == refusal.hash
        }
        guard let place else { return countStray(source) }
        // A refusal overtakes the answers to what was asked before.
        let blob = connections[connection].remove(at: place).blob
        guard isReceiving(blob, over: connection) else { return }
        guard refusal.reason == .busy else {
            blobs[blob].refusals[source] = "refused it (\(refusal.reason)): \(refusal.message.onOneLine)"
            return returnToWaiting(blob)
        }
        let since = connections[connection].busySince ?? now
        connections[connection].busySince = since
        connections[connection].pausedUntil = now + settings.busyPause
        guard now <= since + settings.busyWithin else {
            return giveUp(connection, "has been busy for \(settings.busyWithin.inWholeSeconds) s")
        }
        askAgain(blob, connection)
    }

    /// A message that is none of ours, or not for us.
    mutating func broke(_ connection: Int, _ reason: String) {
        drop(connections[connection].source, "sent what it should not: \(reason)")
    }

    private mutating func countStray(_ source: Int) {
        sources[source].strayChunks += 1
        if sources[source].strayChunks > settings.strayChunksMax { drop(source, "sends what nobody asked for") }
    }

    /// Goes back to what was received of a blob, unless that very request is on its way.
    private mutating func askAgain(_ blob: Int, _ connection: Int) {
        guard blobs[blob].connection == connection, blobs[blob].state == .receiving else { return }
        let next = blobs[blob].receivedBytes
        let isAsked = connections[connection].outstanding.contains { $0.blob == blob && $0.offset == next }
        guard !isAsked, blobs[blob].requestedBytes > next else { return }
        blobs[blob].requestedBytes = next
        if !connections[connection].assigned.contains(blob) { connections[connection].assigned.append(blob) }
    }

    // MARK: Connections

    mutating func connected(_ connection: Int, now: Instant) {
        guard connections[connection].isOpen, !connections[connection].isReady else { return }
        connections[connection].isReady = true
        connections[connection].since = now
        connections[connection].excuse(now: now)
    }

    /// The peer let nobody in; it may yet.
    mutating func handshakeFailed(_ connection: Int, _ reason: String) {
        connections[connection].handshakeFailure = reason
    }

    /// What was on its way is lost: all of it is asked for again once the connection stands.
    mutating func disconnected(_ connection: Int, now: Instant) {
        guard connections[connection].isOpen, connections[connection].isReady else { return }
        connections[connection].isReady = false
        connections[connection].since = now
        lossCount += 1
        forgetRequests(connection)
        connections[connection].lossesInARow += 1
        guard connections[connection].lossesInARow < settings.lossesInARowMax else {
            return giveUp(connection, "closed the connection \(settings.lossesInARowMax) times without a chunk between")
        }
    }

    /// A request could not be sent: the connection has just gone, as its next event will say.
    mutating func notSent(_ connection: Int, now: Instant) {
        connections[connection].pausedUntil = now + settings.sendPause
        forgetRequests(connection)
    }

    private mutating func forgetRequests(_ connection: Int) {
        for request in connections[connection].removeAll() { askAgain(request.blob, connection) }
    }

    // MARK: Time

    mutating func tick(now: Instant) {
        for index in connections.indices where connections[index].isOpen { check(index, now: now) }
        let due = elsewhere
        elsewhere = []
        for blob in due {
            guard let lookAgain = blobs[blob].lookAgain, lookAgain <= now else {
                elsewhere.append(blob)
                continue
            }
            guard let since = blobs[blob].elsewhereSince, now < since + settings.elsewhereWithin else {
                queued.append(
                    .fail(
                        .busy, place: blobs[blob].name, expected: "the process that is receiving it to finish",
                        got: "no byte more in \(settings.elsewhereWithin)"))
                continue
            }
            returnToWaiting(blob)
        }
    }

    /// The driver could not receive for a while: that counts against nobody.
    mutating func excuse(now: Instant) {
        for index in connections.indices { connections[index].excuse(now: now) }
    }

    private mutating func check(_ index: Int, now: Instant) {
        let connection = connections[index]
        guard let deadline = connection.deadline(settings), deadline <= now else { return }
        guard connection.isReady else {
            let reason = connection.handshakeFailure.map { ": \($0)" } ?? ""
            return giveUp(index, "gave no connection within \(settings.connectWithin.inWholeSeconds) s\(reason)")
        }
        connections[index].strike(now: now)
        guard connections[index].strikes < settings.strikesMax else {
            return giveUp(index, "gave no answer in time, \(settings.strikesMax) times in a row")
        }
        forgetRequests(index)
    }
}

extension Duration {
    var inWholeSeconds: Int64 { components.seconds }
}
