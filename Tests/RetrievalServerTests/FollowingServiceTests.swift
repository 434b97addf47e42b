import Foundation
import Retrieval
import RetrievalServer
import RetrievalTesting
import Storage
import SystemPackage
import TestSupport
import Testing
import Torch

@Suite("A service that follows a folder", .timeLimit(.minutes(30)))
struct FollowingServiceTests {
    /// Runs a service that creates its index from a folder.
    ///
    /// - Parameter count: The number of images in the folder.
    private func follow(
        _ count: Int, _ body: (TinyService) async throws -> Void
    ) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try TinyImages.write(count, to: folder.appending("images"))
            let model = try TinyModel.search(in: folder)
            try await TinyService.serve(
                folder, model, { $0.photos = folder.appending("images") }, body)
        }
    }

    private func state(_ service: TinyService) async throws -> [String: Any] {
        try await service.client.send("GET", "/api/index").json
    }

    /// Waits until the index has `count` images and indexing has ended.
    private func has(_ count: Int, _ service: TinyService) async throws -> Bool {
        try await eventually {
            let state = try await state(service)
            let indexing = state["indexing"] as? [String: Any]
            return state["images"] as? Int == count && indexing?["is_running"] as? Bool == false
        }
    }

    @Test("The folder fills a new index, and the service reports the progress")
    func progress() async throws {
        try await follow(20) { service in
            #expect(try await has(20, service))
            let indexing = try await state(service)["indexing"] as? [String: Any]
            #expect(indexing?["done"] as? Int == 20 && indexing?["total"] as? Int == 20)
            #expect(indexing?["error"] is NSNull)
            #expect((indexing?["last_scan"] as? String)?.contains("T") == true)
            #expect(try await service.ids().count == 20)
        }
    }

    @Test("All uploads during the indexing of a folder are acknowledged")
    func uploads() async throws {
        try await follow(300) { service in
            try await withThrowingTaskGroup(of: Int.self) { group in
                for client in 0..<4 {
                    for number in 0..<5 {
                        group.addTask {
                            try await service.client.sendForm(
                                "POST", "/api/images",
                                image: TinyImages.bitmap(5000 + 10 * client + number),
                                headers: TinyService.authorization
                            ).status
                        }
                    }
                }
                for try await status in group { #expect(status == 201) }
            }
            #expect(try await has(320, service))
            #expect(try ForwardIndex.verify(service.index).isEmpty)
        }
    }

    @Test("Patterns exclude files of the followed folder, and the service lists the patterns")
    func excluded() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let photos = folder.appending("images")
            try TinyImages.write(3, to: photos)
            try TinyImages.write(2, to: photos.appending("drafts"))
            let model = try TinyModel.search(in: folder)
            try await TinyService.serve(
                folder, model,
                {
                    $0.photos = photos
                    $0.exclude = ["drafts/"]
                }
            ) { service in
                #expect(try await has(3, service))
                let skipped = try await state(service)["skipped"] as? [String: Any]
                #expect(skipped?["excluded"] as? [String] == ["drafts/"])
            }
        }
    }

    @Test("Unreadable files are listed with the reason, and unsupported ones counted by type")
    func skipped() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let photos = folder.appending("images")
            try TinyImages.write(3, to: photos)
            for name in ["broken.jpg", "half.png", "notes.txt"] {
                try Data("no image".utf8).write(to: URL(filePath: photos.appending(name).string))
            }
            let model = try TinyModel.search(in: folder)
            try await TinyService.serve(folder, model, { $0.photos = photos }) { service in
                #expect(try await has(3, service))
                let state = try await state(service)
                let skipped = try #require(state["skipped"] as? [String: Any])
                #expect(skipped["count"] as? Int == 2)
                let files = skipped["files"] as? [[String: String]] ?? []
                #expect(
                    files.map { $0["path"] }
                        == ["broken.jpg", "half.png"].map { photos.appending($0).string })
                #expect(files.allSatisfy { $0["reason"]?.isEmpty == false })
                #expect((skipped["passed_over"] as? [String: Int])?.values.reduce(0, +) == 1)
                #expect((state["indexing"] as? [String: Any])?["failed"] as? Int == 2)
            }
        }
    }

    @Test("A client with the key can request a scan of the folder")
    func scan() async throws {
        try await follow(3) { service in
            #expect(try await has(3, service))
            func scans() async throws -> String? {
                (try await state(service)["indexing"] as? [String: Any])?["last_scan"] as? String
            }
            let before = try await scans()
            #expect(try await service.client.send("POST", "/api/scan").status == 401)
            let isScanned = try await eventually {
                let asked = try await service.client.send(
                    "POST", "/api/scan", headers: TinyService.authorization)
                #expect(asked.status == 202 && asked.json["last_scan"] is String)
                return try await scans() != before
            }
            #expect(isScanned)
        }
        try await TinyService.run(images: 1) { service in
            let refused = try await service.client.send(
                "POST", "/api/scan", headers: TinyService.authorization)
            #expect(refused.status == 409 && refused.problem == "conflict")
        }
    }

    @Test("Removing the last image of the folder removes it from the index")
    func emptied() async throws {
        try await follow(4) { service in
            #expect(try await has(4, service))
            for number in 0..<4 {
                try FileManager.default.removeItem(
                    atPath: service.images.appending("00\(number).bmp").string)
            }
            #expect(try await has(0, service))
            #expect(try await service.client.send("GET", "/health/ready").status == 200)
        }
    }

    @Test("The service refuses to remove an image of the folder, and says how to")
    func removal() async throws {
        try await follow(2) { service in
            #expect(try await has(2, service))
            let id = EntryKey(service.images.appending("001.bmp")).description
            let refused = try await service.client.send(
                "DELETE", "/api/images/\(id)", headers: TinyService.authorization)
            #expect(refused.status == 409 && refused.problem == "conflict")
            #expect((refused.json["detail"] as? String)?.contains("remove the file") == true)
            #expect(try await service.client.send("GET", "/api/images/\(id)").status == 200)
        }
    }

    @Test(
        "Neither a write nor the folder recreates a missing index; once restored, it is served")
    func vanished() async throws {
        try await follow(6) { service in
            let (files, aside) = (FileManager.default, service.folder.appending("aside").string)
            #expect(try await has(6, service))
            try files.moveItem(atPath: service.index.string, toPath: aside)
            try TinyImages.write(8, to: service.images)
            let refused = try await service.client.sendForm(
                "POST", "/api/images", image: TinyImages.bitmap(900),
                headers: TinyService.authorization)
            #expect(refused.status == 503 && refused.problem == "unavailable", "\(refused.text)")
            #expect(try await service.client.send("GET", "/health/ready").status == 503)
            #expect(
                try await eventually {
                    let indexing = try await state(service)["indexing"] as? [String: Any]
                    return indexing?["error"] is String
                })
            #expect(!files.fileExists(atPath: service.index.string))

            try files.moveItem(atPath: aside, toPath: service.index.string)
            #expect(
                try await eventually {
                    try await service.client.send("GET", "/health/ready").status == 200
                })
            #expect(try await has(8, service))
            let added = try await service.client.sendForm(
                "POST", "/api/images", image: TinyImages.bitmap(901),
                headers: TinyService.authorization)
            #expect(added.status == 201)
        }
    }

    @Test("The service brings a restored older index in step again")
    func restored() async throws {
        try await follow(6) { service in
            let (files, backup) = (FileManager.default, service.folder.appending("backup").string)
            #expect(try await has(6, service))
            // The service tidies the index after a commit, so a program that copies or moves the index
            // must hold the lock, as every writer does.
            try await locking(service.index) {
                try files.copyItem(atPath: service.index.string, toPath: backup)
            }
            try TinyImages.write(9, to: service.images)
            #expect(try await has(9, service))
            try await locking(service.index) {
                try files.moveItem(
                    atPath: service.index.string, toPath: service.folder.appending("new").string)
                try files.moveItem(atPath: backup, toPath: service.index.string)
            }
            // The folder does not change; only the index lacks an image.
            #expect(
                try await eventually { try ForwardIndex(service.index).count == 9 })
            #expect(try await has(9, service))
        }
    }

    /// Runs a closure while it holds the lock of the index.
    private func locking(_ index: FilePath, _ body: () throws -> Void) async throws {
        var lock: FileLock?
        let isLocked = try await eventually {
            lock = try? FileLock(index.appending("lock"))
            return lock != nil
        }
        try #require(isLocked)
        try withExtendedLifetime(lock) { try body() }
    }

    @Test("A missing folder is refused at the start, and no index is created")
    func missing() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let model = try TinyModel.search(in: folder)
            let photos = folder.appending("images")
            await #expect(throws: ServerError.self) {
                try await TinyService.serve(folder, model, { $0.photos = photos }) { _ in }
            }
            #expect(!FileManager.default.fileExists(atPath: folder.appending("index").string))

            // If the index has images of the missing folder, the service starts, and they stay.
            try TinyImages.write(3, to: photos)
            _ = try await Indexer(model).update(folder.appending("index"), with: photos)
            try FileManager.default.removeItem(atPath: photos.string)
            try await TinyService.serve(folder, model, { $0.photos = photos }) { service in
                let isSaid = try await eventually {
                    let indexing = try await state(service)["indexing"] as? [String: Any]
                    return indexing?["error"] is String
                }
                #expect(isSaid)
                #expect(try await service.ids().count == 3)
            }
        }
    }
}
