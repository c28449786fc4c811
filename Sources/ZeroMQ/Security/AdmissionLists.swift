import Synchronization

/// Who may connect, and who was not let in: what an ``Admission`` knows, shared by its thread and everybody else.
final class AdmissionLists: Sendable {
    private struct State: Sendable {
        var keys: [AdmissionDomain: Set<CurvePublicKey>] = [:]
        var admittedCount: UInt64 = 0
        var ledger = RefusalLedger()
    }

    private let state = Mutex(State())

    /// Replaces a domain's list in one go.
    func allow(_ keys: Set<CurvePublicKey>, in domain: AdmissionDomain) {
        let keys = keys.subtracting(ManualKeys.publicKeys)
        state.withLock { $0.keys[domain] = keys }
    }

    func isListed(_ key: CurvePublicKey, in domain: AdmissionDomain) -> Bool {
        state.withLock { $0.keys[domain]?.contains(key) ?? false }
    }

    var refusals: RefusalCounts { state.withLock { $0.ledger.counts } }

    /// Decides about one request.
    ///
    /// - Returns: the reply, and the refusal where it is one that should be reported.
    func answer(
        _ frames: [[UInt8]], at now: ContinuousClock.Instant
    ) -> (reply: AdmissionReply, report: AdmissionRefusal?) {
        guard let request = AdmissionRequest(frames: frames) else {
            let refusal = AdmissionRefusal(domain: nil, key: nil, address: "")
            return (.malformed(frames), note(refusal, at: now) ? refusal : nil)
        }
        var shown: CurvePublicKey?
        if case .key(let key) = request.proof {
            if let domain = request.domain, let number = admit(key, in: domain) {
                return (.admitted(request.id, as: key, number: number), nil)
            }
            shown = key
        }
        let refusal = AdmissionRefusal(domain: request.domain, key: shown, address: request.address)
        return (.refused(request.id), note(refusal, at: now) ? refusal : nil)
    }

    /// The connection's number; nil where the key is not listed.
    private func admit(_ key: CurvePublicKey, in domain: AdmissionDomain) -> UInt64? {
        state.withLock { state in
            guard state.keys[domain]?.contains(key) == true else { return nil }
            state.admittedCount += 1
            return state.admittedCount
        }
    }

    private func note(_ refusal: AdmissionRefusal, at now: ContinuousClock.Instant) -> Bool {
        state.withLock { $0.ledger.note(refusal.key, at: now) }
    }
}
