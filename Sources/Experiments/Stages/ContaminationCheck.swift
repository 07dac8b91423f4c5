import Basics
import Foundation
import Records

/// Looks for what an experiment's arms train on in its benchmarks, as far as both are files.
///
/// Problems of the miniature world need no look: its draws for training never meet a benchmark.
public struct ContaminationCheck {
    /// What one file and one benchmark have in common.
    public struct Finding: Sendable, Equatable {
        /// The file that arms train on, and the arms.
        public var file: String
        /// The arms.
        public var arms: [String]
        /// The benchmark's name.
        public var benchmark: String
        /// How many problems or traces of the file were looked for.
        public var count: Int
        /// Ids in the file of those that are in the benchmark word for word.
        public var exact: [String] = []
        /// Ids in the file of those that are nearly in it.
        public var near: [String] = []

        /// `limo.jsonl (arms direct, masked) in math500: 5 word for word, 1 nearly, of 291`.
        public var text: String {
            let place = "\(RunEnvironment.relative(file)) (\(armText)) in \(benchmark)"
            guard !exact.isEmpty || !near.isEmpty else { return "\(place): none of \(count)" }
            return "\(place): \(exact.count) word for word, \(near.count) nearly, of \(count)"
        }

        /// One warning for equal texts and one for near ones, with the first ids.
        public var warnings: [String] {
            [("word for word", exact), ("nearly", near)].compactMap { kind, ids in
                guard !ids.isEmpty else { return nil }
                let listed =
                    ids.prefix(10).joined(separator: ", ") + (ids.count > 10 ? ", ..." : "")
                return "\(ids.count) of \(count) records of \(file) (\(armText)) are \(kind) in "
                    + "\(benchmark): \(listed)"
            }
        }

        private var armText: String {
            (arms.count == 1 ? "arm " : "arms ") + arms.joined(separator: ", ")
        }
    }

    private let experiments: [Experiment]

    /// Looks at the variants of an experiment.
    public init(_ experiments: [Experiment]) { self.experiments = experiments }

    /// Compares each file that arms train on with each benchmark once.
    ///
    /// Files that are not there yet are passed over.
    ///
    /// - Throws: `Failure` for a malformed file.
    public func findings() throws -> [Finding] {
        var findings: [Finding] = []
        var seen: Set<String> = []
        for experiment in experiments where experiment.contamination != .ignore {
            let benchmarks = experiment.benchmarks.filter { benchmark in
                benchmark.source.file.map { Self.exists($0.path) } ?? false
            }
            guard !benchmarks.isEmpty else { continue }
            let materials = try Self.materials(experiment)
            for benchmark in benchmarks {
                let wanted = materials.filter { material in
                    seen.insert("\(material.source) \(material.arms) \(benchmark)").inserted
                }
                guard !wanted.isEmpty else { continue }
                let problems = try benchmark.problems().problems
                let check = Contamination(problems.map { ($0.id, $0.problem) })
                for material in wanted {
                    let entries = try material.source.entries()
                    let overlaps = check.overlaps(of: entries)
                    let ids = { (isExact: Bool) in
                        overlaps.compactMap { $0.first }.filter { $0.isExact == isExact }.map(\.id)
                    }
                    findings.append(
                        Finding(
                            file: material.source.file.path,
                            arms: material.arms,
                            benchmark: benchmark.name,
                            count: entries.count,
                            exact: ids(true),
                            near: ids(false)
                        )
                    )
                }
            }
        }
        return findings
    }

    /// Warns of what is found.
    ///
    /// - Throws: `Failure.badData` for an overlap word for word where the experiment refuses those,
    ///   and what reading the files throws.
    public func run(
        warn: (String) -> Void = StandardError.write(line:)
    ) throws {
        let isRefused = experiments.contains { $0.contamination == .refuse }
        for finding in try findings() {
            if isRefused, !finding.exact.isEmpty {
                throw Failure(
                    .badData,
                    file: finding.file,
                    finding.warnings[0],
                    remedy: "Leave them out of the file, or set contamination: warn."
                )
            }
            for warning in finding.warnings { warn("warning: \(warning)") }
        }
    }
}

extension ContaminationCheck {
    /// A file that arms train on, or make traces for.
    private struct Source: Equatable {
        var file: RecordFile
        /// The member that holds traces; nil for a file of problems.
        var member: String?

        func entries() throws -> [Contamination.Entry] {
            guard let member else {
                return try file.problems().problems.map { ($0.id, $0.problem) }
            }
            return try SelectedTrace.readExternal(
                file.path,
                member: member,
                choosing: file.choice
            ).map { ($0.id, $0.problem) }
        }
    }

    /// The files behind an experiment's arms that are there, each once with its arms.
    private static func materials(_ experiment: Experiment) throws -> [(
        source: Source, arms: [String]
    )] {
        var materials: [(source: Source, arms: [String])] = []
        for arm in experiment.contributors where arm.kind != .base {
            guard let source = try source(of: arm, in: experiment), exists(source.file.path)
            else { continue }
            if let index = materials.firstIndex(where: { $0.source == source }) {
                materials[index].arms.append(arm.name)
            } else {
                materials.append((source, [arm.name]))
            }
        }
        return materials
    }

    private static func source(of arm: Arm, in experiment: Experiment) throws -> Source? {
        switch arm.traces?.origin {
        case .file(let file, let member)?: return Source(file: file, member: member)
        case .problems?, nil: return experiment.problems?.file.map { Source(file: $0) }
        case .experiment(let path, let name)?:
            guard exists(path) else { return nil }
            let other = try Experiment.read(path)
            let lender = try other.arm(name)
            if case .experiment? = lender.traces?.origin { return nil }
            return try source(of: lender, in: other)
        }
    }

    private static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: path)
    }
}
