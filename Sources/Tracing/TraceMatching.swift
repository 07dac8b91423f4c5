import Basics
import Experiments
import Kernels
import Records
import Tokenizers

/// Makes an arm's data as much as those of other arms: equal problems, equal target tokens.
///
/// Volumes are counted as training sees them, after its length limit. The budget is the smallest
/// volume of all arms concerned. Where problems are matched too, every trace stays and the loss
/// counts on as many of their tokens, drawn by seed; otherwise whole traces are drawn by seed until
/// the budget is reached, and of the last one the loss counts on the first tokens only.
struct TraceMatching {
    /// What is to be equal.
    let matching: Matching
    /// How problems are put to the student.
    let template: PromptSettings
    /// The student's.
    let tokenizer: Tokenizer

    /// A trace with its tokens, and how many of them are targets.
    private struct Item {
        var kept: ArmSelection.Kept
        var example: TrainingExample
    }

    /// The arm's selection, made as much as that of the others.
    ///
    /// Nothing is left where one of the arms has nothing, or no problem is common to all.
    ///
    /// - Throws: `Failure.badData` for a trace that the vocabulary cannot spell.
    func apply(to own: ArmSelection, others: [ArmSelection]) throws -> ArmSelection {
        var result = own
        result.isComplete = own.isComplete && others.allSatisfy(\.isComplete)
        guard !own.kept.isEmpty else { return result }
        if let other = others.first(where: \.kept.isEmpty) {
            result.obstacle =
                "it is matched with arm '\(other.arm.name)', which has nothing to train on"
            result.kept = []
            return result
        }
        var all = try ([own] + others).map { try fitted($0) }
        if matching.problems {
            let ids = all.map { Set($0.map { Array($0.kept.selected.id.utf8) }) }
            let common = ids.dropFirst().reduce(ids[0]) { $0.intersection($1) }
            guard !common.isEmpty else {
                result.obstacle =
                    "there is no problem for which all of "
                    + ([own] + others).map(\.arm.name).joined(separator: ", ") + " have a trace"
                result.kept = []
                return result
            }
            all = all.map { $0.filter { common.contains(Array($0.kept.selected.id.utf8)) } }
        }
        var items = all[0]
        if matching.targetTokens {
            let volumes = all.map { $0.reduce(0) { $0 + $1.example.targetCount } }
            let budget = volumes.min() ?? 0
            if volumes[0] > budget {
                let stream = RandomStream(seed: own.seed, name: "match/\(own.arm.name)")
                items =
                    matching.problems
                    ? thinned(items, to: budget, of: volumes[0], stream)
                    : drawn(items, to: budget, stream)
            }
        }
        result.kept = items.map(\.kept)
        if result.kept.isEmpty { result.obstacle = "no trace is left after the match" }
        return result
    }

    /// The traces that training would use, with their tokens.
    private func fitted(_ selection: ArmSelection) throws -> [Item] {
        let training = selection.arm.training
        return try selection.kept.compactMap { kept in
            let whole = try template.example(kept.selected, with: tokenizer)
            // Under `error` the limit is left to training, which names the trace.
            let set = try? TrainingSet(
                [whole],
                maxLength: training.overlong == .error ? .max : training.maxLength,
                overlong: training.overlong
            )
            guard let example = set?.examples.first else { return nil }
            var item = Item(kept: kept, example: example)
            let prompt = example.promptCount
            item.kept.selected.ids = Array(example.ids.dropFirst(prompt))
            item.kept.selected.weights = Array(example.weights.dropFirst(prompt))
            if example.ids.count < whole.ids.count {
                item.kept.selected.isComplete = false
                item.kept.selected.text = tokenizer.text(
                    of: example.ids.dropFirst(prompt),
                    skipSpecial: true
                )
            }
            return item
        }
    }

    /// All traces, with the loss on `budget` of their target tokens.
    private func thinned(_ items: [Item], to budget: Int, of volume: Int, _ stream: RandomStream)
        -> [Item]
    {
        let counts = Set(stream.permutation(count: volume, item: 0).prefix(budget))
        var number = 0
        return items.map { item in
            reweighted(item) {
                defer { number += 1 }
                return counts.contains(number)
            }
        }
    }

    /// Traces drawn until their target tokens reach `budget`, in their old order.
    private func drawn(_ items: [Item], to budget: Int, _ stream: RandomStream) -> [Item] {
        var left = budget
        var chosen: [(index: Int, item: Item)] = []
        for index in stream.permutation(count: items.count, item: 0) where left > 0 {
            let item = items[index]
            var room = left
            left -= min(left, item.example.targetCount)
            chosen.append(
                (
                    index,
                    reweighted(item) {
                        room -= 1
                        return room >= 0
                    }
                )
            )
        }
        return chosen.sorted { $0.index < $1.index }.map(\.item)
    }

    /// The trace with the loss only on those target tokens that are kept, asked in order.
    private func reweighted(_ item: Item, _ keeps: () -> Bool) -> Item {
        var copy = item
        copy.kept.selected.weights = item.kept.selected.weights?.map { weight in
            weight > 0 && !keeps() ? 0 : weight
        }
        return copy
    }
}
