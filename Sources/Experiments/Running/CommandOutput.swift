import Foundation

/// What another program prints, within a time that no change of the clock can stretch.
enum CommandOutput {
    /// The standard output of a program that ends with status 0 in time; nil otherwise.
    ///
    /// The program is found by its name in `PATH`; it reads nothing, and its messages are thrown
    /// away. One that takes too long is killed.
    static func of(_ arguments: [String], within limit: Duration = .seconds(10)) -> Data? {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { return nil }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[0]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
        var words = arguments.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var child: pid_t = 0
        let status = posix_spawnp(&child, arguments[0], &actions, nil, &words, environ)
        close(ends[1])
        guard status == 0 else { return nil }
        let deadline = ContinuousClock.now + limit
        let output = read(ends[0], until: deadline)
        let code = wait(for: child, until: output == nil ? .now : deadline)
        return code == 0 ? output : nil
    }

    /// Everything up to the end; nil when the time is over first.
    private static func read(_ descriptor: Int32, until deadline: ContinuousClock.Instant) -> Data?
    {
        var data = Data()
        var block = [UInt8](repeating: 0, count: 1 << 14)
        while ContinuousClock.now < deadline {
            var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let ready = poll(&request, 1, 20)
            guard ready > 0 else { continue }
            let count = Foundation.read(descriptor, &block, block.count)
            if count == 0 { return data }
            if count > 0 { data.append(contentsOf: block[..<count]) }
            if count < 0, errno != EINTR { return nil }
        }
        return nil
    }

    /// The exit status; nil for a program that was killed, by us when the time is over.
    private static func wait(for child: pid_t, until deadline: ContinuousClock.Instant) -> Int32? {
        var status: Int32 = 0
        while true {
            let ended = waitpid(child, &status, WNOHANG)
            if ended == child { break }
            if ended < 0, errno != EINTR { return nil }
            if ContinuousClock.now >= deadline {
                kill(child, SIGKILL)
                while waitpid(child, &status, 0) < 0, errno == EINTR {}
                return nil
            }
            usleep(1000)
        }
        return status & 0x7F == 0 ? (status >> 8) & 0xFF : nil
    }
}
