import Basics
import Foundation
import TestSupport
import Testing

/// Damaged files of every format that the programs read: each is read or refused with a `Failure`,
/// in seconds, with memory in proportion to it, and what is read can be used.
///
/// Here a few inputs of each; Tools/fuzz.py tries as many as it is asked for.
@Suite(.serialized) struct MutatedFileTests {
    static let formats: [FuzzFormat] = [
        FuzzFormat(name: "gguf") { GGUFSubject(folder: $0) },
        FuzzFormat(name: "safetensors") {
            try FolderSubject(.llama, $0, damaging: ["model.safetensors"])
        },
        FuzzFormat(name: "config") {
            try FolderSubject(
                .qwen2,
                $0,
                damaging: [
                    "config.json", "config.json", "generation_config.json", "tokenizer_config.json",
                ]
            )
        },
        FuzzFormat(name: "checkpoint") { try CheckpointSubject($0) },
        FuzzFormat(name: "tokenizer") { _ in try TokenizerSubject() },
        FuzzFormat(name: "template") { _ in try TemplateSubject() },
        FuzzFormat(name: "chat-template") { _ in try ChatTemplateSubject() },
        FuzzFormat(name: "problems", prepare: RecordFormats.problems),
        FuzzFormat(name: "choices", prepare: RecordFormats.choices),
        FuzzFormat(name: "traces", prepare: RecordFormats.traces),
        FuzzFormat(name: "selected", prepare: RecordFormats.selected),
        FuzzFormat(name: "targets", prepare: RecordFormats.targets),
        FuzzFormat(name: "ranks", prepare: RecordFormats.ranks),
        FuzzFormat(name: "ranked", prepare: RecordFormats.ranked),
        FuzzFormat(name: "gate", prepare: RecordFormats.gate),
        FuzzFormat(name: "samples", prepare: RecordFormats.samples),
        FuzzFormat(name: "scores", prepare: ReportFormats.scores),
        FuzzFormat(name: "metrics", prepare: ReportFormats.metrics),
        FuzzFormat(name: "analysis", prepare: ReportFormats.analysis),
        FuzzFormat(name: "manifest", prepare: ReportFormats.manifest),
        FuzzFormat(name: "events") { try EventSubject($0) },
        FuzzFormat(name: "experiment", prepare: ExperimentFormat.subject),
    ]

    static var chosen: [FuzzFormat] {
        let name = FuzzRun.environment["RSD_FUZZ_FORMAT"]
        // The library that reads checkpoints may end the process, and with it the other tests.
        return formats.filter { name == nil ? $0.name != "checkpoint" : $0.name == name }
    }

    @Test(arguments: chosen)
    func isReadOrRefused(_ format: FuzzFormat) throws {
        let memory = "/dev/shm"
        let parent =
            FileManager.default.isWritableFile(atPath: memory)
            ? memory : FileManager.default.temporaryDirectory.path(percentEncoded: false)
        let folder = "\(parent)/rsd-fuzz-\(UUID().uuidString)"
        try TextFile.createFolder(folder)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var run = FuzzRun(format)
        try run.run(in: folder)
        for fault in run.faults { Issue.record("\(format.name), \(fault)") }
        #expect(run.state.accepted + run.state.refused + run.state.faults >= FuzzRun.inputs)
        // A reader that refuses all of them, whole ones too, is not tried.
        if FuzzRun.inputs >= 60 { #expect(run.state.accepted > 0) }
    }

    /// The checksums that damaged HDF5 headers get are those of the library.
    @Test func headersOfCheckpointsAreFound() throws {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "rsd-\(UUID().uuidString)").path(percentEncoded: false)
        try TextFile.createFolder(folder)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let bytes = try CheckpointSubject.whole(folder)
        let headers = HDF5Headers.find(in: bytes)
        #expect(headers.count > 20)
        for header in headers {
            var changed = bytes
            HDF5Headers.renew(header, in: &changed)
            let isSame = changed == bytes
            #expect(isSame, "\(header.range)")
        }
    }
}
