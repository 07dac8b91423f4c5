import Foundation

/// Ends a program together with the one that started it.
///
/// The parent keeps the writing end of a pipe that is the child's standard input. However the parent
/// ends, the system closes that end, and the child is asked to stop.
enum ParentWatch {
    /// Set to 1 for a child whose standard input is such a pipe.
    static let variable = "RSD_PARENT_PIPE"

    /// Begins to watch, where the parent wishes it.
    static func start() {
        guard ProcessInfo.processInfo.environment[variable] == "1" else { return }
        unsetenv(variable)
        Thread.detachNewThread {
            var byte: UInt8 = 0
            while true {
                let count = read(STDIN_FILENO, &byte, 1)
                if count < 0, errno == EINTR { continue }
                if count <= 0 { break }
            }
            kill(getpid(), SIGTERM)
        }
    }

    /// Makes a process watch this one; the pipe must be kept until it has ended.
    static func watch(_ process: Process) -> Pipe {
        let pipe = Pipe()
        process.standardInput = pipe
        var environment = process.environment ?? ProcessInfo.processInfo.environment
        environment[variable] = "1"
        process.environment = environment
        return pipe
    }
}
