/// What went wrong with something from outside the program, in words for a person.
///
/// A message reads: which file, where in it, what was found, what was expected, what to do next.
/// Mistakes in calling code are preconditions instead; a `Failure` is never one of those.
public struct Failure: Error, Sendable, CustomStringConvertible {
    /// The class of failure, which decides the exit code.
    public enum Kind: Sendable, CaseIterable {
        /// The run itself failed.
        case failed
        /// A file holds something other than it should.
        case badData
        /// A file or folder is not there.
        case missingInput
        /// Writing failed: no space, no permission, a device error.
        case disk
        /// Stopped on request; the same command goes on from here.
        case interrupted
        /// Another process is at work there; later the same command goes on.
        case busy
        /// An experiment file or an option asks for something impossible.
        case configuration

        /// The process exit code, after sysexits.h.
        public var exitCode: Int32 {
            switch self {
            case .failed: 1
            case .badData: 65
            case .missingInput: 66
            case .disk: 74
            case .interrupted, .busy: 75
            case .configuration: 78
            }
        }
    }

    /// The class of failure.
    public var kind: Kind
    /// The file or folder concerned.
    public var file: String?
    /// Where in the file: a line, a tensor, a key.
    public var place: String?
    /// What was found and what was expected.
    public var message: String
    /// What the reader can do about it; it may have lines.
    public var remedy: String?

    /// Describes a failure.
    public init(
        _ kind: Kind,
        file: String? = nil,
        at place: String? = nil,
        _ message: String,
        remedy: String? = nil
    ) {
        self.kind = kind
        self.file = file
        self.place = place
        self.message = message
        self.remedy = remedy
    }

    /// The most characters of a file's name, a place or a message that are shown.
    private static let longest = 2000

    /// "file: place: message" on one line, and the remedy on lines of its own.
    ///
    /// A terminal shows it as it is: ids and texts from files can be in it.
    public var description: String {
        let head = [file, place, message].compactMap { $0?.shortened(to: Self.longest).printable }
            .joined(separator: ": ")
        return remedy.map { "\(head)\n\($0.printableLines)" } ?? head
    }

    /// The same failure, with the file filled in where it was not known yet.
    public func inFile(_ path: String) -> Failure {
        var copy = self
        copy.file = copy.file ?? path
        return copy
    }
}

extension Failure {
    /// The same failure inside an outer place: `arm 'rsd', 'tries'`.
    public func at(_ outer: String) -> Failure {
        var copy = self
        copy.place = [outer, place].compactMap(\.self).joined(separator: ", ")
        return copy
    }
}
