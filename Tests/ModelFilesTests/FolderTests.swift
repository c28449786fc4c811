import Foundation
import Testing

@testable import ModelFiles

@Suite("Folders of model files")
struct FolderTests {
    private let weights = SafetensorsBytes.tinyModel()

    private func error(opening path: String) throws -> ModelFileError {
        try #require(throws: ModelFileError.self) { try ModelFile.open(path) }
    }

    @Test("a folder opens by its own path, its index, or one of its files")
    func opens() throws {
        let folder = try TemporaryFolder()
        try folder.write("config.json", SafetensorsBytes.tinyConfig)
        let file = try folder.write("model.safetensors", weights)
        for path in [folder.path, folder.path + "/", file] {
            let model = try ModelFile.open(path)
            #expect(model.format == .safetensors && model.tensors.count == 11)
            #expect(try model.architecture() == "llama")
            #expect(model.safetensorsMetadata == ["format": "pt"])
        }
        let indexed = Fixtures.model("mistral-window") + "/model.safetensors.index.json"
        #expect(try ModelFile.open(indexed).files.count == 5)
    }

    @Test("links of the hub's cache are followed, links that leave the folder are not")
    func links() throws {
        let cache = try TemporaryFolder()
        let model = "models--a--b"
        try cache.write("\(model)/blobs/1", weights)
        try cache.write("\(model)/snapshots/x/config.json", SafetensorsBytes.tinyConfig)
        try cache.link("\(model)/snapshots/x/model.safetensors", to: "../../blobs/1")
        #expect(try ModelFile.open("\(cache.path)/\(model)/snapshots/x").tensors.count == 11)

        try cache.write("outside", weights)
        try cache.write("\(model)/snapshots/y/config.json", SafetensorsBytes.tinyConfig)
        try cache.link("\(model)/snapshots/y/model.safetensors", to: "../../../outside")
        #expect(try error(opening: "\(cache.path)/\(model)/snapshots/y").field == "link")

        try cache.write("plain/config.json", SafetensorsBytes.tinyConfig)
        try cache.link("plain/model.safetensors", to: "../outside")
        let leaving = try error(opening: "\(cache.path)/plain")
        #expect(leaving.file == "model.safetensors" && leaving.hint == "copy the file into the folder")
        // Who names the link itself means it.
        #expect(try ModelFile.open("\(cache.path)/plain/model.safetensors").tensors.count == 11)
    }

    @Test(
        "an index may only name safetensors files beside it",
        arguments: [
            "../model.safetensors", "/etc/model.safetensors", "a/b.safetensors", "model.bin", "", "gone.safetensors",
        ])
    func indexNames(name: String) throws {
        let folder = try TemporaryFolder()
        try folder.write("config.json", SafetensorsBytes.tinyConfig)
        try folder.write("model.safetensors.index.json", #"{"weight_map": {"model.norm.weight": "\#(name)"}}"#)
        let error = try error(opening: folder.path)
        #expect((name.isEmpty || error.description.contains(name)) && error.description.contains("index.json"))
    }

    @Test("what an index names must be there, and what it leaves out is not part of the model")
    func index() throws {
        let folder = try TemporaryFolder()
        try folder.write("config.json", SafetensorsBytes.tinyConfig)
        try folder.write("one.safetensors", weights)
        try folder.write("model.safetensors.index.json", #"{"weight_map": {"model.norm.weight": "one.safetensors"}}"#)
        #expect(try ModelFile.open(folder.path).tensors.map(\.name) == ["model.norm.weight"])
        try folder.write("model.safetensors.index.json", #"{"weight_map": {"none.weight": "one.safetensors"}}"#)
        #expect(try error(opening: folder.path).field == "none.weight")
        try folder.write(
            "model.safetensors.index.json", #"{"weight_map": {"a": "one.safetensors", "a": "one.safetensors"}}"#)
        #expect(try error(opening: folder.path).code == .duplicate)
    }

    @Test("pickles are never read, and the error says what to do")
    func pickles() throws {
        let folder = try TemporaryFolder()
        try folder.write("config.json", SafetensorsBytes.tinyConfig)
        let pickle = try folder.write("pytorch_model.bin", [0x50, 0x4B, 0x03, 0x04, 0, 0, 0, 0, 0, 0])
        for path in [folder.path, pickle] {
            #expect(try error(opening: path).description.contains("convert to safetensors"))
        }
    }

    @Test("paths that are no model are refused in one line")
    func noModels() throws {
        let folder = try TemporaryFolder()
        try folder.write("empty.gguf", [])
        try folder.write("text.gguf", "hello, this is no model")
        #expect(try error(opening: folder.path).hint?.contains(".gguf") == true)
        #expect(try error(opening: folder.path + "/none").code == .unreadable)
        #expect(try error(opening: folder.path + "/empty.gguf").description.contains("empty"))
        #expect(try error(opening: folder.path + "/text.gguf").code == .unsupported)
        // Nobody writes into the pipe: opening it must not wait.
        #expect(mkfifo(folder.path + "/pipe.gguf", 0o600) == 0)
        #expect(try error(opening: folder.path + "/pipe.gguf").got == "a pipe")
        #expect(try error(opening: "/dev/null").description.contains("regular file"))
    }

    private func part(_ index: Int, of count: UInt32, tensors: UInt32 = 2) -> [UInt8] {
        var file = GGUFBytes()
        file.key("general.architecture", "llama")
        file.key("split.no", type: 2, GGUFBytes.little(UInt16(index)))
        file.key("split.count", count)
        file.key("split.tensors.count", tensors)
        file.tensor("t\(index)", sizes: [3], byteCount: 12)
        return file.bytes
    }

    @Test("a split GGUF file opens by any of its parts")
    func split() throws {
        let folder = try TemporaryFolder()
        try folder.write("m-00001-of-00002.gguf", part(0, of: 2))
        try folder.write("m-00002-of-00002.gguf", part(1, of: 2))
        for name in ["m-00001-of-00002.gguf", "m-00002-of-00002.gguf"] {
            let file = try ModelFile.open("\(folder.path)/\(name)")
            #expect(file.tensors.map(\.name) == ["t0", "t1"])
            #expect(file.tensors.map(\.fileIndex) == [0, 1])
            #expect(file.metadata["split.no"]?.integerValue == 0)
        }
        try folder.write("m-00002-of-00002.gguf", part(0, of: 2))
        #expect(try error(opening: folder.path + "/m-00001-of-00002.gguf").field == "split.no")
        try folder.write("m-00002-of-00002.gguf", part(1, of: 3))
        #expect(try error(opening: folder.path + "/m-00001-of-00002.gguf").field == "split.count")
        try folder.write("n-00001-of-00002.gguf", part(0, of: 2))
        let missing = try error(opening: folder.path + "/n-00001-of-00002.gguf")
        #expect(missing.file.hasSuffix("/n-00002-of-00002.gguf") && missing.field == "open")
        try folder.write("m-00002-of-00002.gguf", part(1, of: 2))
        try folder.write("m-00001-of-00002.gguf", part(0, of: 2, tensors: 3))
        #expect(try error(opening: folder.path + "/m-00001-of-00002.gguf").field == "split.tensors.count")
    }

    private func shard(_ names: [String], size: UInt64 = 2) -> [UInt8] {
        var file = GGUFBytes()
        file.key("general.architecture", "llama")
        file.key("shard.count", 2)
        for name in names { file.tensor(name, sizes: [size], byteCount: Int(size) * 4) }
        return file.bytes
    }

    @Test("shards open as one index, with the tensors that several carry listed once")
    func shards() throws {
        let folder = try TemporaryFolder()
        try folder.write(
            "manifest.json", #"{"shards": [{"filename": "shard_000.gguf"}, {"filename": "shard_001.gguf"}]}"#)
        let first = try folder.write("shard_000.gguf", shard(["rope_freqs.weight", "a"]))
        let second = try folder.write("shard_001.gguf", shard(["rope_freqs.weight", "b"]))
        for model in [try ModelFile.open(folder.path), try ModelFile.open(files: [first, second])] {
            #expect(model.tensors.map(\.name) == ["rope_freqs.weight", "a", "b"])
            #expect(model.tensors.map(\.fileIndex) == [0, 0, 1])
        }
        #expect(try ModelFile.open(second).tensors.count == 2)
        try folder.write("shard_001.gguf", shard(["a"], size: 3))
        #expect(try error(opening: folder.path).code == .duplicate)
        try folder.write("manifest.json", #"{"shards": [{"filename": "../shard_000.gguf"}]}"#)
        #expect(try error(opening: folder.path).code == .malformed)
    }

    @Test("chat templates come from each of their places, a file of its own first")
    func chatTemplates() throws {
        var files: [String: [UInt8]] = [
            "config.json": Array(SafetensorsBytes.tinyConfig.utf8), "model.safetensors": weights,
        ]
        func templates() throws -> [String: String] {
            let list = try ModelFile.open(folder: HuggingFaceFolder(name: "m", files: files)).chatTemplates()
            return Dictionary(uniqueKeysWithValues: list.map { ($0.name, $0.source) })
        }
        #expect(try templates().isEmpty)
        files["tokenizer_config.json"] = Array(#"{"chat_template": "one"}"#.utf8)
        #expect(try templates() == ["default": "one"])
        files["tokenizer_config.json"] = Array(
            #"{"chat_template": [{"name": "default", "template": "two"}, {"name": "tools", "template": "three"}]}"#.utf8
        )
        #expect(try templates() == ["default": "two", "tools": "three"])
        files["chat_template.json"] = Array(#"{"chat_template": "four"}"#.utf8)
        #expect(try templates() == ["default": "four", "tools": "three"])
        files["chat_template.jinja"] = Array("five".utf8)
        #expect(try templates() == ["default": "five", "tools": "three"])
        files["tokenizer_config.json"] = Array(#"{"chat_template": 7}"#.utf8)
        #expect(throws: ModelFileError.self) { try templates() }

        var gguf = GGUFBytes.tinyModel()
        gguf.key("tokenizer.chat_template", "six")
        gguf.key("tokenizer.chat_template.tools", "seven")
        let list = try ModelFile.open(bytes: gguf.bytes, name: "m.gguf").chatTemplates()
        #expect(list.map(\.name) == ["default", "tools"])
    }
}
