import Sharding
import Testing

@testable import Serving

@Suite("Metrics")
struct MetricsTests {
    /// An engine that has done something, on workers with awkward names.
    static func snapshot() -> EngineSnapshot {
        var snapshot = EngineSnapshot()
        snapshot.run = "0123"
        snapshot.isReady = true
        snapshot.uptimeSeconds = 12.5
        snapshot.requests.running = 2
        snapshot.requests.stopped = 5
        snapshot.requests.rejected = ["overloaded": 3]
        snapshot.tokens.generated = 1_000_000_000_000
        snapshot.times.firstToken.note(.milliseconds(30))
        snapshot.times.firstToken.note(.seconds(1000))
        snapshot.steps.rows = 10
        snapshot.steps.promptRows = 4
        snapshot.epochs.current = 3
        snapshot.cache = EngineSnapshot.Cache(
            blockPositions: 64, blocks: 10, freeBlocks: 5, retainedBlocks: 2, retainedSequences: 1)
        for (index, name) in ["a\"\\\n", "b"].enumerated() {
            var stage = EngineSnapshot.Stage(index: index, worker: name, units: "\(index)")
            stage.compute.note(.microseconds(700))
            stage.rows = 10
            snapshot.stages.append(stage)
            var worker = EngineSnapshot.Worker(name: name, state: index == 0 ? .active : .absent)
            worker.memoryTotalBytes = index == 0 ? 1 << 34 : nil
            snapshot.workers.append(worker)
        }
        snapshot.links = [
            EngineSnapshot.Link(from: "", to: "b", roundTripSeconds: 1e-5, bytesPerSecond: 1e9, isMeasured: true)
        ]
        return snapshot
    }

    @Test("every line is as the format says, and every number is there")
    func format() async throws {
        let engine = ScriptedEngine(snapshot: Self.snapshot()) { _ in [] }
        let server = try TestServer(engine)
        _ = try await server.get("/v1/models")
        let reply = try await server.get("/metrics")
        #expect(reply.status == 200)
        #expect(reply.contentType == "text/plain; version=0.0.4; charset=utf-8")
        let metrics = try PrometheusReader(reply.text)
        #expect(metrics.families.keys.allSatisfy { $0.hasPrefix("shard_") })
        #expect(metrics.value("shard_ready") == 1)
        #expect(metrics.value("shard_requests_running") == 2)
        #expect(metrics.value("shard_requests_total", ["outcome": "stop"]) == 5)
        #expect(metrics.value("shard_requests_rejected_total", ["reason": "overloaded"]) == 3)
        #expect(metrics.value("shard_generated_tokens_total") == 1_000_000_000_000)
        #expect(metrics.value("shard_time_to_first_token_seconds_count") == 2)
        #expect(metrics.value("shard_time_to_first_token_seconds_bucket", ["le": "0.03"]) == 1)
        #expect(metrics.value("shard_time_to_first_token_seconds_bucket", ["le": "100"]) == 1)
        #expect(metrics.value("shard_stage_compute_seconds_sum", ["stage": "0", "worker": "a\"\\\n"]) == 0.0007)
        #expect(metrics.value("shard_step_rows_total", ["kind": "token"]) == 6)
        #expect(metrics.value("shard_cache_blocks", ["state": "used"]) == 3)
        #expect(metrics.value("shard_worker_state", ["worker": "b", "state": "absent"]) == 1)
        #expect(metrics.value("shard_worker_state", ["worker": "b", "state": "active"]) == 0)
        #expect(metrics.value("shard_worker_memory_total_bytes", ["worker": "a\"\\\n"]) == 17_179_869_184)
        #expect(metrics.value("shard_worker_memory_total_bytes", ["worker": "b"]) == nil)
        #expect(metrics.value("shard_link_round_trip_seconds", ["from": "coordinator", "to": "b"]) == 1e-5)
        #expect(metrics.value("shard_http_requests_total", ["route": "/v1/models", "status": "200"]) == 1)
    }

    @Test("an engine that counts nothing leaves HTTP's own metrics")
    func withoutEngine() async throws {
        let server = try TestServer(ScriptedEngine { _ in [] })
        _ = try await server.get("/nothing/of/that/name?x=1")
        _ = try await server.get("/v1/models/other")
        _ = try await server.post("/health", "")
        let metrics = try PrometheusReader(try await server.get("/metrics").text)
        #expect(metrics.value("shard_http_requests_total", ["route": "other", "status": "404"]) == 1)
        #expect(metrics.value("shard_http_requests_total", ["route": "/v1/models/{model}", "status": "404"]) == 1)
        #expect(metrics.value("shard_http_requests_total", ["route": "/health", "status": "405"]) == 1)
        #expect(metrics.families["shard_ready"] == nil)
    }

    @Test("numbers are written so that they read back", arguments: [0, 1, 0.1, 1e-7, 1.5e300, 123_456_789_012_345_680])
    func numbers(value: Double) {
        #expect(Double(PrometheusText.number(value)) == value)
    }
}
