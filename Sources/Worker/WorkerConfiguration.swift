import Devices
import Glibc
import Sharding
import ZeroMQ

/// What a worker is told when it starts.
package struct WorkerConfiguration: Sendable {
    /// The name that the cluster knows it by.
    package let name: String
    package let coordinator: Endpoint
    /// nil: connections are in clear, and stay on this machine.
    package let security: WorkerSecurity?
    /// Where earlier stages connect to; port 0 takes any free one.
    package let bind: Endpoint
    /// How others reach `bind`, where that differs; its port counts unless it is 0.
    package let advertise: Endpoint?
    package let device: String
    package let cpu: CPUDeviceOptions
    /// Whether who started it said how many threads, or which cores; else its coordinator may deal it fewer.
    package let hasChosenThreads: Bool
    /// Folders that model files are looked for in, in this order.
    package let modelFolders: [String]
    /// Where weights that come over the wire are kept; nil: nowhere, as this worker has the files.
    package let cacheFolder: String?
    /// Bytes that they may take; nil leaves half of the disk's free space.
    package let cacheBytesMax: Int?
    /// What it may take; nil: what the machine has.
    package let memoryBytesMax: Int?
    /// How it expects to hold weights, as its coordinator's file decides: with memory-efficient it measures its disk.
    package let residency: ResidencyMode
    /// Where copies of weights that it reads from disk are kept in the layout that is computed with; nil keeps none.
    package let packedCache: String?
    package let ending: WorkerEnding
    package let hashes: FileHashCache
    /// Reads files again whose hashes are known.
    package let isVerifying: Bool

    /// Checks everything that can be checked before a socket exists.
    ///
    /// - Parameter bind: nil takes the address by which this machine reaches the coordinator, and any free port.
    /// - Throws: ``WorkerError`` `.configuration`: a bad name, address or device, or one beyond loopback without keys.
    package init(
        name: String, coordinator: String, security: WorkerSecurity? = nil, bind: String? = nil,
        advertise: String? = nil, device: String = "cpu", threads: Int? = nil, cpus: [Int] = [],
        modelFolders: [String] = ["."], cacheFolder: String? = nil, cacheBytesMax: Int? = nil,
        memoryBytesMax: Int? = nil, residency: ResidencyMode = .simple, packedCache: String? = nil,
        ending: WorkerEnding = .byItself,
        hashes: FileHashCache = .standard(), isVerifying: Bool = false
    ) throws(WorkerError) {
        guard WorkerHello.isValidName(name) else {
            throw WorkerError(
                .configuration, place: "--name", "expected 1 to 64 characters of A-Z a-z 0-9 . _ -, got \"\(name)\"")
        }
        self.name = name
        self.security = security
        let addresses = WorkerAddresses(name: name, isSecured: security != nil)
        self.coordinator = try addresses.coordinator(coordinator)
        if let bind {
            self.bind = try addresses.endpoint(bind, "--bind")
        } else {
            self.bind = try addresses.bind(toward: self.coordinator)
        }
        self.advertise = try advertise.map { text throws(WorkerError) in
            try addresses.endpoint(text, "--advertise")
        }
        do {
            try DetectedDevice.requireUsable(device)
        } catch {
            throw WorkerError(.configuration, place: "--device", "\(error)")
        }
        self.device = device
        hasChosenThreads = threads != nil || !cpus.isEmpty
        let threads = threads ?? (cpus.isEmpty ? MachineFiles().coreCount : cpus.count)
        guard (1...1024).contains(threads) else {
            throw WorkerError(.configuration, place: "--threads", "expected 1 to 1024, got \(threads)")
        }
        cpu = CPUDeviceOptions(threads: threads, cpus: cpus).withEnvironment()
        try Self.check(cpu)
        for folder in modelFolders { try Self.check(modelFolder: folder) }
        self.modelFolders = modelFolders
        self.cacheFolder = cacheFolder
        self.cacheBytesMax = cacheBytesMax
        self.memoryBytesMax = memoryBytesMax
        self.residency = residency
        self.packedCache = packedCache
        self.ending = ending
        self.hashes = hashes
        self.isVerifying = isVerifying
    }

    /// Kernels and cores that this machine lacks are known before anything starts.
    private static func check(_ cpu: CPUDeviceOptions) throws(WorkerError) {
        do throws(DeviceError) {
            _ = try CPUDevice(CPUDeviceOptions(threads: 1, kernels: cpu.kernels))
        } catch {
            throw WorkerError(.configuration, place: error.place, error.message)
        }
        let allowed = MachineFiles().allowedCPUs
        if let missing = cpu.cpus.first(where: { !allowed.isEmpty && !allowed.contains($0) }) {
            let list = allowed.map(String.init).joined(separator: ",")
            throw WorkerError(.configuration, place: "--cpus", "expected some of \(list), got \(missing)")
        }
    }

    private static func check(modelFolder path: String) throws(WorkerError) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw WorkerError(
                .configuration, place: "--models", "\(path): expected a folder, got \(String(cString: strerror(errno)))"
            )
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw WorkerError(.configuration, place: "--models", "\(path): expected a folder, got a file")
        }
    }
}

/// When a worker ends without being asked to.
package enum WorkerEnding: Sendable, Hashable {
    /// Never: it waits for the next coordinator.
    case byItself
    /// With its coordinator, which is on this machine and whose end it sees at once.
    case withLauncher
    /// With its coordinator on another machine, or when none has been heard of for a while.
    case withCoordinator

    /// For so long a coordinator may be away before it counts as gone for good.
    static let orphanAfter = Duration.seconds(60)

    var endsWithCoordinator: Bool { self != .byItself }
}
