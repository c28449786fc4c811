// swift-tools-version: 6.2
import PackageDescription

// The house in levels: a target depends on levels below it and never upwards
// (docs/architecture.md draws it, Tests/HouseTests checks it).

let swiftSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
]

extension Target.Dependency {
    static let argumentParser = product(name: "ArgumentParser", package: "swift-argument-parser")
    static let asyncHTTPClient = product(name: "AsyncHTTPClient", package: "async-http-client")
    static let collections = product(name: "Collections", package: "swift-collections")
    static let crypto = product(name: "Crypto", package: "swift-crypto")
    static let histogram = product(name: "Histogram", package: "hdrhistogram-swift")
    static let hummingbird = product(name: "Hummingbird", package: "hummingbird")
    static let hummingbirdCore = product(name: "HummingbirdCore", package: "hummingbird")
    static let logging = product(name: "Logging", package: "swift-log")
    static let httpTypes = product(name: "NIOHTTPTypes", package: "swift-nio-extras")
    static let nioCore = product(name: "NIOCore", package: "swift-nio")
    static let nioHTTP1 = product(name: "NIOHTTP1", package: "swift-nio")
    static let nioPosix = product(name: "NIOPosix", package: "swift-nio")
    static let nioSSL = product(name: "NIOSSL", package: "swift-nio-ssl")
    static let protobuf = product(name: "SwiftProtobuf", package: "swift-protobuf")
    static let serviceLifecycle = product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
    static let subprocess = product(name: "Subprocess", package: "swift-subprocess")
    static let yams = product(name: "Yams", package: "Yams")
}

func library(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .target(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: swiftSettings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], settings: [SwiftSetting] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: swiftSettings + settings)
}

/// Swift 6.3's optimiser crashes on asynchronous tests that map with a throwing closure before they first suspend.
let unoptimized: [SwiftSetting] = [.unsafeFlags(["-Onone"])]

func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: name, dependencies: dependencies + ["Terminal", .argumentParser, .logging], swiftSettings: swiftSettings)
}

func example(_ name: String) -> Target {
    .executableTarget(
        name: "example-\(name)", dependencies: ["ShardKit"], path: "Examples/\(name)", swiftSettings: swiftSettings)
}

let package = Package(
    name: "shard",
    products: [
        .library(name: "ShardKit", targets: ["ShardKit"]),
        .executable(name: "shard", targets: ["shard"]),
        .executable(name: "shard-coordinator", targets: ["shard-coordinator"]),
        .executable(name: "shard-worker", targets: ["shard-worker"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", exact: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
        .package(url: "https://github.com/apple/swift-protobuf", exact: "1.39.0"),
        .package(
            url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1", traits: ["FullFoundation"]),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", exact: "0.2.0"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", exact: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", exact: "1.0.2"),
    ],
    targets: [
        // Level 0
        .systemLibrary(name: "CZeroMQ", providers: [.apt(["libzmq3-dev"])]),
        .systemLibrary(name: "CPCRE2", providers: [.apt(["libpcre2-dev"])]),
        .target(name: "CKernels"),
        .target(name: "CLinux"),
        .target(name: "CUring", linkerSettings: [.linkedLibrary("uring")]),
        library("Tensors", []),

        // Level 1
        library("Threads", ["CLinux"]),
        library("ZeroMQ", ["CZeroMQ", "CLinux", "Threads", .logging]),
        library("Devices", ["Tensors", "CKernels", "CLinux"]),
        library("ModelFiles", ["Tensors"]),
        library("Streaming", ["ModelFiles", "Devices", "Threads", "CUring", "CLinux"]),

        // Level 2, lowest first
        library("Models", ["ModelFiles", "Tensors"]),
        library(
            "Sharding", ["Models", "ModelFiles", "ZeroMQ", "Tensors", "CKernels", "CLinux", .crypto, .protobuf, .yams],
            exclude: ["Wire/shard.proto"]),
        library("Links", ["Sharding", "ZeroMQ"]),
        library("Tokenizers", ["ModelFiles", "CPCRE2"]),
        library(
            "WeightTransfer",
            ["Sharding", "ModelFiles", "ZeroMQ", "Threads", "Tensors", "CKernels", "CLinux", .logging]),
        library(
            "Inference",
            [
                "WeightTransfer", "Sharding", "Models", "Streaming", "ModelFiles", "Devices", "Threads", "Tensors",
                "CKernels", "CLinux",
            ]),

        // Level 3
        library(
            "Measuring", ["Inference", "Sharding", "Models", "Streaming", "ModelFiles", "Devices", "Tensors"]),
        library(
            "LoadTesting",
            ["Measuring", "ModelFiles", .asyncHTTPClient, .histogram, .nioCore, .nioHTTP1, .nioPosix]),
        library(
            "Worker",
            [
                "Inference", "WeightTransfer", "Links", "Sharding", "Models", "Streaming", "ModelFiles", "Devices",
                "ZeroMQ", "Threads", "Tensors", .logging,
            ]),
        library(
            "Coordinator",
            [
                "Inference", "WeightTransfer", "Links", "Sharding", "Models", "ModelFiles", "Devices", "ZeroMQ",
                "Threads", .collections, .logging, .subprocess, .yams,
            ]),
        library(
            "Serving",
            [
                "Tokenizers", "Sharding", "ModelFiles", .hummingbird, .hummingbirdCore, .httpTypes, .logging, .nioCore,
                .nioSSL, .serviceLifecycle,
            ]),

        // Level 4
        library("Terminal", ["Sharding", .argumentParser, .logging]),
        library(
            "ShardKit",
            [
                "Coordinator", "Worker", "Measuring", "Inference", "Tokenizers", "WeightTransfer", "Sharding", "Models",
                "Streaming", "ModelFiles", "Devices", "ZeroMQ", "Threads", .logging,
            ]),
        program(
            "shard",
            [
                "ShardKit", "Coordinator", "LoadTesting", "Measuring", "Inference", "Tokenizers", "WeightTransfer",
                "Sharding", "Models", "Streaming", "ModelFiles", "Devices",
            ]),
        program(
            "shard-coordinator",
            [
                "ShardKit", "Serving", "Coordinator", "Inference", "Tokenizers", "Sharding", .asyncHTTPClient, .nioCore,
                .nioPosix, .nioSSL, .serviceLifecycle,
            ]),
        program("shard-worker", ["Worker", "Sharding", "Devices"]),

        .executableTarget(
            name: "benchmark-transfer",
            dependencies: ["WeightTransfer", "Sharding", "ModelFiles", "ZeroMQ", .argumentParser, .logging],
            path: "Benchmarks/transfer", swiftSettings: swiftSettings),
        .executableTarget(
            name: "benchmark-step", dependencies: ["Inference", "Sharding", "Models", "ModelFiles", "Devices"],
            path: "Benchmarks/step", swiftSettings: swiftSettings),
        .target(
            name: "Simulation", dependencies: ["Coordinator", "Sharding", "ZeroMQ", .collections],
            path: "Benchmarks/simulation", swiftSettings: swiftSettings),
        .executableTarget(
            name: "benchmark-scale", dependencies: ["Simulation", "Measuring", "Sharding", .argumentParser],
            path: "Benchmarks/scale", swiftSettings: swiftSettings),

        example("complete"),
        example("workers"),

        // Tests mirror Sources
        .target(name: "CAllocations", path: "Tests/CAllocations"),
        tests("CKernelsTests", ["CKernels", "Tensors"]),
        tests("TensorsTests", ["Tensors"]),
        tests("ThreadsTests", ["Threads"]),
        tests("ZeroMQTests", ["ZeroMQ", "CZeroMQ", "Threads"]),
        tests("DevicesTests", ["Devices", "CKernels", "Tensors"]),
        tests("ModelFilesTests", ["ModelFiles", "Tensors"]),
        tests("StreamingTests", ["Streaming", "ModelFiles"]),
        tests("ModelsTests", ["Models", "ModelFiles"]),
        tests("ShardingTests", ["Sharding", "Models", "ModelFiles", "ZeroMQ", "Tensors"]),
        tests(
            "WeightTransferTests",
            ["WeightTransfer", "Sharding", "Models", "ModelFiles", "ZeroMQ", "Threads", "Tensors", .logging]),
        tests("TokenizersTests", ["Tokenizers", "ModelFiles"]),
        tests(
            "InferenceTests",
            [
                "Inference", "WeightTransfer", "Sharding", "Models", "Streaming", "ModelFiles", "Devices", "Tensors",
                "CAllocations",
            ]),
        tests(
            "MeasuringTests",
            ["Measuring", "Inference", "Sharding", "Models", "Streaming", "ModelFiles", "Devices", "Tensors"]),
        tests(
            "LoadTestingTests",
            ["LoadTesting", "ModelFiles", .nioCore, .nioPosix]),
        tests("LinksTests", ["Links", "Sharding", "ZeroMQ"]),
        tests("WorkerTests", ["Worker", "Inference", "Links", "Sharding", "Models", "ModelFiles", "ZeroMQ", .logging]),
        tests(
            "CoordinatorTests",
            [
                "Coordinator", "Simulation", "Devices", "Inference", "Links", "Sharding", "Models", "ZeroMQ", "Threads",
                .logging, .subprocess, .yams,
            ]),
        tests(
            "ServingTests",
            [
                "Serving", "Sharding", "Tokenizers", "ModelFiles", .logging, .nioCore, .nioPosix, .nioSSL,
                .serviceLifecycle,
                .product(name: "HummingbirdTesting", package: "hummingbird"),
            ], settings: unoptimized),
        tests("ShardKitTests", ["ShardKit", "Sharding"]),
        tests("TerminalTests", ["Terminal", .logging]),
        tests(
            "ClusterTests", ["ShardKit", "Coordinator", "WeightTransfer", "Sharding", "ZeroMQ", .logging, .subprocess]),
        tests("ProgramTests", [.crypto, .subprocess]),
        tests("HouseTests", []),
    ],
    cLanguageStandard: .c17
)
