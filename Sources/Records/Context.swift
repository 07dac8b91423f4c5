import Basics
import ChatTemplates

// What is said before a problem.
extension Problem {
    /// What a record says before its problem: a system message, and earlier turns.
    ///
    /// `system` is a text, or `messages` the whole conversation as `{"role", "content"}`, whose last
    /// message, the user's, is the problem. Published files also have `messages` that hold the
    /// solution; those say nothing before the problem.
    static func context(_ json: JSON, problem: String) -> [ChatMessage] {
        if let messages = try? conversation(json), messages.last?.content == problem {
            return messages.dropLast()
        }
        guard let system = json["system"]?.string, !system.isEmpty else { return [] }
        return [ChatMessage(role: "system", content: system)]
    }

    /// The `messages` of a record, where they end with a question of the user's; nil for others.
    ///
    /// - Throws: `Failure.badData` naming the message that is none.
    static func conversation(_ json: JSON) throws -> [ChatMessage]? {
        guard let list = json["messages"]?.array, list.last?["role"]?.string == "user" else {
            return nil
        }
        return try ChatMessage.list(list, at: "messages")
    }
}

extension ChatMessage {
    /// The message as `{"role", "content"}`.
    var json: JSON { ["role": .string(role), "content": .string(content)] }

    /// Reads messages.
    ///
    /// - Throws: `Failure.badData` naming the one that has another form.
    static func list(_ items: [JSON], at name: String) throws -> [ChatMessage] {
        try items.enumerated().map { index, json in
            do {
                let role = try json.string("role")
                guard ["system", "user", "assistant"].contains(role) else {
                    throw Failure(
                        .badData,
                        at: "'role'",
                        "found '\(role)'; expected system, user or assistant"
                    )
                }
                return ChatMessage(role: role, content: try json.string("content"))
            } catch let failure as Failure { throw failure.at("'\(name)'[\(index)]") }
        }
    }
}
