import Basics

/// The optimizer steps after which a student is scored, besides the end of its training.
public enum ScoredSteps: Sendable, Equatable {
    /// These, in ascending order.
    case listed([Int])
    /// Every so many steps.
    case every(Int)

    /// Those before the end of a training of so many steps; at its end the trained student is scored
    /// anyway.
    public func steps(before end: Int) -> [Int] {
        switch self {
        case .listed(let steps): steps.filter { $0 < end }
        case .every(let interval): Array(stride(from: interval, to: end, by: interval))
        }
    }
}

extension ValueKind where Value == ScoredSteps {
    private static var most: Int { 100_000_000 }

    /// A list of steps, or one number for an interval.
    static var steps: Self {
        ValueKind(
            "a list of different whole numbers of at least 1, or one such number for an interval",
            parse: { json in
                if let interval = json.integer {
                    return (1...most).contains(interval) ? .every(interval) : nil
                }
                guard let items = json.array, items.count <= longestList else { return nil }
                let steps = items.compactMap(\.integer).filter((1...most).contains)
                guard steps.count == items.count, Set(steps).count == steps.count else {
                    return nil
                }
                return .listed(steps.sorted())
            },
            json: { steps in
                switch steps {
                case .listed(let steps): .integers(steps)
                case .every(let interval): .integer(interval)
                }
            }
        )
    }
}

extension Experiment {
    /// The steps at which an arm's student is scored on the way; nil for none.
    public func scoredSteps(of arm: Arm) -> ScoredSteps? {
        arm.kind == .base || !arm.isScored ? nil : arm.atSteps ?? evaluation.atSteps
    }
}
