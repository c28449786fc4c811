import Devices

/// Memory for slices of experts, packed, that were used often of late; the rest is read when it is needed.
///
/// How often and how late in one number (LRFU, Lee et al. 2001): each step that uses a slice adds 1, and every step takes
/// a little of what there is. A slice that was read stays where a colder one can go; one that is needed in the layer at
/// hand does not go.
final class ExpertCache {
    /// How much of a slice's count is left after a step.
    private static let decay = 0.98
    /// Counts grow instead of decaying, and are brought down when they are as large as this.
    private static let unitMax = 1e100

    /// Slices of one size share places.
    private struct SizeClass {
        let byteCount: Int
        var places: [Place] = []
    }

    private struct Place {
        /// From the memory's start.
        let offset: Int
        var slice: Int?
    }

    /// A place that somebody may fill.
    struct Room {
        let bytes: UnsafeMutableRawBufferPointer
        fileprivate let sizeClass: Int
        fileprivate let place: Int
    }

    let byteCount: Int
    private let memory: AlignedMemory?
    private var classes: [SizeClass] = []
    /// By slice.
    private let classOfSlice: [Int]
    private var matrices: [(any DeviceMatrix)?]
    private var counts: [Double]
    /// The last round that used it.
    private var rounds: [UInt64]
    private var round: UInt64 = 0
    /// What a use adds in this step.
    private var unit = 1.0

    /// - Parameter sliceBytes: of each slice, packed.
    init(sliceBytes: [Int], byteCount limit: Int) throws(InferenceError) {
        let sizes = Set(sliceBytes).sorted()
        classOfSlice = sliceBytes.map { size in sizes.firstIndex(of: size) ?? 0 }
        matrices = Array(repeating: nil, count: sliceBytes.count)
        counts = Array(repeating: 0, count: sliceBytes.count)
        rounds = Array(repeating: 0, count: sliceBytes.count)
        var offset = 0
        for (size, count) in zip(sizes, Self.placeCounts(sizes, sliceBytes, limit: limit)) {
            classes.append(
                SizeClass(byteCount: size, places: (0..<count).map { Place(offset: offset + $0 * size, slice: nil) }))
            offset += count * size
        }
        byteCount = offset
        memory = try onDevice("cache of experts") { () throws(DeviceError) in
            try offset == 0 ? nil : AlignedMemory(byteCount: offset, for: "cache of experts")
        }
    }

    /// Each size gets as much of the memory as its slices are of all, in whole places.
    private static func placeCounts(_ sizes: [Int], _ sliceBytes: [Int], limit: Int) -> [Int] {
        let total = Double(max(1, sliceBytes.reduce(0, +)))
        var left = limit
        let counts = sizes.map { size in
            let count = sliceBytes.count { $0 == size }
            let share = Double(limit) * Double(size) * Double(count) / total
            let places = min(count, Int(share) / max(1, size))
            left -= places * size
            return places
        }
        return zip(sizes, counts).map { size, count in
            let more = min(max(0, left / max(1, size)), sliceBytes.count { $0 == size } - count)
            left -= more * size
            return count + more
        }
    }

    /// A step begins.
    func beginStep() {
        unit /= Self.decay
        guard unit > Self.unitMax else { return }
        for slice in counts.indices { counts[slice] /= unit }
        unit = 1
    }

    /// These slices are needed next, and none of them goes before other slices are.
    func begin(_ slices: [Int]) {
        round += 1
        for slice in slices {
            rounds[slice] = round
            counts[slice] += unit
        }
    }

    /// nil where it is not here.
    func matrix(_ slice: Int) -> (any DeviceMatrix)? { matrices[slice] }

    /// Room for a slice that was read; nil where all places are worth more, or needed.
    func room(for slice: Int) -> Room? {
        let sizeClass = classOfSlice[slice]
        var coldest: Int?
        for (index, place) in classes[sizeClass].places.enumerated() {
            guard let other = place.slice else {
                coldest = index
                break
            }
            guard rounds[other] != round, counts[other] < counts[slice] else { continue }
            if let current = coldest, let currentSlice = classes[sizeClass].places[current].slice,
                counts[currentSlice] <= counts[other]
            {
                continue
            }
            coldest = index
        }
        guard let coldest, let memory else { return nil }
        if let gone = classes[sizeClass].places[coldest].slice { matrices[gone] = nil }
        classes[sizeClass].places[coldest].slice = nil
        return Room(
            bytes: UnsafeMutableRawBufferPointer(
                start: memory.base + classes[sizeClass].places[coldest].offset,
                count: classes[sizeClass].byteCount), sizeClass: sizeClass, place: coldest)
    }

    /// The slice is in its room now.
    func keep(_ slice: Int, as matrix: any DeviceMatrix, in room: Room) {
        classes[room.sizeClass].places[room.place].slice = slice
        matrices[slice] = matrix
    }
}
