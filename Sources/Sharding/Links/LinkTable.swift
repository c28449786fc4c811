/// The ways between the ends of a cluster: its workers by name, and the coordinator, which the empty name stands for.
package struct LinkTable: Sendable, Hashable {
    /// One direction of a way.
    package struct Edge: Sendable, Hashable {
        package var from: String
        package var to: String

        package init(from: String, to: String) {
            self.from = from
            self.to = to
        }
    }

    package enum Finding: Sendable, Hashable {
        case measured(LinkEstimate)
        /// Why the other end was not reached, in words.
        case unreachable(String)
    }

    package static let coordinator = ""

    package private(set) var findings: [Edge: Finding] = [:]

    package init() {}

    package subscript(from: String, to: String) -> Finding? {
        get { findings[Edge(from: from, to: to)] }
        set { findings[Edge(from: from, to: to)] = newValue }
    }

    package func estimate(from: String, to: String) -> LinkEstimate? {
        guard case .measured(let estimate) = self[from, to] else { return nil }
        return estimate
    }

    /// Why there is no way; nil where there is one, or nobody has tried.
    package func obstacle(from: String, to: String) -> String? {
        guard case .unreachable(let reason) = self[from, to] else { return nil }
        return reason
    }

    /// A worker that moved to another machine takes none of its ways along.
    package mutating func forget(_ name: String) {
        findings = findings.filter { $0.key.from != name && $0.key.to != name }
    }

    /// Ways that nobody found are tried again.
    package mutating func forgetUnreachable() {
        findings = findings.filter { if case .measured = $0.value { true } else { false } }
    }
}
