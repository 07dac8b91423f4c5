import Basics

@testable import Checkpoints

/// A safetensors file of a header and some data.
func safetensors(_ header: String, data: Int = 0, length: UInt64? = nil) -> [UInt8] {
    little(length ?? UInt64(header.utf8.count)) + Array(header.utf8)
        + Array(repeating: 0, count: data)
}

private func tensor(
    _ name: String,
    _ begin: Int,
    _ end: Int,
    shape: String = "[2]",
    type: String = "F32"
) -> String {
    "\"\(name)\":{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":[\(begin),\(end)]}"
}

/// Files that the safetensors reader must refuse.
let safetensorsAttacks: [Attack] = [
    Attack("empty file", "the header's length takes 8 bytes; only 0 remain") { [] },
    Attack("header of 2^64-1 bytes", "a header of 18446744073709551615 bytes") {
        safetensors("{}", length: .max)
    },
    Attack("header of 100,000,001 bytes", "expected at most 100000000") {
        safetensors("{}", length: 100_000_001)
    },
    Attack("header longer than the file", "the header takes 9999 bytes; only 2 remain") {
        safetensors("{}", length: 9999)
    },
    Attack("header of 0 bytes", "does not begin with '{'") { safetensors("") },
    Attack("header is a list", "does not begin with '{'") { safetensors("[]") },
    Attack("header is no JSON", "not valid JSON") { safetensors("{\"a\":}") },
    Attack("header nested 1000 deep", "nested deeper than 64") {
        safetensors("{\"a\":" + String(repeating: "[", count: 1000))
    },
    Attack("header is not UTF-8", "not UTF-8") {
        little(UInt64(7)) + Array("{\"".utf8) + [0xFF] + Array("\":1}".utf8)
    },
    Attack("duplicate tensor", "duplicate key 'a'") {
        safetensors("{\(tensor("a", 0, 8)),\(tensor("a", 8, 16))}", data: 16)
    },
    Attack("metadata that is no text", "expected an object of strings") {
        safetensors("{\"__metadata__\":{\"a\":1}}")
    },
    Attack("tensor is a list", "expected an object with dtype") { safetensors("{\"a\":[]}") },
    Attack("tensor with a member more", "expected an object with dtype") {
        safetensors("{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4],\"x\":1}}")
    },
    Attack("type I64", "stored as 'I64'; expected F32, F16 or BF16") {
        safetensors("{\(tensor("a", 0, 16, type: "I64"))}", data: 16)
    },
    Attack("negative axis", "expected an object with dtype") {
        safetensors("{\(tensor("a", 0, 8, shape: "[-2]"))}", data: 8)
    },
    Attack("axis 2.0", "expected an object with dtype") {
        safetensors("{\(tensor("a", 0, 8, shape: "[2.0]"))}", data: 8)
    },
    Attack("three offsets", "expected an object with dtype") {
        safetensors("{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4,8]}}", data: 4)
    },
    Attack("shape whose product wraps to 0", "is larger than any file") {
        safetensors("{\(tensor("a", 0, 0, shape: "[4294967296,4294967296]"))}")
    },
    Attack("shape that wraps beside an axis of 0", "is larger than any file") {
        safetensors("{\(tensor("a", 0, 0, shape: "[0,9223372036854775807,4]"))}")
    },
    Attack("offsets of another size than the shape", "do not hold shape [2]") {
        safetensors("{\(tensor("a", 0, 12))}", data: 12)
    },
    Attack("offsets reversed", "do not hold shape [2]") {
        safetensors("{\(tensor("a", 8, 0))}", data: 8)
    },
    Attack("offsets past any file", "lie past any file") {
        safetensors("{\(tensor("a", .max - 8, .max))}")
    },
    Attack("data does not begin at 0", "leaves a hole: begins at 8") {
        safetensors("{\(tensor("a", 8, 16))}", data: 16)
    },
    Attack("hole", "leaves a hole: begins at 12 of the data, expected 8") {
        safetensors("{\(tensor("a", 0, 8)),\(tensor("b", 12, 20))}", data: 20)
    },
    Attack("overlap", "overlaps another: begins at 4 of the data, expected 8") {
        safetensors("{\(tensor("a", 0, 8)),\(tensor("b", 4, 12))}", data: 12)
    },
    Attack("a thousand tensors in the same bytes", "overlaps another") {
        let tensors = (0..<1000).map { tensor("a\($0)", 0, 8) }.joined(separator: ",")
        return safetensors("{\(tensors)}", data: 8)
    },
    Attack("bytes after the last tensor", "the tensors end at byte") {
        safetensors("{\(tensor("a", 0, 8))}", data: 9)
    },
    Attack("data cut short", "The file is cut short") {
        safetensors("{\(tensor("a", 0, 8))}", data: 7)
    },
]
