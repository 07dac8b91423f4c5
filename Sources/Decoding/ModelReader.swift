import Kernels

/// Reads sequences with a model and keeps a cache for each: prompts in pieces and once for all their
/// tries, drafts as far as they were kept.
public final class ModelReader {
    let model: any NextTokenModel
    private let promptRowsPerPass: Int

    init(_ model: any NextTokenModel, promptRowsPerPass: Int) {
        precondition(promptRowsPerPass > 0, "ModelReader: \(promptRowsPerPass) rows a pass")
        self.model = model
        self.promptRowsPerPass = promptRowsPerPass
    }

    /// What has been read of a prompt.
    private final class ReadPrompt {
        /// Handed over to the last try.
        var cache: (any SequenceCache)?
        /// Tokens that have been read.
        var count = 0
        /// Tries that have not begun yet.
        var unstartedTries: Int
        /// The logits behind all of it: every try begins with them.
        var row: Buffer<Float>?

        init(_ cache: any SequenceCache, tries: Int) {
            self.cache = cache
            unstartedTries = tries
        }
    }

    /// Whether all of a prompt has been read.
    func hasRead(_ prompt: PromptContext) -> Bool {
        (prompt.state as? ReadPrompt)?.count == prompt.tokens.count
    }

    /// Reads what is new of each sequence, and a piece of the prompts, in one pass.
    ///
    /// A sequence that begins reads nothing: its row is the one behind its prompt.
    /// - Parameters:
    ///   - wanted: Sequences, and of how many of its last tokens each wants the logits.
    ///   - prompts: Those being read.
    /// - Returns: For each sequence its rows of logits, without padding.
    /// - Throws: What the model throws.
    func rows(
        _ wanted: [(sequence: SequenceContext, rows: Int)],
        reading prompts: [PromptContext] = []
    ) throws -> [[Buffer<Float>]] {
        var results = [[Buffer<Float>]](repeating: [], count: wanted.count)
        var inputs: [SequenceInput] = []
        var places: [Int] = []
        for (place, (sequence, rows)) in wanted.enumerated() {
            guard let cache = sequence.state as? any SequenceCache else {
                results[place] = [begin(sequence)]
                continue
            }
            // A token whose row is wanted is read again if need be.
            let kept = min(sequence.unchangedCount, sequence.tokens.count - rows)
            cache.truncate(to: sequence.prompt.tokens.count + kept)
            let new = Array(sequence.tokens[kept...])
            inputs.append(SequenceInput(tokens: new, cache: cache, logitRows: rows))
            places.append(place)
            sequence.noteAsked()
        }
        let sequenceCount = inputs.count
        let read = pieces(of: prompts, into: &inputs)
        guard !inputs.isEmpty else { return results }
        let outputs = try model.logits(inputs)
        for (prompt, output) in zip(read, outputs.dropFirst(sequenceCount)) {
            // A copy: the view would keep the logits of the whole pass.
            prompt.row = output?.first(model.vocabularySize).copied()
        }
        for (index, place) in places.enumerated() {
            guard let output = outputs[index] else {
                preconditionFailure("NextTokenModel.logits: no row for a sequence that asked")
            }
            let length = output.count / inputs[index].logitRows
            results[place] = (0..<inputs[index].logitRows).map { row in
                output[row * length..<row * length + model.vocabularySize]
            }
        }
        return results
    }

    /// Appends as much of the prompts as one pass has room for.
    private func pieces(of prompts: [PromptContext], into inputs: inout [SequenceInput])
        -> [ReadPrompt]
    {
        var room = promptRowsPerPass
        var read: [ReadPrompt] = []
        for prompt in prompts where room > 0 {
            let state =
                prompt.state as? ReadPrompt
                ?? ReadPrompt(model.makeCache(), tries: prompt.tryCount)
            prompt.state = state
            let tokens = prompt.tokens[state.count...].prefix(room)
            guard let cache = state.cache, !tokens.isEmpty else { continue }
            room -= tokens.count
            state.count += tokens.count
            read.append(state)
            inputs.append(
                SequenceInput(
                    tokens: Array(tokens),
                    cache: cache,
                    logitRows: state.count == prompt.tokens.count ? 1 : 0
                )
            )
        }
        return read
    }

    /// Gives a try its cache, shared with the prompt's other tries, and its first row of logits.
    private func begin(_ sequence: SequenceContext) -> Buffer<Float> {
        guard let prompt = sequence.prompt.state as? ReadPrompt, let row = prompt.row,
            let cache = prompt.cache
        else { preconditionFailure("ModelReader: a try of a prompt that has not been read") }
        prompt.unstartedTries -= 1
        if prompt.unstartedTries > 0 {
            sequence.state = cache.fork()
        } else {
            // The last try takes the cache over.
            sequence.state = cache
            (prompt.cache, prompt.row) = (nil, nil)
        }
        return row
    }
}

extension Buffer<Float> {
    /// The first `limit` values, or all if there are fewer.
    func first(_ limit: Int) -> Buffer<Float> { count > limit ? self[0..<limit] : self }

    fileprivate func copied() -> Buffer<Float> {
        let copy = Buffer<Float>(count: count)
        copy.copy(from: self)
        return copy
    }
}
