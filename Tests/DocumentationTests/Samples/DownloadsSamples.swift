import Downloads
import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("Samples of Downloads")
struct DownloadsSamples: SampleSuite {
    let printed = Printed()

    @Test func catalog() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            // sample: look-up-a-model
            // shown: folder = "models"
            let entry = try ModelCatalog.published.entry(named: "albef-coco", for: .search)
            print(entry.summary)
            print("\(entry.downloadSize) bytes, licence \(entry.licence)")

            let cache = ModelCache(folder)
            if let model = cache.model(entry) {
                print("is ready in \(model)")
            } else {
                print("cache.prepare(entry) downloads and imports it")
            }
            // end
            #expect(printed.lines.count == 3)
            #expect(printed.lines.last?.hasPrefix("cache.prepare") == true)
        }
    }

    @Test func download() async throws {
        let content = Data((0..<100_000).map { UInt8(truncatingIfNeeded: $0 * $0) })
        let server = try FileServer { _ in FileServer.Behaviour(content: content) }
        defer { server.stop() }
        try await Fixtures.withTemporaryFolder { folder in
            let (address, file) = (server.address, folder.appending("weights.pth"))
            // sample: download-a-file
            // shown: file = "weights.pth"
            let found = try await Downloader().download(address, to: file) { progress in
                print(progress.received, progress.total ?? 0)
            }
            print(found.path, found.sha256)
            // end
            #expect(try Data(contentsOf: URL(filePath: found.path.string)) == content)
            #expect(printed.lines.last?.hasSuffix(found.sha256) == true)
        }
    }
}
