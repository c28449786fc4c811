import Sharding
import ZeroMQ

/// Who is expected, who is here, and when each was last heard.
struct WorkerRegistry: Sendable {
    /// A worker that was accepted and has not been lost since.
    struct Member: Sendable {
        var peer: PeerID
        var hello: WorkerHello
        var lastHeard: Duration
        var heartbeat: WorkerHeartbeat?
        /// Epochs that it was told to load and has not dropped.
        var epochs: Set<Epoch> = []
        /// The newest of what it was told to load.
        var order: LoadOrder?
    }

    private(set) var expected: [ClusterSettings.ExpectedWorker]
    private(set) var members: [String: Member] = [:]
    private var names: [PeerID: String] = [:]
    /// Starts of launched workers since the cluster was last ready.
    private(set) var failedStarts: [String: Int] = [:]
    /// When a refusal of each was last logged; strangers share the empty name.
    private var loggedRefusals: [String: Duration] = [:]
    /// Why a worker is not here, for people.
    private(set) var absences: [String: String] = [:]
    /// What expected workers that are not here were last refused for.
    private(set) var refusals: [String: String] = [:]
    /// When each launched worker's process was to start that has not said hello since.
    private var startedAt: [String: Duration] = [:]
    /// Launched workers whose process, or ssh session, runs or is about to.
    private var processes: Set<String> = []

    init(expected: [ClusterSettings.ExpectedWorker]) { self.expected = expected }

    /// Expected workers that are not here, in the configuration's order.
    var missing: [String] { expected.map(\.name).filter { members[$0] == nil } }

    func name(of peer: PeerID) -> String? { names[peer] }

    func isExpected(_ name: String) -> Bool { expected.contains { $0.name == name } }

    func start(of name: String) -> WorkerStart? { expected.first { $0.name == name }?.start }

    func isLaunched(_ name: String) -> Bool { expected.first { $0.name == name }?.isLaunched ?? false }

    /// Of all expected workers.
    var keys: Set<CurvePublicKey> { Set(expected.compactMap(\.key)) }

    func key(of name: String) -> CurvePublicKey? { expected.first { $0.name == name }?.key }

    func owner(of key: CurvePublicKey) -> String? { expected.first { $0.key == key }?.name }

    /// New keys of those that others start; one that is not named has none, so that nobody can be it.
    mutating func rekey(_ keys: [String: CurvePublicKey]) {
        for index in expected.indices where !expected[index].isLaunched {
            expected[index].key = keys[expected[index].name]
        }
    }

    mutating func insert(_ hello: WorkerHello, peer: PeerID, now: Duration) {
        if let old = members[hello.name] { names[old.peer] = nil }
        members[hello.name] = Member(peer: peer, hello: hello, lastHeard: now)
        names[peer] = hello.name
        absences[hello.name] = nil
        refusals[hello.name] = nil
        startedAt[hello.name] = nil
    }

    /// The same process over a new connection: what it holds stays.
    mutating func reconnect(_ hello: WorkerHello, peer: PeerID, now: Duration) {
        guard var member = members[hello.name] else { return insert(hello, peer: peer, now: now) }
        names[member.peer] = nil
        member.peer = peer
        member.hello = hello
        member.lastHeard = now
        members[hello.name] = member
        names[peer] = hello.name
    }

    mutating func remove(_ name: String, reason: String) {
        if let member = members.removeValue(forKey: name) { names[member.peer] = nil }
        absences[name] = reason
    }

    /// Only of those who are expected: strangers have as many names as they like.
    mutating func noteAbsence(of name: String, reason: String) {
        if isExpected(name), members[name] == nil { absences[name] = reason }
    }

    mutating func noteRefusal(of name: String, reason: String) {
        if isExpected(name), members[name] == nil { refusals[name] = reason }
        noteAbsence(of: name, reason: reason)
    }

    /// Whether a refusal is to be logged: of each expected name one a second, and one of all others together.
    mutating func logsRefusal(of name: String, now: Duration) -> Bool {
        let key = isExpected(name) ? name : ""
        if let last = loggedRefusals[key], now - last < .seconds(1) { return false }
        loggedRefusals[key] = now
        return true
    }

    mutating func heard(_ name: String, now: Duration) { members[name]?.lastHeard = now }

    /// Notes counters; says whether they moved.
    mutating func heartbeat(_ heartbeat: WorkerHeartbeat, of name: String) -> Bool {
        let old = members[name]?.heartbeat
        members[name]?.heartbeat = heartbeat
        return old?.stepsCompleted != heartbeat.stepsCompleted || old?.layersCompleted != heartbeat.layersCompleted
    }

    mutating func holds(_ order: LoadOrder, _ name: String) {
        members[name]?.epochs.insert(order.epoch)
        members[name]?.order = order
    }

    mutating func dropped(_ epoch: Epoch, _ name: String) { members[name]?.epochs.remove(epoch) }

    /// Members that were silent for longer than their lease.
    func silent(now: Duration, deadAfter: Duration) -> [String] {
        members.filter { now - $0.value.lastHeard > deadAfter }.map(\.key).sorted()
    }

    /// Time in which the coordinator itself stood still says nothing about the workers.
    mutating func forgive(_ pause: Duration) {
        for name in members.keys { members[name]?.lastHeard += pause }
        for name in startedAt.keys { startedAt[name]? += pause }
    }

    /// A launched worker's process starts, and is to say hello.
    mutating func noteStart(of name: String, at time: Duration) {
        guard isLaunched(name) else { return }
        processes.insert(name)
        if members[name] == nil { startedAt[name] = time }
    }

    mutating func noteEnd(of name: String) { processes.remove(name) }

    func hasProcess(_ name: String) -> Bool { processes.contains(name) }

    /// Launched workers whose processes have not said hello in time; each is told once.
    mutating func takeSpeechless(now: Duration, within limit: Duration) -> [String] {
        let names = startedAt.filter { now - $0.value > limit }.map(\.key).sorted()
        for name in names { startedAt[name] = nil }
        return names
    }

    mutating func noteFailedStart(_ name: String) -> Int {
        failedStarts[name, default: 0] += 1
        return failedStarts[name, default: 0]
    }

    mutating func forgetFailedStarts() { failedStarts.removeAll() }
}

extension WorkerRegistry {
    /// The members as places for layers, in the configuration's order.
    ///
    /// Workers that share a device share its memory, and its rate by the threads that each has: they were measured one
    /// after the other, each with all of its own. Their rates' mean a thread is one figure for one device.
    func placementWorkers(reserveBytes: Int) -> [PlacementWorker] {
        let threads = dealThreads(to: Set(members.keys))
        return expected.compactMap { expected in
            guard let hello = members[expected.name]?.hello else { return nil }
            let machine = Self.machine(hello)
            let neighbours = members.values.map(\.hello).filter {
                Self.machine($0) == machine && $0.device == hello.device
            }
            let limits = neighbours.map { memoryLimit(of: $0.name) }
            // What nobody was given by name is shared among those without a limit of their own.
            let available = zip(neighbours, limits).compactMap { $1 == nil ? $0.memoryAvailableBytes : nil }.min() ?? 0
            let given = limits.reduce(0) { saturatingSum($0, $1 ?? 0) }
            let free = Int(clamping: available) - saturatingSum(reserveBytes, given)
            let shared = free / max(1, limits.count { $0 == nil })
            let rates = neighbours.map { $0.bytesPerSecond / Double(max(1, $0.threadCount)) }
                .filter { $0.isFinite && $0 > 0 }
            let rate = rates.isEmpty ? 0 : rates.reduce(0, +) / Double(rates.count)
            let threadCount = threads[hello.name] ?? hello.threadCount
            return PlacementWorker(
                name: hello.name, device: hello.device, memoryBytes: max(0, expected.memoryBytes ?? shared),
                bytesPerSecond: rate * Double(max(1, threadCount)),
                speed: speed(hello, threadCount: threadCount, neighbours),
                disk: expected.mode == .memoryEfficient
                    ? disk(hello, threadCount: threadCount, sharedBy: neighbours) : nil,
                machine: machine, selection: expected.selection)
        }
    }

    /// Of all threads that a worker gets: as for memory, the mean a thread of those who share its device.
    private func speed(_ hello: WorkerHello, threadCount: Int, _ neighbours: [WorkerHello]) -> ComputeSpeed? {
        guard hello.speed != nil else { return nil }
        let measured = neighbours.compactMap { neighbour in
            neighbour.speed.map { $0.scaled(by: Double(max(1, threadCount)) / Double(max(1, neighbour.threadCount))) }
        }
        return ComputeSpeed(meanOf: measured)
    }

    private func memoryLimit(of name: String) -> Int? { expected.first { $0.name == name }?.memoryBytes }

    /// Workers of one machine that read from its disk at the same time share what it gives.
    private func disk(
        _ hello: WorkerHello, threadCount: Int, sharedBy neighbours: [WorkerHello]
    ) -> PlacementDisk {
        let readers = neighbours.count { neighbour in
            self.expected.contains { $0.name == neighbour.name && $0.mode == .memoryEfficient }
        }
        return PlacementDisk(
            bytesPerSecond: hello.diskBytesPerSecond / Double(max(1, readers)),
            programBytes: Int(clamping: hello.programBytes), threadCount: threadCount)
    }

    /// Threads for those of `names` that get fewer than they have, in the configuration's order.
    func dealThreads(to names: Set<String>) -> [String: Int] {
        CoreDealing.threadCounts(
            expected.filter { names.contains($0.name) }.compactMap { members[$0.name]?.hello }
                .map { CoreDealing.Worker($0, machine: Self.machine($0)) })
    }

    /// On how many machines they run.
    func machineCount(of names: some Sequence<String>) -> Int {
        Set(names.compactMap { members[$0]?.hello }.map(Self.machine)).count
    }

    /// By its own word, or by its address where it has none; one on loopback is the coordinator's that has none.
    private static func machine(_ hello: WorkerHello) -> String {
        guard hello.machine.isEmpty, let endpoint = Endpoint(hello.dataEndpoint) else { return hello.machine }
        return endpoint.isLoopback ? "" : endpoint.host
    }
}
