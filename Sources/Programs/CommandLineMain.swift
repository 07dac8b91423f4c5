import Basics
import Experiments
import Foundation

/// How the three programs end.
public enum CommandLineMain {
    /// The exit code for an error: the failure's own, 1 for anything else.
    public static func exitCode(for error: any Error) -> Int32 {
        (error as? Failure)?.kind.exitCode ?? 1
    }

    /// Runs a program's work; reports an error and exits with its code.
    public static func run(_ body: () throws -> Void) {
        Interrupts.prepare()
        do { try body() } catch {
            StandardError.report(error)
            exit(exitCode(for: error))
        }
    }
}
