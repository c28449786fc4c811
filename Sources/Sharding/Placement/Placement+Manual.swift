extension Placement {
    /// Each worker has the layers that its configuration names; the head goes where it is named, else with the last
    /// layer.
    func manualSegments() throws(PlacementError) -> [Segment] {
        let layerCount = model.layers.count
        var segments: [Segment] = []
        var headOwners: [Int] = []
        for (index, worker) in workers.enumerated() {
            guard let selection = worker.selection else { continue }
            if selection.includesHead { headOwners.append(index) }
            for range in selection.ranges {
                guard range.lowerBound >= 0, range.upperBound <= layerCount else {
                    throw PlacementError(
                        .invalidSelection,
                        "worker \(worker.name): layers: expected layers below \(layerCount), got \(selection); "
                            + "\(model.name) has layers 0-\(layerCount - 1)")
                }
                segments.append(Segment(worker: index, units: range))
            }
        }
        segments.sort { ($0.units.lowerBound, $0.worker) < ($1.units.lowerBound, $1.worker) }
        try checkCover(segments)
        guard headOwners.count <= 1 else {
            let names = headOwners.map { workers[$0].name }.joined(separator: " and ")
            throw PlacementError(.invalidSelection, "layers: expected the head on one worker, got it on \(names)")
        }
        let headOwner = headOwners.first ?? segments.last?.worker ?? 0
        segments.append(Segment(worker: headOwner, units: layerCount..<model.unitCount))
        return Self.merged(segments)
    }

    private func checkCover(_ segments: [Segment]) throws(PlacementError) {
        var next = 0
        var previous: Segment?
        for segment in segments {
            if segment.units.lowerBound > next { throw hole(next..<segment.units.lowerBound) }
            if segment.units.lowerBound < next, let previous {
                throw PlacementError(
                    .invalidSelection,
                    "layers: expected each layer on one worker, got layer \(segment.units.lowerBound) on "
                        + "\(workers[previous.worker].name) and \(workers[segment.worker].name)")
            }
            next = segment.units.upperBound
            previous = segment
        }
        if next < model.layers.count { throw hole(next..<model.layers.count) }
    }

    private func hole(_ layers: Range<Int>) -> PlacementError {
        PlacementError(
            .invalidSelection,
            "layers: expected all \(model.layers.count) layers to be placed, got no worker for layers "
                + "\(layers.lowerBound)-\(layers.upperBound - 1)")
    }
}
