import ModelFiles
import Testing

@testable import Tokenizers

@Suite("Templates")
struct TemplateTests {
    private static let variables: JinjaMap = {
        let json = #"""
            {"a": 1, "f": 2.5, "s": "Hello World", "n": null, "y": true, "l": [3, 1, 2], "q": "it's \"q\"\n",
             "d": {"k": "v", "items": 5}, "m": [{"role": "user", "n": 2}, {"role": "assistant", "n": 1}]}
            """#
        guard let value = try? JSONValue(parsing: json, file: "variables"), case .map(let map) = JinjaValue(value)
        else {
            return JinjaMap()
        }
        return map
    }()

    private func render(_ source: String, limits: TemplateLimits = .standard) throws -> String {
        try ChatTemplate(source: source, name: "test", limits: limits).render(
            Self.variables, now: TemplateTime(year: 2025, month: 3, day: 4, hour: 5, minute: 9, second: 6))
    }

    @Test(
        "expressions mean what they mean in Python",
        arguments: [
            (
                "{{ [a, f, n, y, q, 1e16, 0.0001, 1e-05] }}",
                #"[1, 2.5, None, True, 'it\'s "q"\n', 1e+16, 0.0001, 1e-05]"#
            ),
            (
                "{{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 7 % -3 }} {{ 6 / 2 }} {{ 2 ** 10 }} {{ 2 ** -1 }}",
                "3 -4 2 -2 3.0 1024 0.5"
            ),
            ("{{ 'a' ~ 1 + 2 if false else 'a' ~ 1 ~ n }}", "a1None"),
            ("{{ 1 < 2 < 3 }} {{ 1 == 1.0 == true }}", "True True"),
            ("{{ 'ell' in s }} {{ 4 not in l }} {{ 'k' in d }} {{ 'x' in nothing }}", "True True True False"),
            ("{{ s[0] }}{{ s[-1] }}{{ s[1:4] }}{{ s[::-1] }} {{ l[1:] }} {{ l[5:] }}", "HdelldlroW olleH [1, 2] []"),
            ("{{ d.items() | list }} {{ d['items'] }} {{ d.get('z', 9) }}", "[('k', 'v'), ('items', 5)] 5 9"),
            ("{{ nothing }}|{{ d.z }}|{{ d.z is defined }}|{{ nothing | default('x') }}", "||False|x"),
            ("{{ e or 'o' }} {{ y and 'v' }} {{ not y }} {{ 'i' if a == 2 }}", "o v False "),
            ("{{ (1,) }} {{ () }} {{ (1) }} {{ {'a': {'b': 3}}.a.b }}", "(1,) () 1 3"),
            (#"{{ "\x41\u00e9\n" 'b' "\d" }}"#, "Aé\nb\\d"),
            ("{{ -2 ** 2 }} {{ 10 - 3 - 2 }} {{ 2 * 'ab' }} {{ l + [4] }}", "4 5 abab [3, 1, 2, 4]"),
        ])
    func evaluates(_ source: String, _ expected: String) throws {
        #expect(try render(source) == expected)
    }

    @Test(
        "filters, tests and methods are those of Jinja and Python",
        arguments: [
            ("{{ d | tojson }} {{ [1.0, n, 'é<'] | tojson }}", #"{"k": "v", "items": 5} [1.0, null, "é<"]"#),
            (
                "{{ {'b': [], 'a': [1]} | tojson(indent=2, sort_keys=true) }}",
                "{\n  \"a\": [\n    1\n  ],\n  \"b\": []\n}"
            ),
            ("{{ l | sort }} {{ l | sort(reverse=true) | first }} {{ ['b', 'A'] | sort }}", "[1, 2, 3] 3 ['A', 'b']"),
            ("{{ m | selectattr('role', 'equalto', 'user') | map(attribute='n') | list }}", "[2]"),
            ("{{ m | map(attribute='role') | join(', ') }} {{ n | selectattr('x') | list }}", "user, assistant []"),
            ("{{ '  x ' | trim }}|{{ s | replace('l', 'L') | upper }}|{{ 'a-b c' | title }}", "x|HELLO WORLD|A-B C"),
            (
                "{{ 'a,b,c'.split(',', 1) }} {{ ' a  b '.split() }} {{ 'xxaxx'.strip('x') }}",
                "['a', 'b,c'] ['a', 'b'] a"
            ),
            ("{{ 2.5 | round }} {{ 3.7 | int }} {{ '3' | int + 1 }} {{ 'x' | int(5) }}", "2.0 3 4 5"),
            ("{{ '%s-%05.1f' | format('a', 2.25) }} {{ '{} {x}'.format(1, x=2) }}", "a-002.2 1 2"),
            (
                "{{ 4 is even }} {{ l is sequence }} {{ n is none }} {{ 9 is divisibleby 3 }} {{ a is not string }}",
                "True True True True True"
            ),
            ("{{ 'a\nb' | indent }}", "a\n    b"), ("{{ 'é😀' | length }} {{ l | sum }} {{ l | max }}", "2 6 3"),
            ("{{ strftime_now('%d %b %Y %H:%M:%S %A %-d %j') }}", "04 Mar 2025 05:09:06 Tuesday 4 063"),
        ])
    func filters(_ source: String, _ expected: String) throws {
        #expect(try render(source) == expected)
    }

    @Test(
        "statements keep to their scopes",
        arguments: [
            ("{% for i in l %}{{ loop.index }}{{ i }}{{ ',' if not loop.last }}{% endfor %}", "13,21,32"),
            ("{% for i in [] %}x{% else %}none{% endfor %}", "none"),
            (
                "{% for i in range(9) if i % 2 %}{% if i > 5 %}{% break %}{% endif %}{% if i == 3 %}{% continue %}{% endif %}{{ i }}{% endfor %}",
                "15"
            ),
            ("{% set v = 1 %}{% for i in [1, 2] %}{{ v }}{% set v = 5 %}{{ v }}{% endfor %}{{ v }}", "15151"),
            ("{% set ns = namespace(n=0) %}{% for i in l %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}", "6"),
            ("{% macro f(x, y='d') %}{{ x }}{{ y }}{% endmacro %}{{ f(1) }}{{ f(y=2, x=3) }}", "1d32"),
            ("{% macro o() %}[{{ caller(5) }}]{% endmacro %}{% call(q) o() %}{{ q }}{{ a }}{% endcall %}", "[51]"),
            (
                "{% set b %} x {% endset %}{{ b | trim }}{% filter upper %}y{% endfilter %}{% with z = 2 %}{{ z }}{% endwith %}",
                "xY2"
            ),
            ("{% set p, q2 = 1, 2 %}{{ p + q2 }}{% for k, v in d.items() %}{{ k }}{{ v }}{% endfor %}", "3kvitems5"),
            ("{% raw %}{{ x }}{% endraw %}{# gone #}{% generation %}g{% endgeneration %}", "{{ x }}g"),
            ("a\n  {% if y %}\n  b\n  {%- endif -%}\n\n c", "a\n  bc"),
            ("x  {{- 1 -}}  y {%+ if y %} z{% endif %}\n", "x1y  z"),
        ])
    func runs(_ source: String, _ expected: String) throws {
        #expect(try render(source) == expected)
    }

    @Test(
        "errors name the line and what is wrong",
        arguments: [
            ("\n\n{{ nothing.x }}", "template test: line 3: 'nothing' is undefined"),
            ("{{ 'a' + 1 }}", "a string and an integer"),
            ("{{ 1 / 0 }}", "division by zero"), ("{{ s | nonesuch }}", "'nonesuch'"),
            ("{{ s is nonesuch }}", "'nonesuch'"),
            ("{% include 'x' %}", "include"), ("{% if %}{% endif %}", "expected an expression"),
            ("{{ a", "expected }}"),
            ("a\n{% for x in l %}", "line 2"), ("{% endif %}", "'endif'"),
            ("{{ l.append(1) }}", "`append` would change a list"),
            ("{{ a ? }}", "unexpected character"), ("{{ ) }}", "bracket"),
            ("{% for x in l recursive %}{% endfor %}", "recursive"),
            ("{{ 9223372036854775807 + 1 }}", "too large"), ("{{ 99999999999999999999 }}", "too large"),
            ("{{ 'a }}", "does not end"),
            ("{% break %}", "outside of a loop"), ("{{ f(*l) }}", "not supported"),
            ("{{ d | tojson(indent=9999) }}", "indent"),
            ("{{ nothing | tojson }}", "'nothing' is undefined"), ("{# x", "does not end"), ("{% raw %}", "endraw"),
            ("{% set x.y = 1 %}", "no namespace"), ("{{ [] * -1 }}{{ l[1:2:0] }}", "zero"),
            ("{{ range(1, 2, 0) }}", "zero"),
            ("{{ nothing() }}", "'nothing' is undefined"), ("{{ (-9223372036854775807 - 1) // -1 }}", "too large"),
            ("{{ -(-9223372036854775807 - 1) }}", "too large"), ("{{ (-9223372036854775807 - 1) | abs }}", "too large"),
        ])
    func explains(_ source: String, _ expected: String) throws {
        let error = try #require(throws: TokenizerError.self) { try render(source) }
        #expect(error.description.contains(expected), "\(error)")
        #expect(!error.description.contains("\n"))
    }

    @Test("raise_exception gives just its message")
    func raises() throws {
        let error = try #require(throws: TokenizerError.self) { try render("{{ raise_exception('No ' ~ a) }}") }
        #expect(error.code == .raised)
        #expect(error.message == "No 1")
    }

    @Test(
        "what never ends or grows without bound is stopped",
        arguments: [
            "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
            "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
            "{% macro f(n) %}{{ g(n) }}{% endmacro %}{% macro g(n) %}{{ f(n) }}{% endmacro %}{{ f(1) }}",
            "{% set x = namespace(s='aaaaaaaa') %}{% for i in range(99) %}{% set x.s = x.s + x.s %}{% endfor %}",
            "{% set x = namespace(s=[1]) %}{% for i in range(99) %}{% set x.s = x.s + x.s %}{% endfor %}",
            "{% set x = namespace(s=[]) %}{% for i in range(99999) %}{% set x.s = [x.s] %}{% endfor %}",
            "{% set x = namespace(s=[1]) %}{% for i in range(60) %}{% set x.s = [x.s, x.s] %}{% endfor %}{{ x.s }}",
            "{% set x = namespace(s=[1]) %}{% for i in range(60) %}{% set x.s = [x.s, x.s] %}{% endfor %}{{ x.s | tojson }}",
            "{% set x = namespace(s=[1]) %}{% for i in range(60) %}{% set x.s = [x.s, x.s] %}{% endfor %}{{ x.s == x.s }}",
            "{{ 'a' * 9999999999 }}", "{{ [1] * 9999999999 }}", "{{ '%9999999999d' % 1 }}",
            "{{ 'x'.center(9999999999) }}",
            "{{ range(99999999999) }}", "{{ 'aaaa'.replace('', 'b' * 30000000) }}", "{{ 2 ** 99999999999 }}",
            "{% for i in range(99999) %}{{ 'a' * 1000 }}{% endfor %}",
            "{{ ('a' * 9000000 ~ 'b' * 9000000 ~ 'c' * 20000000) }}",
            "{{ [1, 2] | batch(99999999) | list }}", "{{ 'a' | indent('b' * 33554433) }}",
        ])
    func isBounded(_ source: String) throws {
        let error = try #require(throws: TokenizerError.self) { try render(source) }
        #expect(!error.description.contains("\n"))
    }

    @Test(
        "deep or endless sources are refused before they run",
        arguments: [
            String(repeating: "{{ (", count: 1) + String(repeating: "(", count: 100_000),
            "{{ " + String(repeating: "[", count: 100_000), "{{ " + String(repeating: "not ", count: 100_000) + "a }}",
            "{{ " + String(repeating: "-", count: 100_000) + "1 }}",
            "{{ a" + String(repeating: " + a", count: 100_000) + " }}",
            "{{ a" + String(repeating: ".a", count: 100_000) + " }}",
            "{{ a" + String(repeating: "|abs", count: 100_000) + " }}",
            String(repeating: "{% if a %}", count: 100_000), String(repeating: "{% for x in l %}", count: 100_000),
            "{{ a" + String(repeating: " if a else a", count: 100_000) + " }}",
            "{% set " + String(repeating: "(", count: 100_000), String(repeating: "x", count: 2_000_000),
            "{{ {" + String(repeating: "1: {", count: 100_000),
        ])
    func refusesDeepSources(_ source: String) throws {
        #expect(throws: TokenizerError.self) { try render(source) }
    }

    @Test("no prefix of a template and no change of a character makes it trap")
    func survivesMutations() throws {
        let source = try Fixtures.text("\(Fixtures.conformance)/chat_templates/im-tools.jinja")
        let scalars = Array(source.unicodeScalars)
        let replacements = Array("{}%#|.'()[]-+*\\\n \0é".unicodeScalars)
        var limits = TemplateLimits()
        limits.stepsMax = 20_000
        for place in scalars.indices {
            var changed = String.UnicodeScalarView(scalars[..<place])
            _ = try? render(String(changed), limits: limits)
            changed.append(replacements[place % replacements.count])
            changed.append(contentsOf: scalars[(place + 1)...])
            _ = try? render(String(changed), limits: limits)
        }
    }

    @Test("each built-in template renders a conversation", arguments: ChatTemplate.names)
    func rendersBuiltIn(_ name: String) throws {
        let template = try ChatTemplate.named(name)
        let messages = ["system", "user", "assistant", "user"].map { ChatMessage(role: $0, content: "<\($0) text>") }
        var tokens = JinjaMap()
        tokens["bos_token"] = .string("<s>")
        tokens["eos_token"] = .string("</s>")
        let prompt = try template.render(messages, tokenizer: nil, variables: tokens)
        for role in ["system", "user", "assistant"] { #expect(prompt.contains("<\(role) text>")) }
    }

    @Test("an unknown built-in template is refused with those that are known")
    func refusesUnknownNames() throws {
        let error = try #require(throws: TokenizerError.self) { try ChatTemplate.named("nonesuch") }
        #expect(error.description.contains("chatml"))
    }

    @Test(
        "times are read as ISO 8601",
        arguments: [
            ("2025-03-14T15:09:26", "2025-03-14 15:09:26"), ("2024-02-29", "2024-02-29 00:00:00"),
            ("2025-03-14 15:09Z", "2025-03-14 15:09:00"), ("2025-03-14T15:09:26.5+01:00", "2025-03-14 15:09:26"),
        ])
    func readsTimes(_ text: String, _ expected: String) throws {
        #expect(try #require(TemplateTime(iso8601: text)).formatted("%Y-%m-%d %H:%M:%S") == expected)
    }

    @Test(
        "what is no time is refused",
        arguments: ["", "now", "2025", "2025-13-01", "2025-01-01T25:00", "-1-1-1", "2025-1-1T"])
    func refusesTimes(_ text: String) { #expect(TemplateTime(iso8601: text) == nil) }
}
