import Testing
import ZeroMQ

@Suite("CURVE keys")
struct CurveKeyTests {
    static let manualSecret = "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6"
    static let manualPublic = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"

    @Test("a key is 40 characters and 32 bytes, and reads as it is written")
    func roundTrip() throws {
        for _ in 0..<50 {
            let key = try CurveKeyPair.generate().publicKey
            #expect(key.description.utf8.count == 40)
            #expect(key.bytes.count == 32)
            #expect(CurvePublicKey(key.description) == key)
            #expect(CurvePublicKey(bytes: key.bytes) == key)
        }
        // The example of ZeroMQ RFC 32, four times.
        let hello: [UInt8] = [0x86, 0x4F, 0xD2, 0x6F, 0xB5, 0x59, 0xF7, 0x5B]
        let text = String(repeating: "HelloWorld", count: 4)
        #expect(CurvePublicKey(text)?.bytes == hello + hello + hello + hello)
        #expect(CurvePublicKey(bytes: hello + hello + hello + hello)?.description == text)
        #expect(CurvePublicKey(bytes: [UInt8](repeating: 255, count: 32))?.bytes == [UInt8](repeating: 255, count: 32))
    }

    @Test("what is no key is refused")
    func malformed() {
        let good = Self.manualPublic
        for length in 0..<40 { #expect(CurvePublicKey(String(good.prefix(length))) == nil) }
        #expect(CurvePublicKey(good + "0") == nil)
        for character in [" ", "\"", "'", "\\", ",", ";", "_", "|", "~", "`", "\0", "\n", "\u{e9}"] {
            #expect(CurvePublicKey(character + good.dropFirst()) == nil, "\(character.debugDescription)")
        }
        // Five characters that stand for more than four bytes.
        #expect(CurvePublicKey("%nSc1" + good.dropFirst(5)) == nil)
        #expect(CurvePublicKey("%nSc0" + good.dropFirst(5)) != nil)
        #expect(CurvePublicKey(String(repeating: "#", count: 40)) == nil)
        #expect(CurvePublicKey(bytes: [UInt8](repeating: 0, count: 31)) == nil)
        #expect(CurvePublicKey(bytes: [UInt8](repeating: 0, count: 33)) == nil)
        #expect(CurveSecretKey(String(good.dropLast())) == nil)
    }

    @Test("the secret key gives the public one, and new pairs differ")
    func derivation() throws {
        let first = try CurveKeyPair.generate()
        let second = try CurveKeyPair.generate()
        #expect(first != second)
        #expect(try CurveKeyPair(secret: first.secretKey) == first)
    }

    @Test("no text, dump or option shows a secret key")
    func secrecy() throws {
        let keys = try CurveKeyPair.generate()
        let secret = keys.secretKey.secretText
        let number = try #require(CurvePublicKey(secret)).bytes.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        let options = SocketOptions(security: .server(keys, domain: .control))
        let values: [Any] = [
            keys, keys.secretKey, options, options.security, Optional(keys) as Any, [keys.secretKey: keys],
            SocketSecurity.client(keys, server: keys.publicKey),
        ]
        for value in values {
            var text = "\(value) \(String(reflecting: value))"
            dump(value, to: &text)
            #expect(!text.contains(secret))
            #expect(!text.contains("\(number)"))
        }
        #expect("\(keys.secretKey)" == "(secret)")
        #expect("\(keys)" == "\(keys.publicKey)")
    }

    @Test("the keys of libzmq's manual are refused")
    func manualKeys() throws {
        let secret = try #require(CurveSecretKey(Self.manualSecret))
        let error = try #require(throws: ZeroMQError.self) { _ = try CurveKeyPair(secret: secret) }
        #expect(error.description.contains("libzmq's manual prints it"))
        #expect(!error.description.contains(Self.manualSecret))
        let other = try #require(CurveSecretKey("D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"))
        #expect(throws: ZeroMQError.self) { _ = try CurveKeyPair(secret: other) }
        for text in [Self.manualPublic, "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"] {
            let key = try #require(CurvePublicKey(text))
            #expect(key.isPrintedInManual)
            let options = SocketOptions(security: .client(try .generate(), server: key))
            let context = try Context()
            #expect(throws: ZeroMQError.self) { _ = try Socket(.push, in: context, options: options) }
            let admission = try Admission(in: context)
            admission.allow([key], in: .data)
            #expect(!admission.isListed(key, in: .data))
        }
        #expect(try !CurveKeyPair.generate().publicKey.isPrintedInManual)
    }

    @Test("a domain has a name")
    func domains() {
        #expect(AdmissionDomain("") == nil)
        #expect(AdmissionDomain(String(repeating: "a", count: 256)) == nil)
        #expect(AdmissionDomain("control") == .control)
        #expect(Set([AdmissionDomain.control, .data, .results, .weights]).count == 4)
    }
}
