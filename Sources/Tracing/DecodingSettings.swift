import Records
import Decoding
import Experiments
import Basics
import Grading
import Models
import Tokenizers

extension ReverseSpeculativeDecoding.Configuration {
    /// The configuration that an experiment file asks for.
    ///
    /// - Throws: `Failure.configuration` for a number out of range.
    init(_ settings: GenerationSettings) throws {
        self.init(
            acceptanceThreshold: settings.acceptanceThreshold,
            proposals: settings.proposals,
            teacher: settings.teacher,
            fallback: settings.fallback,
            acceptanceTopK: settings.acceptanceTopK,
            acceptanceThresholds: settings.acceptanceThresholds
        )
        try validate(at: "generation")
    }
}

extension AnswerStyle {
    /// How traces state their answers: strictly, so that no guess passes the filter.
    init(traces settings: AnswerSettings, template: PromptSettings) {
        switch settings.style {
        case .math, .boxed: self = .boxed
        case .marker: self = .marked(settings.start, end: settings.end)
        }
        requiresReasoningEnd = template.isThinking
    }
}

extension Problem {
    /// The verdict on a completion.
    func verdict(on completion: String, style: AnswerStyle) -> AnswerVerdict {
        Grader.verdict(gold: answer, completion: completion, style: style)
    }
}

extension VocabularyMap {
    /// Compares the vocabularies of a teacher and a student.
    ///
    /// - Throws: `Failure.configuration` naming both when they have too little in common.
    init(teacher: LanguageModel, student: LanguageModel) throws {
        func side(_ model: LanguageModel) -> Side {
            let ids = 0..<Int32(model.tokenizer.vocabularySize)
            return Side(
                name: RunEnvironment.relative(model.name),
                tokens: ids.map(model.tokenizer.tokenBytes),
                special: Set(ids.filter(model.tokenizer.isSpecial))
            )
        }
        let sides = (teacher: side(teacher), student: side(student))
        try self.init(teacher: sides.teacher, student: sides.student) { bytes in
            do {
                return try teacher.tokenizer.encode(bytes, specialTokens: .asText)
            } catch let failure as Failure {
                throw Failure(
                    .configuration,
                    "teacher \(sides.teacher.name) cannot read what student \(sides.student.name) "
                        + "writes: \(failure.message)",
                    remedy: "Choose a teacher and a student of one tokenizer family."
                )
            }
        }
    }
}
