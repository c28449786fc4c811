import Hummingbird
import Sharding

extension Routes {
    func addEmbeddings(to router: Router<ServingContext>) {
        router.post("v1/embeddings") { request, context in
            let request = try EmbeddingsRequest(
                try await Self.body(request, limits), vocabularySize: engine.model.vocabularySize)
            try checkModel(request.model)
            let key = context.caller?.key
            let inputs = try request.inputs.map { input in
                EmbeddingRequest(
                    tokens: try model.prompt(
                        input, contextLength: engine.model.contextLength, isAnswered: false, in: "input"),
                    owner: key?.name ?? "", priority: key?.priority ?? 0)
            }
            let place = try context.caller?.enter()
            let work = EmbeddingWork(inputs, engine: engine)
            let watch = await context.watch
            watch?.whenLost(work.cancellation)
            defer { withExtendedLifetime(place) { watch?.forget() } }
            let embeddings = try await work.embeddings(in: register)
            return try Response.json(EmbeddingsBody(embeddings, request.encoding, model: engine.model.name))
        }
    }
}
