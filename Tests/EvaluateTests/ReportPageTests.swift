import Foundation
import Testing

@testable import Evaluate

@Suite struct ReportPageTests {
    /// Set RSD_REPORT_PREVIEW to a folder to look at the example report in a browser.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["RSD_REPORT_PREVIEW"] != nil))
    func writesPreview() throws {
        let folder = ProcessInfo.processInfo.environment["RSD_REPORT_PREVIEW"] ?? "."
        for file in try ReportFiles.render(ReportExample.realistic()) {
            let url = URL(fileURLWithPath: folder).appendingPathComponent(file.path)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try file.text.write(to: url, atomically: true, encoding: .utf8)
        }
    }
}
