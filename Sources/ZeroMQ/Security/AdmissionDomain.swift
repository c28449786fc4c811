/// A list of peers that may connect, by name: what ZeroMQ calls a ZAP domain. Each kind of socket has its own.
package struct AdmissionDomain: Sendable, Hashable, CustomStringConvertible {
    package static let nameBytesMax = 255

    /// Workers that report to the coordinator.
    package static let control = AdmissionDomain(known: "control")
    /// Whoever sends steps to a worker.
    package static let data = AdmissionDomain(known: "data")
    /// Workers that send results to the coordinator.
    package static let results = AdmissionDomain(known: "results")
    /// Whoever fetches or sends weights.
    package static let weights = AdmissionDomain(known: "weights")

    /// Never empty: libzmq asks nobody about the peers of a socket whose domain has no name, and takes them all.
    package let name: String

    /// nil for an empty name, or one of more than 255 bytes.
    package init?(_ name: String) {
        guard !name.isEmpty, name.utf8.count <= Self.nameBytesMax else { return nil }
        self.name = name
    }

    private init(known name: String) { self.name = name }

    package var description: String { name }
}
