import Basics
import Foundation
import Records

/// A log that TensorBoard reads, `events.out.tfevents.<seconds>.<host>`.
///
/// The file is a TFRecord of `Event` messages: first one with the format's version, then one a step
/// with its scalars. Source: tensorflow/core/util/event.proto and the TFRecord tutorial of
/// TensorFlow. Events carry wall times, so equal runs do not give equal files.
final class EventFile {
    private let file: OutputFile

    /// Opens the log of a folder, without the events of steps that will be done again and without
    /// what an interrupted writer left of its last one.
    ///
    /// - Throws: `Failure.disk`.
    init(folder: String, keepingStepsBelow step: Int, now: Date = Date()) throws {
        let prefix = "events.out.tfevents."
        let found = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
            .filter { $0.hasPrefix(prefix) }.sorted()
        let kept = found.flatMap { name in
            let data = (try? InputFile.read("\(folder)/\(name)")) ?? Data()
            return TFRecord.payloads(of: [UInt8](data)).filter { event in
                (Event.step(of: event) ?? .max) < step
            }
        }
        var bytes = TFRecord.frame(Event(time: now.timeIntervalSince1970).bytes(version: true))
        for event in kept { bytes += TFRecord.frame(event) }
        let name = found.first ?? prefix + "\(Int(now.timeIntervalSince1970)).\(Self.host)"
        try TextFile.write(Data(bytes), to: "\(folder)/\(name)")
        for other in found.dropFirst() {
            try? FileManager.default.removeItem(atPath: "\(folder)/\(other)")
        }
        file = try OutputFile(appendingTo: "\(folder)/\(name)")
    }

    /// Adds the scalars of a step.
    ///
    /// - Throws: `Failure.disk`.
    func append(step: Int, _ scalars: [(tag: String, value: Double)], at time: Date = Date()) throws
    {
        let event = Event(time: time.timeIntervalSince1970, step: step, scalars: scalars)
        try file.write(Data(TFRecord.frame(event.bytes())))
    }

    private static var host: String {
        var name = [CChar](repeating: 0, count: 256)
        gethostname(&name, name.count - 1)
        let text = String(
            decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)),
            as: UTF8.self
        )
        return text.isEmpty ? "localhost" : text
    }
}

extension EventFile: MetricsSink {
    /// Adds a step's scalars: what is recorded of it, but for its time, which events carry.
    func append(_ metrics: StepMetrics) throws {
        let rate = Double(metrics.tokens ?? 0) / max(metrics.seconds, 1e-9)
        let scalars =
            [
                ("loss", metrics.loss), ("learning_rate", metrics.learningRate),
                ("gradient_norm", metrics.gradientNorm), ("tokens_per_second", rate),
            ] + metrics.more
        try append(step: metrics.step, scalars.map { (tag: "train/\($0)", value: $1) })
    }
}

/// The part of TensorFlow's `Event` message that scalars need, in protobuf's wire format.
struct Event {
    /// Seconds since 1970.
    var time: Double
    var step = 0
    var scalars: [(tag: String, value: Double)] = []

    /// The message; with `version`, the one that begins a file.
    func bytes(version: Bool = false) -> [UInt8] {
        // wall_time = 1, step = 2, file_version = 3, summary = 5; zero is left out.
        var bytes: [UInt8] = [1 << 3 | 1] + Self.little(time.bitPattern)
        if step != 0 { bytes += [2 << 3] + Self.varint(UInt64(step)) }
        if version { bytes += Self.field(3, Array("brain.Event:2".utf8)) }
        guard !scalars.isEmpty else { return bytes }
        let values = scalars.flatMap { tag, value in
            // Summary.value = 1: tag = 1, simple_value = 2.
            Self.field(
                1,
                Self.field(1, Array(tag.utf8)) + [2 << 3 | 5]
                    + Self.little(Float(value).bitPattern)
            )
        }
        return bytes + Self.field(5, values)
    }

    /// The step of a message; nil for one without scalars, or that is no message.
    static func step(of message: [UInt8]) -> Int? {
        var rest = message[...]
        var step = 0
        var hasScalars = false
        while let key = readVarint(&rest) {
            switch (key >> 3, key & 7) {
            case (let number, 0):
                guard let value = readVarint(&rest) else { return nil }
                if number == 2 { step = Int(truncatingIfNeeded: value) }
            case (_, 1): rest = rest.dropFirst(8)
            case (_, 5): rest = rest.dropFirst(4)
            case (let number, 2):
                guard let length = readVarint(&rest), length <= rest.count else { return nil }
                rest = rest.dropFirst(Int(length))
                if number == 5 { hasScalars = true }
            default: return nil
            }
        }
        return hasScalars ? step : nil
    }

    /// A field of bytes: key, length, bytes.
    private static func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
        [number << 3 | 2] + varint(UInt64(bytes.count)) + bytes
    }

    private static func varint(_ value: UInt64) -> [UInt8] {
        var (bytes, rest): ([UInt8], UInt64) = ([], value)
        while rest > 0x7F {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    private static func readVarint(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard let byte = bytes.popFirst() else { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }

    static func little<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian, Array.init)
    }
}

/// TensorFlow's record format: length, checksum of the length, bytes, checksum of the bytes.
enum TFRecord {
    /// A record.
    static func frame(_ payload: [UInt8]) -> [UInt8] {
        let length = Event.little(UInt64(payload.count))
        return length + Event.little(checksum(length)) + payload + Event.little(checksum(payload))
    }

    /// The records of a file; what is torn or damaged between them is left out.
    static func payloads(of file: [UInt8]) -> [[UInt8]] {
        var payloads: [[UInt8]] = []
        var start = 0
        while start + 16 <= file.count {
            guard let payload = payload(of: file[start...]) else {
                start += 1
                continue
            }
            payloads.append(payload)
            start += payload.count + 16
        }
        return payloads
    }

    /// The payload of the record that begins the bytes; nil where none does.
    private static func payload(of bytes: ArraySlice<UInt8>) -> [UInt8]? {
        let head = bytes.prefix(12)
        let length = head.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= UInt64(bytes.count - 16),
            head.suffix(4).elementsEqual(Event.little(checksum(Array(head.prefix(8)))))
        else { return nil }
        let payload = Array(bytes.dropFirst(12).prefix(Int(length)))
        let end = bytes.dropFirst(12 + payload.count).prefix(4)
        return end.elementsEqual(Event.little(checksum(payload))) ? payload : nil
    }

    /// CRC-32C (Castagnoli, reflected), rotated and shifted as the format asks.
    static func checksum(_ bytes: [UInt8]) -> UInt32 {
        let crc = ~bytes.reduce(~UInt32(0)) { crc, byte in
            table[Int((crc ^ UInt32(byte)) & 0xFF)] ^ crc >> 8
        }
        return (crc >> 15 | crc << 17) &+ 0xA282_EAD8
    }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { crc, _ in crc & 1 == 0 ? crc >> 1 : crc >> 1 ^ 0x82F6_3B78 }
    }
}
