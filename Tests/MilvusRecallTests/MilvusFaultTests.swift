#if Milvus
    import Foundation
    import MilvusRecall
    import Retrieval
    import SystemPackage
    import TestSupport
    import Testing

    /// A client against a server over TLS that behaves badly on purpose; see
    /// `Tests/Fixtures/milvus/server.py`.
    @Suite("Encrypted, refused and repeated calls", .enabled(if: MilvusServer.python != nil))
    struct MilvusFaultTests {
        /// Runs the server, and calls a function with its port and its certificate.
        private func withServer(
            _ body: (_ port: String, _ certificate: FilePath) async throws -> Void
        ) async throws {
            try await Fixtures.withTemporaryFolder { folder in
                let process = Process()
                process.executableURL = URL(filePath: try #require(MilvusServer.python))
                process.arguments = [Fixtures.path("milvus/server.py").string, folder.string]
                let (input, output) = (Pipe(), Pipe())
                process.standardInput = input
                process.standardOutput = output
                try process.run()
                defer {
                    try? input.fileHandleForWriting.close()
                    process.waitUntilExit()
                }
                var line = Data()
                while line.last != UInt8(ascii: "\n") {
                    let more = output.fileHandleForReading.availableData
                    guard !more.isEmpty else { break }
                    line += more
                }
                let port = String(decoding: line, as: UTF8.self)
                    .trimmingCharacters(in: .whitespacesAndNewlines)
                try #require(Int(port) != nil)
                try await body(port, folder.appending("server.pem"))
            }
        }

        private func withStore<Result>(
            _ address: String, _ body: (MilvusStore) async throws -> Result
        ) async throws -> Result {
            let store = MilvusStore(try MilvusAddress(address, environment: [:]))
            defer { store.close() }
            return try await body(store)
        }

        @Test func callsAreEncryptedRepeatedAndRefused() async throws {
            try await withServer { port, certificate in
                let place = "localhost:\(port)/shop/images"
                let trust = "tls=true&ca=\(certificate)"
                // The token and the database arrive.
                try await withStore("milvus://root:secret@\(place)?\(trust)") { store in
                    #expect(try await store.isHealthy())
                    // Unavailable twice, limited once, then done.
                    try await store.flush()
                }
                var error = await #expect(throws: RecallError.self) {
                    try await withStore("milvuss://root:wrong@\(place)?ca=\(certificate)") {
                        try await $0.isHealthy()
                    }
                }
                #expect(error?.isTemporary == false)
                #expect(error?.description.contains("MILVUS_TOKEN") == true)
                #expect(error?.description.contains("wrong") == false)
                // A refusal is not repeated.
                error = await #expect(throws: RecallError.self) {
                    try await withStore("milvus://\(place)?\(trust)") {
                        try await $0.remove(["a"])
                    }
                }
                #expect(error?.description.contains("no such thing") == true, "\(error as Any)")
                // What does not answer ends at the timeout.
                error = await #expect(throws: RecallError.self) {
                    try await withStore("milvus://\(place)?\(trust)&timeout=0.5") {
                        try await $0.serverVersion()
                    }
                }
                #expect(error?.isTemporary == true)
                // A certificate that nothing vouches for, and no encryption at all.
                for settings in ["tls=true", "tls=false"] {
                    error = await #expect(throws: RecallError.self) {
                        try await withStore("milvus://\(place)?timeout=1&\(settings)") {
                            try await $0.isHealthy()
                        }
                    }
                    #expect(error?.description.hasPrefix("milvus") == true)
                }
                error = await #expect(throws: RecallError.self) {
                    try await withStore("milvus://\(place)?tls=true&ca=/nothing.pem") {
                        try await $0.isHealthy()
                    }
                }
                #expect(error?.description.contains("ca=") == true, "\(error as Any)")
            }
        }
    }
#endif
