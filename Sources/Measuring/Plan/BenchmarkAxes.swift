/// What is varied within one model, mode and number of threads.
package struct BenchmarkAxes: Sendable, Hashable {
    /// Tokens of prompts; 0 stands for no such test.
    package var prompts: [Int]
    /// Tokens to generate; 0 stands for no such test.
    package var generations: [Int]
    package var depths: [Int]
    package var sequenceCounts: [Int]

    package init(prompts: [Int], generations: [Int], depths: [Int] = [0], sequenceCounts: [Int] = [1]) {
        self.prompts = prompts
        self.generations = generations
        self.depths = depths
        self.sequenceCounts = sequenceCounts
    }

    /// Prompts at each depth, then generations at each depth with each count of sequences; each once.
    package var tests: [BenchmarkTest] {
        var tests: [BenchmarkTest] = []
        for depth in depths {
            for count in prompts where count > 0 {
                tests.append(BenchmarkTest(.prompt, tokenCount: count, depth: depth))
            }
        }
        for sequences in sequenceCounts {
            for depth in depths {
                for count in generations where count > 0 {
                    tests.append(
                        BenchmarkTest(.generate, tokenCount: count, depth: depth, sequenceCount: sequences))
                }
            }
        }
        var seen: Set<BenchmarkTest> = []
        return tests.filter { seen.insert($0).inserted }
    }
}
