/// Chooses how many tokens K the teacher drafts before the student checks them in one pass.
///
/// The choice changes the speed and nothing else. A longer draft saves passes of the student but
/// wastes what the teacher drafted behind the first refusal; which wins depends on both models, the
/// batch and the machine. So it is measured: a round of K costs what rounds of K took lately, and
/// yields
///
///     E(K) = 1 + Σ_{0 < j < K} P(j proposals in a row are kept)
///
/// tokens a sequence, with the probabilities counted over all decisions so far. The search goes
/// from a length to its neighbours: longer drafts gain less and less and waste more and more.
package struct DraftLength {
    /// The lengths to choose from.
    static let choices = [1, 2, 4, 8]
    /// Rounds within which a length has usually been found.
    package static var searchRounds: Int { Recent.capacity * choices.count }
    /// Rounds between two trials of a length that is not the best.
    static let patience = 48
    /// Decisions after which the older half counts half.
    static let memory = 8192.0

    private let fixed: Int?
    /// The latest times of rounds, by choice.
    private var times = choices.map { _ in Recent() }
    /// How many decisions were the last of j + 1 kept proposals in a row.
    private var runs = [Double](repeating: 0, count: (choices.last ?? 1) - 1)
    private var decisions = 0.0
    /// Sequences under way when the times were taken.
    private var sequences = 0
    private var best = 0
    private var roundsSinceTrial = 0
    private var isTrialLonger = false

    /// Always `fixed`, or what measurement favours if that is nil.
    init(_ fixed: Int?) { self.fixed = fixed }

    /// The length for the next round.
    mutating func next(sequences now: Int) -> Int {
        if let fixed { return fixed }
        // Times of other batch sizes say little; small changes are followed as they come.
        if 2 * abs(now - sequences) > sequences {
            sequences = now
            times = times.map { _ in Recent() }
        }
        while true {
            let around = [best - 1, best + 1].filter(Self.choices.indices.contains)
            if let unknown = ([best] + around).first(where: { !times[$0].isFull }) {
                return Self.choices[unknown]
            }
            let rival = around.min { cost($0) < cost($1) } ?? best
            guard cost(rival) < cost(best) else { break }
            best = rival
        }
        roundsSinceTrial += 1
        guard roundsSinceTrial >= Self.patience else { return Self.choices[best] }
        roundsSinceTrial = 0
        isTrialLonger.toggle()
        let trial = best + (isTrialLonger ? 1 : -1)
        return Self.choices[Self.choices.indices.contains(trial) ? trial : best]
    }

    /// Notes a decision.
    ///
    /// - Parameter run: How many proposals of the sequence have been kept in a row, this one
    ///   included; 0 if it was refused.
    mutating func count(run: Int) {
        decisions += 1
        for index in 0..<min(run, runs.count) { runs[index] += 1 }
        if decisions >= Self.memory {
            decisions /= 2
            runs = runs.map { $0 / 2 }
        }
    }

    /// Notes the time of a round that did nothing but decode.
    mutating func note(length: Int, seconds: Double) {
        guard fixed == nil, let index = Self.choices.firstIndex(of: length) else { return }
        times[index].add(seconds)
    }

    /// Tokens that a sequence gains by a round.
    func expectedTokens(_ length: Int) -> Double {
        guard decisions > 0 else { return 1 }
        return 1 + runs.prefix(length - 1).reduce(0, +) / decisions
    }

    /// Seconds a token and sequence.
    private func cost(_ index: Int) -> Double {
        times[index].median / expectedTokens(Self.choices[index])
    }
}

/// The last few of a series of numbers.
private struct Recent {
    private var values: [Double] = []
    private var oldest = 0
    static let capacity = 3

    var isFull: Bool { values.count == Self.capacity }

    mutating func add(_ value: Double) {
        guard isFull else {
            values.append(value)
            return
        }
        values[oldest] = value
        oldest = (oldest + 1) % Self.capacity
    }

    /// The middle one.
    var median: Double { values.sorted()[values.count / 2] }
}
