import Devices
import Foundation
import ModelFiles
import Sharding
import Streaming

/// How fast a worker's disk gives weights: measured on the largest file in its folders, and remembered for that disk.
struct DiskRate {
    private let folders: [String]
    private let memory: String?

    /// Of a measurement that was remembered.
    private static let validFor = 24.0 * 3600
    /// Smaller files say more of the page cache and of latencies than of the disk.
    private static let fileBytesMin = 64 << 20
    private static let filesMax = 10_000

    init(_ configuration: WorkerConfiguration) {
        folders = configuration.modelFolders + [configuration.cacheFolder].compactMap(\.self)
        memory = FileHashCache.cacheFolder(environment: ProcessInfo.processInfo.environment).map { $0 + "/disks" }
    }

    /// Bytes a second; nil where there is no file that is large enough, or it cannot be read.
    func known() -> Double? {
        guard let file = largestFile(), let identity = file.identity else { return nil }
        let path = memory.map { "\($0)/\(identity.device)" }
        if let path, let rate = recall(path) { return rate }
        let measured = MeasuringTurn.take { () -> Double? in
            guard let piece = try? PieceFile(file) else { return nil }
            return try? DiskMeter([piece])?.measure()
        }
        if let path, let measured { remember(measured, path) }
        return measured
    }

    private func largestFile() -> MappedFile? {
        var largest: (path: String, bytes: Int)?
        for folder in folders {
            let url = URL(filePath: folder)
            guard let files = FileManager.default.enumerator(at: url, includingPropertiesForKeys: [.fileSizeKey]) else {
                continue
            }
            for case let file as URL in files.prefix(Self.filesMax) {
                guard let values = try? file.resourceValues(forKeys: [.fileSizeKey, .isRegularFileKey]),
                    values.isRegularFile == true, let bytes = values.fileSize, bytes >= Self.fileBytesMin,
                    bytes > largest?.bytes ?? 0
                else { continue }
                largest = (file.path, bytes)
            }
        }
        return largest.flatMap { try? MappedFile(path: $0.path) }
    }

    private func recall(_ path: String) -> Double? {
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: path),
            let date = attributes[.modificationDate] as? Date, -date.timeIntervalSinceNow < Self.validFor,
            let data = FileManager.default.contents(atPath: path), data.count < 64,
            let rate = Double(String(decoding: data, as: UTF8.self)), rate.isFinite, rate > 0
        else { return nil }
        return rate
    }

    /// A folder that cannot be written costs time at the next start, nothing else.
    private func remember(_ rate: Double, _ path: String) {
        try? FileManager.default.createDirectory(
            atPath: path.parentPath, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        try? Data("\(rate)".utf8).write(to: URL(filePath: path), options: .atomic)
    }
}
