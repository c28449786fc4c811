import ArgumentParser
import Foundation
import ShardKit
import Terminal
import WeightTransfer

struct CacheListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the tensors that are kept.",
        discussion: """
            The one used last comes first. A tensor that was received in part is continued by the next worker that
            needs it.

            Example:
              shard cache list --json
            """)

    @OptionGroup var options: CacheOptions
    @OptionGroup var program: ProgramOptions

    /// The object that `--json` prints.
    fileprivate struct Report: Encodable {
        struct Tensor: Encodable {
            var sha256: String
            var bytes: Int
            var last_use: String
            var in_use: Bool
            var partial: Bool
        }

        var folder: String
        var used_bytes: Int
        var byte_limit: Int
        var tensors: [Tensor]
        /// Copies of weights in the layout that is computed with.
        var packed: [Tensor]
        var packed_bytes: Int
    }

    func run() async throws {
        program.startLogging()
        let store = try options.open()
        let packedStore = try options.openPacked()
        let (listing, packed) = await OwnThread.run { _ in (store.list(), packedStore?.list()) }
        if options.json {
            return StandardOutput.write(
                try JSONText.line(report(listing, packed, folder: store.folder)))
        }
        show(listing)
        StandardOutput.write(
            "\(store.folder): \(CacheOptions.tensors(listing.items.count)), \(ByteText.text(listing.usedBytes)) of at "
                + "most \(ByteText.text(listing.byteLimit))")
        guard let packed, let packedStore else { return }
        show(packed)
        StandardOutput.write(
            "\(packedStore.folder): packed copies of \(CacheOptions.tensors(packed.items.count)), "
                + ByteText.text(packed.usedBytes))
    }

    private func show(_ listing: StoreListing) {
        if !listing.items.isEmpty {
            var table = TextTable([("SHA-256", .left), ("SIZE", .right), ("USED", .right), ("", .left)])
            for item in listing.items {
                let notes = [item.isPart ? "in part" : nil, item.isInUse ? "in use" : nil].compactMap { $0 }
                table.add([
                    "\(item.hash.description.prefix(12))…", ByteText.text(item.byteCount),
                    Age.text(since: item.lastUse), notes.joined(separator: ", "),
                ])
            }
            for line in table.lines { StandardOutput.write(line) }
        }
    }

    private func report(_ listing: StoreListing, _ packed: StoreListing?, folder: String) -> Report {
        Report(
            folder: folder, used_bytes: listing.usedBytes, byte_limit: listing.byteLimit,
            tensors: listing.items.map(Report.Tensor.init), packed: packed?.items.map(Report.Tensor.init) ?? [],
            packed_bytes: packed?.usedBytes ?? 0)
    }
}

extension CacheListCommand.Report.Tensor {
    fileprivate init(_ item: StoreListing.Item) {
        self.init(
            sha256: item.hash.description, bytes: item.byteCount, last_use: item.lastUse.formatted(.iso8601),
            in_use: item.isInUse, partial: item.isPart)
    }
}
