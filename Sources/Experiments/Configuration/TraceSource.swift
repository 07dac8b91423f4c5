import Records
import Basics

/// Traces that an arm takes from elsewhere instead of generating them.
public struct TraceSource: Sendable, Equatable {
    /// Where they come from.
    public enum Origin: Sendable, Equatable {
        /// A JSON Lines file of `problem`, `answer` and a text under `member`.
        case file(RecordFile, member: String)
        /// The solutions that the experiment's own problems bring with them, under `member`.
        case problems(member: String)
        /// What an arm of another experiment trains on: traces made for another student.
        case experiment(path: String, arm: String)
    }

    /// Where they come from.
    public var origin: Origin
    /// Text behind each trace, in which `{answer}` stands for the reference answer; nil for none.
    public var ending: String?

    init?(_ reader: ConfigurationReader) {
        defer { reader.finish() }
        ending = reader.optional("ending", "text", \.filled)
        switch (reader.has("path"), reader.has("problems"), reader.has("experiment")) {
        case (true, false, false):
            origin = .file(
                RecordFile(reader),
                member: reader.optional("member", "text", \.filled) ?? "trace"
            )
        case (false, true, false):
            let member = reader.optional("problems", "a member such as solution", \.filled)
            origin = .problems(member: member ?? "")
        case (false, false, true):
            if !reader.has("arm") { reader.missing("arm", "an arm of that experiment") }
            origin = .experiment(
                path: reader.filePath("experiment") ?? "",
                arm: reader.optional("arm", "text", \.filled) ?? ""
            )
        default:
            reader.report.add(reader.place, "expected one of path, problems and experiment")
            return nil
        }
    }

    /// The file, when it is one.
    public var file: RecordFile? {
        if case .file(let file, _) = origin { file } else { nil }
    }

    /// A trace with its ending.
    public func finished(_ trace: SelectedTrace) -> SelectedTrace {
        guard let ending else { return trace }
        var copy = trace
        copy.text += ending.replacing("{answer}", with: trace.answer)
        // The tokens are those of the text without it.
        copy.ids = nil
        copy.weights = nil
        return copy
    }

    /// The members that the traces depend on beside the contents of files.
    var json: JSON {
        var members: [(key: String, value: JSON)] =
            switch origin {
            case .file(let file, let member):
                [("choice", file.choice.json), ("member", .string(member))]
            case .problems(let member): [("problems", .string(member))]
            case .experiment(_, let arm): [("arm", .string(arm))]
            }
        if let ending { members.append(("ending", .string(ending))) }
        return .object(JSONObject(members))
    }

    /// As manifests record it.
    var merged: JSON {
        var members = json.object ?? JSONObject()
        switch origin {
        case .file(let file, _): members["path"] = .string(RunEnvironment.relative(file.path))
        case .experiment(let path, _):
            members["experiment"] = .string(RunEnvironment.relative(path))
        case .problems: break
        }
        return .object(members)
    }
}

/// How an arm's data are made as much as those of other arms.
public struct Matching: Sendable, Equatable {
    /// The arms to be compared with.
    public var arms: [String]
    /// Whether only problems count for which this arm and all of those have a trace.
    public var problems: Bool
    /// Whether only as many target tokens count as the smallest of them has.
    public var targetTokens: Bool

    init(_ reader: ConfigurationReader) {
        if !reader.has("arms") { reader.missing("arms", "a list of arms") }
        arms =
            reader.optional("arms", "a list of arms") { value in
                guard let items = value.array, !items.isEmpty else { return nil }
                let names = items.compactMap(\.filled)
                return names.count == items.count ? names : nil
            } ?? []
        problems = reader.bool("problems", default: false)
        targetTokens = reader.bool("targetTokens", default: true)
        if !problems && !targetTokens {
            reader.report.add(reader.place, "matches neither problems nor targetTokens")
        }
        reader.finish()
    }

    /// The members that the selection depends on.
    var json: JSON {
        [
            "arms": .array(arms.map { .string($0) }), "problems": .bool(problems),
            "targetTokens": .bool(targetTokens),
        ]
    }
}
