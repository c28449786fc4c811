extension ClusterConfiguration {
    /// What is wrong with layers placed by hand, now that the model's layer count is known; empty when nothing is.
    ///
    /// Gaps and overlaps are found when the file is read; what is left is layers at the end.
    package func problems(layerCount: Int) -> [ConfigurationProblem] {
        guard placement.policy == .manual else { return [] }
        var problems: [ConfigurationProblem] = []
        var last: (end: Int, place: ConfigurationPlace)?
        for worker in workers {
            guard let place = worker.layersPlace, let end = worker.layers?.ranges.last?.upperBound else { continue }
            if end > layerCount {
                problems.append(
                    ConfigurationProblem(
                        place, "expected layers below \(layerCount), as the model has \(layerCount), got \(end - 1)"))
            }
            if end > last?.end ?? 0 { last = (end, place) }
        }
        if let last, last.end < layerCount {
            let missing = LayerSelection(ranges: [last.end..<layerCount])
            problems.append(
                ConfigurationProblem(last.place, "layers \(missing) of the model's \(layerCount) are on no worker"))
        }
        return problems
    }
}
