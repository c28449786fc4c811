import Sharding
import Simulation
import Testing

@testable import Coordinator

/// Random schedules of faults over the decisions, from seeds that are printed with every failure.
@Suite("Simulation")
struct SimulationTests {
    @Test("under random faults every request ends once, with the right tokens, and everything stays bounded")
    func randomFaults() throws {
        for seed in 1...1500 { try run(seed: UInt64(seed)) }
    }

    private func run(seed: UInt64) throws {
        var random = SeededRandom(seed)
        let names = Array(["a", "b", "c"].prefix(Int.random(in: 1...3, using: &random)))
        var cluster = SimulatedCluster(names, maxSequences: 3, queueMax: 3, maxRows: 4, contextLength: 32) {
            $0.deadlines.step = .seconds(3)
        }
        cluster.start()
        var prompts: [SequenceID: Int] = [:]
        var zombies: [(StepResult, Epoch)] = []
        for _ in 0..<60 {
            switch Int.random(in: 0..<12, using: &random) {
            case 0...2:
                let prompt = (0..<Int.random(in: 1...20, using: &random)).map { TokenID($0) }
                if let id = try? cluster.submit(prompt, maxTokens: Int.random(in: 1...8, using: &random)) {
                    #expect(prompts[id] == nil, "seed \(seed): sequence \(id) was used twice")
                    prompts[id] = prompt.count
                }
            case 3...6:
                if let (step, epoch) = cluster.pipeline.first, Int.random(in: 0..<4, using: &random) == 0 {
                    zombies.append((Self.poison(step), epoch))
                }
                cluster.completeStep()
            case 7:
                cluster.die(names.randomElement(using: &random)!)
            case 8:
                let name = names.randomElement(using: &random)!
                if cluster.processes[name]?.isAlive == false { cluster.join(name) }
            case 9:
                if let id = prompts.keys.sorted().randomElement(using: &random) {
                    let actions = cluster.machine.cancel(id, now: cluster.now)
                    cluster.perform(actions)
                }
            case 10:
                // A worker that was given up sends what it still has.
                let current = cluster.machine.status.epoch
                for (result, epoch) in zombies where epoch != current { cluster.receive(result, epoch: epoch) }
                if !cluster.pipeline.isEmpty, Bool.random(using: &random) { cluster.pipeline.removeFirst() }
            default:
                cluster.advance(.milliseconds(Int.random(in: 50...2500, using: &random)))
            }
            let status = cluster.machine.status
            #expect(cluster.machine.scheduler.inFlight.count <= names.count + 1, "seed \(seed): steps in flight")
            #expect(status.activeSequences <= 3 && status.waitingSequences <= 3, "seed \(seed): sequences")
            for process in cluster.processes.values where process.isAlive {
                #expect(process.held.count <= 2, "seed \(seed): epochs held")
            }
        }
        // What is left comes to its end: by results while they come, by deadlines where they do not.
        for _ in 0..<8 {
            cluster.drain()
            cluster.advance(.seconds(2))
        }
        for (id, promptCount) in prompts {
            let ends = cluster.deliveries.count { event in
                switch event {
                case .finished(id, _, _), .failed(id, _): true
                default: false
                }
            }
            #expect(ends == 1, "seed \(seed): sequence \(id) ended \(ends) times")
            let tokens = cluster.tokens(of: id)
            let expected = (0..<tokens.count).map { TokenID((promptCount - 1 + $0) % 90) }
            #expect(tokens == expected, "seed \(seed): sequence \(id) has tokens of another epoch")
        }
    }

    /// What a zombie would say: a token that nobody may see.
    private static func poison(_ step: Step) -> StepResult {
        StepResult(
            step: step.id,
            sequences: step.rows.filter { $0.output == .token }.map {
                SequenceResult(
                    sequence: $0.sequence, position: $0.position + 1,
                    outcome: .tokens([AcceptedToken(token: 99, logprob: 0)]))
            })
    }
}
