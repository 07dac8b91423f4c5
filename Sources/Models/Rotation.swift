import Basics
import Checkpoints

/// The rotary entries of config.json, which publishers spell in several ways.
///
/// Base and scaling stand at the top (`rope_theta`, `rope_scaling`), or together in
/// `rope_parameters`, as transformers 5 writes them; an entry of null counts as absent. What is
/// said twice must be said alike, and what is said of some layers or some elements only is refused.
struct Rotation {
    /// Base of the frequencies.
    let theta: Double
    /// How they are stretched.
    let scaling: RoPEScaling

    private static let entries = ["rope_parameters", "rope_scaling"]

    /// Reads all spellings and compares them.
    ///
    /// - Throws: `Failure.badData` naming the keys and what they say.
    init(_ json: JSON, of family: ModelFamily) throws {
        try Rotation.checkWhole(json)
        var thetas: [(key: String, value: Double)] = []
        var scalings: [(key: String, value: RoPEScaling)] = []
        func addTheta(_ json: JSON, _ key: String) throws {
            let value = try json.optional("rope_theta", json.number)
            if let value { thetas.append((key, value)) }
        }
        try addTheta(json, "'rope_theta'")
        let key = "original_max_position_embeddings"
        let original = try json.optional(key, json.integer)
        for name in Rotation.entries {
            guard let entry = json[name], !entry.isNull else { continue }
            do {
                guard let members = entry.object?.members else {
                    throw Failure(.badData, "found \(entry.kindName); expected an object")
                }
                // By kind of layer: {"full_attention": {...}, "sliding_attention": {...}}.
                if let layer = members.first(where: { $0.value.object != nil }) {
                    throw Failure(
                        .badData,
                        at: "'\(layer.key)'",
                        "rotations that differ by layer are not implemented; expected one for all"
                    )
                }
                try Rotation.checkWhole(entry)
                try addTheta(entry, "'\(name)', 'rope_theta'")
                scalings.append((name, try RoPEScaling(entry, originalPositions: original)))
            } catch let failure as Failure { throw failure.at("'\(name)'") }
        }
        if let first = thetas.first, let other = thetas.first(where: { $0.value != first.value }) {
            throw Failure(
                .badData,
                at: other.key,
                "found \(other.value), and \(first.key) is \(first.value); expected the same"
            )
        }
        if let first = scalings.first,
            let other = scalings.first(where: { $0.value != first.value })
        {
            throw Failure(
                .badData,
                at: "'\(other.key)'",
                "found \(other.value.json.compact), and '\(first.key)' says "
                    + "\(first.value.json.compact); expected the same",
                remedy: "Remove the entry that the model was not made with."
            )
        }
        theta = thetas.first?.value ?? family.ropeTheta
        scaling = scalings.first?.value ?? .none
    }

    /// Refuses a rotation of some elements of each head only.
    private static func checkWhole(_ json: JSON) throws {
        for key in ["partial_rotary_factor", "rotary_pct"] {
            guard let share = try json.optional(key, json.number), share != 1 else { continue }
            throw Failure(
                .badData,
                at: "'\(key)'",
                "found \(share); rotating part of each head is not implemented, expected 1"
            )
        }
    }
}
