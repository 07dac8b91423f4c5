import Basics
import Decoding
import Models
import Tokenizers

extension VocabularyMap {
    /// Compares the vocabularies of a teacher and a student.
    ///
    /// - Throws: `Failure.configuration` naming both when they have too little in common.
    public init(teacher: LanguageModel, student: LanguageModel) throws {
        guard teacher !== student else {
            self.init(sharedVocabularySize: student.vocabularySize)
            return
        }
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
