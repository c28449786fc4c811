import Devices
import Models

/// The activations of a step, on the device, made once for the largest step.
struct ActivationBuffers {
    /// The residual stream, `[rows, hiddenSize]`.
    let hidden: any DeviceBuffer
    /// After a norm, `[rows, hiddenSize]`.
    let normed: any DeviceBuffer
    /// What attention or feed-forward adds, `[rows, hiddenSize]`.
    let delta: any DeviceBuffer
    let placement: any DevicePlacement
    private let query: [Int: Pair]
    private let keyValue: [Int: Pair]
    private let feedForward: [Int: Pair]
    private let experts: [ExpertSizes: ExpertBuffers]

    struct Pair {
        let first: any DeviceBuffer
        let second: any DeviceBuffer
    }

    init(model: ModelSpec, options: ShardRunnerOptions, device: any Device) throws(InferenceError) {
        let rows = options.rowsMax
        let make = { (columns: Int) throws(InferenceError) -> any DeviceBuffer in
            try onDevice("activations") { () throws(DeviceError) in
                try device.makeBuffer(rowCapacity: rows, columnCount: columns)
            }
        }
        let pairs = { (widths: Set<Int>) throws(InferenceError) -> [Int: Pair] in
            var pairs: [Int: Pair] = [:]
            for width in widths { pairs[width] = Pair(first: try make(width), second: try make(width)) }
            return pairs
        }
        hidden = try make(model.hiddenSize)
        normed = try make(model.hiddenSize)
        delta = try make(model.hiddenSize)
        placement = try onDevice("activations") { () throws(DeviceError) in
            try device.makePlacement(rowCapacity: rows)
        }
        let sizes = ActivationSizes(model.layers[options.layers])
        query = try pairs(sizes.query)
        keyValue = try pairs(sizes.keyValue)
        feedForward = try pairs(sizes.feedForward)
        var experts: [ExpertSizes: ExpertBuffers] = [:]
        for sizes in sizes.experts {
            experts[sizes] = try ExpertBuffers(sizes, rowsMax: rows, device: device)
        }
        self.experts = experts
    }

    /// Queries and what attention makes of them.
    func queries(_ attention: AttentionSpec) -> Pair { query[attention.query.outputCount]! }
    /// Keys and values.
    func keysAndValues(_ attention: AttentionSpec) -> Pair { keyValue[attention.key.outputCount]! }
    /// Gate and up.
    func gateAndUp(width: Int) -> Pair { feedForward[width]! }
    func experts(_ spec: ExpertsSpec) -> ExpertBuffers { experts[ExpertSizes(spec)]! }
}
