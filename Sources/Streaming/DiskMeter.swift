import Devices
import ModelFiles

/// How fast a file can be read from its disk, whichever way is fastest.
package struct DiskMeter {
    private static let pieceBytes = 4 << 20
    private static let ringBytes = 16 << 20
    private static let bytesPerTrial = 256 << 20
    /// Of one way to read, on slow disks.
    private static let timeMax = Duration.seconds(1)

    private let files: [PieceFile]
    private let pieces: [Piece]

    /// - Parameter files: the largest is read, from its start.
    package init?(_ files: [PieceFile]) {
        guard let index = files.indices.max(by: { files[$0].byteCount < files[$1].byteCount }) else { return nil }
        let count = min(files[index].byteCount, Self.bytesPerTrial) / Self.pieceBytes
        guard count > 0 else { return nil }
        self.files = files
        pieces = (0..<count).map {
            Piece(file: index, offset: $0 * Self.pieceBytes, byteCount: Self.pieceBytes)
        }
    }

    /// Bytes a second of the fastest way; reads some hundred megabytes each way.
    package func measure() throws -> Double {
        let memory = try AlignedMemory(byteCount: Self.ringBytes, for: "disk meter")
        // Pages that were never touched would be made while the time is taken.
        memory.base.initializeMemory(as: UInt8.self, repeating: 0, count: Self.ringBytes)
        let ring = UnsafeMutableRawBufferPointer(start: memory.base, count: Self.ringBytes)
        defer { withExtendedLifetime(memory) {} }
        var best = 0.0
        for settings in ReadSettings.candidates(canReadDirectly: canReadDirectly) {
            let stream = PieceStream(files: files, pieces: pieces, ring: ring, settings: settings)
            stream.isRepeated = false
            stream.measuresDisk = true
            let start = ContinuousClock.now
            var count = 0
            for index in pieces.indices where ContinuousClock.now - start < Self.timeMax {
                _ = try stream.take(index)
                stream.release()
                count += 1
            }
            let seconds = (ContinuousClock.now - start) / .seconds(1)
            best = max(best, Double(count * Self.pieceBytes) / max(1e-9, seconds))
        }
        return best
    }

    private var canReadDirectly: Bool { files.contains(where: \.isDirectPossible) }
}
