import Basics
import Foundation

/// Writes one safetensors file, a tensor at a time.
public enum SafetensorsWriter {
    /// Writes the tensors to a file in one step: beside, flushed to the device, renamed.
    ///
    /// The larger element type comes first, then names in byte order, as the format asks; the
    /// header is padded with spaces to a multiple of 8. Never holds more than one tensor.
    /// - Throws: `Failure.disk`, the old file being untouched; what a tensor's `load` throws.
    public static func write(_ tensors: [NamedTensor], to path: String) throws {
        let sorted = tensors.sorted { left, right in
            left.storage.bytesPerValue != right.storage.bytesPerValue
                ? left.storage.bytesPerValue > right.storage.bytesPerValue
                : left.name.utf8.lexicographicallyPrecedes(right.name.utf8)
        }
        let header = header(sorted)
        let size = header.count + sorted.reduce(0) { $0 + $1.byteCount }
        try AtomicFile.replace(path, byteCount: size) { temporary in
            let file = try OutputFile(creating: temporary)
            try file.write(header)
            for tensor in sorted {
                try tensor.withStoredBytes { bytes in try file.write(bytes) }
            }
            try file.synchronizeAndClose()
        }
    }

    private static func header(_ tensors: [NamedTensor]) -> Data {
        var members: [(key: String, value: JSON)] = [("__metadata__", ["format": "pt"])]
        var offset = 0
        for tensor in tensors {
            let end = offset + tensor.byteCount
            members.append(
                (
                    tensor.name,
                    [
                        "dtype": tensor.storage == .float32 ? "F32" : "BF16",
                        "shape": .integers(tensor.shape),
                        "data_offsets": .integers([offset, end]),
                    ]
                )
            )
            offset = end
        }
        var text = Data(JSON.object(JSONObject(members)).compact.utf8)
        text.append(contentsOf: repeatElement(0x20, count: -text.count & 7))
        return withUnsafeBytes(of: UInt64(text.count).littleEndian) { Data($0) } + text
    }
}

extension OutputFile {
    /// Writes bytes that outlive the call, without copying them all at once.
    func write(_ bytes: UnsafeRawBufferPointer) throws {
        let step = 1 << 24
        for start in stride(from: 0, to: bytes.count, by: step) {
            try write(Data(bytes[start..<min(start + step, bytes.count)]))
        }
    }
}
