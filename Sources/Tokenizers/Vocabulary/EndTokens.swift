/// Texts of special tokens that end an answer, in the vocabularies that have them. Files often name only one.
enum EndTokens {
    static let texts: Set<String> = [
        "<|eot_id|>", "<|eom_id|>", "<|im_end|>", "<|end|>", "<|endoftext|>", "<|end_of_text|>", "<end_of_turn>",
        "<|return|>",
        "<|call|>", "<EOT>", "_<EOT>", "<|eot|>", "<end_of_utterance>", "<｜end▁of▁sentence｜>",
    ]

    /// Those named by a file, and those told by their text.
    static func all(_ named: [Int32], among added: [AddedToken]) -> Set<Int32> {
        Set(named).union(added.lazy.filter { texts.contains($0.text) }.map(\.id))
    }
}
