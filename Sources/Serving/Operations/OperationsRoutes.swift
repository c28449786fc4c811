import Hummingbird
import NIOCore
import Sharding

/// What whoever runs the server looks at: the dashboard, all that is known as JSON, and the same as metrics.
struct OperationsRoutes: Sendable {
    let engine: any TokenEngine
    let statistics: HTTPStatistics

    func add(to router: Router<ServingContext>) {
        router.get("/") { _, _ in DashboardPage.response() }
        router.get("v1/cluster") { _, _ in
            var response = try Response.json(await body)
            response.headers[.cacheControl] = "no-store"
            return response
        }
        router.get("metrics") { _, _ in
            Response(
                status: .ok, headers: [.contentType: PrometheusText.contentType],
                body: ResponseBody(byteBuffer: ByteBuffer(string: MetricsPage.text(await body))))
        }
    }

    private var body: ClusterBody {
        get async {
            let model = engine.model
            return ClusterBody(
                version: ShardVersion.current,
                model: ClusterBody.Model(
                    id: model.name, contextLength: model.contextLength, vocabularySize: model.vocabularySize),
                http: statistics.snapshot, engine: await engine.snapshot)
        }
    }
}
