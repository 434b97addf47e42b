import Logging
import Retrieval
import RetrievalServer
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing

@Suite("Samples of RetrievalServer")
struct ServerSamples: SampleSuite {
    let printed = Printed()

    @Test func serving() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let (directory, index) = (folder.appending("model"), folder.appending("index"))
            try TinyModel().write(to: directory)
            try TinyImages.write(3, to: folder.appending("images"))
            _ = try await Indexer(SearchModel(directory)).update(
                index, with: folder.appending("images"))
            let free = 0
            let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let task = Task {
                // sample: serve-an-index
                // shown: free = 8080
                // shown: directory = "model"
                // shown: index = "pictures.index"
                // shown: log = Logger(label: "search")
                var configuration = ServerConfiguration()
                configuration.port = free
                let service = try await RetrievalService(
                    configuration, model: SearchModel(directory), index: index,
                    logger: log)
                try await service.run { address in
                    print("searching on \(address)")
                }
                // end
            }
            #expect(try await eventually { !printed.lines.isEmpty })
            task.cancel()
            _ = await task.result
            #expect(printed.lines.first?.hasPrefix("searching on http://127.0.0.1:") == true)
        }
    }
}
