import Basics
import CHDF5
import Foundation
import Synchronization

/// Access to the HDF5 library: one caller at a time, every status looked at.
enum HDF5Library {
    private static let lock = Mutex(())
    private static let start: Void = {
        // No filter is ever loaded from a folder of plug-ins, and the library does not try to
        // flush at exit what it failed to write before.
        setenv("HDF5_PLUGIN_PRELOAD", "::", 1)
        // Each writer has a separate file; a lock would outlive it in a forked child.
        setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1)
        H5dont_atexit()
    }()

    /// The version in use, such as "1.10.8"; empty where it does not tell.
    static var version: String {
        var (major, minor, release): (UInt32, UInt32, UInt32) = (0, 0, 0)
        let status = lock.withLock { _ in
            _ = start
            return H5get_libversion(&major, &minor, &release)
        }
        return status < 0 ? "" : "\(major).\(minor).\(release)"
    }

    /// Runs `body` with the library to itself.
    static func session<R>(_ file: HDF5Session, _ body: (HDF5Session) throws -> R) throws -> R {
        try lock.withLock { _ in
            _ = start
            try file.check("H5open", H5open())
            try file.check("H5Eset_auto2", hdf5_silence())
            return try body(file)
        }
    }
}

/// The one place where statuses of the HDF5 library turn into failures.
struct HDF5Session {
    /// The file concerned, for messages.
    let path: String
    /// What a failing call means: bad data when reading, the disk when writing.
    let kind: Failure.Kind

    /// Gives back a status or identifier that is not negative.
    ///
    /// - Throws: `Failure` of this session's kind, with the library's own description.
    @discardableResult
    func check<T: SignedInteger>(_ call: String, _ status: T) throws -> T {
        guard status < 0 else { return status }
        let box = Box()
        hdf5_visit_errors(
            { description, context in
                guard let description, let context else { return }
                Unmanaged<Box>.fromOpaque(context).takeUnretainedValue().descriptions
                    .append(String(cString: description))
            },
            Unmanaged.passUnretained(box).toOpaque()
        )
        let reason = box.descriptions.last ?? "no reason given"
        throw Failure(
            kind,
            file: path,
            "the HDF5 library failed in \(call): \(reason)",
            remedy: kind == .disk ? "Check the disk and run the same command again." : nil
        )
    }

    private final class Box { var descriptions: [String] = [] }

    /// Hands an open identifier to `body` and closes it, looking at the closing's status too.
    @discardableResult
    func using<R>(
        _ call: String,
        _ identifier: hid_t,
        close: (hid_t) -> herr_t,
        _ body: (hid_t) throws -> R
    ) throws -> R {
        try check(call, identifier)
        let result: R
        do { result = try body(identifier) } catch {
            _ = close(identifier)
            throw error
        }
        try check("closing after \(call)", close(identifier))
        return result
    }

    /// Makes a property list and hands it to `body`.
    func properties<R>(_ listClass: hid_t, _ body: (hid_t) throws -> R) throws -> R {
        try using("H5Pcreate", H5Pcreate(listClass), close: H5Pclose, body)
    }

    /// Makes a fixed-length string type and hands it to `body`.
    func string<R>(length: Int, utf8: Bool = true, _ body: (hid_t) throws -> R) throws -> R {
        try using("H5Tcopy", H5Tcopy(hdf5_string_type()), close: H5Tclose) { type in
            try check("H5Tset_size", H5Tset_size(type, length))
            try check("H5Tset_strpad", H5Tset_strpad(type, H5T_STR_NULLPAD))
            if utf8 { try check("H5Tset_cset", H5Tset_cset(type, H5T_CSET_UTF8)) }
            return try body(type)
        }
    }

    /// Makes a dataspace and hands it to `body`; no axes make a scalar.
    func dataspace<R>(_ shape: [Int], _ body: (hid_t) throws -> R) throws -> R {
        let sizes = shape.map { hsize_t($0) }
        let identifier =
            shape.isEmpty
            ? H5Screate(H5S_SCALAR) : H5Screate_simple(Int32(shape.count), sizes, nil)
        return try using("H5Screate", identifier, close: H5Sclose, body)
    }
}
