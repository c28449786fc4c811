import Foundation
import Sharding

/// Finds the files of a model by their bare names in the folders that this worker was given.
struct ModelFinder {
    let folders: [String]

    /// Paths of `files`, all from one folder, in the order given.
    ///
    /// Each given folder D is searched as D and as D/`folder`. A link may lead anywhere inside the given folders, or
    /// inside the hub cache (`models--…`) around the link.
    /// - Throws: ``LoadProblem`` `.fileMissing` that names the first file that was not found, and the folders.
    func find(_ files: [ModelReferenceFile], folder: String) throws(LoadProblem) -> (folder: String, paths: [String]) {
        guard let first = files.first else { throw LoadProblem(.invalidFile, "model: files: expected some, got none") }
        var best: (missing: String, count: Int) = (first.name, -1)
        for candidate in candidates(folder) {
            var paths: [String] = []
            for file in files {
                guard let path = path(of: file.name, in: candidate) else { break }
                paths.append(path)
            }
            if paths.count == files.count { return (candidate, paths) }
            if paths.count > best.count { best = (files[paths.count].name, paths.count) }
        }
        let places = folders.isEmpty ? "no folder; give one with --models" : folders.joined(separator: ", ")
        throw LoadProblem(.fileMissing, "\(best.missing): file: expected it in \(places), found none")
    }

    private func candidates(_ folder: String) -> [String] {
        folders.flatMap { root in folder.isEmpty ? [root] : [root, root + "/" + folder] }
    }

    private func path(of name: String, in folder: String) -> String? {
        let path = folder + "/" + name
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let real = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        return allowedRoots(around: folder).contains { real.hasPrefix($0 == "/" ? $0 : $0 + "/") } ? path : nil
    }

    private func allowedRoots(around folder: String) -> [String] {
        var roots = (folders + [folder]).map { URL(fileURLWithPath: $0).resolvingSymlinksInPath().path }
        let parts = URL(fileURLWithPath: folder).standardizedFileURL.pathComponents
        if let hub = parts.lastIndex(where: { $0.hasPrefix("models--") }) {
            let path = NSString.path(withComponents: Array(parts[...hub]))
            roots.append(URL(fileURLWithPath: path).resolvingSymlinksInPath().path)
        }
        return roots
    }
}
