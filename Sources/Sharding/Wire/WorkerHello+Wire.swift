import Foundation
import Tensors

extension WireHello {
    init(_ hello: WorkerHello) {
        self.init()
        protocolNumber = hello.version.number
        programVersion = hello.version.program
        name = hello.name
        instance = hello.instance
        processID = hello.processID
        if let key = hello.publicKey { publicKey = key.description }
        dataEndpoint = hello.dataEndpoint
        if let endpoint = hello.weightsEndpoint { weightsEndpoint = endpoint }
        device = hello.device
        threadCount = UInt32(clamping: hello.threadCount)
        threadsChosen = hello.hasChosenThreads
        cores = hello.cores.map { UInt32(clamping: $0) }
        memoryTotalBytes = hello.memoryTotalBytes
        memoryAvailableBytes = hello.memoryAvailableBytes
        bytesPerSecond = hello.bytesPerSecond
        if let speed = hello.speed {
            machineBytesPerSecond = speed.machineBytesPerSecond
            speeds = speed.bytesPerSecond.sorted { $0.key.rawValue < $1.key.rawValue }.map { type, rates in
                WireHello.Speed.with { message in
                    message.elementType = type.rawValue
                    message.bytesPerSecond = rates
                }
            }
        }
        diskBytesPerSecond = hello.diskBytesPerSecond
        programBytes = hello.programBytes
        cachedHashes = hello.cachedHashes.map { Data($0) }
        highestEpoch = hello.highestEpoch.rawValue
        machine = hello.machine
        if let run = hello.run { self.run = Data(run.littleEndianBytes) }
    }
}

extension WorkerHello {
    static let hashBytes = 32
    package static let cachedHashesMax = 16384
    package static let coresMax = 65536

    init(_ header: WireHello, _ read: FieldReader) throws(WireError) {
        for (field, rate) in [
            ("bytes_per_second", header.bytesPerSecond), ("disk_bytes_per_second", header.diskBytesPerSecond),
            ("machine_bytes_per_second", header.machineBytesPerSecond),
        ] {
            guard rate.isFinite, rate >= 0 else {
                throw read.wrong(field, expected: "a finite number from 0", got: rate)
            }
        }
        try read.count(header.cachedHashes.count, "cached_hashes", max: Self.cachedHashesMax)
        var hashes: [[UInt8]] = []
        for hash in header.cachedHashes { hashes.append(try read.bytes(hash, "cached_hashes", count: Self.hashBytes)) }
        try read.count(header.cores.count, "cores", max: Self.coresMax)
        var cores: [Int] = []
        for core in header.cores { cores.append(try read.integer(core, "cores", in: 0...Self.coresMax)) }
        self.init(
            version: ProtocolVersion(
                number: header.protocolNumber, program: try read.text(header.programVersion, "program_version", max: 64)
            ),
            name: try read.workerName(header.name, "name"), instance: header.instance, processID: header.processID,
            publicKey: header.hasPublicKey ? try read.key(header.publicKey, "public_key") : nil,
            dataEndpoint: try read.text(header.dataEndpoint, "data_endpoint", max: WireLimits.endpointBytesMax),
            device: try read.text(header.device, "device", max: 64),
            threadCount: try read.integer(header.threadCount, "thread_count", in: 0...Self.coresMax),
            hasChosenThreads: header.threadsChosen, cores: cores, memoryTotalBytes: header.memoryTotalBytes,
            memoryAvailableBytes: header.memoryAvailableBytes,
            bytesPerSecond: header.bytesPerSecond, speed: try Self.speed(header, read),
            diskBytesPerSecond: header.diskBytesPerSecond,
            programBytes: header.programBytes, cachedHashes: hashes, highestEpoch: Epoch(header.highestEpoch),
            weightsEndpoint: header.hasWeightsEndpoint
                ? try read.text(header.weightsEndpoint, "weights_endpoint", max: WireLimits.endpointBytesMax) : nil,
            machine: try read.text(header.machine, "machine", max: 64),
            run: header.hasRun ? try read.run(header.run, "run") : nil)
    }

    private static func speed(_ header: WireHello, _ read: FieldReader) throws(WireError) -> ComputeSpeed? {
        try read.count(header.speeds.count, "speeds", max: ElementType.allCases.count)
        guard !header.speeds.isEmpty else { return nil }
        var rates: [ElementType: [Double]] = [:]
        for speed in header.speeds {
            guard let type = ElementType(rawValue: speed.elementType), rates[type] == nil else {
                throw read.wrong("element_type", expected: "types of weights, each once", got: speed.elementType)
            }
            rates[type] = speed.bytesPerSecond
        }
        guard
            let speed = ComputeSpeed(
                bytesPerSecond: rates, machineBytesPerSecond: header.machineBytesPerSecond)
        else {
            throw read.wrong(
                "speeds",
                expected: "\(ComputeSpeed.rowCounts.count) finite rates above 0 of each type",
                got: "others")
        }
        return speed
    }

    /// Whether the wire takes `name`: 1 to 64 characters of `A-Z a-z 0-9 . _ -`.
    package static func isValidName(_ name: String) -> Bool {
        (1...WireLimits.workerNameBytesMax).contains(name.utf8.count)
            && name.utf8.allSatisfy {
                switch $0 {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}

extension FieldReader {
    func workerName(_ value: String, _ field: String) throws(WireError) -> String {
        guard WorkerHello.isValidName(value) else {
            throw wrong(
                field, expected: "1 to \(WireLimits.workerNameBytesMax) characters of A-Z a-z 0-9 . _ -",
                got: String(value.prefix(80)).debugDescription)
        }
        return value
    }
}
