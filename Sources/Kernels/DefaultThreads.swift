import Foundation

/// How many threads the pool has unless `RSD_THREADS` says: the physical cores that the process may
/// run on, or as many as its quota of CPU time keeps busy if that is fewer, and at most 16.
///
/// Two threads on one core share its arithmetic; more threads than a quota pays for are stopped
/// together, in the middle of a loop. Beyond 16 cores, and across memory nodes, several processes (the
/// shards of a run) are the better use.
enum DefaultThreads {
    static let most = 16

    /// The threads of this process.
    ///
    /// - Parameters:
    ///   - processors: What to assume where the system does not tell which processors are allowed.
    ///   - read: The text of a file of the system; nil where there is none.
    /// - Returns: At least 1.
    static func count(processors: Int, read: (String) -> String?) -> Int {
        let cores = physicalCores(read) ?? processors
        return max(1, min(cores, quota(read) ?? cores, most))
    }

    /// Cores of the processors that the process may run on.
    private static func physicalCores(_ read: (String) -> String?) -> Int? {
        guard let status = read("/proc/self/status"),
            let line = status.split(separator: "\n").first(where: {
                $0.hasPrefix("Cpus_allowed_list:")
            }),
            let allowed = numbers(line.dropFirst("Cpus_allowed_list:".count)), !allowed.isEmpty
        else { return nil }
        // Threads of one core name the same siblings.
        let cores = allowed.map { cpu in
            read("/sys/devices/system/cpu/cpu\(cpu)/topology/thread_siblings_list") ?? "\(cpu)"
        }
        return Set(cores.map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }).count
    }

    /// The numbers of a list such as `0-3,8`.
    private static func numbers(_ list: Substring) -> [Int]? {
        var numbers: [Int] = []
        for part in list.split(separator: ",") {
            let ends = part.split(separator: "-").map {
                Int($0.trimmingCharacters(in: .whitespacesAndNewlines))
            }
            guard let first = ends.first ?? nil, let last = ends.last ?? nil, ends.count <= 2,
                first >= 0, first <= last, last < 1 << 16
            else { return nil }
            numbers += first...last
        }
        return numbers
    }

    /// CPUs that the smallest quota of the process's control groups keeps busy, rounded up.
    ///
    /// A group is bound by those around it too. In a container its own group may be mounted as the
    /// top one, whatever /proc calls it.
    private static func quota(_ read: (String) -> String?) -> Int? {
        let groups = (read("/proc/self/cgroup") ?? "0::/").split(separator: "\n")
        var least: Double?
        for group in groups {
            // Number, controllers (none: version 2), path.
            let parts = group.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            let controllers = parts[1].split(separator: ",")
            guard controllers.isEmpty || controllers.contains("cpu") else { continue }
            let mounts = controllers.isEmpty ? ["", "/unified"] : ["/cpu", "/\(parts[1])"]
            let names = parts[2].split(separator: "/")
            for (mount, depth) in mounts.flatMap({ m in (0...names.count).map { (m, $0) } }) {
                let folder =
                    "/sys/fs/cgroup\(mount)" + names.prefix(depth).map { "/\($0)" }.joined()
                let cpus = controllers.isEmpty ? version2(folder, read) : version1(folder, read)
                guard let cpus, cpus.isFinite, cpus > 0 else { continue }
                least = min(least ?? cpus, cpus)
            }
        }
        return least.map { Int(min($0, 65536).rounded(.up)) }
    }

    /// `cpu.max`: quota and period in microseconds, or `max`.
    private static func version2(_ folder: String, _ read: (String) -> String?) -> Double? {
        let words = read("\(folder)/cpu.max")?.split(whereSeparator: \.isWhitespace) ?? []
        guard words.count == 2, let quota = Double(words[0]), let period = Double(words[1]) else {
            return nil
        }
        return quota / period
    }

    /// `cpu.cfs_quota_us`, -1 for none, and its period.
    private static func version1(_ folder: String, _ read: (String) -> String?) -> Double? {
        func number(_ name: String) -> Double? {
            read("\(folder)/cpu.cfs_\(name)_us")
                .flatMap { Double($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
        }
        guard let quota = number("quota"), let period = number("period") else { return nil }
        return quota / period
    }
}
