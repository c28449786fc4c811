import Foundation
import Sharding

/// What a machine was found to give, remembered in the user's cache folder for a day, so that not every start measures.
struct RememberedMeasurements {
    /// nil where there is no home.
    private let folder: String?

    private static let validFor = 24.0 * 3600
    private static let bytesMax = 4096

    /// - Parameter kind: of measurements: `disks`.
    init(_ kind: String, environment: [String: String] = ProcessInfo.processInfo.environment) {
        folder = FileHashCache.cacheFolder(environment: environment).map { "\($0)/\(kind)" }
    }

    /// - Parameter name: of the thing that was measured; a file's name.
    func recall(_ name: String) -> String? {
        guard let path = folder.map({ "\($0)/\(name)" }),
            let attributes = try? FileManager.default.attributesOfItem(atPath: path),
            let date = attributes[.modificationDate] as? Date, -date.timeIntervalSinceNow < Self.validFor,
            let data = FileManager.default.contents(atPath: path), data.count <= Self.bytesMax
        else { return nil }
        return String(decoding: data, as: UTF8.self)
    }

    /// A folder that cannot be written costs time at the next start, nothing else.
    func remember(_ text: String, _ name: String) {
        guard let folder else { return }
        try? FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try? Data(text.utf8).write(to: URL(filePath: "\(folder)/\(name)"), options: .atomic)
    }
}
