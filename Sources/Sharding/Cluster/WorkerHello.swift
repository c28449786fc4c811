import ZeroMQ

/// What a worker says of itself when it joins, and again whenever its coordinator does not know it.
package struct WorkerHello: Sendable, Hashable {
    package var version: ProtocolVersion
    /// Unique in the cluster; the configuration lists it.
    package var name: String
    /// Random at each start of the process: tells a restarted worker from a second one of the same name.
    package var instance: UInt64
    package var processID: Int32
    /// What it proves its name by; nil without encryption.
    package var publicKey: CurvePublicKey?
    /// Where earlier stages send steps to: `tcp://127.0.0.1:49152`.
    package var dataEndpoint: String
    /// `cpu`, `cuda:0`.
    package var device: String
    /// Threads that compute, where the order to load does not say fewer.
    package var threadCount: Int
    /// Whether who started it chose that count; else it shares ``cores`` with other workers of its machine.
    package var hasChosenThreads: Bool
    /// CPUs of its machine that it may compute on, one of each core; empty where it does not say.
    package var cores: [Int]
    package var memoryTotalBytes: UInt64
    package var memoryAvailableBytes: UInt64
    /// Measured rate at which weights are read while computing; 0 when it was not measured.
    package var bytesPerSecond: Double
    /// nil when it was not measured.
    package var speed: ComputeSpeed?
    /// Measured rate at which it reads weights from its disk; 0 when it was not measured.
    package var diskBytesPerSecond: Double
    /// What it held before it loaded anything: its program, its libraries; 0 when it was not measured.
    package var programBytes: UInt64
    /// SHA-256 of tensors that this worker has in its cache, 32 bytes each.
    package var cachedHashes: [[UInt8]]
    package var highestEpoch: Epoch
    /// Where other workers may fetch weights from it; nil where it serves none.
    package var weightsEndpoint: String?
    /// Equal on workers whose machine, and so its memory, is the same; empty where it is not known.
    package var machine: String
    /// The run that it obeys until its lease lapses.
    package var run: RunID?

    package init(
        version: ProtocolVersion = .current, name: String, instance: UInt64, processID: Int32,
        publicKey: CurvePublicKey? = nil, dataEndpoint: String, device: String, threadCount: Int,
        hasChosenThreads: Bool = false, cores: [Int] = [], memoryTotalBytes: UInt64, memoryAvailableBytes: UInt64,
        bytesPerSecond: Double, speed: ComputeSpeed? = nil, diskBytesPerSecond: Double = 0, programBytes: UInt64 = 0,
        cachedHashes: [[UInt8]] = [], highestEpoch: Epoch = .none, weightsEndpoint: String? = nil, machine: String = "",
        run: RunID? = nil
    ) {
        self.version = version
        self.name = name
        self.instance = instance
        self.processID = processID
        self.publicKey = publicKey
        self.dataEndpoint = dataEndpoint
        self.device = device
        self.threadCount = threadCount
        self.hasChosenThreads = hasChosenThreads
        self.cores = cores
        self.memoryTotalBytes = memoryTotalBytes
        self.memoryAvailableBytes = memoryAvailableBytes
        self.bytesPerSecond = bytesPerSecond
        self.speed = speed
        self.diskBytesPerSecond = diskBytesPerSecond
        self.programBytes = programBytes
        self.cachedHashes = cachedHashes
        self.highestEpoch = highestEpoch
        self.weightsEndpoint = weightsEndpoint
        self.machine = machine
        self.run = run
    }
}
