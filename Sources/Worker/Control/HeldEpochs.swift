import Sharding

/// The epochs that this worker holds or loads: at most two, within its memory.
struct HeldEpochs {
    struct Held {
        let order: LoadOrder
        let run: RunID
        /// nil while it loads.
        var part: LoadedPart?
        /// What was reported; nil until the step thread has it.
        var loaded: Loaded?
    }

    static let heldMax = 2

    private(set) var held: [Epoch: Held] = [:]
    /// The highest epoch seen in this process; nothing at or below it is loaded anew.
    private(set) var highest = Epoch.none
    /// Dropped by order of the coordinator, which waits to hear when it is done.
    private var draining: Set<Epoch> = []
    private var load: PartLoad?
    /// Weights without an epoch, which a new coordinator may ask for again.
    private var spare: LoadedPart?
    /// Those of dropped epochs too, until they are gone.
    let weightHolders = WeightHolders()

    /// Epochs to drop before another one is loaded, oldest first.
    mutating func makeRoom() -> [Epoch] {
        // A load that has not finished is of a plan that has been replaced.
        for (epoch, held) in held where held.part == nil { drop(epoch) }
        return Array(held.keys.sorted().dropLast(Self.heldMax - 1))
    }

    /// Weights in memory that an order asks for.
    func part(for order: LoadOrder) -> LoadedPart? {
        let parts = held.sorted { $0.key > $1.key }.compactMap(\.value.part) + [spare].compactMap(\.self)
        return parts.first { $0.serves(order) }
    }

    mutating func begin(_ order: LoadOrder, run: RunID, part: LoadedPart?) {
        highest = max(highest, order.epoch)
        held[order.epoch] = Held(order: order, run: run, part: part)
        if part != nil { spare = nil }
    }

    mutating func startLoad(_ load: PartLoad) { self.load = load }

    func isLoading(_ epoch: Epoch) -> Bool { held[epoch].map { $0.part == nil } ?? false }

    /// The run of the epoch; nil when it was dropped meanwhile.
    mutating func loaded(_ epoch: Epoch, _ part: LoadedPart) -> RunID? {
        if load?.epoch == epoch { load = nil }
        guard let run = held[epoch]?.run else { return nil }
        held[epoch]?.part = part
        return run
    }

    /// False when the epoch was dropped meanwhile.
    mutating func installed(_ loaded: Loaded) -> Bool {
        guard held[loaded.epoch] != nil else { return false }
        held[loaded.epoch]?.loaded = loaded
        return true
    }

    /// False when it was not held.
    @discardableResult
    mutating func drop(_ epoch: Epoch) -> Bool {
        if load?.epoch == epoch { cancelLoad() }
        return held.removeValue(forKey: epoch) != nil
    }

    mutating func drain(_ epoch: Epoch) {
        drop(epoch)
        draining.insert(epoch)
    }

    /// Whether the coordinator asked for this.
    mutating func drained(_ epoch: Epoch) -> Bool { draining.remove(epoch) != nil }

    /// The coordinator is gone; the newest weights stay for the next one.
    mutating func dropRun() -> [Epoch] {
        spare = held.sorted { $0.key > $1.key }.compactMap(\.value.part).first ?? spare
        draining = []
        return held.keys.sorted()
    }

    mutating func cancelLoad() {
        load?.cancel()
        load = nil
    }

    mutating func forgetSpare() { spare = nil }
}
