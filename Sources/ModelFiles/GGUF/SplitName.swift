/// The name of one part of a model that was split into several GGUF files: `PREFIX-00002-of-00005.gguf`.
struct SplitName {
    static let partsMax = 4096

    let folder: String
    let prefix: String
    let partCount: Int

    /// Nil when the name does not have that form.
    init?(path: String) {
        let name = path.lastPathComponent
        let suffix = "-00001-of-00001.gguf"
        guard name.utf8.count > suffix.utf8.count, name.hasSuffix(".gguf") else { return nil }
        let tail = Array(name.utf8.suffix(suffix.utf8.count))
        let (part, count) = (Self.digits(tail[1..<6]), Self.digits(tail[10..<15]))
        guard tail[0] == UInt8(ascii: "-"), tail[6..<10].elementsEqual("-of-".utf8), let part, let count,
            (1...Self.partsMax).contains(count), (1...count).contains(part)
        else { return nil }
        folder = path.parentPath
        prefix = String(decoding: Array(name.utf8.dropLast(suffix.utf8.count)), as: UTF8.self)
        partCount = count
    }

    /// Path of a part, counted from 0.
    func path(ofPart index: Int) -> String {
        "\(folder)/\(prefix)-\(Self.five(index + 1))-of-\(Self.five(partCount)).gguf"
    }

    private static func five(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 5 - digits.count)) + digits
    }

    private static func digits(_ bytes: ArraySlice<UInt8>) -> Int? {
        bytes.allSatisfy { (0x30...0x39).contains($0) } ? Int(String(decoding: bytes, as: UTF8.self)) : nil
    }
}
