import Devices
import Models

/// Puts single tensors onto a device: whole matrices, or slices of them. How is what residencies differ in.
protocol WeightMaker {
    func vector(_ name: String, count: Int) throws(InferenceError) -> any DeviceVector
    func matrix(_ spec: LinearSpec) throws(InferenceError) -> WeightMatrix
    func experts(_ spec: ExpertsSpec) throws(InferenceError) -> any ExpertWeights
}

extension WeightMaker {
    func gated(_ spec: GatedSpec) throws(InferenceError) -> GatedWeights {
        GatedWeights(gate: try matrix(spec.gate), up: try matrix(spec.up), down: try matrix(spec.down))
    }
}

/// Packs every matrix onto the device.
struct ResidentMaker: WeightMaker {
    let source: any TensorSource
    let device: any Device

    func vector(_ name: String, count: Int) throws(InferenceError) -> any DeviceVector {
        let view = try source.vector(name, count: count)
        return try onDevice(name) { () throws(DeviceError) in try device.makeVector(view) }
    }

    func matrix(_ spec: LinearSpec) throws(InferenceError) -> WeightMatrix {
        let (view, offset) = try source.matrix(spec)
        let bias = try spec.bias.map { name throws(InferenceError) in
            try source.vector(name, count: spec.outputCount)
        }
        return WeightMatrix(
            try onDevice(spec.weight) { () throws(DeviceError) in
                try device.makeMatrix(view, bias: bias) {
                    source.discard(offset + $0.lowerBound..<offset + $0.upperBound, of: spec.weight)
                }
            })
    }

    func experts(_ spec: ExpertsSpec) throws(InferenceError) -> any ExpertWeights {
        var experts: [GatedWeights] = []
        for expert in spec.experts { experts.append(try gated(expert)) }
        return ResidentExperts(experts)
    }
}

/// All of them are here.
final class ResidentExperts: ExpertWeights {
    private let experts: [GatedWeights]

    init(_ experts: [GatedWeights]) { self.experts = experts }

    func begin(_ groups: [ExpertRouting.Group]) {}
    func weights(of expert: Int) -> GatedWeights { experts[expert] }
}
