import Basics
import Experiments

extension Experiment {
    /// The part of a long experiment that can be compared already: the arms that `isScored` with at
    /// least one seed, and the seeds with which all of these are.
    ///
    /// The description says what is missing, of `questions` too.
    /// - Throws: `Failure.missingInput` when there is nothing to compare, `Failure.configuration`
    ///   for a sweep, which is reported as a whole.
    public func part(
        of questions: [ScoreTable.Questions] = [],
        where isScored: (Arm, _ seed: UInt64) -> Bool
    ) throws -> Experiment {
        var part = self
        let scored = arms.map { arm in (arm: arm, seeds: seeds.filter { isScored(arm, $0) }) }
            .filter { !$0.seeds.isEmpty }
        guard !scored.isEmpty else { throw ScoreTable.nothingScored(self) }
        let isWhole = scored.count == arms.count && scored.allSatisfy { $0.seeds == seeds }
        guard grids.isEmpty || isWhole else {
            throw Failure(
                .configuration,
                file: file,
                at: "grid",
                "a sweep has no partial report of arms and seeds",
                remedy: "Sample what is missing: rsd-evaluate run \(file)"
            )
        }
        part.arms = scored.map(\.arm)
        part.otherArms += arms.filter { arm in !part.arms.contains { $0.name == arm.name } }
        part.seeds = seeds.filter { seed in scored.allSatisfy { $0.seeds.contains(seed) } }
        guard !part.arms.isEmpty, !part.seeds.isEmpty else {
            throw Failure(
                .missingInput,
                file: file,
                "there is no seed with which all scored arms have been scored: "
                    + "\(part.arms.map(\.name).joined(separator: ", "))",
                remedy: "rsd-evaluate run \(file) --seed \(seeds[0])"
            )
        }
        var missing: [String] = []
        let absent = arms.map(\.name).filter { name in !part.arms.contains { $0.name == name } }
        if !absent.isEmpty { missing.append("without \(absent.joined(separator: ", "))") }
        if part.seeds != seeds {
            func list(_ seeds: [UInt64]) -> String {
                seeds.map(String.init).joined(separator: ", ")
            }
            missing.append("with seed \(list(part.seeds)) of \(list(seeds))")
        }
        let asked = questions.filter { $0.total != nil }.map(\.extent)
        if !asked.isEmpty { missing.append("with \(asked.joined(separator: ", "))") }
        if !missing.isEmpty {
            let report = "Partial report: \(missing.joined(separator: "; "))."
            part.description = description.isEmpty ? report : "\(description) \(report)"
        }
        return part
    }
}

extension ScoreTable.Questions {
    /// "the first 10 of 40 questions of once"; for all: "all 40 questions of once".
    public var extent: String {
        total.map { "the first \(ids.count) of \($0) questions of \(benchmark)" }
            ?? "all \(ids.count) questions of \(benchmark)"
    }
}

extension ScoreTable {
    /// Refuses counts of a part of the questions, which a report must not show as the whole.
    ///
    /// - Throws: `Failure.missingInput` naming what was asked, and how to go on.
    public func checkWhole(_ experiment: Experiment) throws {
        let asked = questions.filter { $0.total != nil }
        guard !asked.isEmpty else { return }
        throw Failure(
            .missingInput,
            file: experiment.file,
            "samples are there of \(asked.map(\.extent).joined(separator: ", ")) alone",
            remedy:
                "Sample the rest: rsd-evaluate run \(experiment.file); or report what is there: "
                + "rsd-evaluate report \(experiment.file) --partial"
        )
    }

    /// What there is to say of an experiment without a finished job.
    public static func nothingScored(_ experiment: Experiment) -> Failure {
        Failure(
            .missingInput,
            file: experiment.file,
            "nothing has been scored yet: no arm's samples are finished",
            remedy: "Sample first: rsd-evaluate run \(experiment.file)"
        )
    }
}
