/// How much two models have in common in what they can say, special tokens aside.
public struct VocabularyFit: Sendable, Equatable, CustomStringConvertible {
    /// What can be done with a pair of models.
    public enum Degree: Sendable {
        /// One tokenizer: all but a few tokens are shared.
        case full
        /// Two tokenizers with much in common.
        case partial
        /// Two tokenizers with too little in common.
        case none
    }

    /// Ordinary tokens that both have.
    public var shared: Int
    /// The teacher's ordinary tokens.
    public var teacher: Int
    /// The student's ordinary tokens.
    public var student: Int

    /// What share of each side's tokens one tokenizer in two versions still has in common.
    ///
    /// Versions of one tokenizer differ by a few added tokens: Qwen2.5 and Qwen3 share 99.99 % of
    /// theirs. Two tokenizers never come near: of SmolLM2's tokens Qwen2.5 has 80 %, and those are
    /// 26 % of its own.
    static let full = 0.95
    /// What share of its tokens a student must have in common with its teacher.
    ///
    /// Below, most of what the student writes is spelled out for the teacher, and the teacher
    /// judges and proposes texts cut in ways that it has never read.
    static let least = 0.5

    /// What can be done with the pair.
    public var degree: Degree {
        guard shared > 0, Double(shared) >= VocabularyFit.least * Double(student) else {
            return .none
        }
        let isFull = Double(shared) >= VocabularyFit.full * Double(max(teacher, student))
        return isFull ? .full : .partial
    }

    /// A sentence that says whether the pair fits, and what follows.
    public var description: String {
        let shares =
            "they share \(percent(of: student)) of the student's \(student) ordinary tokens and "
            + "\(percent(of: teacher)) of the teacher's \(teacher)"
        let verdict =
            switch degree {
            case .full: "this pair fits"
            case .partial:
                "this pair fits in part: the teacher can propose shared tokens only, and so never "
                    + "speaks quite as it would; a pair of one tokenizer family makes better traces"
            case .none:
                "this pair does not fit: the teacher can propose shared tokens only; expected at "
                    + "least half of the student's"
            }
        return "\(shares); \(verdict)"
    }

    private func percent(of count: Int) -> String {
        guard count > 0 else { return "none" }
        // Never 100 % of tokens of which some are missing, nor 0 % where there are some.
        let share = Double(shared) / Double(count)
        let rounded = Int((100 * share).rounded())
        if rounded == 100, shared < count { return "over 99 %" }
        if rounded == 0, shared > 0 { return "under 1 %" }
        return "\(rounded) %"
    }
}
