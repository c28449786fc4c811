import Devices
import Inference
import Sharding

/// A model in this process alone: what a cluster's answers are compared with.
///
/// All weights stay in memory where they fit; otherwise what fits a budget does, and the rest is read for each step. It
/// holds memory only while it works.
package struct OneProcess: Sendable {
    package let path: String
    package let cacheType: CacheElementType
    /// Of the longest sequence.
    package let positionsMax: Int
    /// Of everything that this process holds; nil: all that is free, where not all weights fit.
    package let budgetBytes: Int?

    package init(path: String, cacheType: CacheElementType, positionsMax: Int, budgetBytes: Int? = nil) {
        self.path = path
        self.cacheType = cacheType
        self.positionsMax = positionsMax
        self.budgetBytes = budgetBytes
    }

    /// How it computes.
    package struct Setting: Sendable, Hashable {
        package var threads: Int
        /// nil: all weights are in memory.
        package var budgetBytes: Int?
        /// Rows of a step.
        package var rowsMax: Int

        /// `2 threads, all weights in memory`
        package var text: String {
            let weights = budgetBytes.map { "weights read from disk, within \(describeBytes($0))" }
            return "\(threads == 1 ? "1 thread" : "\(threads) threads"), \(weights ?? "all weights in memory")"
        }
    }

    /// Loads the model, and gives its memory back when the work is done.
    ///
    /// - Throws: ``ShardKitError`` `.doesNotFit` where not even a part of the weights does.
    package func with<Value: Sendable>(
        _ work: (LocalEngine, Setting) async throws -> Value
    ) async throws -> Value {
        let cpu = CPUDeviceOptions(threads: CPUDeviceOptions.defaultThreads).withEnvironment()
        do { try cpu.check() } catch { throw ShardKitError(.request, "\(error)") }
        let (model, setup) = try await OwnThread.run { _ throws(ShardKitError) in try open(threads: cpu.threads) }
        let (cacheType, positionsMax) = (cacheType, positionsMax)
        let engine: LocalEngine
        do {
            engine = try await LocalEngine(LocalEngine.Options(name: model.file.name, sequencesMax: 1)) {
                () throws(InferenceError) in
                if let setup { return try model.chain(cpu: cpu, setup) }
                return try model.chain(cpu: cpu, cacheType: cacheType, contextLength: positionsMax)
            }
        } catch {
            throw ShardKitError(error)
        }
        defer { engine.stop() }
        // All rows of a step are wanted, which is more than a budget counts.
        let setting = Setting(
            threads: cpu.threads, budgetBytes: setup?.budget.limitBytes,
            rowsMax: setup == nil ? 256 : ShardRunnerOptions.logitRowsMax)
        return try await work(engine, setting)
    }

    private func open(threads: Int) throws(ShardKitError) -> (OpenedModel, StreamingSetup?) {
        if budgetBytes == nil {
            let model = try OpenedModel(path: path, hashes: .remembered)
            do throws(ShardKitError) {
                try model.checkMemory(cacheType: cacheType, contextLength: positionsMax)
                return (model, nil)
            } catch {
                guard error.code == .doesNotFit else { throw error }
            }
        }
        let model = try OpenedModel(path: path, hashes: .rememberedFirst)
        let setup = try model.streamingSetup(
            budgetBytes: budgetBytes, cacheType: cacheType, contextLength: positionsMax, threads: threads)
        return (model, setup)
    }

    /// Says of logits that differ how many do and by how much, by computing what is right once more.
    package func explain(
        _ checks: [VerificationCheck], of work: VerificationWork
    ) async throws -> [VerificationCheck] {
        guard checks.contains(where: { $0.difference?.row != nil }) else { return checks }
        return try await with { engine, setting in
            var checks = checks
            for (index, check) in checks.enumerated() {
                guard let difference = check.difference, let got = difference.row else { continue }
                // Nothing depends on what follows.
                let tokens = Array(work.sequences[difference.sequence].tokens.prefix(difference.position + 1))
                let expected = try await engine.perform { chain throws(InferenceError) in
                    var last: [Float] = []
                    try chain.logits(of: tokens, chunk: setting.rowsMax) {
                        last = Array($0.suffix(chain.model.vocabularySize))
                    }
                    return last
                }
                checks[index].difference?.values = ValueDifference(expected: expected, got: got)
                checks[index].difference?.row = nil
            }
            return checks
        }
    }
}
