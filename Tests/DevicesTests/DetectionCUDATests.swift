import Foundation
import Testing

@testable import Devices

/// Stand-ins for NVIDIA's driver, built with the machine's C compiler.
@Suite("CUDA devices are found through the driver's library")
struct DetectionCUDATests {
    /// Compiles a library; nil without a C compiler.
    private func build(_ source: String, in folder: URL) throws -> String? {
        let file = folder.appendingPathComponent("driver.c")
        let library = folder.appendingPathComponent("libcuda.so.1").path
        try Data(source.utf8).write(to: file)
        for compiler in ["/usr/bin/cc", "/usr/bin/clang", "/usr/bin/gcc"]
        where FileManager.default.isExecutableFile(atPath: compiler) {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: compiler)
            process.arguments = ["-shared", "-fPIC", "-o", library, file.path]
            try process.run()
            process.waitUntilExit()
            if process.terminationStatus == 0 { return library }
        }
        return nil
    }

    private func withLibrary(_ source: String, _ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("shard-cuda-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(try #require(try build(source, in: folder), "a C compiler is needed"))
    }

    private static func driver(initialize: Int = 0, count: Int = 2, memoryStatus: Int = 0) -> String {
        """
        #include <stddef.h>
        #include <stdio.h>
        int cuInit(unsigned flags) { return flags == 0 ? \(initialize) : 1; }
        int cuDriverGetVersion(int *version) { *version = 12040; return 0; }
        int cuDeviceGetCount(int *count) { *count = \(count); return 0; }
        int cuDeviceGet(int *device, int index) { *device = 100 + index; return 0; }
        int cuDeviceGetName(char *name, int size, int device) {
            snprintf(name, (size_t)size, "Stand-in\\n%d", device);
            return 0;
        }
        int cuDeviceTotalMem_v2(size_t *bytes, int device) {
            *bytes = (size_t)(device - 99) << 30;
            return \(memoryStatus);
        }
        """
    }

    @Test("each device is listed before the CPU, with its name, memory and driver, and why it is not usable")
    func devices() throws {
        try withLibrary(Self.driver()) { library in
            let inventory = DeviceInventory.detect(cudaLibrary: library)
            #expect(inventory.devices.map(\.id) == ["cuda:0", "cuda:1", "cpu"])
            #expect(inventory.notes.isEmpty)
            let second = inventory.devices[1]
            #expect(second.name == "Stand-in 101")
            #expect(second.memoryTotalBytes == 2 << 30)
            #expect(second.kind == .cuda(driver: "CUDA 12.4"))
            #expect(!second.isUsable && second.unusableReason?.contains("CUDA cannot compute yet") == true)
        }
    }

    @Test("a driver without devices is no error")
    func noDevices() throws {
        try withLibrary(Self.driver(initialize: 100)) { library in
            let inventory = DeviceInventory.detect(cudaLibrary: library)
            #expect(inventory.devices.map(\.id) == ["cpu"])
            #expect(inventory.notes.isEmpty)
        }
    }

    @Test("a driver that does not start is noted")
    func broken() throws {
        try withLibrary(Self.driver(initialize: 999)) { library in
            let inventory = DeviceInventory.detect(cudaLibrary: library)
            #expect(inventory.devices.map(\.id) == ["cpu"])
            #expect(inventory.notes == ["cuda: \(library): cuInit failed with error 999"])
        }
    }

    @Test("a library that is no driver is noted")
    func noDriver() throws {
        try withLibrary("int nothing(void) { return 0; }") { library in
            #expect(
                DeviceInventory.detect(cudaLibrary: library).notes == [
                    "cuda: \(library) lacks functions of the CUDA driver"
                ])
        }
    }

    @Test("a file that is no library is noted")
    func noLibrary() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("shard-\(UUID()).so")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data("text".utf8).write(to: file)
        let inventory = DeviceInventory.detect(cudaLibrary: file.path)
        #expect(inventory.devices.map(\.id) == ["cpu"])
        #expect(inventory.notes.count == 1)
    }

    @Test("absurd counts are bounded, and a device that fails says so", arguments: [(-5, 0), (1_000_000, 64)])
    func absurd(count: Int, expected: Int) throws {
        try withLibrary(Self.driver(count: count, memoryStatus: 2)) { library in
            let devices = DeviceInventory.detect(cudaLibrary: library).devices.dropLast()
            #expect(devices.count == expected)
            #expect(devices.allSatisfy { $0.unusableReason == "cuDeviceTotalMem failed with error 2" })
        }
    }
}
