import Testing

@testable import Kernels

/// The default number of threads, from what a system's files say.
@Suite struct DefaultThreadsTests {
    struct Machine: CustomTestStringConvertible, Sendable {
        let testDescription: String
        var allowed: String?
        var siblings: [Int: String] = [:]
        var files: [String: String] = [:]
        let threads: Int

        func read(_ path: String) -> String? {
            if path == "/proc/self/status" {
                return allowed.map { "Name:\trsd\nCpus_allowed:\tff\nCpus_allowed_list:\t\($0)\n" }
            }
            let parts = path.split(separator: "/")
            if path.hasSuffix("/topology/thread_siblings_list"), parts.count > 4 {
                return Int(parts[4].dropFirst(3)).flatMap { siblings[$0] }
            }
            return files[path]
        }
    }

    /// Eight cores of two threads each, numbered as Linux does: core c has c and c + 8.
    private static let twoThreads = Dictionary(
        uniqueKeysWithValues: (0..<16).map { ($0, "\($0 % 8),\($0 % 8 + 8)\n") }
    )

    private static func version2(_ groups: [String: String], path: String = "/") -> [String: String]
    {
        var files = ["/proc/self/cgroup": "0::\(path)\n"]
        for (group, text) in groups { files["/sys/fs/cgroup\(group)/cpu.max"] = text }
        return files
    }

    private static func version1(
        _ mount: String,
        controllers: String,
        path: String,
        quota: String,
        period: String = "100000\n"
    ) -> [String: String] {
        [
            "/proc/self/cgroup": "9:memory:/m\n4:\(controllers):\(path)\n0::/elsewhere\n",
            "/sys/fs/cgroup/\(mount)/cpu.cfs_quota_us": quota,
            "/sys/fs/cgroup/\(mount)/cpu.cfs_period_us": period,
        ]
    }

    static let machines: [Machine] = [
        Machine(testDescription: "no files at all: the given processors", threads: 6),
        Machine(testDescription: "no /sys: each processor is a core", allowed: "0-3", threads: 4),
        Machine(testDescription: "one processor", allowed: "5", threads: 1),
        Machine(testDescription: "a list that nobody can read", allowed: "0-x", threads: 6),
        Machine(testDescription: "an empty list", allowed: "", threads: 6),
        Machine(
            testDescription: "two threads a core",
            allowed: "0-15",
            siblings: twoThreads,
            threads: 8
        ),
        Machine(
            testDescription: "bound to both threads of two cores",
            allowed: "2-3,10-11",
            siblings: twoThreads,
            threads: 2
        ),
        Machine(
            testDescription: "bound to one thread of each core",
            allowed: "0-7",
            siblings: twoThreads,
            threads: 8
        ),
        Machine(testDescription: "64 cores", allowed: "0-63", threads: 16),
        Machine(
            testDescription: "no quota",
            allowed: "0-7",
            files: version2(["": "max 100000\n"]),
            threads: 8
        ),
        Machine(
            testDescription: "one and a half CPUs",
            allowed: "0-7",
            files: version2(["": "150000 100000\n"]),
            threads: 2
        ),
        Machine(
            testDescription: "a tenth of a CPU",
            allowed: "0-7",
            files: version2(["": "10000 100000\n"]),
            threads: 1
        ),
        Machine(
            testDescription: "a quota above the cores",
            allowed: "0-3",
            files: version2(["": "800000 100000\n"]),
            threads: 4
        ),
        Machine(
            testDescription: "a group around the own one is smaller",
            allowed: "0-15",
            files: version2(
                ["/a": "300000 100000", "/a/b": "max 100000", "": "1000000 100000"],
                path: "/a/b"
            ),
            threads: 3
        ),
        Machine(
            testDescription: "a quota and no /proc/self/cgroup",
            allowed: "0-7",
            files: ["/sys/fs/cgroup/cpu.max": "400000 100000"],
            threads: 4
        ),
        Machine(
            testDescription: "a period of 0, and words that are no numbers",
            allowed: "0-7",
            files: version2(["": "100000 0", "/a": "many 100000"], path: "/a"),
            threads: 8
        ),
        Machine(
            testDescription: "version 1",
            allowed: "0-15",
            files: version1("cpu/a", controllers: "cpu", path: "/a", quota: "250000\n"),
            threads: 3
        ),
        Machine(
            testDescription: "version 1 without a quota",
            allowed: "0-15",
            files: version1("cpu", controllers: "cpu", path: "/", quota: "-1\n"),
            threads: 16
        ),
        Machine(
            testDescription: "version 1 in a container that sees its group as the top one",
            allowed: "0-15",
            files: version1(
                "cpu,cpuacct",
                controllers: "cpu,cpuacct",
                path: "/docker/0123",
                quota: "200000\n"
            ),
            threads: 2
        ),
        Machine(
            testDescription: "a quota of another controller's group is not ours",
            allowed: "0-7",
            files: version1("cpu/m", controllers: "cpu", path: "/", quota: "100000\n"),
            threads: 8
        ),
    ]

    @Test(arguments: machines)
    func physicalCoresOfTheQuota(_ machine: Machine) {
        #expect(DefaultThreads.count(processors: 6, read: machine.read) == machine.threads)
    }
}
