import Foundation

#if canImport(Glibc)
    import Glibc
#endif

extension ClusterConfiguration {
    /// Workers in one file at most.
    package static let workerCountMax = 1024

    /// Reads and checks a `cluster.yaml`; touches nothing else.
    ///
    /// - Parameter path: Named in errors as given. A relative `model.source`, `models` or `cache` in the file counts
    ///   from the file's folder.
    /// - Throws: All independent problems at once.
    package static func load(path: String) throws(ConfigurationError) -> ClusterConfiguration {
        let text = try readText(path: path)
        return try parse(text, file: path, folder: (path as NSString).deletingLastPathComponent)
    }

    /// Reads and checks the text of a `cluster.yaml`.
    ///
    /// - Parameter folder: Where relative paths in it start; empty for the working folder.
    package static func parse(
        _ text: String, file: String = "cluster.yaml", folder: String = ""
    ) throws(ConfigurationError) -> ClusterConfiguration {
        let document: YAMLDocument
        do {
            document = try YAMLDocument(text)
        } catch {
            let place = ConfigurationPlace(line: error.line, column: error.column, key: "")
            throw ConfigurationError(file: file, problems: [ConfigurationProblem(place, error.message)])
        }
        let reader = ClusterConfigurationReader(document: document, folder: folder)
        let configuration = reader.read()
        guard let configuration, reader.problems.all.isEmpty else {
            throw ConfigurationError(file: file, problems: reader.problems.all)
        }
        return configuration
    }

    private static func readText(path: String) throws(ConfigurationError) -> String {
        func problem(_ message: String) -> ConfigurationError {
            let place = ConfigurationPlace(line: 1, column: 1, key: "")
            return ConfigurationError(file: path, problems: [ConfigurationProblem(place, message)])
        }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw problem("cannot be opened: \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw problem("expected a file, got something else")
        }
        let limit = YAMLDocument.bytesMax
        guard status.st_size <= limit else {
            throw problem("expected at most \(limit) bytes, got \(status.st_size)")
        }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: false)
        guard let data = try? handle.read(upToCount: limit + 1), data.count <= limit else {
            if status.st_size == 0 { return "" }
            throw problem("cannot be read")
        }
        guard let text = String(data: data, encoding: .utf8) else { throw problem("expected UTF-8 text") }
        return text
    }
}
