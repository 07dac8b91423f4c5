import Experiments
import Files

extension Experiment {
    /// The part of a long experiment that can be compared already: the arms that `isScored` with at
    /// least one seed, and the seeds with which all of these are.
    ///
    /// The description says what is missing.
    /// - Throws: `Failure.missingInput` when there is nothing to compare, `Failure.configuration`
    ///   for a sweep, which is reported as a whole.
    func part(where isScored: (Arm, _ seed: UInt64) -> Bool) throws -> Experiment {
        guard grids.isEmpty else {
            throw Failure(.configuration, file: file, at: "grid", "a sweep has no partial report")
        }
        var part = self
        let scored = arms.map { arm in (arm: arm, seeds: seeds.filter { isScored(arm, $0) }) }
            .filter { !$0.seeds.isEmpty }
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
        if !missing.isEmpty {
            let report = "Partial report: \(missing.joined(separator: "; "))."
            part.description = description.isEmpty ? report : "\(description) \(report)"
        }
        return part
    }
}
