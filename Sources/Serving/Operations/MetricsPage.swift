import Sharding

/// What is known of the server and its engine, as metrics.
///
/// Whole numbers and sums only: rates and percentiles are for whoever collects them.
enum MetricsPage {
    typealias Sample = PrometheusText.Sample

    static func text(_ body: ClusterBody) -> String {
        var page = PrometheusText()
        page.add(
            "info", .gauge, "The program and what it serves; always 1.",
            [
                Sample(
                    [
                        ("version", body.version), ("model", body.model.id), ("run", body.engine?.run ?? ""),
                    ], 1)
            ])
        page.add("http_connections", .gauge, "HTTP connections that are open.", body.http.openConnections)
        page.add(
            "http_requests_total", .counter, "HTTP requests that were answered, or whose answer has begun.",
            body.http.requests.map { Sample([("route", $0.route), ("status", "\($0.status)")], $0.count) })
        if let engine = body.engine {
            add(engine, to: &page)
            addStages(engine, to: &page)
            addWorkers(engine, to: &page)
        }
        return page.text
    }

    private static func add(_ engine: EngineSnapshot, to page: inout PrometheusText) {
        page.add("uptime_seconds", .gauge, "Time since the engine's start.", engine.uptimeSeconds)
        page.add("ready", .gauge, "1 when a token can be produced now.", engine.isReady ? 1 : 0)
        let requests = engine.requests
        page.add("requests_running", .gauge, "Requests that have begun and not ended.", requests.running)
        page.add("requests_queued", .gauge, "Requests that wait for a place.", requests.queued)
        page.add(
            "requests_total", .counter, "Requests that have ended, by how; a choice counts as one.",
            [
                ("stop", requests.stopped), ("length", requests.limited), ("cancelled", requests.cancelled),
                ("embedded", requests.embedded), ("failed", requests.failed),
            ].map { Sample([("outcome", $0.0)], $0.1) })
        page.add(
            "requests_rejected_total", .counter, "Requests that were not taken in, by why.",
            requests.rejected.sorted { $0.key < $1.key }.map { Sample([("reason", $0.key)], $0.value) })
        page.add(
            "requests_replayed_total", .counter, "Times that a request which had begun was computed again.",
            requests.replayed)
        page.add("prompt_tokens_total", .counter, "Tokens of prompts that have begun.", engine.tokens.prompt)
        page.add(
            "cached_tokens_total", .counter, "Of those, tokens whose state was there already.", engine.tokens.cached)
        page.add("generated_tokens_total", .counter, "Tokens that were generated.", engine.tokens.generated)
        let times = engine.times
        page.add("request_queue_seconds", "From a request's arrival to its place in the stages.", [([], times.queue)])
        page.add(
            "time_to_first_token_seconds", "From a request's arrival to its first token.", [([], times.firstToken)])
        page.add(
            "time_between_tokens_seconds", "From one token of a request to its next.", [([], times.betweenTokens)])
        page.add("request_seconds", "From a request's arrival to its end.", [([], times.request)])
    }

    private static func addStages(_ engine: EngineSnapshot, to page: inout PrometheusText) {
        let steps = engine.steps
        page.add("steps_in_flight", .gauge, "Steps that were sent and have not come back.", steps.inFlight)
        page.add("steps_total", .counter, "Steps that came back.", steps.completed)
        page.add(
            "step_rows_total", .counter, "Rows of those steps: of prompts but their last, and those that gave a token.",
            [
                Sample([("kind", "prompt")], steps.promptRows),
                Sample([("kind", "token")], steps.rows - min(steps.rows, steps.promptRows)),
            ])
        page.add(
            "step_in_flight_seconds_total", .counter, "Time from the sending of steps to their results.",
            steps.inFlightSeconds)
        page.add(
            "step_compute_seconds_total", .counter,
            "Part of that in which a stage computed the step; the rest is waiting and wire.", steps.computeSeconds)
        page.add(
            "wire_bytes_total", .counter, "Bytes of the messages that carried steps, on all hops.", steps.wireBytes)
        func labels(_ stage: EngineSnapshot.Stage) -> [(name: String, value: String)] {
            [("stage", "\(stage.index)"), ("worker", stage.worker)]
        }
        page.add(
            "stage_compute_seconds", "Time that a stage computed a step.",
            engine.stages.map { (labels($0), $0.compute) })
        page.add(
            "stage_rows_total", .counter, "Rows that a stage computed.",
            engine.stages.map { Sample(labels($0), $0.rows) })
        if let cache = engine.cache {
            let used = max(0, cache.blocks - cache.freeBlocks - cache.retainedBlocks)
            page.add(
                "cache_blocks", .gauge,
                "Blocks of the cache of keys and values: free, used by running requests alone, kept for those that begin alike.",
                [("free", cache.freeBlocks), ("used", used), ("retained", cache.retainedBlocks)].map {
                    Sample([("state", $0.0)], $0.1)
                })
            page.add("cache_block_positions", .gauge, "Positions of a block.", cache.blockPositions)
        }
    }

    private static func addWorkers(_ engine: EngineSnapshot, to page: inout PrometheusText) {
        if let epoch = engine.epochs.current {
            page.add("epoch", .gauge, "Number of the plan that runs, or loads.", epoch)
        }
        page.add("epochs_total", .counter, "Plans that became ready.", engine.epochs.started)
        page.add("faults_total", .counter, "Plans that ended because something went wrong.", engine.epochs.faults)
        let workers = engine.workers
        func gauge(_ name: String, _ help: String, _ value: (EngineSnapshot.Worker) -> Double?) {
            page.add(
                name, .gauge, help,
                workers.compactMap { worker in value(worker).map { Sample([("worker", worker.name)], $0) } })
        }
        let states: [EngineSnapshot.Worker.State] = [.absent, .joined, .loading, .loaded, .active]
        page.add(
            "worker_state", .gauge, "1 for the state that a worker is in.",
            workers.flatMap { worker in
                states.map {
                    Sample([("worker", worker.name), ("state", $0.rawValue)], $0 == worker.state ? 1 : 0)
                }
            })
        gauge("worker_loaded_bytes", "Weights that a loading worker has so far.") { $0.loadedBytes.map { Double($0) } }
        gauge("worker_load_bytes", "Weights that a loading worker will have.") { $0.totalBytes.map { Double($0) } }
        gauge("worker_needed_bytes", "What a worker's part of the plan takes.") { $0.neededBytes.map { Double($0) } }
        gauge("worker_limit_bytes", "What a worker may take.") { $0.limitBytes.map { Double($0) } }
        gauge("worker_memory_total_bytes", "Memory of a worker's device.") { $0.memoryTotalBytes.map { Double($0) } }
        gauge("worker_memory_available_bytes", "Memory of a worker's device that is free.") {
            $0.memoryAvailableBytes.map { Double($0) }
        }
        gauge("worker_silent_seconds", "Time since a worker was heard.") { $0.silentSeconds }
        page.add(
            "worker_restarts_total", .counter, "Times that a worker's process was started again.",
            workers.map { Sample([("worker", $0.name)], $0.restarts) })
        func ends(_ link: EngineSnapshot.Link) -> [(name: String, value: String)] {
            [("from", name(link.from)), ("to", name(link.to))]
        }
        page.add(
            "link_round_trip_seconds", .gauge, "Of a small message and its echo.",
            engine.links.map { Sample(ends($0), $0.roundTripSeconds) })
        page.add(
            "link_bytes_per_second", .gauge, "What a link gives long messages.",
            engine.links.map { Sample(ends($0), $0.bytesPerSecond) })
    }

    private static func name(_ end: String) -> String { end.isEmpty ? "coordinator" : end }
}
