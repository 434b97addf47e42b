#if Milvus
    import Foundation
    import MilvusRecall
    import Retrieval
    import SystemPackage
    import TestSupport
    import Testing
    import Torch

    /// A server that `Scripts/test-milvus` has started, and how it is killed and started again.
    enum MilvusServer {
        private static let environment = ProcessInfo.processInfo.environment
        /// The host and the port; nil if no server runs.
        static let place = environment["ALBEF_TEST_MILVUS"]
        /// A program that kills the server, and returns when a new one is starting.
        static let restart = environment["ALBEF_TEST_MILVUS_RESTART"]
        /// A Python with gRPC.
        static let python = environment["ALBEF_TEST_MILVUS_PYTHON"]
        /// The number of features for the comparison with the embedded index.
        static let size = environment["ALBEF_TEST_MILVUS_SIZE"].flatMap { Int($0) } ?? 100_000

        static func address(
            _ collection: String, _ settings: String = "", consistency: String = "strong"
        ) throws -> MilvusAddress {
            try MilvusAddress(
                "milvus://\(place ?? "")/\(collection)?consistency=\(consistency)\(settings)",
                environment: [:])
        }

        /// Calls a function with a client of a collection whose rows are all flushed, indexed and
        /// loaded.
        ///
        /// Its searches need not wait for the server's clock.
        static func settled(
            _ store: MilvusStore, rows: Int, _ collection: String, _ settings: String = "",
            _ body: (StoreRecall) throws -> Void
        ) async throws {
            try await store.waitForIndex(of: rows)
            try await store.reload()
            let client = MilvusStore(
                try address(collection, settings, consistency: "bounded"), patience: 300)
            defer { client.close() }
            try body(StoreRecall(client))
        }

        /// Calls a function with a collection that is deleted before and afterwards.
        static func withStore(
            _ collection: String, _ settings: String = "",
            _ body: (MilvusStore) async throws -> Void
        ) async throws {
            let store = MilvusStore(try address(collection, settings), patience: 300)
            try await store.drop()
            let result: Result<Void, any Error>
            do { result = .success(try await body(store)) } catch { result = .failure(error) }
            try await store.drop()
            store.close()
            try result.get()
        }
    }

    @Suite("A Milvus server", .serialized, .enabled(if: MilvusServer.place != nil))
    struct MilvusServerTests {
        @Test func answers() async throws {
            let store = MilvusStore(try MilvusServer.address("nothing"))
            #expect(try await store.isHealthy())
            #expect(try await store.serverVersion().isEmpty == false)
        }

        @Test(
            "Candidates are those of the embedded index",
            // Of so few rows the server makes no index but one of its own, which compares with an
            // eighth of them.
            arguments: [("flat", 1), ("hnsw", 0.75), ("ivf_sq8", 0.75)])
        func keepsTheContract(_ index: String, _ least: Double) async throws {
            try await Fixtures.withTemporaryFolder { folder in
                let contract = try RecallContract(in: folder)
                let forward = try ForwardIndex(contract.directory)
                try await MilvusServer.withStore("contract", "&index=\(index)") { store in
                    let report = try await FeaturePush(to: store).run(forward)
                    #expect(report.written == forward.count && report.failures.isEmpty)
                    try await MilvusServer.settled(
                        store, rows: forward.count, "contract", "&index=\(index)"
                    ) { recall in
                        try contract.check(recall, atLeast: least)
                        #expect(recall.counts.unknown == 0)
                    }
                }
            }
        }

        @Test("Pushes are idempotent, follow the index, and delete what it no longer has")
        func pushes() async throws {
            try await Fixtures.withTemporaryFolder { folder in
                let contract = try RecallContract(in: folder)
                try await MilvusServer.withStore("pushes", "&index=flat") { store in
                    var push = FeaturePush(to: store)
                    push.batch = 150
                    var report = try await push.run(ForwardIndex(contract.directory))
                    #expect(report.written == 699)
                    report = try await push.run(ForwardIndex(contract.directory))
                    #expect((report.written, report.removed, report.unchanged) == (0, 0, 699))
                    let paths = (100..<400).map { FilePath("/images/\($0).jpg") }
                    _ = try ForwardIndex.remove(contract.directory, paths: paths)
                    report = try await push.run(ForwardIndex(contract.directory))
                    #expect((report.written, report.removed, report.unchanged) == (0, 300, 399))
                    #expect(
                        try await store.versions(in: StoreRange(from: "", to: nil)).count == 399)
                    try await MilvusServer.settled(store, rows: 399, "pushes", "&index=flat") {
                        recall in
                        try contract.check(recall)
                        // Compaction moves every entry, so that all rows are written again.
                        try ForwardIndex.compact(contract.directory)
                        try contract.check(recall)
                    }
                    report = try await push.run(ForwardIndex(contract.directory))
                    #expect(report.written == 399)
                    try await MilvusServer.settled(store, rows: 399, "pushes", "&index=flat") {
                        recall in
                        try contract.check(recall)
                    }
                }
            }
        }

        @Test("Collections of other models, of others, and missing ones are refused")
        func otherCollections() async throws {
            try await MilvusServer.withStore("other") { store in
                let model = SyntheticIndex.signature()
                var other = model
                other.fingerprint = "another"
                let query = [Array(repeating: Float(0.1), count: SyntheticIndex.width)]
                func nearest(_ model: ModelSignature) async throws {
                    _ = try await store.nearest(to: query, count: 1, where: [], model: model)
                }
                var error = await #expect(throws: RecallError.self) { try await nearest(model) }
                #expect(error?.description.contains("albef index push") == true)
                try await store.prepare(for: model)
                try await nearest(model)
                error = await #expect(throws: RecallError.self) { try await nearest(other) }
                #expect(error?.isMismatch == true)
                error = await #expect(throws: RecallError.self) {
                    try await store.prepare(for: other)
                }
                #expect(error?.description.contains("--replace") == true)
                try await store.prepare(for: other, replacing: true)
                try await nearest(other)
            }
        }

        @Test("Waiting searches that occupy every thread of Swift's tasks still end")
        func manyWaitingSearches() async throws {
            try await Fixtures.withTemporaryFolder { folder in
                let contract = try RecallContract(in: folder)
                let index = try ForwardIndex(contract.directory)
                try await MilvusServer.withStore("threads", "&index=flat") { store in
                    _ = try await FeaturePush(to: store).run(index)
                    // A new client connects while all threads wait for it.
                    let client = MilvusStore(try MilvusServer.address("threads"))
                    let recall = StoreRecall(client)
                    try await withThrowingTaskGroup(of: Int.self) { group in
                        for row in 0..<32 {
                            let feature = contract.features[row]
                            group.addTask {
                                try recall.candidates(
                                    for: [RecallRequest(feature: feature, count: 5)], in: index,
                                    locator: EntryLocator())[0].get().count
                            }
                        }
                        for try await count in group { #expect(count == 5) }
                    }
                }
            }
        }

        @Test(
            "Nothing that was acknowledged is lost when the server is killed during a push",
            .enabled(if: MilvusServer.restart != nil))
        func killedServer() async throws {
            let restart = try #require(MilvusServer.restart)
            try await Fixtures.withTemporaryFolder { folder in
                let directory = folder.appending("index")
                let features = try SyntheticIndex.features(20_000, seed: 12)
                try SyntheticIndex.append(features, first: 0, to: directory)
                let index = try ForwardIndex(directory)
                try await MilvusServer.withStore("killed", "&index=flat") { store in
                    var push = FeaturePush(to: store)
                    push.batch = 500
                    var isKilled = false
                    var report = try await push.run(index) { progress in
                        guard !isKilled, progress.done >= 8000 else { return }
                        isKilled = true
                        let process = try Process.run(
                            URL(filePath: restart), arguments: [])
                        process.waitUntilExit()
                        #expect(process.terminationStatus == 0)
                    }
                    #expect(isKilled)
                    let isSure = report.failures.isEmpty
                    #expect(report.written == 20_000 || !isSure)
                    // What was acknowledged before the server was killed is still there.
                    report = try await push.run(index)
                    #expect(report.failures.isEmpty)
                    #expect(!isSure || (report.written == 0 && report.unchanged == 20_000))
                    let recall = StoreRecall(store)
                    for row in 0..<20 {
                        let request = RecallRequest(feature: features[row * 900], count: 1)
                        let found = try recall.candidates(
                            for: [request], in: index, locator: EntryLocator())[0].get()
                        #expect(try index.entry(found[0].id).size == row * 900)
                    }
                }
            }
        }
    }
#endif
