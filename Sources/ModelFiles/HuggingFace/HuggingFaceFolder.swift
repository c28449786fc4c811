#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// A folder as Hugging Face lays models out: weights, configuration and tokenizer side by side.
package struct HuggingFaceFolder: Sendable {
    /// Configurations become trees in memory, which take up to ten times their size.
    package static let configBytesMax = 2 << 20
    /// The tokenizer's configuration can list every added token.
    package static let tokenizerConfigBytesMax = 16 << 20

    package let path: String
    private let storage: Storage

    private enum Storage: Sendable {
        /// Files of the folder may be links that end inside `root`: the folder itself, or the `models--*` folder around
        /// it, which is how the hub's cache stores snapshots and blobs.
        case disk(root: String)
        case memory([String: [UInt8]])
    }

    /// - Throws: ``ModelFileError`` `.unreadable` when there is no such folder.
    package init(path: String) throws(ModelFileError) {
        guard let resolved = Self.resolve(path) else {
            throw ModelFileError(
                .unreadable, file: path, field: "open", expected: "a folder", got: "nothing there")
        }
        self.path = path
        let components = resolved.split(separator: "/")
        if let depth = components.lastIndex(where: { $0.hasPrefix("models--") }) {
            storage = .disk(root: "/" + components[...depth].joined(separator: "/"))
        } else {
            storage = .disk(root: resolved)
        }
    }

    /// A folder that exists in memory only.
    package init(name: String, files: [String: [UInt8]]) {
        path = name
        storage = .memory(files)
    }

    package func contains(_ name: String) -> Bool {
        switch storage {
        case .disk: access("\(path)/\(name)", F_OK) == 0
        case .memory(let files): files[name] != nil
        }
    }

    /// Maps a file of this folder; nil when there is none of that name.
    ///
    /// - Parameter name: a bare file name; what a file lists may not lead out of the folder.
    package func file(_ name: String) throws(ModelFileError) -> MappedFile? {
        guard !name.isEmpty, name != ".", name != "..", !name.utf8.contains(UInt8(ascii: "/")), !name.utf8.contains(0)
        else {
            throw ModelFileError(
                .malformed, file: path.lastPathComponent, field: "file name", expected: "a name without a path",
                got: "\"\(name)\"")
        }
        let root: String
        switch storage {
        case .disk(let path): root = path
        case .memory(let files): return files[name].map { MappedFile(bytes: $0, name: name) }
        }
        guard contains(name) else { return nil }
        guard let target = Self.resolve("\(path)/\(name)"), target.hasPrefix(root == "/" ? "/" : root + "/") else {
            throw ModelFileError(
                .unreadable, file: name, field: "link", expected: "a file inside \(root)", got: "a link that leaves it",
                hint: "copy the file into the folder")
        }
        // The resolved path has no link in it; one that appears meanwhile is refused.
        return try MappedFile(path: target, isFollowingLinks: false)
    }

    /// Parses a JSON file of this folder; nil when there is none of that name.
    package func json(_ name: String) throws(ModelFileError) -> JSONValue? {
        guard let file = try file(name) else { return nil }
        let bytesMax = name == "tokenizer_config.json" ? Self.tokenizerConfigBytesMax : Self.configBytesMax
        guard file.byteCount <= bytesMax else {
            throw ModelFileError(
                .limit, file: name, field: "size", expected: "at most \(bytesMax) bytes",
                got: "\(file.byteCount)")
        }
        let value = try JSONValue(parsing: file.bytes, file: name)
        guard value.objectValue != nil else {
            throw ModelFileError(.malformed, file: name, field: "JSON", expected: "an object", got: value.summary)
        }
        return value
    }

    /// Chat templates from the three places where they are kept; a file of their own overrides the configuration's.
    package func chatTemplates() throws(ModelFileError) -> [ChatTemplateSource] {
        var templates: [ChatTemplateSource] = []
        if let file = try file("chat_template.jinja") {
            templates.append(ChatTemplateSource(name: ChatTemplateSource.defaultName, source: try file.text()))
        }
        for name in ["chat_template.json", "tokenizer_config.json"] {
            guard let value = try json(name)?["chat_template"], !value.isNull else { continue }
            for template in try Self.templates(in: value, file: name)
            where !templates.contains(where: { $0.name == template.name }) {
                templates.append(template)
            }
        }
        return templates
    }

    private static func templates(in value: JSONValue, file: String) throws(ModelFileError) -> [ChatTemplateSource] {
        if let source = value.stringValue {
            return [ChatTemplateSource(name: ChatTemplateSource.defaultName, source: source)]
        }
        var templates: [ChatTemplateSource] = []
        for entry in value.arrayValue ?? [] {
            guard let name = entry["name"]?.stringValue, let source = entry["template"]?.stringValue else {
                throw ModelFileError(
                    .malformed, file: file, field: "chat_template", expected: "entries with name and template",
                    got: entry.summary)
            }
            templates.append(ChatTemplateSource(name: name, source: source))
        }
        guard !templates.isEmpty else {
            throw ModelFileError(
                .malformed, file: file, field: "chat_template",
                expected: "a string, or an array of names and templates",
                got: value.summary)
        }
        return templates
    }

    private static func resolve(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}

/// How a conversation becomes a prompt: the text of a template, and the name by which a user can ask for it.
package struct ChatTemplateSource: Sendable, Hashable {
    package static let defaultName = "default"

    package let name: String
    package let source: String

    package init(name: String, source: String) {
        self.name = name
        self.source = source
    }
}
