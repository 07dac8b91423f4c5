import Basics
import Foundation

/// How the three programs end.
public enum CommandLineMain {
    /// The exit code for an error: the failure's own, 1 for anything else.
    public static func exitCode(for error: any Error) -> Int32 {
        (error as? Failure)?.kind.exitCode ?? 1
    }

    /// The text for an error: `Error: file: place: message`, the remedy on a line of its own.
    ///
    /// A stop on request is no error and is not called one.
    public static func message(for error: any Error) -> String {
        guard let failure = error as? Failure else { return "Error: \(error)".printableLines }
        return failure.kind == .interrupted ? failure.description : "Error: \(failure)"
    }

    /// Writes an error's text to standard error.
    public static func report(_ error: any Error) {
        StandardError.write(message(for: error) + "\n")
    }

    /// Runs a program's work; reports an error and exits with its code.
    public static func run(_ body: () throws -> Void) {
        Interrupts.prepare()
        do { try body() } catch {
            report(error)
            exit(exitCode(for: error))
        }
    }

    /// Runs a program's asynchronous work likewise.
    public static func run(_ body: () async throws -> Void) async {
        Interrupts.prepare()
        do { try await body() } catch {
            report(error)
            exit(exitCode(for: error))
        }
    }
}
