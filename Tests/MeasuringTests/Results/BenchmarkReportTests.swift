import Foundation
import Testing

@testable import Measuring

@Suite("Report of a benchmark")
struct BenchmarkReportTests {
    @Test("a result has the speed's spread, the share of the limit, and the bytes of a token")
    func result() {
        let result = Fixtures.result()
        // 4 tokens in 2, 1 and 4 seconds; 60 bytes at 100 a second take 0.6.
        #expect(result.tokensPerSecond == Spread([2, 4, 1]))
        #expect(result.share == 0.3 && result.limit == .read)
        #expect(result.bytesPerToken == 15)
        #expect(result.prompt == 0 && result.generate == 4 && result.test == "generate 4")
        #expect(Fixtures.result(limits: nil).share == nil)
    }

    @Test("JSON comes back as it was, with names in snake case")
    func roundTrip() throws {
        let report = Fixtures.report([Fixtures.result(), Fixtures.result("b \"x\".gguf", limits: nil)])
        let text = try report.json()
        for name in [
            "\"tokens_per_second\"", "\"bytes_per_token\"", "\"peak_bytes\"", "\"kv_type\"", "\"version\" : 1",
        ] {
            #expect(text.contains(name), "\(name) in \(text)")
        }
        #expect(try BenchmarkReport(json: Data(text.utf8), name: "x.json") == report)
    }

    @Test("what is no report is refused with the file's name, in one line, at every length")
    func truncated() throws {
        let bytes = Data(try Fixtures.report().json().utf8)
        for length in stride(from: 0, to: bytes.count, by: 7) {
            let error = #expect(throws: BenchmarkReportError.self) {
                try BenchmarkReport(json: bytes.prefix(length), name: "x.json")
            }
            #expect(error?.description.hasPrefix("x.json: ") == true)
            #expect(error?.description.contains("\n") == false)
        }
    }

    @Test(
        "other versions and speeds that cannot be are refused",
        arguments: [
            ("\"version\" : 1", "\"version\" : 2", "version: expected 1, got 2"),
            ("\"median\" : 2", "\"median\" : -2", "positive speeds"),
            ("\"low\" : 1,", "\"low\" : 0,", "positive speeds"),
            ("\"threads\" : 2", "\"threads\" : \"2\"", "threads"),
            ("\"mode\" : \"simple\"", "\"mode\" : \"odd\"", "odd"),
        ])
    func wrong(from: String, to: String, says: String) throws {
        let text = try Fixtures.report().json().replacingOccurrences(of: from, with: to)
        let error = #expect(throws: BenchmarkReportError.self) {
            try BenchmarkReport(json: Data(text.utf8), name: "x.json")
        }
        #expect(error?.description.contains(says) == true, "\(error?.description ?? "")")
    }

    @Test("what the disk did is the medians of the runs, and survives JSON")
    func disk() throws {
        var outcomes = BenchmarkDriver.Outcomes()
        outcomes.seconds = [2, 4, 1]
        outcomes.disk = [1, 2, 3].map {
            DiskUse(readBytes: 100, waitedSeconds: 0.5, bytesPerSecondMax: 100 * Double($0))
        }
        let result = BenchmarkReport.Result(
            SubjectDescription(
                model: "a", bytes: 1, types: "", mode: .memoryEfficient, threads: 1, kvType: "f16"),
            BenchmarkTest(.generate, tokenCount: 10), outcomes,
            work: Work(bytes: 1, integerOperations: 0, floatOperations: 0), limits: nil)
        let disk = try #require(result.disk)
        #expect(disk.readBytesPerToken == 10)
        #expect(disk.read.median == 50 && disk.limit.median == 200)
        // 1 s of 2, 0.5 of 4, 1/3 of 1.
        #expect(abs(disk.share - 1.0 / 3) < 1e-9)
        #expect(disk.waitedShare == 0.25)
        let report = Fixtures.report([result])
        #expect(try BenchmarkReport(json: Data(report.json().utf8), name: "x") == report)
        #expect(report.csv().contains(",10.0,50.0,200.0,"))
    }

    @Test("CSV has one line a result, and quotes what would end a cell")
    func csv() {
        let report = Fixtures.report([Fixtures.result(), Fixtures.result("b,\"c\"\n.gguf", limits: nil)])
        let text = report.csv()
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines[0].split(separator: ",").count == 24)
        #expect(
            lines[1]
                == "a.gguf,1000,\"q8_0 99.0 %, f32 1.0 %\",simple,2,f16,generate 4,0,4,0,1,2.0,1.0,4.0,3,0.3,read,15.0,5000,,,,,"
        )
        #expect(text.contains("\"b,\"\"c\"\"\n.gguf\",1000,"))
        #expect(text.hasSuffix(",3,,,15.0,5000,,,,,\n"))
    }
}
