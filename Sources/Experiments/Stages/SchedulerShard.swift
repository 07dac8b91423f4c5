import Basics

extension Shard {
    /// The share of this process among those that a scheduler or a launcher has started together, read
    /// from the environment alone.
    ///
    /// A Slurm array gives each task its share. Tasks that `srun`, Open MPI's or MPICH's `mpirun` starts
    /// together divide that of their array's task, or all there is. Slurm's task numbers count only
    /// within a step: a batch script has them too, and would do a part and nobody the rest.
    ///
    /// - Parameter environment: The environment variables.
    /// - Throws: `Failure.configuration` where nothing tells the share, or not all of it: an array with
    ///   holes, a single task, a rank without a number of ranks, two launchers that disagree.
    public init(environment: [String: String]) throws {
        let variables = SchedulerVariables(values: environment)
        let array = try variables.array()
        guard let task = try variables.launched() ?? (array == nil ? nil : (0, 1)) else {
            throw variables.unclear(
                "no variable tells this process's share",
                "--shard auto needs a Slurm array, srun or mpirun"
            )
        }
        let whole = array ?? (0, 1)
        let (count, overflows) = whole.count.multipliedReportingOverflow(by: task.count)
        guard !overflows, count > 1 else {
            throw variables.unclear(
                "the array or the launch has a single task, which says nothing of other shards",
                "a shard that is run again alone names itself, and all problems at once need no --shard"
            )
        }
        self.init(index: whole.place * task.count + task.place + 1, count: count)
    }
}

/// What schedulers and launchers say in the environment, and what is wrong with it.
private struct SchedulerVariables {
    let values: [String: String]

    /// A place, from 0, among so many.
    typealias Share = (place: Int, count: Int)

    func unclear(_ found: String, _ why: String) -> Failure {
        Failure(
            .configuration,
            at: "--shard auto",
            found,
            remedy: "Give --shard i/N: \(why)."
        )
    }

    /// A variable's number; nil where there is no such variable.
    private func number(_ name: String, from least: Int = 0) throws -> Int? {
        guard let text = values[name] else { return nil }
        guard let number = Int(text), number >= least else {
            throw unclear(
                "\(name) is '\(text.printable)'; expected a number from \(least)",
                "the environment does not tell the share"
            )
        }
        return number
    }

    private func needed(_ name: String, beside other: String, from least: Int = 0) throws -> Int {
        guard let number = try number(name, from: least) else {
            throw unclear("\(other) is set and \(name) is not", "half a share tells nothing")
        }
        return number
    }

    /// The share of a task of a Slurm array; nil where there is no array.
    func array() throws -> Share? {
        let name = "SLURM_ARRAY_TASK_ID"
        guard let id = try number(name) else { return nil }
        let least = try needed("SLURM_ARRAY_TASK_MIN", beside: name)
        let most = try needed("SLURM_ARRAY_TASK_MAX", beside: name)
        let count = try needed("SLURM_ARRAY_TASK_COUNT", beside: name, from: 1)
        // Slurm counts by one where it does not say.
        let step = try number("SLURM_ARRAY_TASK_STEP", from: 1) ?? 1
        guard least <= id, id <= most, (most - least) / step + 1 == count, (id - least) % step == 0
        else {
            throw unclear(
                "the array is sparse: \(count) tasks from \(least) to \(most) by \(step), this one "
                    + "\(id)",
                "an array counts as shards where it is one range, such as --array=1-8"
            )
        }
        return ((id - least) / step, count)
    }

    /// The share of a process that a launcher has started with others; nil where there is none.
    func launched() throws -> Share? {
        let step =
            values["SLURM_STEP_ID"] == nil
            ? nil : try pair("SLURM_PROCID", "SLURM_STEP_NUM_TASKS", isRequired: true)
        let mpi =
            try pair("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE")
            ?? pair("PMI_RANK", "PMI_SIZE")
        if let step, let mpi, step != mpi {
            throw unclear(
                "srun says task \(step.place) of \(step.count), mpirun says \(mpi.place) of "
                    + "\(mpi.count)",
                "only one of them can be right"
            )
        }
        if let found = step ?? mpi { return found }
        guard values["PMIX_RANK"] == nil else {
            throw unclear(
                "PMIX_RANK is set, and no variable with the number of ranks",
                "a rank alone is no share"
            )
        }
        return nil
    }

    private func pair(_ rank: String, _ size: String, isRequired: Bool = false) throws -> Share? {
        guard isRequired || values[rank] != nil || values[size] != nil else { return nil }
        let place = try needed(rank, beside: isRequired ? "SLURM_STEP_ID" : size)
        let count = try needed(size, beside: rank, from: 1)
        guard place < count else {
            throw unclear("\(rank) is \(place) and \(size) is \(count)", "there is no such rank")
        }
        return (place, count)
    }
}
