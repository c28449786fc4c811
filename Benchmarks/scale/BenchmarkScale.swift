import ArgumentParser
import Foundation
import Sharding
import Simulation

/// Says what clusters larger than any at hand would do, and what of it the coordinator is to blame for.
///
///     swift build -c release --product benchmark-scale && .build/release/benchmark-scale --pictures docs/pictures
///
/// The coordinator's own decisions run in virtual time over workers and links that are modelled (docs/scale.md says how);
/// the processor time that they take here is measured, and goes into virtual time. Nothing else should run meanwhile.
@main
struct BenchmarkScale: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "benchmark-scale", abstract: "Simulate clusters of many workers.")

    @Option(parsing: .upToNextOption, help: "Workers.")
    var workers = [2, 8, 32, 128, 1000]

    @Option(parsing: .upToNextOption, help: "Rates of all links, Gbit/s.")
    var gigabits = [1.0, 10, 100]

    @Option(
        parsing: .upToNextOption,
        help: "Sequences that generate at once for each stage; 0: one altogether.")
    var streamsPerStage = [0, 4]

    @Option(
        parsing: .upToNextOption,
        help: "Models: \(ModelShape.all.map(\.name).joined(separator: ", ")).")
    var models = ModelShape.all.map(\.name)

    @Option(help: "Rate at which each worker reads weights, GB/s.")
    var rate = 200.0

    @Option(help: "Rows that a worker computes in the time in which it reads the weights once.")
    var rowsPerPass = Placement.promptRowsPerPass

    @Option(help: "Round trip of all links, microseconds.")
    var roundTrip = 200

    @Option(help: "A folder for drawings.")
    var pictures: String?

    @Option(help: "A file for the table as CSV.")
    var csv: String?

    func validate() throws {
        let known = ModelShape.all.map(\.name)
        if let name = models.first(where: { !known.contains($0) }) {
            throw ValidationError("--models: expected some of \(known.joined(separator: ", ")), got \(name)")
        }
        guard workers.allSatisfy({ (1...4096).contains($0) }), streamsPerStage.allSatisfy({ (0...4096).contains($0) })
        else { throw ValidationError("expected 1 to 4096 workers, and 0 to 4096 streams a stage") }
        guard gigabits.allSatisfy({ $0 > 0 && $0.isFinite }), rate > 0, rate.isFinite, rowsPerPass >= 1,
            (1...1_000_000).contains(roundTrip)
        else { throw ValidationError("rates: expected more than 0, a round trip from 1 to 1000000 µs") }
    }

    func run() throws {
        print(ScaleTable.head)
        var results: [ScaleResult] = []
        for test in cases {
            do {
                let result = try test.run()
                print(ScaleTable.line(result))
                results.append(result)
            } catch let error as SimulationError {
                print("\(test.model.name), \(test.workerCount) workers: \(error)")
            }
        }
        if let csv { try Data(ScaleTable.csv(results).utf8).write(to: URL(filePath: csv)) }
        if let pictures {
            try ScaleFigures(results: results, note: note).write(to: pictures)
        }
    }

    private var cases: [ScaleCase] {
        var device = SimulatedSetup.Device(bytesPerSecond: rate * 1e9)
        device.rowsPerPass = rowsPerPass
        var cases: [ScaleCase] = []
        for model in ModelShape.all where models.contains(model.name) {
            for workerCount in workers {
                for rate in gigabits {
                    for streams in streamsPerStage {
                        cases.append(
                            ScaleCase(
                                model: model, workerCount: workerCount, gigabits: rate,
                                streamsPerStage: streams == 0 ? nil : streams, device: device,
                                roundTrip: .microseconds(roundTrip)))
                    }
                }
            }
        }
        return cases
    }

    private var note: String {
        "modelled workers: \(ScaleTable.number(rate)) GB/s, \(ScaleTable.number(rowsPerPass)) rows a pass; round trip "
            + "\(roundTrip) µs; the coordinator's decisions as measured"
    }
}
