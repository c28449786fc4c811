import NIOCore
import Sharding
import Testing

@testable import Serving

@Suite("Requests")
struct RequestTests {
    private static let hello = #""messages": [{"role": "user", "content": "hi"}]"#

    private func chat(_ body: String, defaults: SamplingParameters = .greedy) throws -> ChatRequest {
        try ChatRequest(
            try RequestJSON.parse(ByteBuffer(string: body)), defaults: defaults, vocabularySize: 100, seed: 5)
    }

    private func completion(_ body: String) throws -> CompletionRequest {
        try CompletionRequest(
            try RequestJSON.parse(ByteBuffer(string: body)), defaults: .greedy, vocabularySize: 100, seed: 5)
    }

    @Test("every sampling field arrives")
    func samplingFields() throws {
        let request = try chat(
            """
            {\(Self.hello), "temperature": 0.5, "top_p": 0.9, "top_k": 40, "min_p": 0.1, "repetition_penalty": 1.1,
             "presence_penalty": -1, "frequency_penalty": 2, "seed": 9007199254740992, "logit_bias": {"7": 1.5, "3": -100},
             "logprobs": true, "top_logprobs": 4, "n": 2, "stop": ["a", "b"], "max_tokens": 9,
             "max_completion_tokens": 10, "user": "u", "metadata": {"a": 1}, "ignore_eos": true,
             "stream": true, "stream_options": {"include_usage": true}}
            """)
        #expect(
            request.fields.sampling
                == SamplingParameters(
                    temperature: 0.5, topK: 40, topP: 0.9, minP: 0.1, repetitionPenalty: 1.1, presencePenalty: -1,
                    frequencyPenalty: 2, seed: 1 << 53,
                    logitBias: [TokenLogitBias(token: 3, bias: -100), TokenLogitBias(token: 7, bias: 1.5)],
                    topLogprobCount: 4))
        #expect(request.fields.choiceCount == 2)
        #expect(request.fields.stops == ["a", "b"])
        #expect(request.fields.maxTokens == 10)
        #expect(request.fields.ignoresEnd && request.fields.isStream && request.fields.includesUsage)
        #expect(request.fields.reportsLogprobs)
    }

    @Test("what a request leaves out, or gives as null, is the model's default")
    func defaults() throws {
        let defaults = SamplingParameters(temperature: 0.7, topK: 20, topP: 0.8)
        let request = try chat(#"{\#(Self.hello), "temperature": null, "top_p": 1, "seed": null}"#, defaults: defaults)
        #expect(request.fields.sampling == SamplingParameters(temperature: 0.7, topK: 20, topP: 1, seed: 5))
        #expect(request.fields.maxTokens == nil && request.fields.choiceCount == 1)
    }

    @Test("content parts follow each other, and a developer speaks as the system")
    func contentParts() throws {
        let request = try chat(
            """
            {"messages": [{"role": "developer", "content": "be brief"},
              {"role": "user", "name": "eva", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}]}
            """)
        #expect(
            request.messages == [
                ChatRequest.Message(role: "system", content: "be brief"),
                ChatRequest.Message(role: "user", content: "ab", name: "eva"),
            ])
    }

    @Test(
        "numbers are checked at both ends, and the error names the field",
        arguments: [
            ("temperature", ["-0.1", "2.1", "\"1\"", "1e300", "true"]),
            ("top_p", ["-0.1", "1.1"]), ("top_k", ["-1", "2147483648", "1.5"]), ("min_p", ["-1", "2"]),
            ("repetition_penalty", ["0", "-1", "101"]), ("presence_penalty", ["-2.1", "2.1"]),
            ("frequency_penalty", ["-2.1", "2.1"]), ("seed", ["-1", "9007199254740993", "1.5", "1e60"]),
            ("n", ["0", "9", "-1", "1000000000000"]), ("max_tokens", ["0", "-5", "2147483648"]),
            ("max_completion_tokens", ["0", "1e40"]), ("top_logprobs", ["-1", "21"]), ("stream", ["1", "\"true\""]),
            ("logprobs", ["2"]), ("model", ["3"]), ("stop", ["3", "{}"]), ("ignore_eos", ["0"]),
        ])
    func ranges(field: String, values: [String]) {
        for value in values {
            let error = #expect(throws: ServingError.self) {
                try chat(#"{\#(Self.hello), "\#(field)": \#(value)}"#)
            }
            #expect(error?.place == field && error?.status == 400, "\(value): \(String(describing: error))")
        }
    }

    @Test(
        "a request that is not understood is refused by field",
        arguments: [
            (#"{}"#, "messages"), (#"{"messages": []}"#, "messages"), (#"{"messages": "hi"}"#, "messages"),
            (#"{"messages": [3]}"#, "messages[0]"), (#"{"messages": [{"content": "a"}]}"#, "messages[0].role"),
            (#"{"messages": [{"role": "user"}]}"#, "messages[0].content"),
            (#"{"messages": [{"role": "user", "content": null}]}"#, "messages[0].content"),
            (#"{"messages": [{"role": "user", "content": 3}]}"#, "messages[0].content"),
            (#"{"messages": [{"role": "user", "content": []}]}"#, "messages[0].content"),
            (#"{"messages": [{"role": "king", "content": "a"}]}"#, "messages[0].role"),
            (#"{"messages": [{"role": "tool", "content": "a"}]}"#, "messages[0].role"),
            (#"{"messages": [{"role": "user", "content": "a", "mood": 1}]}"#, "messages[0].mood"),
            (
                #"{"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]}"#,
                "messages[0].content[0].type"
            ),
            (#"{"messages": [{"role": "user", "content": [{"type": "text"}]}]}"#, "messages[0].content[0].text"),
            (#"{\#(hello), "temprature": 1}"#, "temprature"),
            (#"{\#(hello), "tools": [{"type": "function"}]}"#, "tools"),
            (#"{\#(hello), "response_format": {"type": "json_object"}}"#, "response_format"),
            (#"{\#(hello), "tool_choice": "required"}"#, "tool_choice"),
            (#"{\#(hello), "stop": [""]}"#, "stop[0]"), (#"{\#(hello), "stop": ["a", 1]}"#, "stop[1]"),
            (#"{\#(hello), "logit_bias": {"x": 1}}"#, "logit_bias"),
            (#"{\#(hello), "logit_bias": {"100": 1}}"#, "logit_bias"),
            (#"{\#(hello), "logit_bias": {"-1": 1}}"#, "logit_bias"),
            (#"{\#(hello), "logit_bias": {"07": 1}}"#, "logit_bias"),
            (#"{\#(hello), "logit_bias": {"1": 101}}"#, "logit_bias.1"),
            (#"{\#(hello), "stream_options": {"include_usage": true}}"#, "stream_options"),
            (#"{\#(hello), "stream": true, "stream_options": {"x": true}}"#, "stream_options.x"),
            (#"{\#(hello), "top_logprobs": 3}"#, "top_logprobs"),
        ])
    func refused(body: String, field: String) {
        let error = #expect(throws: ServingError.self) { try chat(body) }
        #expect(error?.place == field)
        #expect(error?.status == 400)
    }

    @Test("what has no effect is taken, and so is what asks for nothing that is missing")
    func harmless() throws {
        _ = try chat(
            """
            {\(Self.hello), "user": "a", "metadata": {}, "store": false, "service_tier": "auto", "tools": [],
             "tool_choice": "none", "response_format": {"type": "text"}, "modalities": ["text"]}
            """)
    }

    @Test("there is a bound on messages, stop strings and biases")
    func counts() throws {
        let message = #"{"role": "user", "content": "a"}"#
        func messages(_ count: Int) -> String {
            #"{"messages": [\#(Array(repeating: message, count: count).joined(separator: ","))]}"#
        }
        _ = try chat(messages(1000))
        #expect(throws: ServingError.self) { try chat(messages(1001)) }
        let stops = Array(repeating: "\"x\"", count: 17).joined(separator: ",")
        #expect(throws: ServingError.self) { try chat(#"{\#(Self.hello), "stop": [\#(stops)]}"#) }
        let long = String(repeating: "x", count: 257)
        #expect(throws: ServingError.self) { try chat(#"{\#(Self.hello), "stop": "\#(long)"}"#) }
    }

    @Test(
        "prompts come as text, tokens, or several of either",
        arguments: [
            (#""hi""#, [.text("hi")]), (#"[1, 2]"#, [.tokens([1, 2])]), (#"["a", "b"]"#, [.text("a"), .text("b")]),
            (#"[[1], [2, 3]]"#, [.tokens([1]), .tokens([2, 3])]),
        ] as [(String, [TextPrompt])])
    func prompts(json: String, prompts: [TextPrompt]) throws {
        #expect(try completion(#"{"prompt": \#(json), "logprobs": 2}"#).prompts == prompts)
    }

    @Test(
        "prompts that are none are refused",
        arguments: ["null", "[]", "3", "{}", "[1, \"a\"]", "[100]", "[-1]", "[[]]", "[[1], 2]", "[1.5]"])
    func badPrompts(json: String) {
        let error = #expect(throws: ServingError.self) { try completion(#"{"prompt": \#(json)}"#) }
        #expect(error?.place?.hasPrefix("prompt") == true)
    }

    @Test(
        "what completions do not have yet is refused by name",
        arguments: [
            (#""suffix": "x""#, "suffix"), (#""best_of": 2"#, "best_of"), (#""echo": true, "logprobs": 0"#, "logprobs"),
            (#""echo": 1"#, "echo"), (#""max_tokens": 0"#, "max_tokens"),
            (#""echo": true, "max_tokens": -1"#, "max_tokens"),
            (#""response_format": {"type": "json_object"}"#, "response_format"), (#""tools": []"#, "tools"),
        ])
    func refusedForText(fields: String, field: String) throws {
        let error = #expect(throws: ServingError.self) { try completion(#"{"prompt": "a", \#(fields)}"#) }
        #expect(error?.place == field && error?.status == 400)
    }

    @Test("echo may go without tokens, and best_of may be 1")
    func echo() throws {
        let request = try completion(#"{"prompt": "a", "echo": true, "max_tokens": 0, "best_of": 1, "suffix": null}"#)
        #expect(request.echoes && request.fields.maxTokens == 0)
        #expect(try completion(#"{"prompt": "a", "echo": false, "logprobs": 0}"#).fields.reportsLogprobs)
    }

    @Test("prompts times n has a bound")
    func sequences() throws {
        let prompts = Array(repeating: "\"a\"", count: 5).joined(separator: ",")
        #expect(throws: ServingError.self) { try completion(#"{"prompt": [\#(prompts)], "n": 8}"#) }
    }
}
