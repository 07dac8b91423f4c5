import Basics

extension ChainWorld {
    /// A manner of writing a solution.
    public enum Style: String, Sendable, CaseIterable {
        /// `7-5=2, 2*4=8, 8-8=0, #0$`
        case terse
        /// `Okay let us start. 7 minus 5 gives 2. Wait let us check 7-5=2 yes. ...`
        case reflective
    }

    /// One pre-training text.
    public struct Lesson: Sendable, Equatable {
        /// The problem, such as `7-5*4-8?`.
        public var problem: String
        /// The solution without the end-of-turn token.
        public var solution: String
        /// The manner in which the solution is written.
        public var style: Style
    }

    /// Which lessons a model is pre-trained on: an unlimited stream without benchmark problems.
    public struct Curriculum: Sendable {
        /// The share of lessons in the reflective style, 0 to 1; the others are terse.
        public var reflectiveShare: Double
        /// Numbers of operations, drawn evenly.
        public var operations: [Int]
        private let stream: RandomStream

        /// Describes a stream of lessons.
        ///
        /// - Precondition: The share is in 0...1, the numbers of operations in 2...6.
        public init(
            reflectiveShare: Double,
            operations: [Int] = Array(ChainWorld.operationRange),
            seed: UInt64
        ) {
            precondition(
                (0...1).contains(reflectiveShare) && !operations.isEmpty
                    && operations.allSatisfy(ChainWorld.operationRange.contains),
                "Curriculum: share \(reflectiveShare), operations \(operations)"
            )
            self.reflectiveShare = reflectiveShare
            self.operations = operations
            stream = RandomStream(seed: seed, name: "chain-lessons")
        }

        /// The lesson at a place of the stream, whatever was asked for before.
        ///
        /// `step` is the optimizer step and `index` the place in its batch, less than 2^20.
        public func lesson(step: Int, index: Int) -> Lesson {
            var draws = Draws(stream, item: UInt64(step) << 20 | UInt64(index))
            let length = draws.element(operations)
            let style: Style = draws.uniform() < reflectiveShare ? .reflective : .terse
            let chain = ChainWorld.chain(operations: length, pool: .training, &draws)
            return Lesson(
                problem: chain.text,
                solution: ChainWorld.solution(chain, style, &draws),
                style: style
            )
        }
    }

    /// Writes a solution; the wording of the reflective style varies with the draws.
    static func solution(_ chain: Chain, _ style: Style, _ draws: inout Draws) -> String {
        switch style {
        case .terse: terse(chain)
        case .reflective: reflective(chain, &draws)
        }
    }

    private static func equation(_ step: Step) -> String {
        "\(step.left)\(step.sign)\(step.right)=\(step.result)"
    }

    static func terse(_ chain: Chain) -> String {
        chain.steps.map { equation($0) + ", " }.joined() + "\(answerMarker)\(chain.answer)"
    }

    private static func reflective(_ chain: Chain, _ draws: inout Draws) -> String {
        var text = draws.element(["Okay ", "Alright ", "Hmm "]) + "let us "
        text += draws.element(["start. ", "see. ", "think. "])
        for (index, step) in chain.steps.enumerated() {
            if index > 0 { text += draws.element(["then ", "next ", "now "]) }
            let sign =
                switch step.sign {
                case "+": " plus "
                case "-": " minus "
                default: " times "
                }
            let verb = draws.element([" gives ", " makes "])
            text += "\(step.left)\(sign)\(step.right)\(verb)\(step.result). "
            // The first operation is always checked: reflection is this style's habit.
            if index == 0 || draws.uniform() < 0.4 {
                text += draws.element(["Wait ", "Hmm "]) + "let us "
                text += draws.element(["check ", "verify "]) + "\(equation(step)) yes. "
            }
        }
        text += draws.element(["So ", "Thus "]) + "the "
        return text + draws.element(["answer ", "result "]) + "is \(answerMarker)\(chain.answer)"
    }

    /// The tokens of the world, in the order of their ids: digits and signs alone, whole words with
    /// their spaces.
    ///
    /// Cutting a text greedily, longest word first, covers every problem and solution.
    public static let words: [String] =
        (0...9).map { "\($0)" } + ["+", "-", "*", "?", "=", ", ", ". ", answerMarker, endOfTurn]
        + [" plus ", " minus ", " times ", " gives ", " makes ", " yes"]
        + ["Okay ", "Alright ", "Hmm ", "let ", "us ", "start", "see", "think", "Wait "]
        + ["check ", "verify ", "then ", "next ", "now ", "So ", "Thus ", "the ", "answer "]
        + ["result ", "is "]

    /// Cuts a text into the world's words, the longest that fits first.
    ///
    /// - Returns: Indices into `words`, or nil where no word fits.
    public static func tokens(_ text: String) -> [Int32]? {
        var rest = Array(text.utf8)[...]
        var ids: [Int32] = []
        while !rest.isEmpty {
            guard
                let id = wordsByLength.first(where: { rest.starts(with: $0.bytes) })
            else { return nil }
            ids.append(id.id)
            rest = rest.dropFirst(id.bytes.count)
        }
        return ids
    }

    private static let wordsByLength: [(id: Int32, bytes: [UInt8])] =
        words.enumerated().map { (id: Int32($0.offset), bytes: Array($0.element.utf8)) }
        .sorted { $0.bytes.count > $1.bytes.count }
}
