import Glibc

/// An internet address with its port, in the system's own form.
struct SocketAddress {
    private(set) var storage: sockaddr_storage
    private(set) var byteCount: socklen_t

    /// The near end of an open socket; nil for other descriptors and families.
    init?(localOf descriptor: Int32) {
        storage = sockaddr_storage()
        byteCount = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let code = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &byteCount) }
        }
        guard code == 0, family != nil else { return nil }
    }

    /// nil for other families.
    init?(_ address: UnsafePointer<sockaddr>, byteCount: socklen_t) {
        guard byteCount <= MemoryLayout<sockaddr_storage>.size else { return nil }
        storage = sockaddr_storage()
        self.byteCount = byteCount
        withUnsafeMutableBytes(of: &storage) { bytes in
            bytes.copyMemory(from: UnsafeRawBufferPointer(start: address, count: Int(byteCount)))
        }
        guard family != nil else { return nil }
    }

    var family: AddressFamily? { AddressFamily(Int32(storage.ss_family)) }

    var port: UInt16 {
        withUnsafeBytes(of: storage) { bytes in
            // At the same place in both families.
            UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
        }
    }

    /// The address in numbers; nil where the system cannot write it.
    var host: String? {
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let code = withAddress { address, byteCount in
            getnameinfo(address, byteCount, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
        }
        guard code == 0 else { return nil }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    func withAddress<Value>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Value) -> Value {
        withUnsafePointer(to: storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, byteCount) }
        }
    }
}
