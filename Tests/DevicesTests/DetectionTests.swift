import Foundation
import Synchronization
import Testing

@testable import Devices

@Suite("what can compute here")
struct DetectionTests {
    @Test("the CPU is always there and usable, after all else")
    func cpu() throws {
        let inventory = DeviceInventory.detect(cudaLibrary: "libshard-there-is-no-such-library.so")
        let device = try #require(inventory.devices.last)
        #expect(inventory.devices.count == 1 && inventory.notes.isEmpty)
        #expect(device.id == "cpu" && device.isUsable && !device.name.isEmpty)
        #expect(device.memoryTotalBytes > 0)
        #expect((device.memoryAvailableBytes ?? -1) <= device.memoryTotalBytes)
        guard case .cpu(let processor) = device.kind else {
            Issue.record("a CPU is no GPU")
            return
        }
        #expect(processor.coreCount >= 1)
        #expect(processor.instructionSets.first == "scalar")
        #expect(processor.readBytesPerSecond == nil)
    }

    @Test("reading memory is measured where that is asked for")
    func bandwidth() {
        #expect((MemoryBandwidth.measure(threadCount: 2, bytesMax: 32 << 20) ?? 0) > 0)
        #expect(MemoryBandwidth.measure(threadCount: 1, bytesMax: 1000) == nil)
    }

    @Test("what a process makes the system hold includes its program's files")
    func held() throws {
        let machine = MachineFiles()
        let memory = try #require(machine.processMemory)
        #expect(memory.fileBytes > 0 && memory.fileBytes <= memory.residentBytes)
        #expect(memory.residentBytes <= memory.peakBytes)
        #expect(machine.programMappings.contains { $0.path.contains("libc.so") })
        #expect(machine.programMappings.allSatisfy { $0.addresses.lowerBound % 4096 == 0 })
        let held = machine.heldBytes
        #expect(held > memory.residentBytes / 2 && held < memory.residentBytes + (1 << 30))
    }

    @Test("processes measure in turn; one that holds its turn for too long is not waited for")
    func measuringTurn() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("shard-turn-\(UUID())")
        try Data().write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let measuring = Mutex(0)
        DispatchQueue.concurrentPerform(iterations: 3) { _ in
            MeasuringTurn.take(of: file.path, patience: .seconds(60)) {
                let count = measuring.withLock { count in
                    count += 1
                    return count
                }
                #expect(count == 1)
                usleep(20_000)
                measuring.withLock { $0 -= 1 }
            }
        }
        let isReached = MeasuringTurn.take(of: file.path) {
            MeasuringTurn.take(of: file.path, patience: .milliseconds(20)) { true }
        }
        #expect(isReached)
        #expect(MeasuringTurn.take(of: file.path + "-absent") { 7 } == 7)
    }

    @Test("only devices that compute in this build are usable", arguments: ["cuda:0", "cuda:x", "gpu", "", "cuda:-1"])
    func unusable(id: String) {
        let error = #expect(throws: DeviceError.self) { try DetectedDevice.requireUsable(id) }
        #expect(error?.code == (id == "cuda:0" ? .unavailable : .unsupported))
    }

    @Test("shards are dealt to devices in turn")
    func inTurn() {
        #expect(assignShardsInTurn(count: 4, to: ["cuda:0", "cuda:1"]) == ["cuda:0", "cuda:1", "cuda:0", "cuda:1"])
        #expect(assignShardsInTurn(count: 1, to: ["a", "b", "c"]) == ["a"])
        #expect(assignShardsInTurn(count: 3, to: []).isEmpty)
        #expect(assignShardsInTurn(count: -1, to: ["a"]).isEmpty)
    }
}

@Suite("limits of a container")
struct MachineFilesTests {
    /// A folder with files in place of /proc and /sys.
    private func machine(_ files: [String: String]) throws -> (URL, MachineFiles) {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("shard-machine-\(UUID())")
        for (path, text) in files {
            let url = root.appendingPathComponent(path)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: url)
        }
        return (root, MachineFiles(root: root.path))
    }

    private func computeCPUs(_ files: [String: String]) throws -> [Int] {
        let (root, machine) = try machine(files)
        defer { try? FileManager.default.removeItem(at: root) }
        return machine.computeCPUs
    }

    private let memory = "MemTotal:       16384 kB\nMemFree: 1 kB\nMemAvailable:    8192 kB\n"

    @Test("threads that share a core count once, whichever of them is allowed")
    func siblings() throws {
        let (root, machine) = try machine([
            "proc/self/status": "Cpus_allowed_list:\t0-2,5-7\n",
            "sys/devices/system/cpu/cpu0/topology/thread_siblings_list": "0,4\n",
            "sys/devices/system/cpu/cpu1/topology/thread_siblings_list": "1,5\n",
            "sys/devices/system/cpu/cpu2/topology/thread_siblings_list": "2,6\n",
            "sys/devices/system/cpu/cpu5/topology/thread_siblings_list": "1,5\n",
            "sys/devices/system/cpu/cpu6/topology/thread_siblings_list": "2,6\n",
            "sys/devices/system/cpu/cpu7/topology/thread_siblings_list": "3,7\n",
        ])
        defer { try? FileManager.default.removeItem(at: root) }
        #expect(machine.computeCPUs == [0, 1, 2, 7])
        #expect(machine.coreCount == 4)
    }

    @Test("efficiency cores are left out, unless there are no others")
    func efficiencyCores() throws {
        let hybrid = [
            "proc/self/status": "Cpus_allowed_list:\t0-7\n", "sys/devices/cpu_core/cpus": "0-3\n",
            "sys/devices/cpu_atom/cpus": "4-7\n",
            "sys/devices/system/cpu/cpu0/topology/thread_siblings_list": "0-1\n",
            "sys/devices/system/cpu/cpu1/topology/thread_siblings_list": "0-1\n",
        ]
        #expect(try computeCPUs(hybrid) == [0, 2, 3])
        let onlyEfficient = hybrid.merging(["proc/self/status": "Cpus_allowed_list:\t5-6\n"]) { $1 }
        #expect(try computeCPUs(onlyEfficient) == [5, 6])
        let little = [
            "proc/self/status": "Cpus_allowed_list:\t0-3\n", "sys/devices/system/cpu/cpu0/cpu_capacity": "446\n",
            "sys/devices/system/cpu/cpu1/cpu_capacity": "446\n", "sys/devices/system/cpu/cpu2/cpu_capacity": "871\n",
            "sys/devices/system/cpu/cpu3/cpu_capacity": "1024\n",
        ]
        #expect(try computeCPUs(little) == [2, 3])
    }

    @Test("affinity and quota bound the cores, the cgroup the memory")
    func limits() throws {
        let (root, machine) = try machine([
            "proc/self/status": "Name:\tx\nCpus_allowed_list:\t0-3,8\n", "proc/meminfo": memory,
            "proc/cpuinfo": "processor : 0\nmodel name\t: Some CPU @ 3 GHz\n", "proc/self/cgroup": "0::/job\n",
            "sys/fs/cgroup/job/cpu.max": "250000 100000\n", "sys/fs/cgroup/job/memory.max": "4194304\n",
            "sys/fs/cgroup/job/memory.current": "3145728\n",
            "sys/fs/cgroup/job/memory.stat": "anon 5\ninactive_file 1048576\n",
        ])
        defer { try? FileManager.default.removeItem(at: root) }
        #expect(machine.allowedCPUs == [0, 1, 2, 3, 8])
        #expect(machine.coreCount == 2)
        #expect(machine.processorName == "Some CPU @ 3 GHz")
        #expect(machine.memory == .init(totalBytes: 4 << 20, availableBytes: 2 << 20))
    }

    @Test(
        "a group around the process's own binds too",
        arguments: [
            ("0::/outer/inner\n", "sys/fs/cgroup/outer/memory.max", "sys/fs/cgroup/outer/memory.current"),
            (
                "4:memory:/outer/inner\n", "sys/fs/cgroup/memory/outer/memory.limit_in_bytes",
                "sys/fs/cgroup/memory/outer/memory.usage_in_bytes"
            ),
        ])
    func outerGroup(groups: String, limit: String, usage: String) throws {
        let inner = limit.replacingOccurrences(of: "outer/", with: "outer/inner/")
        let (root, machine) = try machine([
            "proc/self/status": "Cpus_allowed_list: 0\n", "proc/meminfo": memory, "proc/self/cgroup": groups,
            limit: "3145728\n", usage: "1048576\n", inner: "8388608\n",
            usage.replacingOccurrences(of: "outer/", with: "outer/inner/"): "524288\n",
        ])
        defer { try? FileManager.default.removeItem(at: root) }
        #expect(machine.memory == .init(totalBytes: 3 << 20, availableBytes: 2 << 20))
    }

    @Test("without limits the machine counts")
    func noLimits() throws {
        let (root, machine) = try machine([
            "proc/self/status": "Cpus_allowed_list: 0-1\n", "proc/meminfo": memory, "proc/self/cgroup": "0::/\n",
            "sys/fs/cgroup/cpu.max": "max 100000\n", "sys/fs/cgroup/memory.max": "max\n",
        ])
        defer { try? FileManager.default.removeItem(at: root) }
        #expect(machine.coreCount == 2)
        #expect(machine.memory == .init(totalBytes: 16 << 20, availableBytes: 8 << 20))
    }

    @Test("the older cgroups are read too")
    func versionOne() throws {
        let (root, machine) = try machine([
            "proc/self/status": "Cpus_allowed_list: 0-7\n", "proc/meminfo": memory,
            "proc/self/cgroup": "4:memory:/docker/x\n3:cpu,cpuacct:/docker/x\n",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "300000", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "2097152",
            "sys/fs/cgroup/memory/memory.usage_in_bytes": "1048576",
        ])
        defer { try? FileManager.default.removeItem(at: root) }
        #expect(machine.coreCount == 3)
        #expect(machine.memory == .init(totalBytes: 2 << 20, availableBytes: 1 << 20))
    }

    @Test(
        "nonsense and silence are survived",
        arguments: ["", "Cpus_allowed_list: 5-1\nMemTotal: 99999999999999999999 kB"])
    func nonsense(text: String) throws {
        let (root, machine) = try machine(["proc/self/status": text, "proc/meminfo": text, "proc/self/cgroup": text])
        defer { try? FileManager.default.removeItem(at: root) }
        #expect(machine.coreCount >= 1)
        #expect(machine.memory.totalBytes == 0)
        #expect(!machine.processorName.isEmpty)
    }
}
