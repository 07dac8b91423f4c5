import Basics
import Foundation
import Testing

@testable import ChatTemplates

/// A file of Fixtures, made by Tools/chat_template_fixtures.py.
private func fixture(_ name: String) throws -> JSON {
    let url = try #require(Bundle.module.url(forResource: "Fixtures/\(name)", withExtension: nil))
    return try TextFile.readJSON(url.path(percentEncoded: false))
}

@Suite struct ChatTemplateTests {
    /// Templates with the structure of those of published models, as transformers renders them.
    @Test func rendersAsTransformersDoes() throws {
        let fixture = try fixture("renderings.json")
        let date = try #require(TemplateDate(fixture.string("today")))
        let conversations = try fixture.array("conversations")
        let templates = try #require(fixture["templates"]?.object).members
        var compared = 0
        for (name, template) in templates {
            let folder = try #require(
                Bundle.module.url(forResource: "Fixtures/templates/\(name)", withExtension: "jinja")
            )
            let text = try TextFile.read(folder.path(percentEncoded: false))
            let chat = try ChatTemplate(String(decoding: text, as: UTF8.self))
            let expected = try template.array("rendered")
            for (conversation, expected) in zip(conversations, expected) {
                let messages = try conversation.array("messages").map {
                    ChatMessage(role: try $0.string("role"), content: try $0.string("content"))
                }
                var options = ChatTemplate.Options()
                options.addsGenerationPrompt = conversation["add_generation_prompt"]?.bool ?? true
                options.enablesThinking = conversation["enable_thinking"]?.bool
                options.bosToken = template["bos_token"]?.string
                options.eosToken = template["eos_token"]?.string
                options.date = date
                let place = "\(name), \(try conversation.string("name"))"
                compared += 1
                guard let expected = expected.string else {
                    #expect(throws: Failure.self, "\(place)") { try chat.render(messages, options) }
                    continue
                }
                let spans = try chat.render(messages, options)
                let rendered = spans.map(\.text).joined()
                let isSame = rendered.utf8.elementsEqual(expected.utf8)
                #expect(
                    isSame,
                    "\(place): \(rendered.debugDescription)\n\(expected.debugDescription)"
                )
                // What is said stands in the conversation, though perhaps cut or trimmed.
                if name != "all-of-it" {
                    for span in spans where span.isFromMessage {
                        let isSaid = messages.contains { $0.content.contains(span.text) }
                        #expect(isSaid || name == "smollm3", "\(place): \(span.text)")
                    }
                }
            }
        }
        #expect(templates.count >= 25 && compared >= 10 * templates.count)
    }

    /// Snippets of the language, as the environment of transformers evaluates them.
    @Test func speaksTheLanguage() throws {
        let fixture = try fixture("language.json")
        let date = try #require(TemplateDate(fixture.string("today")))
        let context = try #require(fixture["context"]?.object).members
        let variables = context.map { ($0.key, TemplateValue($0.value)) }
        for json in try fixture.array("cases") {
            let template = try json.string("template")
            let rendered = Result {
                let evaluator = TemplateEvaluator(
                    work: 1_000_000,
                    date: date,
                    variables: Dictionary(uniqueKeysWithValues: variables)
                )
                try evaluator.run(TemplateParser.statements(of: template))
                return TemplateText(evaluator.output).string
            }
            switch (rendered, json["rendered"]?.string) {
            case (.success(let ours), let theirs?):
                let isSame = ours.utf8.elementsEqual(theirs.utf8)
                #expect(isSame, "\(template)\n\(ours.debugDescription)\n\(theirs.debugDescription)")
            case (.success(let ours), nil):
                Issue.record("\(template) is rendered as \(ours.debugDescription), not refused")
            case (.failure(let error), let theirs):
                #expect(theirs == nil && error is Failure, "\(template): \(error)")
            }
        }
    }
}

extension TemplateValue {
    fileprivate init(_ json: JSON) {
        switch json {
        case .null: self = .null
        case .bool(let value): self = .bool(value)
        case .integer(let value): self = .integer(value)
        case .number(let value): self = .number(value)
        case .string(let value): self = .text(value)
        case .array(let items): self = .list(TemplateList(items.map(TemplateValue.init)))
        case .object(let object):
            var map = TemplateMap()
            for (key, value) in object.members { map.set(.text(key), TemplateValue(value)) }
            self = .map(map)
        }
    }
}

/// What is not supported, and what takes too much, is refused with its line.
@Suite struct ChatTemplateRefusalTests {
    private static func refusal(_ template: String) throws -> String {
        var message = "nothing"
        do {
            _ = try ChatTemplate(template).render([ChatMessage(role: "user", content: "Hello")])
        } catch let failure as Failure { message = failure.description }
        return message
    }

    @Test(arguments: [
        ("a\n{% include 'x' %}", "line 2: unknown statement 'include'"),
        ("{% do x %}", "line 1: unknown statement 'do'"),
        ("\n\n{{ 1 | urlize }}", "line 3: unknown filter 'urlize'"),
        ("{{ 1 is pretty }}", "line 1: unknown test 'pretty'"),
        ("{{ messages[0].content.encode() }}", "line 1: 'encode' is not there to be called"),
        ("{{ lipsum() }}", "line 1: 'lipsum' is not there to be called"),
        ("{% for x in y recursive %}{% endfor %}", "line 1: recursive loops are not supported"),
        ("{{ f(*x) }}", "line 1: arguments spread by '*' are not supported"),
        ("{{ '%d' % 1 }}", "line 1: formatting by '%' is not supported"),
        ("{% if x %}\n\n", "line 2: the template ends; expected 'elif' or 'else' or 'endif'"),
        ("{{ x", "line 1: a tag that no '}}' ends"),
        ("{{ 1\n+\n$ }}", "line 3: '$' is no part of an expression"),
        ("{% endfor %}", "line 1: unknown statement 'endfor'"),
        ("{{ messages.append(1) }}", "line 1: 'append' would change a value"),
        ("{{ strftime_now('%Q') }}", "line 1: unknown part of a date: '%Q'"),
        ("{{ raise_exception('no system') }}", "refuses the conversation: no system"),
    ])
    func saysTheLine(_ template: String, _ message: String) throws {
        let refusal = try Self.refusal(template)
        #expect(refusal.contains(message), "\(refusal)")
    }

    /// Each would take for ever, or all memory, or the stack.
    @Test(arguments: [
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{{ 'a' * 1000000000000 }}", "{{ [0] * 9223372036854775807 }}",
        "{{ range(1000000000) }}", "{{ range(9223372036854775807) }}",
        "{{ 'x' | indent(99999999) }}",
        "{% set n = namespace(s='ab') %}{% for i in range(99) %}{% set n.s = n.s + n.s %}{% endfor %}",
        "{% set n = namespace(s=[1]) %}{% for i in range(99) %}{% set n.s = n.s + n.s %}{% endfor %}",
        "{% set n = namespace(s=[]) %}{% for i in range(9999) %}{% set n.s = [n.s] %}{% endfor %}",
        """
        {% set n = namespace(s=[1]) %}{% for i in range(60) %}{% set n.s = [n.s, n.s] %}{% endfor %}\
        {{ n.s == n.s }}
        """,
        """
        {% set n = namespace(s=[1]) %}{% for i in range(60) %}{% set n.s = [n.s, n.s] %}{% endfor %}\
        {{ n.s | tojson }}
        """,
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{% macro f() %}{{ f() ~ f() }}{% endmacro %}{{ f() }}",
        "{{ " + String(repeating: "(", count: 5000) + "1" + String(repeating: ")", count: 5000)
            + " }}",
        "{{ 1" + String(repeating: " + 1", count: 5000) + " }}",
        "{{ x" + String(repeating: ".x", count: 5000) + " }}",
        "{{ " + String(repeating: "not ", count: 5000) + "1 }}",
        "{{ " + String(repeating: "-", count: 5000) + "1 }}",
        String(repeating: "{% if 1 %}", count: 5000)
            + String(repeating: "{% endif %}", count: 5000),
        "{{ 9223372036854775807 + 1 }}", "{{ 2 ** 99 }}", "{{ -9223372036854775807 - 2 }}",
    ])
    func boundsTheWork(_ template: String) throws {
        let clock = ContinuousClock()
        let time = try clock.measure {
            let refusal = try Self.refusal(template)
            #expect(refusal.hasPrefix("line 1: "), "\(template.prefix(100)): \(refusal)")
        }
        #expect(time < .seconds(30), "\(template.prefix(100)): \(time)")
    }

    /// Namespaces that hold each other are let go, in a chain too long for the stack as well.
    @Test func letsGoOfChains() throws {
        let chain = """
            {% set n = namespace(p=none) %}{% set n.me = n %}\
            {% for i in range(90000) %}{% set n.p = namespace(p=n.p) %}{% endfor %}done
            """
        let spans = try ChatTemplate(chain).render([])
        #expect(spans == [ChatSpan("done", isFromMessage: false)])
    }
}

/// What somebody said stays told from the template's words, whatever the template does to it.
@Suite struct ChatSpanTests {
    private static func spans(_ template: String, _ content: String) throws -> String {
        try ChatTemplate(template).render([ChatMessage(role: "user", content: content)])
            .map { $0.isFromMessage ? "⟦\($0.text)⟧" : $0.text }.joined()
    }

    @Test(arguments: [
        ("<s>{{ messages[0].content | trim }}</s>", " <s> ", "<s>⟦<s>⟧</s>"),
        ("{{ messages[0]['content'].replace('b', '<s>') }}", "abc", "⟦a⟧<s>⟦c⟧"),
        ("{{ messages[0].content.split('|')[-1] | upper }}", "a|<b>", "⟦<B>⟧"),
        ("{{ messages[0].content | tojson }}", "\"\n", "\"⟦\\\"\\n⟧\""),
        ("{{ 'x' ~ messages[0].content[::-1] }}", "ab", "x⟦ba⟧"),
        ("{{ messages | map(attribute='content') | join(', ') }}", "ab", "⟦ab⟧"),
        ("{% set c %}<{{ messages[0].content }}>{% endset %}{{ c | lower }}", "AB", "<⟦ab⟧>"),
        ("{% macro m(x) %}[{{ x }}]{% endmacro %}{{ m(messages[0].content) }}", "a", "[⟦a⟧]"),
        ("{{ messages[0].content | length }}{{ messages[0].role }}", "abc", "3user"),
        ("{{ 'same' if messages[0].content == '<s>' }}", "<s>", "same"),
        ("{{ messages[0] }}", "it", "{'role': 'user', 'content': '⟦it⟧'}"),
    ])
    func keepsWhereTextCameFrom(_ template: String, _ content: String, _ expected: String) throws {
        #expect(try Self.spans(template, content) == expected)
    }

    @Test func tellsTheDate() throws {
        var options = ChatTemplate.Options()
        options.date = try #require(TemplateDate("2024-02-29"))
        let template = try ChatTemplate("{{ strftime_now('%A %d %B %Y, day %j') }}")
        let text = try template.render([], options).map(\.text).joined()
        #expect(text == "Thursday 29 February 2024, day 060")
        for wrong in ["2023-02-29", "2024-13-01", "2024-1-1", "today", "2024-00-10", "2024-01-32"] {
            #expect(TemplateDate(wrong) == nil)
        }
    }
}
