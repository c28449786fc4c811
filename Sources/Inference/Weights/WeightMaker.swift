import Devices
import Models

/// Puts single tensors onto a device: whole matrices, or slices of them. How is what residencies differ in.
protocol WeightMaker {
    func vector(_ name: String, count: Int) throws(InferenceError) -> any DeviceVector
    func matrix(_ spec: LinearSpec) throws(InferenceError) -> WeightMatrix
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
        let view = try source.tensor(spec.weight, rowCount: spec.outputCount, columnCount: spec.inputCount)
        let bias = try spec.bias.map { name throws(InferenceError) in
            try source.vector(name, count: spec.outputCount)
        }
        return WeightMatrix(
            try onDevice(spec.weight) { () throws(DeviceError) in
                try device.makeMatrix(view, bias: bias) { source.discard($0, of: spec.weight) }
            })
    }
}
