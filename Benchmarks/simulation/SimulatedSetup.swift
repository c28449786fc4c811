import Coordinator
import Sharding
import ZeroMQ

/// A cluster to simulate: a model, workers on machines of their own, and what lies between them.
package struct SimulatedSetup: Sendable {
    package struct Device: Sendable {
        /// Rate at which weights are read while computing.
        package var bytesPerSecond: Double
        /// What a step takes besides, whatever is computed.
        package var stepTime = Duration.seconds(Placement.stepSeconds)
        /// Rows that are computed in the time in which the weights are read once.
        package var rowsPerPass = Placement.promptRowsPerPass
        package var memoryBytes = 1 << 44
        /// Of a worker in mode memory-efficient: rate at which it reads what does not fit its memory; nil of others.
        package var diskBytesPerSecond: Double?
        /// Its layers, where the planner is not to choose.
        package var layers: Range<Int>?

        package init(bytesPerSecond: Double) { self.bytesPerSecond = bytesPerSecond }
    }

    package var model: PlacementModel
    package var devices: [Device]
    /// From each to every other, in either direction.
    package var link: LinkEstimate
    package var contextLength = 512
    package var maxSequences: Int
    package var maxRows = 512
    package var vocabularySize = 128_256

    package init(
        model: PlacementModel, devices: [Device], link: LinkEstimate, maxSequences: Int
    ) {
        self.model = model
        self.devices = devices
        self.link = link
        self.maxSequences = maxSequences
    }

    /// What the coordinator is configured with.
    var settings: ClusterSettings {
        let isManual = devices.contains { $0.layers != nil }
        var settings = ClusterSettings(
            run: RunID(high: 1, low: 2),
            workers: devices.indices.map { index in
                let device = devices[index]
                return ClusterSettings.ExpectedWorker(
                    name: Self.name(index), memoryBytes: device.memoryBytes,
                    mode: device.diskBytesPerSecond == nil ? .simple : .memoryEfficient,
                    selection: device.layers.map { LayerSelection(ranges: $0.isEmpty ? [] : [$0]) })
            },
            model: ModelReference(format: .gguf, files: [ModelReferenceFile(name: "model.gguf", bytes: 1)]),
            placementModel: model, policy: isManual ? .manual : .balanced,
            capacity: ClusterSettings.Capacity(
                vocabularySize: vocabularySize, hiddenSize: model.rowBytes / 4, contextLength: contextLength,
                maxSequences: maxSequences, queueMax: maxSequences, maxRows: maxRows, blockPositions: 32),
            resultsEndpoint: "tcp://10.0.0.1:5556")
        // Beyond loopback nothing is in clear.
        settings.coordinatorKey = CurvePublicKey(bytes: [UInt8](repeating: 1, count: 32))
        return settings
    }

    static func name(_ index: Int) -> String { "w\(index)" }

    func hello(of index: Int) -> WorkerHello {
        let device = devices[index]
        return WorkerHello(
            name: Self.name(index), instance: UInt64(index + 1), processID: Int32(index + 1),
            dataEndpoint: "tcp://10.1.\(index / 250).\(index % 250 + 1):5555", device: "cpu", threadCount: 1,
            memoryTotalBytes: UInt64(device.memoryBytes), memoryAvailableBytes: UInt64(device.memoryBytes),
            bytesPerSecond: device.bytesPerSecond, diskBytesPerSecond: device.diskBytesPerSecond ?? 0,
            machine: "machine \(index)")
    }
}
