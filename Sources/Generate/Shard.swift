import ArgumentParser

/// One of several processes that share an experiment's problems: `2/3` is the second of three.
struct Shard: Equatable, ExpressibleByArgument {
    /// Which one, from 1.
    var index: Int
    /// How many there are.
    var count: Int

    /// Reads `i/N`.
    init?(argument: String) {
        let parts = argument.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let index = Int(parts[0]), let count = Int(parts[1]), count >= 1,
            (1...count).contains(index)
        else { return nil }
        self.init(index: index, count: count)
    }

    /// Reads `i/N`.
    ///
    /// - Throws: `ValidationError` saying what is expected.
    static func parse(_ text: String) throws -> Shard {
        if let shard = Shard(argument: text) { return shard }
        throw ValidationError("expected i/N with i from 1 to N, such as 2/3")
    }

    /// The shard of the given number.
    init(index: Int, count: Int) {
        self.index = index
        self.count = count
    }

    /// Whether a problem, counted from 0, is this shard's.
    func contains(_ problem: Int) -> Bool { problem % count == index - 1 }
}
