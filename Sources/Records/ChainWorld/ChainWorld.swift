import Basics

/// A miniature world of arithmetic chains, in which the effect of the paper can be measured in
/// minutes.
///
/// A problem such as `7-5*4-8?` is evaluated from left to right modulo 10. Two styles of solution
/// exist: a terse one, the student's own, and a reflective one, the teacher's default. Problems are
/// split by a hash of their text: one in eight is reserved for benchmarks, so whatever is drawn for
/// training or pre-training never meets a benchmark.
public enum ChainWorld {
    /// Raised whenever the same seed would give other problems or other texts.
    public static let version = 1

    /// Text that closes every solution.
    public static let endOfTurn = "$"
    /// Text before the answer.
    public static let answerMarker = "#"
    /// The operators that a chain can hold.
    static let operators: [Character] = ["+", "-", "*"]
    /// The numbers of operations that the world knows.
    public static let operationRange = 2...6

    /// Which problems a draw may return.
    enum Pool {
        /// Training and pre-training.
        case training
        /// Benchmarks.
        case heldOut
    }

    /// A chain of operations.
    struct Chain: Hashable {
        /// One digit more than there are operators.
        var digits: [Int]
        var operators: [Character]

        /// The problem as the model reads it.
        var text: String {
            var text = "\(digits[0])"
            for (sign, digit) in zip(operators, digits.dropFirst()) { text += "\(sign)\(digit)" }
            return text + "?"
        }

        /// Which problems this one belongs to.
        var pool: Pool { RandomStream.itemKey(text) % 8 == 0 ? .heldOut : .training }

        /// Each operation with its operands and its result.
        var steps: [Step] {
            var value = digits[0]
            return zip(operators, digits.dropFirst()).map { sign, digit in
                let step = Step(left: value, sign: sign, right: digit)
                value = step.result
                return step
            }
        }

        /// The last value.
        var answer: Int { steps.last?.result ?? digits[0] }
    }

    /// One operation of a chain.
    struct Step {
        var left: Int
        var sign: Character
        var right: Int

        /// The value, 0 to 9.
        var result: Int {
            switch sign {
            case "+": (left + right) % 10
            case "-": (left - right + 10) % 10
            default: left * right % 10
            }
        }
    }

    /// Draws a chain of the given length from a pool.
    static func chain(operations: Int, pool: Pool, _ draws: inout Draws) -> Chain {
        while true {
            let chain = Chain(
                digits: (0...operations).map { _ in draws.integer(below: 10) },
                operators: (0..<operations).map { _ in
                    operators[draws.integer(below: operators.count)]
                }
            )
            if chain.pool == pool { return chain }
        }
    }

    /// Training problems, all different, their numbers of operations drawn evenly; each brings a
    /// solution in the terse style.
    ///
    /// Each of the numbers of operations is 2 to 6.
    ///
    /// - Throws: `Failure.configuration` when the world holds too few such problems.
    public static func trainingProblems(
        count: Int,
        operations: [Int],
        seed: UInt64
    ) throws -> ProblemSet {
        try problems(
            count: count,
            operations: operations,
            pool: .training,
            stream: RandomStream(seed: seed, name: "chain-problems"),
            prefix: "chain"
        )
    }

    /// A benchmark: held-out problems, all different; a larger one begins with the smaller ones.
    ///
    /// The name makes the problems' ids, such as `chain4-0007`. Benchmarks are compared across runs,
    /// so the seed is not the run's.
    ///
    /// - Throws: `Failure.configuration` when the world holds too few such problems.
    public static func benchmark(
        name: String,
        count: Int,
        operations: [Int],
        seed: UInt64 = 0
    ) throws -> ProblemSet {
        try problems(
            count: count,
            operations: operations,
            pool: .heldOut,
            stream: RandomStream(seed: seed, name: "chain-benchmark"),
            prefix: name
        )
    }

    private static func problems(
        count: Int,
        operations: [Int],
        pool: Pool,
        stream: RandomStream,
        prefix: String
    ) throws -> ProblemSet {
        precondition(
            !operations.isEmpty && operations.allSatisfy(operationRange.contains),
            "ChainWorld: operations \(operations); expected numbers in \(operationRange)"
        )
        var draws = Draws(stream, item: UInt64(operations.reduce(0) { $0 * 10 + $1 }))
        var seen: Set<Chain> = []
        var problems: [Problem] = []
        // Draws in a row seen before; at 500 about one problem in a hundred is left.
        var misses = 0
        while problems.count < count {
            let length = operations[draws.integer(below: operations.count)]
            let chain = chain(operations: length, pool: pool, &draws)
            guard seen.insert(chain).inserted else {
                misses += 1
                guard misses < 500 else {
                    throw Failure(
                        .configuration,
                        "found \(problems.count) different chains of \(operations) operations; "
                            + "expected \(count)",
                        remedy: "Lower the count or allow more operations."
                    )
                }
                continue
            }
            misses = 0
            let number = String(problems.count)
            let padding = String(repeating: "0", count: max(0, 4 - number.count))
            var extra = JSONObject([("operations", .integer(length))])
            if pool == .training { extra["solution"] = .string(terse(chain)) }
            problems.append(
                Problem(
                    id: "\(prefix)-\(padding)\(number)",
                    problem: chain.text,
                    answer: "\(chain.answer)",
                    extra: extra
                )
            )
        }
        return ProblemSet(problems)
    }
}

/// Draws one after the other from a random stream, for one item.
struct Draws {
    private let stream: RandomStream
    private let item: UInt64
    private var position = 0

    init(_ stream: RandomStream, item: UInt64) {
        self.stream = stream
        self.item = item
    }

    /// A number in [0, 1).
    mutating func uniform() -> Double {
        defer { position += 1 }
        return stream.uniform(item: item, attempt: 0, position: position, draw: 0)
    }

    /// A whole number in `0..<bound`.
    mutating func integer(below bound: Int) -> Int {
        min(Int(uniform() * Double(bound)), bound - 1)
    }

    /// One of the given values.
    mutating func element<T>(_ values: [T]) -> T { values[integer(below: values.count)] }
}
