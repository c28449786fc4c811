import Sharding
import ZeroMQ

extension FetchLoop {
    func perform(_ action: FetchMachine.Action) throws(WeightTransferError) {
        switch action {
        case .open(let blob): try open(blob)
        case .request(let connection, let request): try send(request, over: connection)
        case .restart(let blob): try restart(blob)
        case .close(let connection): close(connection)
        case .dropped(let source, let reason): dropped(source, reason)
        case .fail(let code, let place, let expected, let got):
            throw WeightTransferError(code, place: place, expected: expected, got: got)
        }
    }

    private func open(_ blob: Int) throws(WeightTransferError) {
        let wanted = order.wanted[blob]
        switch try store.write(wanted.hash, byteCount: wanted.byteCount) {
        case .entry(let entry):
            doneBytes += wanted.byteCount
            machine.found(blob)
            arrived(blob, entry)
        case .part(let part):
            parts[blob] = part
            doneBytes += part.receivedBytes
            summary.resumedBytes += part.receivedBytes
            hashing.post(.begin(blob: blob, part.file, byteCount: part.receivedBytes))
            machine.opened(blob, receivedBytes: part.receivedBytes)
            finishIfWhole(blob)
        case .busy(let receivedBytes):
            machine.isElsewhere(blob, receivedBytes: receivedBytes, now: .now)
        }
    }

    private func restart(_ blob: Int) throws(WeightTransferError) {
        guard let part = parts[blob] else { return }
        doneBytes -= part.receivedBytes
        try part.restart()
        hashing.post(.begin(blob: blob, part.file, byteCount: 0))
    }

    /// All bytes of a blob are with the hash thread, which is to tell their hash.
    private func finishIfWhole(_ blob: Int) {
        if machine.blobs[blob].state == .hashing { hashing.post(.finish(blob: blob)) }
    }

    // MARK: Answers

    private enum Answer {
        case chunk(WeightChunk)
        case refusal(WeightRefusal)
    }

    func take(_ held: HeldMessage, over connection: Int) throws(WeightTransferError) {
        let answer: Answer
        do throws(WireError) {
            answer = try Self.read(held.message)
        } catch {
            return machine.broke(connection, "\(error)")
        }
        switch answer {
        case .refusal(let refusal): machine.refused(refusal, connection: connection, now: .now)
        case .chunk(let chunk):
            switch machine.received(chunk, connection: connection, now: .now) {
            case .ignore: break
            case .append(let blob): try append(held, to: blob)
            }
        }
    }

    private static func read(_ message: borrowing ReceivedMessage) throws(WireError) -> Answer {
        guard message.frameCount <= 2 else {
            throw WireError(
                .length, message: "message", field: "frames", expected: "1 or 2", got: "\(message.frameCount)")
        }
        return try message.header.withBytes { header throws(WireError) in
            try message.payload.withBytes { payload throws(WireError) in
                let frame = try CheckedFrame(header, payload: payload)
                return frame.type == .weightRefusal
                    ? .refusal(try WeightRefusal(frame)) : .chunk(try WeightChunk(frame))
            }
        }
    }

    private func append(_ held: HeldMessage, to blob: Int) throws(WeightTransferError) {
        guard let part = parts[blob] else { preconditionFailure("a blob is open while it is received") }
        try held.message.payload.withBytes { bytes throws(WeightTransferError) in try part.append(bytes) }
        doneBytes += held.message.payload.byteCount
        summary.receivedBytes += held.message.payload.byteCount
        hashing.post(.bytes(blob: blob, held))
        finishIfWhole(blob)
    }

    func take(_ outcome: HashThread.Outcome) throws(WeightTransferError) {
        switch outcome {
        case .unreadable(_, let error): throw error
        case .hashed(let blob, let hash):
            let isWaiting = machine.blobs[blob].state == .hashing
            machine.hashed(blob, as: hash)
            guard isWaiting, machine.blobs[blob].state == .ready, let part = parts.removeValue(forKey: blob) else {
                return
            }
            arrived(blob, try store.publish(part))
        }
    }
}
