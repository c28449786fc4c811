import ShardKit
import Testing

@Suite("Devices through the library")
struct DeviceTests {
    @Test("this machine has a CPU, and it comes last")
    func available() {
        #expect(detectAvailableDevices().last == "cpu")
    }

    @Test("shards are dealt to devices in turn")
    func assigned() {
        #expect(
            assignShards(count: 4, to: ["cuda:0", "cuda:1"]) == [0: "cuda:0", 1: "cuda:1", 2: "cuda:0", 3: "cuda:1"])
        #expect(assignShards(count: 2, to: ["a", "b", "c"]) == [0: "a", 1: "b"])
    }

    @Test("no shards or no devices assign nothing", arguments: [(0, ["cpu"]), (-1, ["cpu"]), (3, [])])
    func empty(count: Int, devices: [String]) {
        #expect(assignShards(count: count, to: devices).isEmpty)
    }
}
