import Testing

@testable import Sharding

@Suite("values in configuration files")
struct ConfigurationScalarTests {
    @Test(
        "durations have a unit",
        arguments: [
            ("100ms", Duration.milliseconds(100)), ("2s", .seconds(2)), ("1.5s", .milliseconds(1500)),
            ("5m", .seconds(300)), ("0s", .zero), ("5", nil), ("-1s", nil), ("1e3s", nil), ("s", nil), ("", nil),
            ("25h", nil), ("1.2.3s", nil), ("999999999999999999999999h", nil),
        ])
    func durations(text: String, expected: Duration?) {
        #expect(ConfigurationScalar.duration(text) == expected)
    }

    @Test(
        "byte sizes know both thousands",
        arguments: [
            ("20GiB", 20 << 30), ("512MiB", 512 << 20), ("1.5KiB", 1536), ("20GB", 20_000_000_000), ("7", 7),
            ("1 GiB", 1 << 30), ("-1", nil), ("1.5", nil), ("GiB", nil), ("1PiB", nil), ("99999999TiB", nil),
            ("inf", nil), ("0x10", nil),
        ])
    func bytes(text: String, expected: Int?) {
        #expect(ConfigurationScalar.bytes(text) == expected)
    }

    @Test(
        "CPU lists are ranges, none twice",
        arguments: [
            ("0", [0]), ("0-3", [0, 1, 2, 3]), ("4,0-1", [0, 1, 4]), ("0,0", nil), ("3-1", nil), ("a", nil),
            ("0-", nil), ("", nil), ("0-1024", nil), ("0-9223372036854775807", nil), ("-1", nil),
        ])
    func cpus(text: String, expected: [Int]?) {
        #expect(ConfigurationScalar.cpus(text) == expected)
    }

    @Test(
        "layers are ranges with their last layer named",
        arguments: [
            ("20-31", LayerSelection(ranges: [20..<32])), ("7", LayerSelection(ranges: [7..<8])),
            ("4-7, 0-3", LayerSelection(ranges: [0..<8])), ("head", LayerSelection(ranges: [], includesHead: true)),
            ("0-3,8-11,head", LayerSelection(ranges: [0..<4, 8..<12], includesHead: true)), ("0-3,2", nil),
            ("head,head", nil), ("", nil), ("0..3", nil),
        ])
    func layers(text: String, expected: LayerSelection?) {
        #expect(ConfigurationScalar.layers(text) == expected)
    }

    @Test(
        "addresses are a host and a port",
        arguments: [
            ("tcp://127.0.0.1:5555", "127.0.0.1", 5555, true), ("localhost:80", "localhost", 80, true),
            ("tcp://*:5555", "*", 5555, false), ("tcp://[::1]:*", "::1", 0, true), ("10.0.0.1:1", "10.0.0.1", 1, false),
            ("127.9.9.9:1", "127.9.9.9", 1, true), ("127.evil.example.com:1", "127.evil.example.com", 1, false),
            ("127.-0.0.1:1", "127.-0.0.1", 1, false),
        ])
    func addresses(text: String, host: String, port: Int, isLoopback: Bool) {
        let address = NetworkAddress(text)
        #expect(address == NetworkAddress(host: host, port: port))
        #expect(address?.isLoopback == isLoopback)
    }

    @Test(
        "what is no address is refused",
        arguments: [
            "", "127.0.0.1", "udp://h:1", "tcp://", ":1", "h:", "h:65536", "h:-1", "h:1x", "999.1.1.1:1", "a b:1",
            "[zz]:1", "tcp://h:1/x", "::1:5",
        ])
    func noAddress(text: String) {
        #expect(NetworkAddress(text) == nil)
    }
}
