import ArgumentParser
import Devices
import Terminal

struct AssignCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "assign",
        abstract: "Deal shards to devices in turn.",
        discussion: """
            Shard i goes to device i mod n. This prints the map and starts nothing.

            Example:
              shard assign --shards 4 --devices cuda:0,cuda:1
            """)

    @Option(help: "How many shards.")
    var shards: Int

    @Option(help: "Devices, separated by commas; by default all that can compute here.")
    var devices: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    @OptionGroup var program: ProgramOptions

    private static let shardsMax = 1_000_000

    func validate() throws {
        guard 1...Self.shardsMax ~= shards else {
            throw ValidationError("--shards: expected 1 to \(Self.shardsMax), got \(shards)")
        }
        if let wrong = named?.first(where: { !Self.isDevice($0) }) {
            throw ValidationError("--devices: expected names such as cpu or cuda:0, got \"\(wrong)\"")
        }
    }

    func run() throws {
        program.startLogging()
        let devices = named ?? DeviceInventory.detect().devices.filter(\.isUsable).map(\.id)
        let assigned = assignShardsInTurn(count: shards, to: devices)
        if json {
            let map = Dictionary(uniqueKeysWithValues: assigned.enumerated().map { ("\($0)", $1) })
            return StandardOutput.write(try JSONText.line(map))
        }
        let entries = assigned.enumerated().map { "\($0): \($1)" }
        StandardOutput.write("{\(entries.joined(separator: ", "))}")
    }

    private var named: [String]? {
        devices.map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
    }

    private static func isDevice(_ name: String) -> Bool {
        if name == "cpu" { return true }
        let number = name.hasPrefix("cuda:") ? Int(name.dropFirst(5)) : nil
        return number.map { $0 >= 0 && name == "cuda:\($0)" } ?? false
    }
}
