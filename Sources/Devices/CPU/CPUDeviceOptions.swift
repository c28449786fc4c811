import CKernels
import Glibc

/// How the CPU computes; nothing here but `activations` changes a bit of the results.
package struct CPUDeviceOptions: Sendable, Hashable {
    package enum Activations: String, Sendable, Hashable {
        /// Quantised weights meet activations of 8 bits: fast.
        case int8
        /// Quantised weights are decoded and meet activations as they are: slow, the reference for accuracy.
        case float
    }

    /// The environment variable that chooses `kernels`.
    package static let kernelsVariable = "SHARD_CPU"

    /// One thread for each core that this process may use, within its cgroup's quota.
    package static var defaultThreads: Int { min(MachineFiles().coreCount, threadsMax) }
    package static let threadsMax = 1024

    package var threads: Int
    /// Name of the instruction set; nil takes the fastest that this machine has.
    package var kernels: String?
    package var activations: Activations
    /// Cores to pin the threads to, in order; empty pins none.
    package var cpus: [Int]

    package init(threads: Int = 1, kernels: String? = nil, activations: Activations = .int8, cpus: [Int] = []) {
        self.threads = threads
        self.kernels = kernels
        self.activations = activations
        self.cpus = cpus
    }

    /// The same with the kernels that the environment asks for, if it does.
    package func withEnvironment() -> CPUDeviceOptions {
        guard let value = getenv(Self.kernelsVariable) else { return self }
        let name = String(cString: value)
        guard !name.isEmpty else { return self }
        var options = self
        options.kernels = name
        return options
    }

    /// Instruction sets that this machine can run, from the plainest on.
    package static var availableKernels: [String] {
        (0..<shard_kernels_count()).map { String(cString: shard_kernels_name($0)) }
            .filter { shard_kernels_named($0) != nil }
    }

    /// Says which kernels there are where this machine lacks those that were asked for.
    package func check() throws(DeviceError) { _ = try Self.table(kernels) }

    /// Name of the instruction set that a device with these would use; nil where this machine lacks it.
    package var kernelsName: String? { (try? Self.table(kernels)).map { String(cString: $0.name) } }

    /// The table of kernels that `name` stands for.
    static func table(_ name: String?) throws(DeviceError) -> shard_kernels {
        guard let name else { return shard_kernels_best().pointee }
        guard let table = shard_kernels_named(name) else {
            let known = (0..<shard_kernels_count()).map { String(cString: shard_kernels_name($0)) }
            let problem = known.contains(name) ? "this machine lacks \(name)" : "there is no \(name)"
            throw DeviceError(
                .unsupported, place: kernelsVariable,
                "expected one of \(availableKernels.joined(separator: ", ")); \(problem)")
        }
        return table.pointee
    }
}
