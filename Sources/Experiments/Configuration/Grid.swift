import Basics

/// A table of variants: each key of the experiment file with the values it takes.
///
/// One grid makes every combination of its values; several grids do not combine.
public struct Grid: Sendable {
    /// Its name.
    public var name: String
    /// Key paths such as `models.student.scratch.pretraining.steps`, with their values.
    public var axes: [(key: String, values: [JSON])]

    /// The most combinations of a grid: each is an experiment of its own.
    static let mostCombinations = 1000

    /// How many combinations there are; nil where that is no number of 64 bits.
    var count: Int? {
        axes.reduce(1) { partial, axis in
            guard
                let (product, isTooLarge) = partial?
                    .multipliedReportingOverflow(by: axis.values.count), !isTooLarge
            else { return nil }
            return product
        }
    }

    /// All combinations, the last axis changing fastest.
    var combinations: [[(key: String, value: JSON)]] {
        axes.reduce([[]]) { partial, axis in
            partial.flatMap { head in axis.values.map { head + [(axis.key, $0)] } }
        }
    }
}

extension Grid {
    /// The grids of an experiment file.
    static func readAll(_ root: ConfigurationReader) -> [Grid] {
        guard let grids = root.map("grid") else { return [] }
        let known = ["models", "problems", "generation", "selection", "training", "evaluation"]
        guard root.checkCount(grids.object.members.count, of: "grid") else { return [] }
        var total = 0
        return grids.object.members.compactMap { name, _ in
            guard let reader = grids.map(name) else { return nil }
            if !ValueKind<String>.isIdentifier(name) {
                root.report.add(reader.place, "found the name '\(name)'; expected letters, digits")
            }
            let axes = reader.object.members.compactMap { key, value -> (String, [JSON])? in
                guard known.contains(String(key.split(separator: ".").first ?? "")) else {
                    root.report.add(
                        reader.path(key),
                        "unknown key path; expected one that begins with "
                            + known.joined(separator: ", ")
                    )
                    return nil
                }
                guard let values = value.array, !values.isEmpty else {
                    root.report.add(reader.path(key), "found \(value.shown); expected a list")
                    return nil
                }
                return (key, values)
            }
            let grid = Grid(name: name, axes: axes)
            total += min(grid.count ?? .max, Grid.mostCombinations)
            guard let count = grid.count, count <= Grid.mostCombinations,
                total <= Grid.mostCombinations
            else {
                root.report.add(
                    reader.place,
                    "has \(grid.count.map(String.init) ?? "more than 2^63") combinations; expected "
                        + "at most \(Grid.mostCombinations), all grids together"
                )
                return nil
            }
            return grid
        }
    }
}
