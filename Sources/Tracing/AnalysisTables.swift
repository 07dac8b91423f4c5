import Basics

extension ExperimentAnalysis {
    /// The tables that the command prints.
    public var markdown: String {
        let parts = [
            summary, "P_S of the traces to train on:\n\n" + histogram, acceptance, positions,
            strings,
        ]
        return parts.filter { !$0.isEmpty }.joined(separator: "\n") + "\n"
    }

    private var names: [String] { arms.map(\.arm) }

    private var summary: String {
        var table = MarkdownTable(header: [name] + names)
        func row(_ label: String, _ value: (ArmAnalysis) -> String) {
            table.rows.append([label] + arms.map(value))
        }
        row("problems") { "\($0.problems)" }
        row("problems with a trace") { "\($0.problemsWithTrace)" }
        row("tries") { "\($0.tries)" }
        row("tries with the right answer") { percentage($0.agreement.rightShare) }
        row("problems right in all, some, no tries") { arm in
            let own = arm.agreement
            guard own.rightShare != nil else { return "–" }
            return "\(own.allRight), \(own.someRight), \(own.noneRight)"
        }
        row("pairs of tries with equal answers") { percentage($0.agreement.pairShare) }
        row("traces to train on") { "\($0.lengths.count)" }
        row("tokens in them") { "\($0.tokens)" }
        row("mean length, tokens") { decimal($0.meanTraceLength) }
        row("median length, tokens") { decimal($0.lengthQuantile(0.5)) }
        row("10 % and 90 % of lengths") { arm in
            let ends = [0.1, 0.9].compactMap { arm.lengthQuantile($0) }
            return ends.isEmpty ? "–" : ends.map { decimal($0) }.joined(separator: ", ")
        }
        row("proposals accepted") { percentage($0.acceptance) }
        row("positions left to the other model") { percentage($0.fallbackShare) }
        row("tokens with P_S below 1 %") { percentage($0.shareBelowOnePercent) }
        row("tokens with P_S below 0.1 %") { percentage($0.shareBelowTenthPercent) }
        row("mean -ln P_S, nats") { decimal($0.meanSurprise, 3) }
        return table.text
    }

    /// Four bins of the stored histogram make one row: a factor of ten.
    private var histogram: String {
        var table = MarkdownTable(header: ["log10 P_S"] + names)
        for decade in 0..<ArmAnalysis.edges.count / 4 {
            let edge = Int(ArmAnalysis.edges[4 * decade])
            let label = decade == 0 ? "below \(edge + 1)" : "\(edge) to \(edge + 1)"
            table.rows.append(
                [label]
                    + arms.map { arm in
                        let count = arm.histogram[4 * decade..<4 * decade + 4].reduce(0, +)
                        return percentage(
                            arm.tokens > 0 ? Double(count) / Double(arm.tokens) : nil
                        )
                    }
            )
        }
        return table.text
    }

    private var acceptance: String {
        let known = arms.map(\.acceptanceByThreshold)
        let thresholds = Set(known.joined().map(\.threshold)).sorted()
        guard !thresholds.isEmpty else { return "" }
        let rows = thresholds.map { threshold in
            [percentage(threshold)]
                + known.map { shares in
                    percentage(shares.first { $0.threshold == threshold }?.share)
                }
        }
        let table = MarkdownTable(header: ["threshold p_th"] + names, rows: rows)
        return "Share of the teacher's proposals accepted, exactly, along the tries:\n\n"
            + table.text
    }

    private var positions: String {
        let blocks: [(title: String, shares: [[Double]])] = [
            ("Positions at which a proposal is refused", arms.map(\.refusedByPosition.shares)),
            ("Tokens with P_S below 1 %", arms.map(\.lowByPosition.shares)),
        ]
        return blocks.filter { block in block.shares.contains { !$0.isEmpty } }.map { block in
            let rows = (0..<PositionShares.parts).map { part in
                let from = 100 * part / PositionShares.parts
                let to = 100 * (part + 1) / PositionShares.parts
                return ["\(from) to \(to) %"]
                    + block.shares.map { percentage($0.isEmpty ? nil : $0[part]) }
            }
            let table = MarkdownTable(header: ["part of the trace"] + names, rows: rows)
            return "\(block.title), by place in the trace:\n\n" + table.text
        }.joined(separator: "\n")
    }

    private var strings: String {
        var table = MarkdownTable(header: ["tokens with P_S below 1 %"] + names)
        let lists = arms.map(\.lowestTokens)
        for place in 0..<(lists.map(\.count).max() ?? 0) {
            table.rows.append(
                ["\(place + 1)"]
                    + lists.enumerated().map { arm, list in
                        guard list.indices.contains(place) else { return "" }
                        let (id, share) = (list[place].id, list[place].share)
                        return "`\(visible(text(id, of: arm)))` \(percentage(share))"
                    }
            )
        }
        guard !table.rows.isEmpty else { return "" }
        return "Which they are, with their share of them:\n\n" + table.text
    }

    /// A token as a table can show it: spaces, line breaks and back quotes as other signs.
    private func visible(_ text: String) -> String {
        text.withSignsForSpaces.replacingScalars(["`": "ˋ"])
    }
}

/// A share as per cent: `54.2 %`, `9.77 %`, `0.042 %`; a dash for nil.
func percentage(_ share: Double?) -> String {
    guard let share, share.isFinite else { return NumberText.unknown }
    let value = 100 * share
    let decimals = value >= 10 || value == 0 ? 1 : value >= 0.1 ? 2 : 3
    return NumberText.fixed(value, decimals: decimals) + " %"
}

/// A number with some decimals; a dash for nil.
func decimal(_ value: Double?, _ decimals: Int = 1) -> String {
    value.map { NumberText.fixed($0, decimals: decimals) } ?? NumberText.unknown
}
