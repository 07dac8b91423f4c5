import Basics
import Foundation
import Testing

@testable import Experiments

/// Experiment files that ask for more than any machine has, and spellings that should work.
@Suite struct ConfigurationLimitTests {
    /// Ten levels of aliases, each ten times the one before.
    static func laughs(_ last: String) -> String {
        (0..<10).map { level in
            let items = level == 0 ? "x" : "*a\(level - 1)"
            let list = [String](repeating: items, count: 10).joined(separator: ",")
            return "a\(level): &a\(level) [\(list)]"
        }.joined(separator: "\n") + "\n" + last
    }

    static let refused: [(name: String, text: String, expected: String)] = [
        (
            "aliases of aliases", laughs(""),
            "the file holds more than 200000 values, those that aliases stand for included; "
                + "expected fewer"
        ),
        ("aliases of aliases and one as a key", laughs("*a9 : x"), "more than 200000 values"),
        ("an alias as a key", "a: &a [x]\n*a : x", "a key is no text; expected a name"),
        ("an alias in a key", "a: &a [x]\n? [*a]\n: x", "a key is no text; expected a name"),
        (
            "deep nesting",
            "a: " + String(repeating: "[", count: 200)
                + String(repeating: "]", count: 200),
            "is nested deeper than 64 maps and lists; expected fewer"
        ),
        (
            "deeper than the reader goes", "a: " + String(repeating: "[", count: 100_000),
            "is not YAML: "
        ),
        ("an alias of itself", "a: &a [*a]", "is an alias of nothing before it"),
        ("a long text", "a: " + String(repeating: "x", count: 5_000_000), "has 5000003 bytes"),
    ]

    @Test(arguments: refused) func filesAreBounded(
        _ row: (name: String, text: String, expected: String)
    ) {
        let failure = #expect(throws: Failure.self) {
            try Experiment(text: row.text, file: "x.yaml")
        }
        #expect(failure?.kind == .configuration && failure?.file == "x.yaml", "\(row.name)")
        #expect(failure?.message.contains(row.expected) == true, "\(failure?.message ?? "")")
    }

    @Test func otherFormatsAreNamed() throws {
        let path = NSTemporaryDirectory() + "rsd-\(UUID().uuidString).yaml"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try TextFile.write(Data([0xFF, 0xFE, 0x61, 0]), to: path)
        let failure = #expect(throws: Failure.self) { try Experiment.read(path) }
        #expect(failure?.message == "is UTF-16 text; expected an experiment file, YAML in UTF-8")
        #expect(failure?.kind == .configuration)
    }

    @Test func aliasesStandForWhatTheyName() throws {
        let text = """
            a: &one {x: [1, 2]}
            b: [*one, &two "q*one", *two]
            c:
              - *one
              - text *one, &two
            d: {e: *two, f: "*one"}  # *one
            """
        let root = try ConfigurationFile(text: text, path: "x.yaml").root
        #expect(
            root.compact == #"{"a":{"x":[1,2]},"b":[{"x":[1,2]},"q*one","q*one"],"#
                + #""c":[{"x":[1,2]},"text *one, &two"],"d":{"e":"q*one","f":"*one"}}"#
        )
    }

    @Test func variablesWorkInFlowStyle() throws {
        let text = """
            a: {path: ${RSD_X}/y, other: ${RSD_X:-/z/w}/v}
            b: ${RSD_X}
            c: "${RSD_X}, ${"
            """
        let root = try ConfigurationFile(text: text, path: "x.yaml").root
        #expect(
            root.compact == #"{"a":{"path":"${RSD_X}/y","other":"${RSD_X:-/z/w}/v"},"#
                + #""b":"${RSD_X}","c":"${RSD_X}, ${"}"#
        )
    }

    @Test func aTildeIsTheUsersFolder() {
        #expect(EnvironmentExpansion.withHome("~/m.gguf") == "${HOME}/m.gguf")
        #expect(EnvironmentExpansion.withHome("~") == "${HOME}")
        #expect(EnvironmentExpansion.withHome("~x/m") == "~x/m")
        #expect(EnvironmentExpansion.withHome("a/~/m") == "a/~/m")
    }

    @Test func gridsAreBounded() {
        let values = "[" + (1...10).map { "0.0\($0)" }.joined(separator: ", ") + "]"
        let keys = ["learningRate", "finalLearningRate", "weightDecay", "beta1", "beta2", "clip"]
        let axes = keys.map { "    training.\($0): \(values)" }.joined(separator: "\n")
        let message = failureText { _ = try experiment(more: "grid:\n  g:\n\(axes)") }
        #expect(
            message.hasSuffix(
                "grid.g: has 1000000 combinations; expected at most 1000, all grids together"
            ),
            "\(message)"
        )
        let long = "[" + (1...1000).map(String.init).joined(separator: ",") + "]"
        let wide = (0..<30).map { "    training.k\($0): \(long)" }.joined(separator: "\n")
        #expect(
            failureText { _ = try experiment(more: "grid:\n  g:\n\(wide)") }
                .contains("grid.g: has more than 2^63 combinations")
        )
    }

    @Test func manyUnknownKeysAreReportedBriefly() {
        let keys = (0..<5_000).map { "key\($0): 1" }.joined(separator: "\n")
        let message = failureText { _ = try experiment(more: keys) }
        #expect(message.hasPrefix("78: small.yaml: 5000 mistakes\n  line 7: key0: unknown key"))
        #expect(message.hasSuffix("\n  and 4980 more"))
        let inner = "training:\n" + (0..<5_000).map { "  k\($0): 1\n" }.joined()
        #expect(failureText { _ = try experiment(more: inner) }.contains("5000 mistakes"))
    }

    @Test(arguments: [
        ("[]", "found an empty list; expected a list of whole numbers of at least 0"),
        ("[1, x]", "found a list of 1, 'x'; expected a list of whole numbers of at least 0"),
        (
            "[" + (0..<2000).map(String.init).joined(separator: ",") + "]",
            "found 2000 entries; expected at most 1000"
        ),
    ]) func seedsAreAFewNumbers(_ seeds: String, _ expected: String) {
        let text = experimentText().replacing("seeds: [1, 2]", with: "seeds: \(seeds)")
        let message = failureText { _ = try Experiment(text: text, file: "small.yaml") }
        #expect(message == "78: small.yaml: line 2: seeds: \(expected)")
    }
}
