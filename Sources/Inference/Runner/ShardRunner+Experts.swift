import Devices
import Models

extension ShardRunner {
    /// A mixture's part of a layer, from normed rows to what is added to the hidden states.
    func mixExperts(
        _ spec: ExpertsSpec, _ router: WeightMatrix, _ experts: any ExpertWeights, rowCount: Int
    ) throws(InferenceError) {
        let buffers = self.buffers.experts(spec)
        projections.add(WeightProjection(router, into: buffers.logits))
        try projections.run(on: device, self.buffers.normed, rowCount: rowCount)
        try onDevice("router") { () throws(DeviceError) in
            try device.download(
                0..<rowCount, of: buffers.logits, to: UnsafeMutableRawPointer(buffers.hostLogits.baseAddress!))
        }
        buffers.routing.route(
            UnsafeBufferPointer(buffers.hostLogits), rowCount: rowCount, isNormalized: spec.isNormalized)
        let routing = buffers.routing
        let placeCount = routing.rows.count
        try experts.begin(routing.groups)
        device.gather(routing.rows, of: self.buffers.normed, into: buffers.states)
        for group in routing.groups {
            let weights = experts.weights(of: group.expert)
            projections.add(WeightProjection(weights.gate, into: buffers.gate, rows: group.places))
            projections.add(WeightProjection(weights.up, into: buffers.up, rows: group.places))
        }
        try projections.run(on: device, buffers.states, rowCount: placeCount)
        device.activate(gate: buffers.gate, up: buffers.up, rowCount: placeCount, into: buffers.gate)
        for group in routing.groups {
            let weights = experts.weights(of: group.expert)
            projections.add(WeightProjection(weights.down, into: buffers.states, rows: group.places))
        }
        try projections.run(on: device, buffers.gate, rowCount: placeCount)
        device.mix(buffers.states, by: routing.shares, into: self.buffers.delta)
    }
}
