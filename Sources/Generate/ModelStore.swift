import Decoding
import Experiments
import Models

/// The teacher and the student in use, loaded once as long as their paths stay the same.
final class ModelStore {
    private var held: [ModelRole: (path: String, model: LanguageModel)] = [:]
    private var map: (teacher: LanguageModel, student: LanguageModel, map: VocabularyMap)?

    /// The model of a role, with its matrices as the file stores them.
    ///
    /// - Throws: `Failure` when it is missing or malformed.
    func model(_ role: ModelRole, of layout: RunLayout, seed: UInt64) throws -> LanguageModel {
        let path = try layout.modelPath(role, seed: seed)
        if let known = held[role], known.path == path { return known.model }
        // The old one goes before the new one comes, so that both never need memory.
        held[role] = nil
        map = nil
        let other = held.values.first { $0.path == path }?.model
        let model = try other ?? layout.loadModel(role, seed: seed, storage: .stored)
        held[role] = (path, model)
        return model
    }

    /// Which tokens two models share.
    ///
    /// - Throws: `Failure.configuration` naming both when they have too little in common.
    func vocabularies(teacher: LanguageModel, student: LanguageModel) throws -> VocabularyMap {
        if let map, map.teacher === teacher, map.student === student { return map.map }
        let new =
            teacher === student
            ? VocabularyMap(sharedVocabularySize: student.vocabularySize)
            : try VocabularyMap(teacher: teacher, student: student)
        map = (teacher, student, new)
        return new
    }
}
