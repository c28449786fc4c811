#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// NVIDIA's driver, looked up when the program runs: nothing is linked, and no machine needs it.
///
/// - SeeAlso: CUDA Driver API: initialization, version and device management.
package struct CUDADriver {
    package static let libraryName = "libcuda.so.1"
    package static let unusableReason = "no use yet: CUDA cannot compute yet in this build"

    /// More than any machine has.
    private static let devicesMax: Int32 = 64

    package enum LoadResult {
        /// There is no such library.
        case absent
        /// It is there and does not work; why, on one line.
        case broken(String)
        case working(CUDADriver)
    }

    private typealias Initialize = @convention(c) (UInt32) -> Int32
    private typealias GetNumber = @convention(c) (UnsafeMutablePointer<Int32>) -> Int32
    private typealias GetDevice = @convention(c) (UnsafeMutablePointer<Int32>, Int32) -> Int32
    private typealias GetName = @convention(c) (UnsafeMutablePointer<CChar>, Int32, Int32) -> Int32
    private typealias GetMemory = @convention(c) (UnsafeMutablePointer<Int>, Int32) -> Int32

    private let deviceCount: Int32
    private let version: Int32
    private let getDevice: GetDevice
    private let getName: GetName
    private let getMemory: GetMemory

    /// Loads and initialises the driver. The library stays loaded: it cannot be unloaded safely.
    package static func load(_ library: String) -> LoadResult {
        guard let handle = dlopen(library, RTLD_NOW | RTLD_LOCAL) else {
            let message = dlerror().map { String(cString: $0) } ?? ""
            // A library that is missing is no news; one that cannot be loaded is.
            let isMissing =
                message.contains("cannot open shared object file: No such file") && message.hasPrefix(library)
            return isMissing ? .absent : .broken("\(library) cannot be loaded: \(message.printable)")
        }
        func function<Function>(_ name: String, _: Function.Type) -> Function? {
            // The C signature stands in the driver's documentation and has been the same since CUDA 3.2.
            dlsym(handle, name).map { unsafeBitCast($0, to: Function.self) }
        }
        guard let initialize = function("cuInit", Initialize.self),
            let getVersion = function("cuDriverGetVersion", GetNumber.self),
            let getCount = function("cuDeviceGetCount", GetNumber.self),
            let getDevice = function("cuDeviceGet", GetDevice.self),
            let getName = function("cuDeviceGetName", GetName.self),
            let getMemory = function("cuDeviceTotalMem_v2", GetMemory.self)
        else { return .broken("\(library) lacks functions of the CUDA driver") }
        let status = initialize(0)
        // 100: the driver works and finds no device.
        if status == 100 { return .absent }
        guard status == 0 else { return .broken("\(library): cuInit failed with error \(status)") }
        var version: Int32 = 0
        var count: Int32 = 0
        if getVersion(&version) != 0 { version = 0 }
        let countStatus = getCount(&count)
        guard countStatus == 0 else { return .broken("\(library): cuDeviceGetCount failed with error \(countStatus)") }
        return .working(
            CUDADriver(
                deviceCount: min(max(0, count), devicesMax), version: version, getDevice: getDevice, getName: getName,
                getMemory: getMemory))
    }

    /// What the driver says of its devices; one that it cannot describe is listed with the reason.
    package func devices() -> [DetectedDevice] {
        (0..<deviceCount).map { index in
            var device: Int32 = 0
            var bytes = 0
            var buffer = [CChar](repeating: 0, count: 256)
            var failure: String?
            if case let status = getDevice(&device, index), status != 0 {
                failure = "cuDeviceGet failed with error \(status)"
            }
            if failure == nil, getName(&buffer, Int32(buffer.count - 1), device) != 0 { buffer[0] = 0 }
            if failure == nil, case let status = getMemory(&bytes, device), status != 0 {
                failure = "cuDeviceTotalMem failed with error \(status)"
            }
            buffer[buffer.count - 1] = 0
            let name = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            return DetectedDevice(
                id: "cuda:\(index)", name: name.isEmpty ? "unknown" : name.printable,
                kind: .cuda(driver: version > 0 ? "CUDA \(version / 1000).\(version % 1000 / 10)" : "unknown"),
                memoryTotalBytes: max(0, bytes), unusableReason: failure ?? Self.unusableReason)
        }
    }
}

extension String {
    /// Without control characters: drivers and files can say anything.
    var printable: String {
        String(String.UnicodeScalarView(unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }))
    }
}
