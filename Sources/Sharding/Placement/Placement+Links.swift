extension Placement {
    /// Where a step comes from and goes to: a worker's index, or nil for the coordinator.
    typealias End = Int?

    /// The fastest of a few messages on one machine takes less, however busy that is.
    private static let localRoundTripMax = Duration.milliseconds(10)

    /// Bytes of a result that has one token.
    static let resultBytes = 256

    /// What the way between two ends counts for: as measured, or as such ways usually are. nil where there is none.
    ///
    /// On one machine all ways are alike, and what was measured says more of what else ran there; unless something slow
    /// lies between, such as a shaped network of containers.
    private func link(from: End, to: End) -> LinkEstimate? {
        let isLocal = machine(from) == machine(to)
        return switch links[name(from), name(to)] {
        case .unreachable: nil
        case .measured(let estimate): isLocal && estimate.roundTrip < Self.localRoundTripMax ? .assumedLocal : estimate
        case nil: isLocal ? .assumedLocal : .assumedRemote
        }
    }

    /// Time that a step of one row takes on its way; endless where there is none.
    func hopSeconds(from: End, to: End) -> Double {
        link(from: from, to: to)?.seconds(ofBytes: rowBytes(to: to)) ?? .infinity
    }

    /// Time for which a step keeps the way busy for each pass over the weights, as the objective has it: of prompts many
    /// rows go with one pass.
    func transferSeconds(from: End, to: End) -> Double {
        guard let link = link(from: from, to: to) else { return .infinity }
        let rows =
            switch objective {
            case .decode, .mixed: 1.0
            case .prompt: Self.promptRowsPerPass
            }
        return rows * Double(rowBytes(to: to)) / link.bytesPerSecond
    }

    /// The ways of a step through these segments, in order.
    func hops(_ segments: [Segment]) -> [Plan.Hop] {
        let ends: [End] = [nil] + segments.map { $0.worker } + [nil]
        return zip(ends, ends.dropFirst()).map { from, to in
            let measured = links.estimate(from: name(from), to: name(to))
            return Plan.Hop(
                from: name(from), to: name(to), estimate: measured ?? link(from: from, to: to) ?? .assumedRemote,
                isMeasured: measured != nil)
        }
    }

    /// - Throws: ``PlacementError`` where a step could not pass from a segment to the next.
    func checkLinks(_ segments: [Segment]) throws(PlacementError) {
        let hops = hops(segments)
        guard let hop = hops.first(where: { links.obstacle(from: $0.from, to: $0.to) != nil }) else { return }
        throw unreachable(hop.from, hop.to)
    }

    func unreachable(_ from: String, _ to: String) -> PlacementError {
        let reason = links.obstacle(from: from, to: to) ?? "no answer"
        return PlacementError(
            .unreachable, "placement: \(Self.unreachableText(from: from, to: to, reason: reason))")
    }

    /// Names both ends and what to do.
    package static func unreachableText(from: String, to: String, reason: String) -> String {
        let (here, there) = (described(from), described(to))
        let setting = to == LinkTable.coordinator ? "coordinator.advertise" : "\(there)'s advertise"
        return "\(here) cannot reach \(there): \(reason); open that port between them, or set \(setting) to an "
            + "address that \(here) reaches"
    }

    private static func described(_ name: String) -> String {
        name == LinkTable.coordinator ? "the coordinator" : "worker \(name)"
    }

    private func name(_ end: End) -> String { end.map { workers[$0].name } ?? LinkTable.coordinator }

    private func machine(_ end: End) -> String { end.map { workers[$0].machine } ?? machine }

    private func rowBytes(to end: End) -> Int { end == nil ? Self.resultBytes : model.rowBytes }
}
