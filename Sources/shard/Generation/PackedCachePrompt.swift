import Foundation
import ShardKit
import Sharding
import Terminal

/// Says what packed copies of weights take of the disk, and asks first where somebody sits in front of it.
enum PackedCachePrompt {
    static func cache(_ folder: String, model: String, showsProgress: Bool) -> PackedCache {
        let bar = ProgressBar("packing", isShown: showsProgress)
        return PackedCache(folder: folder) { needed, free in
            let line =
                "\(folder): packed copies of \(model) take \(describeBytes(needed)) of disk space "
                + "(\(describeBytes(free)) are free)"
            guard isatty(STDIN_FILENO) == 1, isatty(STDERR_FILENO) == 1 else {
                StandardError.write(line)
                return true
            }
            StandardError.write(raw: line + "; make them? [y/N] ")
            let answer = readLine()?.lowercased() ?? ""
            return ["y", "yes"].contains(answer)
        } progress: { done, total in
            bar.update(done: done, total: total)
            if done == total { bar.finish() }
        }
    }
}
