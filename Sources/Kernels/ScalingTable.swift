import Basics
import Foundation

/// What more threads could bring to work that is done in equal steps: for several numbers of threads a
/// bound from recorded loops, and what this machine's own threads really take.
public struct ScalingTable: Sendable {
    /// One number of threads.
    public struct Row: Sendable {
        /// The threads.
        public let threads: Int
        /// The least seconds that they need for a step; see `LoopRecording`.
        public let boundSeconds: Double
        /// How many times as fast as one thread that is.
        public let boundSpeedUp: Double
        /// How many times as fast as one thread they were; nil for more threads than the pool has.
        public let measuredSpeedUp: Double?
    }

    /// The numbers of threads, in increasing order.
    public let rows: [Row]
    /// The part of a step on one thread in which there is nothing for others to do.
    public let serialShare: Double
    /// Seconds that the pool takes to start and end a loop; part of all bounds.
    public let forkJoinSeconds: Double

    /// For a person: a sentence and a table.
    public var text: String {
        let sentence = String(
            format: "%.2f %% of a step on one thread is serial; starting and ending a loop takes "
                + "%.1f microseconds.\n\n",
            100 * serialShare,
            1e6 * forkJoinSeconds
        )
        return sentence
            + MarkdownTable(
                header: [
                    "threads", "step at least, ms", "speed-up at most (a bound)",
                    "speed-up measured",
                ],
                rows: rows.map { row in
                    [
                        "\(row.threads)", NumberText.fixed(1000 * row.boundSeconds, decimals: 1),
                        NumberText.fixed(row.boundSpeedUp, decimals: 2),
                        row.measuredSpeedUp.map { NumberText.fixed($0, decimals: 2) } ?? "",
                    ]
                }
            ).text
    }

    /// For a program.
    public var json: JSON {
        [
            "serial_share": .number(serialShare), "fork_join_seconds": .number(forkJoinSeconds),
            "threads": .array(
                rows.map { row in
                    [
                        "threads": .integer(row.threads),
                        "bound_seconds": .number(row.boundSeconds),
                        "bound_speed_up": .number(row.boundSpeedUp),
                        "measured_speed_up": row.measuredSpeedUp.map { .number($0) } ?? .null,
                    ]
                }
            ),
        ]
    }
}
