import Devices
import Glibc
import Sharding
import ZeroMQ

/// What a worker is told when it starts.
package struct WorkerConfiguration: Sendable {
    /// The name that the cluster knows it by.
    package let name: String
    package let coordinator: Endpoint
    /// Where earlier stages connect to; port 0 takes any free one.
    package let bind: Endpoint
    /// How others reach `bind`, where that differs; its port counts unless it is 0.
    package let advertise: Endpoint?
    package let device: String
    package let cpu: CPUDeviceOptions
    /// Folders that model files are looked for in, in this order.
    package let modelFolders: [String]
    /// What it may take; nil: what the machine has.
    package let memoryBytesMax: Int?
    /// Ends with its coordinator instead of waiting for the next one.
    package let endsWithCoordinator: Bool
    package let hashes: FileHashCache
    /// Reads files again whose hashes are known.
    package let isVerifying: Bool

    /// Checks everything that can be checked before a socket exists.
    ///
    /// - Throws: ``WorkerError`` `.configuration`: a bad name, address or device, or one beyond loopback.
    package init(
        name: String, coordinator: String, bind: String = "tcp://127.0.0.1:0", advertise: String? = nil,
        device: String = "cpu", threads: Int? = nil, cpus: [Int] = [], modelFolders: [String] = ["."],
        memoryBytesMax: Int? = nil, endsWithCoordinator: Bool = false, hashes: FileHashCache = .standard(),
        isVerifying: Bool = false
    ) throws(WorkerError) {
        guard WorkerHello.isValidName(name) else {
            throw WorkerError(
                .configuration, place: "--name", "expected 1 to 64 characters of A-Z a-z 0-9 . _ -, got \"\(name)\"")
        }
        self.name = name
        self.coordinator = try Self.endpoint(coordinator, "--coordinator")
        guard self.coordinator.port > 0 else {
            throw WorkerError(.configuration, place: "--coordinator", "expected a port from 1 to 65535, got 0")
        }
        self.bind = try Self.endpoint(bind, "--bind")
        self.advertise = try advertise.map { text throws(WorkerError) in try Self.endpoint(text, "--advertise") }
        do {
            try DetectedDevice.requireUsable(device)
        } catch {
            throw WorkerError(.configuration, place: "--device", "\(error)")
        }
        self.device = device
        let threads = threads ?? (cpus.isEmpty ? MachineFiles().coreCount : cpus.count)
        guard (1...1024).contains(threads) else {
            throw WorkerError(.configuration, place: "--threads", "expected 1 to 1024, got \(threads)")
        }
        cpu = CPUDeviceOptions(threads: threads, cpus: cpus).withEnvironment()
        try Self.check(cpu)
        for folder in modelFolders { try Self.check(modelFolder: folder) }
        self.modelFolders = modelFolders
        self.memoryBytesMax = memoryBytesMax
        self.endsWithCoordinator = endsWithCoordinator
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

    private static func endpoint(_ text: String, _ option: String) throws(WorkerError) -> Endpoint {
        guard let endpoint = Endpoint(text) else {
            throw WorkerError(.configuration, place: option, "expected tcp://HOST:PORT, got \"\(text)\"")
        }
        guard endpoint.isLoopback else {
            throw WorkerError(
                .configuration, place: option,
                "expected an address on loopback, got \(endpoint); encryption is not there yet, so workers stay on one "
                    + "machine: use tcp://127.0.0.1:\(endpoint.port)")
        }
        return endpoint
    }
}
