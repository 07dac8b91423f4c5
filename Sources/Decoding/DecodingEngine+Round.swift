import Foundation
import Kernels

extension DecodingEngine {
    /// Runs every model: the teacher drafts, the student reads the drafts, both read prompts.
    ///
    /// - Parameters:
    ///   - sequences: Those under way; each gets `rows`, and from a teacher `draft`.
    ///   - draftTokens: The most tokens to draft for each.
    ///   - prompts: Those being read.
    ///   - done: Counts prompt tokens and seconds.
    /// - Throws: What the models throw, and `Failure` for logits that are not numbers.
    func runModels(
        _ sequences: [Try],
        draftTokens: Int,
        _ prompts: [Prompt],
        _ done: inout DecodingProgress
    ) throws {
        if models.count > 1 {
            try draft(sequences, length: draftTokens, prompts, &done)
        }
        let start = ProcessInfo.processInfo.systemUptime
        let inputs = sequences.map { sequence in
            // The last token drafted has no successor to check.
            let drafted = sequence.draft.dropLast().compactMap(\.token)
            return SequenceInput(
                tokens: sequence.pending[0] + drafted,
                cache: sequence.caches[0],
                logitRows: max(1, sequence.draft.count)
            )
        }
        for (sequence, rows) in zip(sequences, try pass(0, inputs, reading: prompts, &done)) {
            sequence.rows = rows
        }
        let seconds = ProcessInfo.processInfo.systemUptime - start
        if models.count > 1 { done.times.student += seconds } else { done.times.teacher += seconds }
    }

    /// Lets the teacher propose tokens one after the other, as if the student kept them all.
    private func draft(
        _ sequences: [Try],
        length: Int,
        _ prompts: [Prompt],
        _ done: inout DecodingProgress
    ) throws {
        var drafting = sequences
        var tokens = sequences.map { $0.pending[1] }
        for place in 0..<length {
            let start = ProcessInfo.processInfo.systemUptime
            let inputs = zip(drafting, tokens).map {
                SequenceInput(tokens: $1, cache: $0.caches[1])
            }
            let rows = try pass(1, inputs, reading: place == 0 ? prompts : [], &done)
            let middle = ProcessInfo.processInfo.systemUptime
            done.times.teacher += middle - start
            let keys = drafting.map { $0.key(ahead: place) }
            let proposals = try ParallelRows.map(drafting.count) { [rule] index in
                try rule.proposal(logits: rows[index][0], key: keys[index])
            }
            done.times.deciding += ProcessInfo.processInfo.systemUptime - middle
            for (sequence, proposal) in zip(drafting, proposals) {
                if let proposal { sequence.draft.append(proposal) }
            }
            drafting = drafting.filter(mayDraftOn)
            tokens = drafting.map { rule.spelling(of: $0.draft.last?.token ?? 0, for: 1) }
            if drafting.isEmpty { break }
        }
    }

    /// Whether the sequence is sure to go on if all of its draft is kept.
    private func mayDraftOn(_ sequence: Try) -> Bool {
        let drafted = sequence.draft.count
        guard let token = sequence.draft.last?.token, !stop.endOfTurn.contains(token),
            sequence.decisions.count + drafted < stop.maxNewTokens
        else { return false }
        return sequence.lengths.allSatisfy { $0 + drafted < stop.maxTotalTokens }
    }

    /// One pass of one model over the given inputs and a chunk of the prompts being read.
    ///
    /// - Returns: For each input its rows of logits, without padding.
    private func pass(
        _ index: Int,
        _ inputs: [SequenceInput<Model.Cache>],
        reading prompts: [Prompt],
        _ done: inout DecodingProgress
    ) throws -> [[Buffer<Float>]] {
        var room = options.promptRowsPerPass
        var all = inputs
        var read: [Prompt] = []
        for prompt in prompts where room > 0 {
            let tokens = prompt.tokens[index][prompt.readCounts[index]...].prefix(room)
            guard !tokens.isEmpty else { continue }
            room -= tokens.count
            prompt.readCounts[index] += tokens.count
            let isWhole = tokens.endIndex == prompt.tokens[index].count
            read.append(prompt)
            all.append(
                SequenceInput(
                    tokens: Array(tokens),
                    cache: prompt.caches[index],
                    logitRows: isWhole ? 1 : 0
                )
            )
        }
        guard !all.isEmpty else { return [] }
        let model = models[index]
        let outputs = try model.logits(all)
        for (prompt, output) in zip(read, outputs.dropFirst(inputs.count)) {
            // A copy: the view would keep the logits of the whole pass.
            prompt.rows[index] = output?.first(model.vocabularySize).copied()
        }
        return zip(inputs, outputs).map { input, output in
            guard let output else {
                preconditionFailure("NextTokenModel.logits: no row for a sequence that asked")
            }
            let length = output.count / input.logitRows
            return (0..<input.logitRows).map { row in
                output[row * length..<row * length + model.vocabularySize]
            }
        }
    }

    /// Decides the tokens of every sequence, up to the first that is not the drafted one.
    func decide(_ sequences: [Try], _ done: inout DecodingProgress) throws -> [[TokenDecision]] {
        let start = ProcessInfo.processInfo.systemUptime
        defer { done.times.deciding += ProcessInfo.processInfo.systemUptime - start }
        let work = sequences.map {
            (rows: $0.rows, draft: $0.draft, first: $0.teacherRow, key: $0.key(ahead: 0))
        }
        let results = try ParallelRows.map(work.count) { [rule] index in
            var (rows, draft, first, key) = work[index]
            if let first, let proposal = try rule.proposal(logits: first, key: key) {
                draft = [proposal]
            }
            var decisions: [TokenDecision] = []
            for (place, row) in rows.enumerated() {
                let proposal = place < draft.count ? draft[place] : nil
                let decision = try rule.decide(logits: row, proposal: proposal, key: key)
                decisions.append(decision)
                guard decision.token == proposal?.token else { break }
                key.position += 1
            }
            return (decisions, draft)
        }
        for (sequence, result) in zip(sequences, results) {
            sequence.draft = result.1
            sequence.teacherRow = nil
        }
        return results.map(\.0)
    }
}

extension Buffer<Float> {
    fileprivate func copied() -> Buffer<Float> {
        let copy = Buffer<Float>(count: count)
        copy.copy(from: self)
        return copy
    }
}
