/// A peer that was not let in.
package struct AdmissionRefusal: Sendable, Hashable {
    /// The list that it is not on; nil where the request was malformed or named none.
    package let domain: AdmissionDomain?
    /// nil where it showed none.
    package let key: CurvePublicKey?
    /// Its network address, without a port.
    package let address: String
}

/// How many peers were not let in, each attempt counted.
package struct RefusalCounts: Sendable, Hashable {
    package fileprivate(set) var total: UInt64 = 0
    /// At most ``RefusalLedger/keysMax`` keys, the first that came.
    package fileprivate(set) var byKey: [CurvePublicKey: UInt64] = [:]
    /// Of keys that found no place in ``byKey``.
    package fileprivate(set) var ofOtherKeys: UInt64 = 0
    package fileprivate(set) var withoutKey: UInt64 = 0
}

/// Counts refusals, and says which of them are worth a line in a log. A value: the time comes in.
struct RefusalLedger: Sendable {
    typealias Instant = ContinuousClock.Instant

    static let keysMax = 256
    /// Between two reports of one key.
    static let reportPause = Duration.seconds(1)
    /// Of all keys together: strangers have as many keys as they like.
    static let reportsPerPauseMax = 16

    private enum Source: Hashable {
        case key(CurvePublicKey)
        case otherKeys
        case withoutKey
    }

    private(set) var counts = RefusalCounts()
    private var lastReports: [Source: Instant] = [:]
    private var pauseStart: Instant?
    private var reportsInPause = 0

    /// Counts one, and returns whether to report it.
    mutating func note(_ key: CurvePublicKey?, at now: Instant) -> Bool {
        let source = count(key)
        if let last = lastReports[source], last.duration(to: now) < Self.reportPause { return false }
        if let start = pauseStart, start.duration(to: now) < Self.reportPause {
            guard reportsInPause < Self.reportsPerPauseMax else { return false }
        } else {
            pauseStart = now
            reportsInPause = 0
        }
        reportsInPause += 1
        lastReports[source] = now
        return true
    }

    private mutating func count(_ key: CurvePublicKey?) -> Source {
        counts.total += 1
        guard let key else {
            counts.withoutKey += 1
            return .withoutKey
        }
        guard counts.byKey[key] != nil || counts.byKey.count < Self.keysMax else {
            counts.ofOtherKeys += 1
            return .otherKeys
        }
        counts.byKey[key, default: 0] += 1
        return .key(key)
    }
}
