import Foundation

/// A key as a terminal sends it.
enum Key: Equatable {
    case character(Character)
    /// Ctrl with a lower-case letter.
    case control(Character)
    case enter, backspace, delete, left, right, up, down, home, end
    /// An escape sequence without meaning here.
    case unknown
}

/// Turns the bytes of a terminal into keys: UTF-8 characters, control bytes, and CSI or SS3 sequences (ECMA-48).
struct KeyReader {
    private var pull: () -> UInt8?

    /// Reads standard input, one byte at a time.
    init() {
        pull = {
            var byte: UInt8 = 0
            while true {
                let count = Foundation.read(STDIN_FILENO, &byte, 1)
                if count < 0 && errno == EINTR { continue }
                return count == 1 ? byte : nil
            }
        }
    }

    /// Reads from a source of bytes that ends with nil.
    init(bytes: @escaping () -> UInt8?) { pull = bytes }

    /// The next key; nil at the end of the input.
    mutating func next() -> Key? {
        guard let byte = pull() else { return nil }
        switch byte {
        case 0x0D, 0x0A: return .enter
        case 0x7F, 0x08: return .backspace
        case 0x1B: return escape()
        case 0x01...0x1A: return .control(Character(Unicode.Scalar(byte + 0x60)))
        case 0x00..<0x20: return .unknown
        default: return character(first: byte)
        }
    }

    private func escape() -> Key? {
        guard let kind = pull() else { return nil }
        guard kind == UInt8(ascii: "[") || kind == UInt8(ascii: "O") else { return .unknown }
        var parameter: UInt8 = 0
        while let byte = pull() {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): parameter = byte
            case 0x20..<0x40: continue
            case UInt8(ascii: "A"): return .up
            case UInt8(ascii: "B"): return .down
            case UInt8(ascii: "C"): return .right
            case UInt8(ascii: "D"): return .left
            case UInt8(ascii: "H"): return .home
            case UInt8(ascii: "F"): return .end
            case UInt8(ascii: "~"): return tilde(parameter)
            default: return .unknown
            }
        }
        return nil
    }

    private func tilde(_ parameter: UInt8) -> Key {
        switch parameter {
        case UInt8(ascii: "1"), UInt8(ascii: "7"): .home
        case UInt8(ascii: "4"), UInt8(ascii: "8"): .end
        case UInt8(ascii: "3"): .delete
        default: .unknown
        }
    }

    private func character(first: UInt8) -> Key? {
        let following = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : first >= 0xC0 ? 1 : 0
        var bytes = [first]
        for _ in 0..<following {
            guard let byte = pull() else { return nil }
            bytes.append(byte)
        }
        let text = String(decoding: bytes, as: UTF8.self)
        return text.count == 1 ? .character(text[text.startIndex]) : .unknown
    }
}
