import Tensors

extension FileHead {
    /// The data of a safetensors file starts on a multiple of this; readers that map it then find it aligned.
    private static let safetensorsAlignment = 64

    /// Makes the head of a safetensors file.
    ///
    /// - Parameters:
    ///   - metadata: `__metadata__`, written in ascending order of its keys.
    ///   - tensors: In the order that their data will have, which the format wants without gaps.
    ///   - file: For errors.
    package static func safetensors(
        metadata: [String: String], tensors: [TensorInfo], file: String
    ) throws(ModelFileError) -> FileHead {
        let (relative, _) = try place(tensors, from: 0, alignment: 1, file: file)
        var fields: [String] = []
        if !metadata.isEmpty {
            let pairs = metadata.sorted { $0.key < $1.key }.map { "\($0.key.quoted):\($0.value.quoted)" }
            fields.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
        }
        for tensor in relative {
            guard let type = SafetensorsIndex.types.first(where: { $0.type == tensor.type })?.name else {
                throw ModelFileError(
                    .unsupported, file: file, field: tensor.name, expected: "a type that safetensors has",
                    got: tensor.type.name)
            }
            let shape = tensor.shape.map(String.init).joined(separator: ",")
            fields.append(
                "\(tensor.name.quoted):{\"dtype\":\"\(type)\",\"shape\":[\(shape)],"
                    + "\"data_offsets\":[\(tensor.offset),\(tensor.range.upperBound)]}")
        }
        var header = Array("{\(fields.joined(separator: ","))}".utf8)
        // The format allows spaces at the header's end.
        let start = (8 + header.count + safetensorsAlignment - 1) / safetensorsAlignment * safetensorsAlignment
        header.append(contentsOf: repeatElement(UInt8(ascii: " "), count: start - 8 - header.count))
        var bytes: [UInt8] = []
        bytes.append(littleEndian: UInt64(header.count))
        bytes.append(contentsOf: header)
        let (placed, end) = try place(tensors, from: start, alignment: 1, file: file)
        return FileHead(bytes: bytes, tensors: placed, fileByteCount: end)
    }
}

extension String {
    /// As a JSON string.
    fileprivate var quoted: String {
        var text = "\""
        for scalar in unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }
}
