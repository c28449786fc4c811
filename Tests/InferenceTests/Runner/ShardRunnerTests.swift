import Devices
import Inference
import Sharding
import Testing

@Suite("Shard runner")
struct ShardRunnerTests {
    private let model = TestModel(.f32)
    private let id = SequenceID(1)

    private func makeRunner(
        _ device: any Device, layers: Range<Int>, hasHead: Bool, rowsMax: Int = 8
    ) throws -> ShardRunner {
        let weights = try ResidentWeights(
            model: model.spec, layers: layers, hasHead: hasHead, source: model.source, device: device)
        return try ShardRunner(
            model: model.spec,
            options: ShardRunnerOptions(
                layers: layers, hasHead: hasHead, cacheType: .f32, cacheBlockCount: 4, rowsMax: rowsMax,
                contextLength: 100), weights: weights, device: device)
    }

    private func run(_ runner: ShardRunner, _ step: Step) throws -> StepResult? {
        let count = step.rows.count * model.spec.hiddenSize
        var output = [Float](repeating: 0, count: count)
        return try [Float](repeating: 0.5, count: count).withUnsafeBytes { input in
            try output.withUnsafeMutableBytes { try runner.run(step, hidden: input, output: $0) }
        }
    }

    @Test("a step is some twelve coarse operations a layer, and one download")
    func operations() throws {
        let device = RecordingDevice()
        let runner = try makeRunner(device, layers: 1..<2, hasHead: false)
        let rows = (0..<3).map { StepRow(sequence: id, position: $0, token: 5) }
        _ = try run(runner, Step(id: 1, operations: [.begin(id, SequenceStart(tokens: [5, 5, 5]))], rows: rows))
        #expect(
            device.operations == [
                "place 3 rows", "upload 3 rows", "normalize 3 rows", "project 3 rows through 3", "rotate", "rotate",
                "store", "attend", "project 3 rows through 1", "add 3 rows", "normalize 3 rows",
                "project 3 rows through 2", "activate 3 rows", "project 3 rows through 1", "add 3 rows",
                "download 3 rows",
            ])
    }

    @Test("the head computes only the rows that want something")
    func headRows() throws {
        let device = RecordingDevice()
        let runner = try makeRunner(device, layers: 3..<3, hasHead: true)
        let rows = (0..<5).map { StepRow(sequence: id, position: $0, token: 5, output: $0 == 4 ? .token : .none) }
        let result = try run(
            runner, Step(id: 1, operations: [.begin(id, SequenceStart(tokens: [5]))], rows: rows))
        #expect(
            device.operations == [
                "place 5 rows", "upload 5 rows", "gather 1 rows", "normalize 1 rows", "project 1 rows through 1",
                "download 1 rows",
            ])
        #expect(result?.sequences.map(\.position) == [5])
    }

    @Test("rows that are pooled take the norm, and not the head")
    func pooledRows() throws {
        let device = RecordingDevice()
        let runner = try makeRunner(device, layers: 3..<3, hasHead: true)
        let rows = (0..<5).map { StepRow(sequence: id, position: $0, token: 5, output: $0 == 4 ? .mean : .pooled) }
        let result = try run(
            runner, Step(id: 1, operations: [.begin(id, SequenceStart(tokens: [5]))], rows: rows))
        #expect(
            device.operations == [
                "place 5 rows", "upload 5 rows", "gather 5 rows", "normalize 5 rows", "download 5 rows",
            ])
        #expect(result?.sequences.map(\.position) == [5])
    }

    @Test("a step may carry only operations")
    func onlyOperations() throws {
        let runner = try makeRunner(RecordingDevice(), layers: 0..<3, hasHead: true)
        #expect(try run(runner, Step(id: 1, operations: [.begin(id, SequenceStart(tokens: [1]))])) != nil)
        #expect(try run(runner, Step(id: 2, operations: [.free(id)])) == StepResult(step: 2, sequences: []))
    }

    @Test("steps that do not follow are refused, and the runner goes on")
    func refusals() throws {
        let runner = try makeRunner(CPUDevice(CPUDeviceOptions()), layers: 0..<3, hasHead: true)
        let row = { (position: Int) in StepRow(sequence: id, position: position, token: 1, output: .token) }
        let other = StepRow(sequence: SequenceID(2), position: 0, token: 1)
        #expect(throws: InferenceError.self) { try run(runner, Step(id: 1, rows: [row(0)])) }
        _ = try run(runner, Step(id: 2, operations: [.begin(id, SequenceStart(tokens: [1]))], rows: [row(0)]))
        for rows in [[row(2)], [row(1), row(3)], [row(100)], [row(-1)], [row(1), other, row(2)], (1..<10).map(row)] {
            let error = try #require(throws: InferenceError.self) { try run(runner, Step(id: 3, rows: rows)) }
            #expect(error.code == .invalidStep)
        }
        #expect(throws: InferenceError.self) {
            try [Float](repeating: 0, count: 3).withUnsafeBytes {
                try runner.run(
                    Step(id: 4, rows: [row(1)]), hidden: $0,
                    output: UnsafeMutableRawBufferPointer(start: nil, count: 0))
            }
        }
        #expect(try run(runner, Step(id: 5, rows: [row(1)]))?.sequences.count == 1)
    }

    @Test("a sequence with values that are not finite fails alone")
    func notFinite() throws {
        let runner = try makeRunner(CPUDevice(CPUDeviceOptions()), layers: 0..<3, hasHead: true)
        let other = SequenceID(2)
        let step = Step(
            id: 1,
            operations: [.begin(id, SequenceStart(tokens: [1])), .begin(other, SequenceStart(tokens: [1]))],
            rows: [
                StepRow(sequence: id, position: 0, token: 1, output: .token),
                StepRow(sequence: other, position: 0, token: 1, output: .token),
            ])
        var hidden = [Float](repeating: 0.5, count: 2 * model.spec.hiddenSize)
        hidden[3] = .nan
        let result = try hidden.withUnsafeBytes {
            try runner.run(step, hidden: $0, output: UnsafeMutableRawBufferPointer(start: nil, count: 0))
        }
        let outcomes = try #require(result?.sequences.map(\.outcome))
        guard case .failed(let message) = outcomes[0], case .tokens = outcomes[1] else {
            Issue.record("unexpected outcomes \(outcomes)")
            return
        }
        #expect(message.hasPrefix("the logits of position 0 are not finite"))
    }

    @Test("layers that the model does not have are refused")
    func layers() {
        #expect(throws: InferenceError.self) { try makeRunner(RecordingDevice(), layers: 2..<4, hasHead: false) }
    }
}
