import Basics
import Foundation
import Synchronization

/// Requests to stop, from the keyboard, the system or a batch queue.
///
/// The first SIGHUP, SIGINT, SIGTERM or SIGUSR1 is noted, so that the program can finish its step
/// and save; the second ends the process at once. A closed pipe is an error of the write, not a
/// signal.
public enum Interrupts {
    /// How many requests have come; process-wide, as signals are.
    private static let count = Atomic<Int>(0)
    private static let numbers = [SIGHUP, SIGINT, SIGTERM, SIGUSR1]
    /// Whether `prepare` has begun to listen, and `install` has not been called since.
    private static let isEarly = Atomic<Bool>(false)

    /// The address of what the first request is answered with, or 0.
    ///
    /// A C string that is never freed: the handler may do little more than write it.
    private static let answer = Atomic<UInt>(0)

    /// Says what a stop will wait for and what is kept, in words that are shown when it is asked for.
    public static func promise(_ text: String) {
        // On a terminal the progress line and what the key leaves there come first.
        let line = (isatty(STDERR_FILENO) == 1 ? "\n" : "") + text + "\n"
        guard let copy = strdup(line) else { return }
        answer.store(UInt(bitPattern: copy), ordering: .relaxed)
    }

    /// Writes the promise; safe in a signal handler.
    private static func tell() {
        let code = errno
        let address = answer.load(ordering: .relaxed)
        if let text = UnsafePointer<CChar>(bitPattern: address) {
            _ = write(STDERR_FILENO, text, strlen(text))
        }
        errno = code
    }

    /// Makes failed writes errors, and lets signals through: the start of every program.
    public static func prepare() {
        signal(SIGPIPE, SIG_IGN)
        // A limit on file sizes shows as a failed write, which is reported, not as a death.
        signal(SIGXFSZ, SIG_IGN)
        // Whoever started this program from a thread that blocks signals has passed that on.
        var requests = sigset_t()
        sigemptyset(&requests)
        for number in numbers { sigaddset(&requests, number) }
        pthread_sigmask(SIG_UNBLOCK, &requests, nil)
        // A `run` can be asked to stop before it has read a line of its experiment.
        if CommandLine.arguments.dropFirst().first == "run" {
            listen()
            isEarly.store(true, ordering: .relaxed)
        }
    }

    /// Starts to listen.
    ///
    /// For commands that ask `isRequested` or `check` as they work; all others end at the first
    /// signal.
    public static func install() {
        if isEarly.exchange(false, ordering: .relaxed) { return }
        listen()
    }

    private static func listen() {
        // Touching the counter here keeps its lazy initialisation out of the handler.
        count.store(0, ordering: .relaxed)
        for number in numbers {
            let former = signal(number) { received in
                if Interrupts.note() > 1 { _exit(128 + received) }
                Interrupts.tell()
            }
            // Under nohup the end of the terminal is to be ignored.
            if number == SIGHUP, unsafeBitCast(former, to: Int.self) == 1 {
                signal(number, SIG_IGN)
            }
        }
    }

    /// Counts a request.
    ///
    /// - Returns: How many have come, this one included.
    @discardableResult
    static func note() -> Int { count.add(1, ordering: .relaxed).newValue }

    /// Whether the program was asked to stop.
    public static var isRequested: Bool { count.load(ordering: .relaxed) > 0 }

    /// Ends the work in hand if the program was asked to stop.
    ///
    /// - Throws: `Failure.interrupted` with the command that goes on from here.
    public static func check(resume: String = RunEnvironment.resumeCommand) throws {
        if isRequested { throw stopped(resume: resume) }
    }

    /// What a stopped program reports.
    public static func stopped(resume: String = RunEnvironment.resumeCommand) -> Failure {
        Failure(
            .interrupted,
            "stopped on request; what was finished is kept",
            remedy: "Go on with: \(resume)"
        )
    }
}

extension RunEnvironment {
    /// The command line of this process, quoted for a shell.
    public static var resumeCommand: String {
        CommandLine.arguments.map(shellQuoted).joined(separator: " ")
    }

    static func shellQuoted(_ argument: String) -> String {
        let isPlain =
            !argument.isEmpty
            && argument.allSatisfy {
                $0.isASCII && ($0.isLetter || $0.isNumber || "-_./=:,+@%".contains($0))
            }
        return isPlain ? argument : "'" + argument.replacing("'", with: "'\\''") + "'"
    }
}
