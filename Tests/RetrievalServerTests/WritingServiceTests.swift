import Foundation
import Retrieval
import RetrievalServer
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing

@Suite("Writing through the service")
struct WritingServiceTests {
    @Test("An image is added, found, replaced and removed")
    func life() async throws {
        try await TinyService.run { service in
            let added = try await service.client.sendForm(
                "POST", "/api/images", query: ["metadata": ["year": 2020, "tags": ["new"]]],
                image: TinyImages.bitmap(1000), fileName: "../../etc/passwd",
                headers: TinyService.authorization)
            #expect(added.status == 201, "\(added.text)")
            let id = try #require(added.json["id"] as? String)
            #expect(added.headers["location"] == "/api/images/\(id)")
            // The client's name is shown, but never used for a file.
            #expect(added.json["name"] as? String == "../../etc/passwd")
            let path = try #require(added.json["path"] as? String)
            #expect(path.hasPrefix(service.folder.string + "/index.uploads/"))
            #expect(path.hasSuffix(".bmp"))

            let found = try await service.results(["text": "a dog", "filters": ["year>=2020"]])
            #expect(found.map { $0["id"] as? String } == [id])
            let replaced = try await service.client.sendForm(
                "PUT", "/api/images/\(id)", image: TinyImages.bitmap(2000),
                headers: TinyService.authorization)
            #expect(replaced.status == 200, "\(replaced.text)")
            #expect(replaced.json["id"] as? String == id)
            let original = try await service.client.send("GET", "/api/images/\(id)/original")
            #expect(original.body == TinyImages.bitmap(2000))
            let like = try await service.client.sendForm(
                "POST", "/api/search", query: ["count": 1], image: TinyImages.bitmap(2000))
            #expect(
                (like.json["results"] as? [[String: Any]])?.first?["id"] as? String == id)
            // Its metadata stays.
            let noted = try await service.results(["text": "a dog", "filters": ["tags=new"]])
            #expect(noted.count == 1)

            let removed = try await service.client.send(
                "DELETE", "/api/images/\(id)", headers: TinyService.authorization)
            #expect(removed.status == 204)
            #expect(!FileManager.default.fileExists(atPath: path))
            #expect(try await service.client.send("GET", "/api/images/\(id)").status == 404)
            #expect(try ForwardIndex.verify(service.index).isEmpty)
        }
    }

    @Test("Concurrent replacements and removals of an image leave it complete or removed")
    func contention() async throws {
        try await TinyService.run(images: 5) { service in
            for round in 0..<3 {
                let added = try await service.client.sendForm(
                    "POST", "/api/images", image: TinyImages.bitmap(100),
                    headers: TinyService.authorization)
                let id = try #require(added.json["id"] as? String)
                let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                    for number in 0..<8 {
                        group.addTask {
                            round == 2 && number == 5
                                ? try await service.client.send(
                                    "DELETE", "/api/images/\(id)",
                                    headers: TinyService.authorization
                                ).status
                                : try await service.client.sendForm(
                                    "PUT", "/api/images/\(id)",
                                    image: TinyImages.bitmap(200 + 10 * round + number),
                                    headers: TinyService.authorization
                                ).status
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(Set(statuses).isSubset(of: [200, 204, 404]), "\(statuses)")
                let entry = try await service.client.send("GET", "/api/images/\(id)")
                let file = try await service.client.send("GET", "/api/images/\(id)/original")
                guard entry.status == 200 else { continue }
                let seed = (200..<230).first { TinyImages.bitmap($0) == file.body }
                #expect(seed != nil && file.status == 200)
                // The entry matches the file.
                let like = try await service.client.sendForm(
                    "POST", "/api/search", query: ["count": 1], image: file.body)
                let first = (like.json["results"] as? [[String: Any]])?.first
                #expect(first?["id"] as? String == id)
            }
            let files = try FileManager.default.contentsOfDirectory(
                atPath: "\(service.index.string).uploads")
            #expect(!files.contains { $0.hasSuffix(".new") }, "\(files)")
        }
    }

    @Test("An image of a folder is removed only from the index, and cannot be replaced")
    func foreign() async throws {
        try await TinyService.run { service in
            let path = service.images.appending("003.bmp")
            let id = EntryKey(path).description
            let replaced = try await service.client.sendForm(
                "PUT", "/api/images/\(id)", image: TinyImages.bitmap(5),
                headers: TinyService.authorization)
            #expect(replaced.status == 409 && replaced.problem == "conflict")
            let removed = try await service.client.send(
                "DELETE", "/api/images/\(id)", headers: TinyService.authorization)
            #expect(removed.status == 204)
            #expect(FileManager.default.fileExists(atPath: path.string))
        }
    }

    @Test("Searches have complete answers while images are removed, added and compacted")
    func concurrent() async throws {
        try await TinyService.run(images: 60) { service in
            let ids = try await service.ids()
            let kept = Set(ids.suffix(20))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for id in ids.prefix(40) {
                        let answer = try await service.client.send(
                            "DELETE", "/api/images/\(id)",
                            headers: TinyService.authorization)
                        #expect(answer.status == 204)
                    }
                }
                group.addTask {
                    for number in 0..<30 {
                        let answer = try await service.client.sendForm(
                            "POST", "/api/images", image: TinyImages.bitmap(3000 + number),
                            headers: TinyService.authorization)
                        #expect(answer.status == 201)
                    }
                }
                for worker in 0..<3 {
                    group.addTask {
                        for round in 0..<25 {
                            let results = try await service.results([
                                "text": "dog \(worker) \(round)", "count": 200,
                            ])
                            let found = Set(results.compactMap { $0["id"] as? String })
                            #expect(found.isSuperset(of: kept))
                            #expect(found.count == results.count, "an image occurs twice")
                        }
                    }
                }
                try await group.waitForAll()
            }
            let index = try ForwardIndex(service.index)
            #expect(index.count == 50)
            // The service joins small commits between requests.
            #expect(
                try await eventually { try ForwardIndex(service.index).statistics.segments < 40 })
            #expect(try ForwardIndex.verify(service.index).isEmpty)
        }
    }

    @Test(
        "A replaced index is served, unless it cannot be opened, and no image is lost"
    )
    func replacement() async throws {
        try await TinyService.run(images: 10) { service in
            let files = FileManager.default
            // Another program adds an image.
            try TinyImages.write(14, to: service.images)
            _ = try await Indexer(service.model).update(service.index, with: service.images)
            #expect(try await eventually { try await service.ids().count == 14 })

            // The index vanishes, and then returns with another model.
            try files.moveItem(
                atPath: service.index.string, toPath: service.folder.appending("old").string)
            #expect(
                try await eventually {
                    try await service.client.send("GET", "/health/ready").status == 503
                })
            #expect(try await service.results(["text": "a dog", "count": 20]).count == 14)
            #expect(try await service.client.send("GET", "/health/live").status == 200)
            try TinyModel(seed: 2).write(to: service.folder.appending("other"))
            let other = try SearchModel(
                service.folder.appending("other"),
                recall: TinyModel.hasRecall ? service.folder.appending("recall") : nil)
            _ = try await Indexer(other).update(service.index, with: service.images)
            // That is not a failure: the service answers from its former state, and refuses only writing.
            #expect(
                try await eventually {
                    try await service.client.send("GET", "/health/ready").status == 200
                })
            let refused = try await service.client.sendForm(
                "POST", "/api/images", image: TinyImages.bitmap(900),
                headers: TinyService.authorization)
            #expect(refused.status == 409, "\(refused.text)")
            #expect(try await service.results(["text": "a dog", "count": 20]).count == 14)

            try files.removeItem(atPath: service.index.string)
            try files.moveItem(
                atPath: service.folder.appending("old").string, toPath: service.index.string)
            #expect(
                try await eventually {
                    try await service.client.sendForm(
                        "POST", "/api/images", image: TinyImages.bitmap(901),
                        headers: TinyService.authorization
                    ).status == 201
                })
        }
    }

    @Test("A service finishes the work that an earlier one left")
    func reconciliation() async throws {
        try await TinyService.run(images: 5) { service in
            let uploads = FilePath("\(service.index.string).uploads")
            let added = try await service.client.sendForm(
                "POST", "/api/images", image: TinyImages.bitmap(500),
                headers: TinyService.authorization)
            let path = try #require(added.json["path"] as? String)
            // A file without an entry, an entry without a file, and a replacement that is not in place.
            try Data(TinyImages.bitmap(501)).write(
                to: URL(filePath: uploads.appending("stray.bmp").string))
            try Data(TinyImages.bitmap(502)).write(
                to: URL(filePath: uploads.appending("x.new").string))
            try FileManager.default.removeItem(atPath: path)
            try await TinyService.serve(service.folder, service.model) { next in
                let page = try await next.client.send("GET", "/api/images?limit=99")
                let names = (page.json["images"] as? [[String: Any]])?.compactMap {
                    ($0["path"] as? String).map { FilePath($0).lastComponent?.string ?? "" }
                }
                #expect(names?.count == 6)
                #expect(names?.contains("stray.bmp") == true)
                #expect(!FileManager.default.fileExists(atPath: uploads.appending("x.new").string))
            }
        }
    }

    @Test("After a kill between the commit of a replacement and the move of its file, both are new")
    func replacementKilled() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let files = FileManager.default
            let model = try TinyModel.search(in: folder)
            let uploads = folder.appending("index.uploads")
            var (id, path) = ("", "")
            try await TinyService.serve(folder, model) { service in
                let added = try await service.client.sendForm(
                    "POST", "/api/images", query: ["metadata": ["state": "old"]],
                    image: TinyImages.bitmap(1), headers: TinyService.authorization)
                id = try #require(added.json["id"] as? String)
                path = try #require(added.json["path"] as? String)
                // No file can take the place of a folder, so the commit is not followed by the move.
                try files.removeItem(atPath: path)
                try files.createDirectory(atPath: path, withIntermediateDirectories: false)
                let hindered = try await service.client.sendForm(
                    "PUT", "/api/images/\(id)", query: ["metadata": ["state": "new"]],
                    image: TinyImages.bitmap(2), headers: TinyService.authorization)
                #expect(hindered.status == 500, "\(hindered.text)")
            }
            // The disk as a kill leaves it: the former file, the committed replacement, and one
            // that was not committed.
            try files.removeItem(atPath: path)
            try Data(TinyImages.bitmap(1)).write(to: URL(filePath: path))
            let waiting = try files.contentsOfDirectory(atPath: uploads.string)
                .filter { $0.hasSuffix(".new") }
            #expect(waiting.count == 1, "\(waiting)")
            let other = "\(path).\(UUID().uuidString.lowercased()).new"
            try Data(TinyImages.bitmap(3)).write(to: URL(filePath: other))
            let generation = try ForwardIndex(folder.appending("index")).generation

            try await TinyService.serve(folder, model) { service in
                let entry = try await service.client.send("GET", "/api/images/\(id)")
                let metadata = entry.json["metadata"] as? [String: Any]
                #expect(metadata?["state"] as? String == "new", "\(entry.text)")
                let original = try await service.client.send("GET", "/api/images/\(id)/original")
                #expect(original.body == TinyImages.bitmap(2))
                let names = try files.contentsOfDirectory(atPath: uploads.string)
                #expect(!names.contains { $0.hasSuffix(".new") }, "\(names)")
            }
            // The entry describes its file, so nothing was indexed again.
            #expect(try ForwardIndex(folder.appending("index")).generation == generation)
        }
    }

    #if os(Linux)
        @Test("Remembered answers do not keep files that the index no longer has")
        func formerFiles() async throws {
            try await TinyService.run(images: 5) { service in
                for number in 0..<12 {
                    let answer = try await service.client.post(
                        "/api/search", ["text": "dogs \(number)"])
                    #expect(answer.status == 200)
                    let added = try await service.client.sendForm(
                        "POST", "/api/images", image: TinyImages.bitmap(700 + number),
                        headers: TinyService.authorization)
                    #expect(added.status == 201)
                }
                let place = "\(service.folder.lastComponent?.string ?? "")/index/"
                func maps(_ condition: (Substring) -> Bool) throws -> Int {
                    // The system tells no size of this file, and hands it out page by page.
                    let file = try FileHandle(forReadingFrom: URL(filePath: "/proc/self/maps"))
                    return String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
                        .split(separator: "\n")
                        .count { $0.contains(place) && condition($0) }
                }
                #expect(try maps { _ in true } > 0)
                // Segments were joined, and so their files deleted.
                #expect(
                    try await eventually {
                        let state = try await service.client.send("GET", "/api/index")
                        return state.json["segments"] as? Int ?? 99 < 12
                    })
                #expect(try await eventually { try maps { $0.hasSuffix(" (deleted)") } == 0 })
            }
        }
    #endif

    @Test("A replacement that cannot be moved into place is moved once it can be")
    func replacementHindered() async throws {
        try await TinyService.run(images: 2) { service in
            let files = FileManager.default
            let added = try await service.client.sendForm(
                "POST", "/api/images", image: TinyImages.bitmap(1),
                headers: TinyService.authorization)
            let id = try #require(added.json["id"] as? String)
            let path = try #require(added.json["path"] as? String)
            // No file can take the place of a folder.
            try files.removeItem(atPath: path)
            try files.createDirectory(atPath: path, withIntermediateDirectories: false)
            let hindered = try await service.client.sendForm(
                "PUT", "/api/images/\(id)", image: TinyImages.bitmap(2),
                headers: TinyService.authorization)
            #expect(hindered.status == 500, "\(hindered.text)")
            try files.removeItem(atPath: path)
            #expect(
                try await eventually {
                    let original = try await service.client.send(
                        "GET", "/api/images/\(id)/original")
                    return original.body == TinyImages.bitmap(2)
                })
            // The file matches its entry, so a new service finds nothing to do.
            let before = try ForwardIndex(service.index).generation
            try await TinyService.serve(service.folder, service.model) { _ in }
            #expect(try ForwardIndex(service.index).generation == before)
        }
    }

    @Test("A saved file has the image's name, and never a path")
    func savedName() async throws {
        try await TinyService.run(images: 2) { service in
            func disposition(_ id: String) async throws -> String? {
                try await service.client.send("GET", "/api/images/\(id)/original")
                    .headers["content-disposition"]
            }
            let own = EntryKey(service.images.appending("001.bmp")).description
            #expect(
                try await disposition(own)
                    == "inline; filename=\"001.bmp\"; filename*=UTF-8''001.bmp")
            for (name, saved) in [
                ("../../etc/passwd", "filename=\"passwd.bmp\"; filename*=UTF-8''passwd.bmp"),
                ("Käse.bmp", "filename=\"K_se.bmp\"; filename*=UTF-8''K%C3%A4se.bmp"),
                ("..", "filename=\"image.bmp\"; filename*=UTF-8''image.bmp"),
            ] {
                let added = try await service.client.sendForm(
                    "POST", "/api/images", query: ["metadata": ["name": name]],
                    image: TinyImages.bitmap(7), headers: TinyService.authorization)
                let id = try #require(added.json["id"] as? String)
                #expect(try await disposition(id) == "inline; \(saved)")
            }
        }
    }

    @Test("Thumbnails have a few sizes, each at least the requested one")
    func thumbnailSizes() async throws {
        try await TinyService.run(images: 2) { service in
            let id = EntryKey(service.images.appending("001.bmp")).description
            var tags: Set<String> = []
            for side in stride(from: 16, through: 2048, by: 127) {
                let answer = try await service.client.send(
                    "GET", "/api/images/\(id)/thumbnail?side=\(side)")
                #expect(answer.status == 200)
                tags.insert(try #require(answer.headers["etag"]))
            }
            #expect(tags.count == 6, "\(tags)")
        }
    }

    @Test("A path of the index that leads out of the folder of uploads is not the service's own")
    func pathsOutside() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let uploads = folder.appending("uploads")
            let store = try UploadStore(uploads, index: folder.appending("index"))
            #expect(store.owns(store.newPath(extension: "jpg")))
            for path in [
                "uploads/../secret.jpg", "uploads/..", "uploads", "uploads/a/../../secret.jpg",
                "uploads-of-others/a.jpg", "secret.jpg",
            ] {
                #expect(!store.owns(folder.pushing(FilePath(path))), "\(path)")
            }
        }
    }

    @Test("A folder with foreign files is refused for uploads, and stays unchanged")
    func foreignUploads() async throws {
        try await TinyService.run(images: 3) { service in
            let mine = service.folder.appending("mine")
            try TinyImages.write(2, to: mine)
            await #expect(throws: ServerError.self) {
                try await TinyService.serve(
                    service.folder, service.model, { $0.uploads = mine }
                ) { _ in }
            }
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: mine.string).count == 2)
            #expect(try await service.ids().count == 3)
        }
    }
}
