import Foundation

/// Which process: its number, and where that number means something.
///
/// A number alone says nothing to another machine, to the same one after a restart, or to a
/// container with numbers of its own.
public struct ProcessIdentity: Equatable, Sendable {
    /// The process's number in its own namespace.
    public var process: Int32
    /// The machine's name.
    public var host: String
    /// The kernel's identifier of this run of the machine; empty where there is none.
    public var boot: String
    /// The namespace of process numbers; empty where there is none.
    public var namespace: String

    /// This process.
    public static var current: ProcessIdentity {
        ProcessIdentity(
            process: ProcessInfo.processInfo.processIdentifier,
            host: machine.host,
            boot: machine.boot,
            namespace: namespace
        )
    }

    /// A process.
    public init(process: Int32, host: String, boot: String, namespace: String) {
        self.process = process
        self.host = host
        self.boot = boot
        self.namespace = namespace
    }

    /// Reads what `text` writes; nil for anything else.
    public init?(text: String) {
        let lines = text.split(separator: "\n")
        guard let process = lines.first.flatMap({ Int32($0) }), process > 0 else { return nil }
        func value(_ name: String) -> String {
            let line = lines.first { $0.hasPrefix("\(name) ") }
            return line.map { String($0.dropFirst(name.count + 1)) } ?? ""
        }
        self.init(
            process: process,
            host: value("host"),
            boot: value("boot"),
            namespace: value("namespace")
        )
    }

    /// Four lines: the number, then host, boot and namespace.
    public var text: String {
        "\(process)\nhost \(host)\nboot \(boot)\nnamespace \(namespace)\n"
    }

    /// Whether its number means the same process to this one.
    public var isOfThisNamespace: Bool {
        let own = Self.current
        return !boot.isEmpty && boot == own.boot && namespace == own.namespace
    }

    /// Whether it has ended for certain, as far as this process can tell.
    public var isCertainlyDead: Bool {
        isOfThisNamespace && kill(process, 0) != 0 && errno == ESRCH
    }

    /// The process in words: with its machine where its number means nothing here.
    public var name: String {
        if isOfThisNamespace || host.isEmpty { return "process \(process)" }
        let place = boot == Self.machine.boot ? "another container on this machine" : host
        return "process \(process) on \(place)"
    }

    private static let machine: (host: String, boot: String) = {
        var name = [CChar](repeating: 0, count: 256)
        gethostname(&name, name.count - 1)
        let host = String(
            decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)),
            as: UTF8.self
        )
        let boot = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
        return (host, boot?.trimmingCharacters(in: .whitespacesAndNewlines) ?? "")
    }()

    private static var namespace: String {
        let link = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid")
        return String((link ?? "").filter(\.isNumber))
    }
}
