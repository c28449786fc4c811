import ArgumentParser
import Foundation
import ModelFiles
import Terminal
import Tokenizers

struct TokenizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenize",
        abstract: "Turn texts into token ids, or ids into texts.",
        discussion: """
            Reads one JSON string a line and writes one JSON array of ids a line; with --decode the reverse. Special tokens in
            a text become those tokens, and what the model puts around a text is added.

            Examples:
              echo '"Hello world"' | shard tokenize model.gguf
              echo '[9906, 1917]' | shard tokenize tokenizer.json --decode
            """)

    @Argument(help: "A model, a tokenizer.json, or a GGUF file with a vocabulary.")
    var model: String

    @Flag(name: .customLong("no-bos"), help: "Do not add what the model puts before and after a text.")
    var addsNothing = false

    @Flag(help: "Read arrays of ids and write texts.")
    var decode = false

    @Flag(help: "With --decode: leave special tokens out of the text.")
    var skipSpecial = false

    @OptionGroup var program: ProgramOptions

    func validate() throws {
        if skipSpecial, !decode { throw ValidationError("--skip-special: expected together with --decode") }
        if addsNothing, decode { throw ValidationError("--no-bos: expected without --decode") }
    }

    func run() throws {
        let tokenizer = try Tokenizer.open(model)
        for (place, line) in InputLines().enumerated() {
            let name = "stdin: line \(place + 1)"
            let value = try JSONValue(parsing: MappedFile(bytes: line, name: name))
            do {
                StandardOutput.write(
                    try decode ? JSONText.line(text(value, tokenizer)) : JSONText.line(ids(value, tokenizer)))
            } catch let error as TokenizerError {
                throw ProgramError(.failedWhileRunning, "\(name): \(error)")
            }
        }
    }

    private func ids(_ value: JSONValue, _ tokenizer: Tokenizer) throws(TokenizerError) -> [Int32] {
        guard let text = value.stringValue else {
            throw TokenizerError(.malformed, "text", "expected a JSON string, got \(value.summary)")
        }
        return try tokenizer.encode(text, addSpecial: !addsNothing)
    }

    private func text(_ value: JSONValue, _ tokenizer: Tokenizer) throws(TokenizerError) -> String {
        guard let values = value.arrayValue else {
            throw TokenizerError(.malformed, "ids", "expected a JSON array of ids, got \(value.summary)")
        }
        var ids: [Int32] = []
        for (place, value) in values.enumerated() {
            guard case .integer(let number) = value, let id = Int32(exactly: number) else {
                throw TokenizerError(.malformed, "ids[\(place)]", "expected a token id, got \(value.summary)")
            }
            ids.append(id)
        }
        return try tokenizer.decode(ids, skipSpecial: skipSpecial)
    }
}
