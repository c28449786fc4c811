import Hummingbird
import Sharding

extension Routes {
    /// Text to tokens and back, without the engine.
    func addTokens(to router: Router<ServingContext>) {
        router.post("tokenize") { request, _ in
            let request = try TokenizeRequest(try await Self.body(request, limits))
            try checkModel(request.model)
            let tokens = try model.tokens(request.subject, in: request.field)
            return try Response.json(
                TokenizeBody(tokens, request, model.tokenizer, contextLength: engine.model.contextLength))
        }
        router.post("detokenize") { request, _ in
            let request = try DetokenizeRequest(
                try await Self.body(request, limits), vocabularySize: engine.model.vocabularySize)
            try checkModel(request.model)
            return try Response.json(DetokenizeBody(try model.text(request.tokens)))
        }
    }
}
