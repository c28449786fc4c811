import Devices
import Foundation
import ModelFiles
import Sharding
import Streaming

/// How fast a worker's disk gives weights: measured on the largest file in its folders, and remembered for that disk.
struct DiskRate {
    private let folders: [String]
    private let memory = RememberedMeasurements("disks")

    /// Smaller files say more of the page cache and of latencies than of the disk.
    private static let fileBytesMin = 64 << 20
    private static let filesMax = 10_000

    init(_ configuration: WorkerConfiguration) {
        folders = configuration.modelFolders + [configuration.cacheFolder].compactMap(\.self)
    }

    /// Bytes a second; nil where there is no file that is large enough, or it cannot be read.
    func known() -> Double? {
        guard let file = largestFile(), let identity = file.identity else { return nil }
        let name = "\(identity.device)"
        if let rate = memory.recall(name).flatMap(Double.init), rate.isFinite, rate > 0 { return rate }
        let measured = MeasuringTurn.take { () -> Double? in
            guard let piece = try? PieceFile(file) else { return nil }
            return try? DiskMeter([piece])?.measure()
        }
        if let measured { memory.remember("\(measured)", name) }
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
}
