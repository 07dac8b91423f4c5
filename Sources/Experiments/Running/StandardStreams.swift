import Basics
import Foundation

/// Standard output, with the status of every write looked at.
public enum StandardOutput {
    /// Writes text.
    ///
    /// - Throws: `Failure.disk`, also when the reader at the other end has gone.
    public static func write(_ text: String) throws { try write(Array(text.utf8)) }

    /// Writes bytes.
    ///
    /// - Throws: `Failure.disk`, also when the reader at the other end has gone.
    public static func write(_ bytes: [UInt8]) throws {
        do { try FileHandle.standardOutput.write(contentsOf: Data(bytes)) } catch {
            throw Failure(
                .disk,
                file: "standard output",
                "cannot be written",
                remedy: "Check the disk, or the program that reads this one's output."
            )
        }
    }

    /// Writes one JSON value a line.
    ///
    /// - Throws: `Failure.disk`.
    public static func write(lines: some Sequence<JSON>) throws {
        var text = ""
        for line in lines {
            text += line.compact + "\n"
            guard text.utf8.count > 1 << 16 else { continue }
            try write(text)
            text = ""
        }
        try write(text)
    }
}

/// Standard error, for what a person should read while a program runs.
public enum StandardError {
    /// Writes text as it is, control characters too; that nobody can read it stops nothing.
    public static func write(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }

    /// Writes one line that a terminal shows as it is, whatever ids and texts are in it.
    public static func write(line: String) {
        write(line.printable + "\n")
    }

    /// Writes an error's text.
    public static func report(_ error: any Error) { write(message(for: error) + "\n") }

    /// The text for an error: `Error: file: place: message`, the remedy on a line of its own.
    ///
    /// A stop on request is no error and is not called one.
    public static func message(for error: any Error) -> String {
        guard let failure = error as? Failure else { return "Error: \(error)".printableLines }
        return failure.kind == .interrupted ? failure.description : "Error: \(failure)"
    }
}

/// Where a tool reads its lines from: a file, or `-` for standard input.
public enum StandardInput {
    /// The path to open for a name given on the command line.
    public static func path(_ name: String) -> String { name == "-" ? "/dev/stdin" : name }
}
