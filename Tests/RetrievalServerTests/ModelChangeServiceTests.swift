import Foundation
import Logging
import Retrieval
import RetrievalServer
import RetrievalTesting
import Synchronization
import SystemPackage
import TestSupport
import Testing

@Suite(
    "A service whose index is changed to another model", .oneModelAndTwo, .timeLimit(.minutes(30)))
struct ModelChangeServiceTests {
    /// A log that a test can read.
    private final class Lines: Sendable {
        private let lines = Mutex<[String]>([])

        var all: [String] { lines.withLock { $0 } }

        var logger: Logger { Logger(label: "test") { _ in Handler(lines: self) } }

        private struct Handler: LogHandler {
            let lines: Lines
            var metadata = Logger.Metadata()
            var logLevel = Logger.Level.info

            subscript(metadataKey key: String) -> Logger.Metadata.Value? {
                get { metadata[key] }
                set { metadata[key] = newValue }
            }

            func log(
                level: Logger.Level, message: Logger.Message, metadata: Logger.Metadata?,
                source: String, file: String, function: String, line: UInt
            ) {
                lines.lines.withLock { $0.append("\(level) \(message)") }
            }
        }
    }

    private func other(in folder: FilePath) throws -> SearchModel {
        try TinyModel(seed: 2).write(to: folder.appending("other"))
        return try SearchModel(
            folder.appending("other"),
            recall: TinyModel.hasRecall ? folder.appending("recall") : nil)
    }

    private func document(_ service: TinyService) async throws -> [String: Any] {
        try await service.client.send("GET", "/api/index").json
    }

    private func fingerprint(_ service: TinyService) async throws -> String? {
        (try await document(service)["model"] as? [String: Any])?["fingerprint"] as? String
    }

    private func upload(_ seed: Int, _ service: TinyService) async throws -> ServiceResponse {
        try await service.client.sendForm(
            "POST", "/api/images", image: TinyImages.bitmap(seed),
            headers: TinyService.authorization)
    }

    @Test("After a foreign change of model it answers as before, warns once, and refuses writes")
    func changedElsewhere() async throws {
        let lines = Lines()
        try await TinyService.run(
            images: 20, logger: lines.logger,
            { $0.photos = nil }
        ) { service in
            #expect(try await upload(300, service).status == 201)
            let own = try await fingerprint(service)
            let other = try other(in: service.folder)
            var options = Indexer.Options()
            options.changesModel = true
            let report = try await Indexer(other, options: options)
                .update(service.index, with: service.images)
            #expect(report.encoded == 21)
            #expect(
                try await eventually {
                    lines.all.contains {
                        $0.hasPrefix("warning the index was changed to the model")
                    }
                })
            #expect(try await service.client.send("GET", "/health/ready").status == 200)
            #expect(try await fingerprint(service) == own)
            let results = try await service.results(["text": "a dog", "count": 30])
            #expect(results.count == 21)
            let refused = try await upload(301, service)
            #expect(refused.status == 409 && refused.problem == "conflict", "\(refused.text)")
            let detail = try #require(refused.json["detail"] as? String)
            #expect(detail.contains("was changed to the model other"), "\(detail)")
            let id = try #require(results.first?["id"] as? String)
            let kept = try await service.client.send(
                "DELETE", "/api/images/\(id)", headers: TinyService.authorization)
            #expect(kept.status == 409)
            // The service looks at the disk every second.
            try await Task.sleep(for: .seconds(2.5))
            #expect(lines.all.count { $0.contains("was changed to the model") } == 1)
            #expect(try ForwardIndex(service.index).count == 21)

            // After a restart with the new model, the service has all images.
            try await TinyService.serve(service.folder, other) { next in
                let ids = try await next.ids()
                #expect(ids.count == 21)
                let added = try await upload(301, next)
                #expect(added.status == 201)
            }
        }
    }

    @Test("A service with another model answers with the old one until all images are encoded")
    func changedHere() async throws {
        let lines = Lines()
        try await TinyService.run(images: 300) { before in
            #expect(try await upload(800, before).status == 201)
            let other = try other(in: before.folder)
            try await TinyService.serve(
                before.folder, other, former: before.model, logger: lines.logger,
                { $0.photos = before.images }
            ) { service in
                // At any moment searches find all images, including those sent meanwhile.
                var (count, sent, models) = (301, 0, Set<String>())
                while true {
                    let results = try await service.results([
                        "text": "a dog \(count)", "count": 1000, "candidates": 4,
                    ])
                    #expect(results.count >= count)
                    if let model = try await fingerprint(service) { models.insert(model) }
                    if let id = results.first?["id"] as? String {
                        let alike = try await service.client.post(
                            "/api/search", ["image": id, "count": 1])
                        // An image prepared for the former model must be sent again.
                        #expect([200, 503].contains(alike.status), "\(alike.text)")
                    }
                    if models.contains(other.fingerprint) { break }
                    if sent < 20 {
                        let answer = try await upload(900 + sent, service)
                        #expect([201, 503].contains(answer.status), "\(answer.text)")
                        if answer.status == 201 { count += 1 }
                        sent += 1
                    }
                    #expect(try await service.client.send("GET", "/health/ready").status == 200)
                }
                #expect(
                    try await eventually {
                        try await self.document(service)["change"] is NSNull
                    })
                let forward = try ForwardIndex(service.index)
                #expect(forward.model.isSame(as: other.signature))
                #expect(forward.count == count)
                #expect(try ForwardIndex.verify(service.index).isEmpty)
                // Files and clients' images continue with the new model.
                #expect(try await upload(1000, service).status == 201)
                try Data(TinyImages.bitmap(77, side: 12)).write(
                    to: URL(filePath: service.images.appending("late.bmp").string))
                #expect(
                    try await eventually { try ForwardIndex(service.index).count == count + 2 })
                let all = try Searcher(other, ForwardIndex(service.index)).search(
                    .text("a dog"), SearchOptions(count: 1000, candidates: 0))
                #expect(all.results.count == count + 2)
                #expect(
                    lines.all.contains { $0.hasPrefix("notice the index now has the model other") })
            }
        }
    }

    @Test("A service that stops during a change leaves the rest to the next one")
    func resumed() async throws {
        try await TinyService.run(images: 250) { before in
            let other = try other(in: before.folder)
            func serve(_ body: @escaping (TinyService) async throws -> Void) async throws {
                try await TinyService.serve(
                    before.folder, other, former: before.model, { $0.photos = before.images }, body)
            }
            let encoded = Mutex(0)
            try await serve { service in
                let isBegun = try await eventually {
                    let change = try await self.document(service)["change"] as? [String: Any]
                    return change == nil || change?["encoded"] as? Int ?? 0 > 0
                }
                #expect(isBegun)
                encoded.withLock { $0 = IndexSuccessor(of: before.index)?.count ?? 250 }
            }
            let kept = IndexSuccessor(of: before.index)?.count ?? 250
            #expect(kept >= encoded.withLock { $0 } && kept > 0)
            try await serve { service in
                let isDone = try await eventually {
                    try await self.fingerprint(service) == other.fingerprint
                }
                let ids = try await service.ids()
                #expect(isDone && ids.count == 250)
            }
        }
    }

    @Test("A read-only service answers with the old model until the index changes")
    func readOnly() async throws {
        let lines = Lines()
        try await TinyService.run(images: 12) { before in
            let other = try other(in: before.folder)
            try await TinyService.serve(
                before.folder, other, former: before.model, logger: lines.logger,
                { $0.key = nil }
            ) { service in
                #expect(lines.all.contains { $0.contains("'albef index' with --model") })
                #expect(try await fingerprint(service) == before.model.fingerprint)
                #expect(try await service.results(["text": "a dog", "count": 30]).count == 12)
                #expect(IndexSuccessor(of: service.index) == nil)
                var options = Indexer.Options()
                options.changesModel = true
                _ = try await Indexer(other, options: options)
                    .update(service.index, with: service.images)
                #expect(
                    try await eventually {
                        try await self.fingerprint(service) == other.fingerprint
                    })
                #expect(try await service.results(["text": "a dog", "count": 30]).count == 12)
            }
            // Without the old model, the error says what to do.
            try await Fixtures.withTemporaryFolder { folder in
                await #expect(throws: IndexError.self) {
                    try await TinyService.serve(before.folder, before.model) { _ in }
                }
            }
        }
    }
}
