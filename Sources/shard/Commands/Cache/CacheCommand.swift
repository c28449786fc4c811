import ArgumentParser
import Foundation
import Sharding
import Terminal
import WeightTransfer

struct CacheCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cache",
        abstract: "Look after tensors that were fetched from other machines, and packed copies of weights.",
        discussion: """
            Workers without a model's files fetch the tensors of their layers and keep them, by the SHA-256 of their
            bytes, in $XDG_CACHE_HOME/shard or ~/.cache/shard. Those used least recently make room for new ones.
            Copies in the layout that is computed with lie in the folder that --packed-cache names.

            Examples:
              shard cache list
              shard cache clear --older-than 7d
              shard cache list --cache /data/packed
              shard cache verify --cache /data/shard-cache
            """,
        subcommands: [CacheListCommand.self, CacheClearCommand.self, CacheVerifyCommand.self])
}

/// Which cache, for all of its commands.
struct CacheOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The cache's folder; by default the one that workers use.", valueName: "folder"))
    var cache: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    /// Packed copies of weights in the same folder; nil where there never were any.
    func openPacked() throws -> PackedStore? {
        guard let folder = cache ?? FileHashCache.cacheFolder(environment: ProcessInfo.processInfo.environment),
            FileManager.default.fileExists(atPath: folder + "/packed")
        else { return nil }
        do throws(WeightTransferError) {
            return try PackedStore(folder: folder)
        } catch {
            throw ProgramError(.configuration, error.description)
        }
    }

    func open() throws -> TensorStore {
        var isFolder: ObjCBool = false
        if let cache {
            let isThere = FileManager.default.fileExists(atPath: cache, isDirectory: &isFolder)
            guard isFolder.boolValue else {
                throw ProgramError(
                    .configuration, "\(cache): expected a cache's folder, got \(isThere ? "a file" : "nothing there")")
            }
        }
        guard let folder = cache ?? FileHashCache.cacheFolder(environment: ProcessInfo.processInfo.environment) else {
            throw ProgramError(
                .configuration, "cache: expected $XDG_CACHE_HOME or $HOME, got neither; name a folder with --cache")
        }
        do throws(WeightTransferError) {
            return try TensorStore(cacheFolder: folder)
        } catch {
            throw ProgramError(.configuration, error.description)
        }
    }
}

extension CacheOptions {
    /// A count, for people.
    static func tensors(_ count: Int) -> String { count == 1 ? "1 tensor" : "\(count) tensors" }
}

/// A time that has passed, as `30m`, `12h`, `7d`, `2w`.
struct Age: ExpressibleByArgument, Sendable {
    let seconds: Double

    private static let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800]

    init?(argument: String) {
        guard let unit = argument.last.flatMap({ Self.units[$0] }), let count = UInt32(argument.dropLast()) else {
            return nil
        }
        seconds = Double(count) * unit
    }

    /// A time ago, for people.
    static func text(since date: Date, now: Date = Date()) -> String {
        let seconds = max(0, now.timeIntervalSince(date))
        for (unit, name) in [(86_400.0, "d"), (3600, "h"), (60, "min")] where seconds >= unit {
            return "\(Int(seconds / unit)) \(name) ago"
        }
        return "now"
    }
}
