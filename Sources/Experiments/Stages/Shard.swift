/// One of several processes that share a stage's problems: `2/3` is the second of three.
public struct Shard: Equatable, Sendable {
    /// Which one, from 1.
    public var index: Int
    /// How many there are.
    public var count: Int

    /// The shard of a number, from 1 to `count`.
    public init(index: Int, count: Int) {
        self.index = index
        self.count = count
    }

    /// Reads `i/N`; nil for anything else.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let index = Int(parts[0]), let count = Int(parts[1]), count >= 1,
            (1...count).contains(index)
        else { return nil }
        self.init(index: index, count: count)
    }

    /// Whether a problem, counted from 0, is this shard's.
    public func contains(_ problem: Int) -> Bool { problem % count == index - 1 }
}
