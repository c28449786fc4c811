extension ChatTemplate {
    /// Names that ``named(_:)`` knows.
    package static let names = sources.map(\.name)

    /// A template that comes with this program, for models that bring none.
    package static func named(_ name: String) throws(TokenizerError) -> ChatTemplate {
        guard let (_, source) = sources.first(where: { $0.name == name }) else {
            throw TokenizerError(
                .unsupported, "template \(name)", "no such template",
                hint: "known are \(names.joined(separator: ", ")), or the path of a file")
        }
        return try ChatTemplate(source: source, name: name)
    }

    private static let sources: [(name: String, source: String)] = [
        ("chatml", chatml), ("llama3", llama3), ("mistral", mistral), ("llama2", llama2), ("gemma", gemma),
        ("phi3", phi3),
        ("zephyr", zephyr), ("alpaca", alpaca), ("plain", plain),
    ]

    private static let chatml = """
        {%- for message in messages -%}
        {{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
        {%- endfor -%}
        {%- if add_generation_prompt -%}
        {{ '<|im_start|>assistant\\n' }}
        {%- endif -%}
        """

    private static let llama3 = """
        {{- bos_token -}}
        {%- for message in messages -%}
        {{ '<|start_header_id|>' + message.role + '<|end_header_id|>\\n\\n' + message.content | trim + '<|eot_id|>' }}
        {%- endfor -%}
        {%- if add_generation_prompt -%}
        {{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
        {%- endif -%}
        """

    /// The system message goes into the first user message.
    private static let mistral = """
        {%- set ns = namespace(system='') -%}
        {{- bos_token -}}
        {%- for message in messages -%}
        {%- if message.role == 'system' -%}
        {%- set ns.system = message.content ~ '\\n\\n' -%}
        {%- elif message.role == 'assistant' -%}
        {{ ' ' + message.content | trim + eos_token }}
        {%- else -%}
        {{ '[INST] ' + ns.system + message.content | trim + ' [/INST]' }}
        {%- set ns.system = '' -%}
        {%- endif -%}
        {%- endfor -%}
        """

    private static let llama2 = """
        {%- set ns = namespace(system='') -%}
        {%- for message in messages -%}
        {%- if message.role == 'system' -%}
        {%- set ns.system = '<<SYS>>\\n' ~ message.content ~ '\\n<</SYS>>\\n\\n' -%}
        {%- elif message.role == 'assistant' -%}
        {{ ' ' + message.content | trim + ' ' + eos_token }}
        {%- else -%}
        {{ bos_token + '[INST] ' + ns.system + message.content | trim + ' [/INST]' }}
        {%- set ns.system = '' -%}
        {%- endif -%}
        {%- endfor -%}
        """

    private static let gemma = """
        {%- set ns = namespace(system='') -%}
        {{- bos_token -}}
        {%- for message in messages -%}
        {%- if message.role == 'system' -%}
        {%- set ns.system = message.content ~ '\\n\\n' -%}
        {%- else -%}
        {{ '<start_of_turn>' + ('model' if message.role == 'assistant' else message.role) + '\\n' }}
        {{- ns.system + message.content | trim + '<end_of_turn>\\n' }}
        {%- set ns.system = '' -%}
        {%- endif -%}
        {%- endfor -%}
        {%- if add_generation_prompt -%}
        {{ '<start_of_turn>model\\n' }}
        {%- endif -%}
        """

    private static let phi3 = """
        {%- for message in messages -%}
        {{ '<|' + message.role + '|>\\n' + message.content + '<|end|>\\n' }}
        {%- endfor -%}
        {%- if add_generation_prompt -%}
        {{ '<|assistant|>\\n' }}
        {%- endif -%}
        """

    private static let zephyr = """
        {%- for message in messages -%}
        {{ '<|' + message.role + '|>\\n' + message.content + eos_token + '\\n' }}
        {%- endfor -%}
        {%- if add_generation_prompt -%}
        {{ '<|assistant|>\\n' }}
        {%- endif -%}
        """

    private static let alpaca = """
        {%- for message in messages -%}
        {%- if message.role == 'system' -%}
        {{ message.content + '\\n\\n' }}
        {%- elif message.role == 'assistant' -%}
        {{ '### Response:\\n' + message.content + '\\n\\n' }}
        {%- else -%}
        {{ '### Instruction:\\n' + message.content + '\\n\\n' }}
        {%- endif -%}
        {%- endfor -%}
        {%- if add_generation_prompt -%}
        {{ '### Response:\\n' }}
        {%- endif -%}
        """

    /// The messages' texts, a blank line after each: for models that were not trained to chat.
    private static let plain = """
        {{- bos_token -}}
        {%- for message in messages -%}
        {{ message.content + '\\n\\n' }}
        {%- endfor -%}
        """
}
