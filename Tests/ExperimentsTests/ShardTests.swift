import Basics
import Testing

@testable import Experiments

/// The share of the problems that the environment gives a process.
@Suite struct ShardTests {
    /// A Slurm array's task.
    static func array(_ id: Int, _ range: ClosedRange<Int>, by step: Int = 1, count: Int? = nil)
        -> [String: String]
    {
        [
            "SLURM_ARRAY_TASK_ID": "\(id)", "SLURM_ARRAY_TASK_MIN": "\(range.lowerBound)",
            "SLURM_ARRAY_TASK_MAX": "\(range.upperBound)", "SLURM_ARRAY_TASK_STEP": "\(step)",
            "SLURM_ARRAY_TASK_COUNT": "\(count ?? range.count / step + range.count % step)",
        ]
    }

    /// A task of `srun`.
    static func step(_ place: Int, of count: Int) -> [String: String] {
        ["SLURM_STEP_ID": "0", "SLURM_PROCID": "\(place)", "SLURM_STEP_NUM_TASKS": "\(count)"]
    }

    /// A batch script that `srun` has not started.
    static let batch = ["SLURM_JOB_ID": "7", "SLURM_PROCID": "0", "SLURM_NTASKS": "2"]
    static let openMPI = ["OMPI_COMM_WORLD_RANK": "2", "OMPI_COMM_WORLD_SIZE": "4"]
    static let mpich = ["PMI_RANK": "0", "PMI_SIZE": "2"]

    static func with(_ parts: [String: String]...) -> [String: String] {
        parts.reduce(into: [:]) { $0.merge($1) { $1 } }
    }

    static let good: [(variables: [String: String], index: Int, count: Int)] = [
        (array(0, 0...7), 1, 8), (array(7, 0...7), 8, 8), (array(3, 1...8), 3, 8),
        (array(4, 0...6, by: 2, count: 4), 3, 4), (array(6, 5...7), 2, 3),
        // A batch script of an array has task numbers that mean nothing.
        (with(array(3, 1...8), batch), 3, 8),
        (with(array(2, 1...4), step(1, of: 3)), 5, 12),
        (with(array(2, 1...4), step(0, of: 1)), 2, 4),
        (step(1, of: 2), 2, 2), (openMPI, 3, 4), (mpich, 1, 2),
        (with(step(0, of: 2), mpich), 1, 2), (with(mpich, ["PMIX_RANK": "0"]), 1, 2),
        (with(array(1, 1...2), openMPI), 3, 8),
    ]

    @Test func theEnvironmentTellsTheShare() throws {
        for (variables, index, count) in Self.good {
            #expect(
                try Shard(environment: variables) == Shard(index: index, count: count),
                "\(variables)"
            )
        }
        // All tasks of an array whose tasks each start three have one share each.
        let all = try (1...4).flatMap { id in
            try (0..<3).map { place in
                try Shard(environment: Self.with(Self.array(id, 1...4), Self.step(place, of: 3)))
            }
        }
        #expect(all.map(\.index) == Array(1...12))
    }

    static let bad: [(variables: [String: String], text: String)] = [
        ([:], "no variable"), (["SLURM_ARRAY_JOB_ID": "3"], "no variable"), (batch, "no variable"),
        (array(3, 1...8, count: 3), "sparse"), (array(3, 0...8, by: 2, count: 5), "sparse"),
        (array(9, 1...8), "sparse"),
        (array(3, 3...3), "single task"), (array(1, 1...1), "single task"),
        (step(0, of: 1), "single task"), (step(2, of: 2), "SLURM_PROCID is 2"),
        (["PMIX_RANK": "1"], "PMIX_RANK"), (["PMI_RANK": "1"], "PMI_SIZE is not"),
        (["OMPI_COMM_WORLD_SIZE": "2"], "OMPI_COMM_WORLD_RANK is not"),
        (["SLURM_STEP_ID": "0", "SLURM_PROCID": "1"], "SLURM_STEP_NUM_TASKS is not"),
        (["SLURM_ARRAY_TASK_ID": "1"], "SLURM_ARRAY_TASK_MIN is not"),
        (with(array(1, 1...8), ["SLURM_ARRAY_TASK_ID": "x"]), "'x'"),
        (with(array(1, 1...8), ["PMIX_RANK": "0"]), "PMIX_RANK"),
        (with(step(0, of: 2), openMPI), "srun says task 0 of 2"),
        (["PMI_RANK": "0", "PMI_SIZE": "0"], "expected a number from 1"),
    ]

    @Test func whatDoesNotTellTheShareIsRefused() {
        for (variables, text) in Self.bad {
            let found = #expect(throws: Failure.self) {
                _ = try Shard(environment: variables)
            }
            #expect(found?.kind == .configuration, "\(variables)")
            #expect(found?.message.contains(text) == true, "\(text): \(found?.message ?? "none")")
            #expect(found?.remedy?.contains("--shard i/N") == true)
        }
    }
}
