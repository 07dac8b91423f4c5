import Basics
import Records

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
        ending = TraceEnding().reading(reader, alone: false).text
        switch (reader.has("path"), reader.has("problems"), reader.has("experiment")) {
        case (true, false, false):
            let traces = TraceFileKeys().reading(reader, alone: false)
            origin = .file(traces.file, member: traces.member)
        case (false, true, false):
            origin = .problems(member: SolutionKeys().reading(reader, alone: false).member)
        case (false, false, true):
            let traces = OtherExperimentKeys().reading(reader, alone: false)
            origin = .experiment(path: traces.path, arm: traces.arm)
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
        let members =
            switch origin {
            case .file(let file, let member): TraceFileKeys(file: file, member: member).members
            case .problems(let member): SolutionKeys(member: member).members
            case .experiment(let path, let arm): OtherExperimentKeys(path: path, arm: arm).members
            }
        return .object(JSONObject(members.members + TraceEnding(text: ending).members.members))
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

/// The key that every source of traces has.
struct TraceEnding: ConfigurationSection {
    var text: String?

    static let keys: [Key<Self>] = [
        Key(
            "ending",
            \.text,
            .optional(.filled()),
            "Text behind each trace, in which {answer} stands for the reference answer."
        )
    ]
}

/// The keys of traces in a file.
struct TraceFileKeys: ConfigurationSection {
    var file = RecordFile()
    var member = "trace"

    static let keys: [Key<Self>] = [
        .keys(of: \.file),
        Key("member", \.member, .filled(), "The member of a record that holds the trace."),
    ]
}

/// The key of solutions that problems bring with them.
struct SolutionKeys: ConfigurationSection {
    var member = ""

    static let keys: [Key<Self>] = [
        Key(
            "problems",
            \.member,
            .filled("a member such as solution"),
            isRequired: true,
            "The member of the experiment's own problems that holds a solution."
        )
    ]
}

/// The keys of traces that were made for another student.
struct OtherExperimentKeys: ConfigurationSection {
    var path = ""
    var arm = ""

    static let keys: [Key<Self>] = [
        Key(
            "arm",
            \.arm,
            .filled(missing: "an arm of that experiment"),
            isRequired: true,
            "The arm whose selected traces are taken."
        ),
        Key(
            "experiment",
            \.path,
            .path(),
            influence: .indirect,
            shown: "required",
            "Another experiment's file."
        ),
    ]
}
