import Testing

@testable import Devices

@Suite("Measuring limits")
struct LimitMeterTests {
    private let effort = LimitEffort(readBytes: 4 << 20, runCount: 2, runTime: .microseconds(10))

    @Test("each count of threads has reads on both kinds of pages, and products", arguments: [nil, "scalar"])
    func measures(kernels: String?) throws {
        let meter = try LimitMeter(kernels: kernels, cpus: [])
        if let kernels { #expect(meter.kernelsName == kernels) }
        let limits = try meter.measure(threads: [1, 3], effort)
        #expect(limits.map(\.threads) == [1, 3])
        for limit in limits {
            for pages in ReadMemory.Pages.allCases {
                #expect(limit.reads.contains { $0.name.hasSuffix(pages.rawValue) })
            }
            for samples in limit.reads + [limit.integers, limit.floats] {
                #expect(samples.perSecond.count == 2)
                #expect(samples.perSecond.allSatisfy { $0 > 0 && $0.isFinite }, "\(samples)")
            }
        }
    }

    @Test("unknown kernels are refused with those that there are")
    func unknown() {
        let error = #expect(throws: DeviceError.self) { try LimitMeter(kernels: "sse9", cpus: []) }
        #expect(error?.description.contains("scalar") == true)
    }
}
