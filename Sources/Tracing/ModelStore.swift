import Basics
import Decoding
import Experiments
import Models

/// The teacher and the student in use, loaded once as long as their paths stay the same.
public final class ModelStore {
    /// How the matrices are held: as the file stores them, or widened to float32.
    let storage: WeightStorage
    private var held: [ModelRole: (path: String, model: LanguageModel)] = [:]
    private var warnings: Set<String> = []
    private var map: (teacher: LanguageModel, student: LanguageModel, map: VocabularyMap)?

    /// A store of models whose matrices are held in one way.
    public init(storage: WeightStorage = .stored) { self.storage = storage }

    /// A model that the experiment starts from.
    ///
    /// - Throws: `Failure` when it is missing or malformed.
    func model(_ role: ModelRole, of layout: RunLayout, seed: UInt64) throws -> LanguageModel {
        try model(role, at: layout.modelPath(role, seed: seed)) {
            try layout.loadModel(role, seed: seed, storage: storage)
        }
    }

    /// The teacher of an arm.
    ///
    /// - Throws: `Failure` when it is missing or malformed, or has not been trained yet.
    func teacher(of arm: Arm, _ layout: RunLayout, seed: UInt64) throws -> LanguageModel {
        try model(.teacher, at: layout.teacherPath(arm, seed: seed)) {
            try layout.loadTeacher(of: arm, seed: seed, storage: storage)
        }
    }

    /// Lets go of all models.
    public func release() {
        held = [:]
        map = nil
    }

    /// Warns of something once, however many seeds and arms it concerns.
    func warn(_ warning: String) {
        guard warnings.insert(warning).inserted else { return }
        StandardError.write(line: "warning: \(warning)")
    }

    /// The student that an arm starts from.
    ///
    /// - Throws: `Failure` when it is missing or malformed, or has not been trained yet.
    func student(of arm: Arm, _ layout: RunLayout, seed: UInt64) throws -> LanguageModel {
        try model(.student, at: layout.studentPath(arm, seed: seed)) {
            try layout.loadStudent(of: arm, seed: seed, storage: storage)
        }
    }

    private func model(_ role: ModelRole, at path: String, _ load: () throws -> LanguageModel)
        throws -> LanguageModel
    {
        if let known = held[role], known.path == path { return known.model }
        // The old one goes before the new one comes, so that both never need memory.
        held[role] = nil
        map = nil
        let other = held.values.first { $0.path == path }?.model
        let model = try other ?? load()
        held[role] = (path, model)
        return model
    }

    /// Which tokens two models share.
    ///
    /// - Throws: `Failure.configuration` naming both when they have too little in common.
    func vocabularies(teacher: LanguageModel, student: LanguageModel) throws -> VocabularyMap {
        if let map, map.teacher === teacher, map.student === student { return map.map }
        let new = try VocabularyMap(teacher: teacher, student: student)
        if !new.isIdentity { StandardError.write(line: "vocabularies: \(new.summary)") }
        map = (teacher, student, new)
        return new
    }
}
