import Foundation
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing

@Suite("albef data")
struct DataCommandTests {
    @Test("Exits with status 1 for broken data, and 0 for sound data")
    func validates() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            _ = try TinyImages.write(3, to: folder.appending("photos"))
            let table = folder.appending("table.csv").string
            let rows = (0..<3).map { "00\($0).bmp,an image of \($0)\n" }.joined()
            try "image,caption\n\(rows)".write(toFile: table, atomically: true, encoding: .utf8)
            let arguments = ["data", "validate", "table.csv", "--images", "photos"]
            let sound = try await Command.run(arguments, folder: folder)
            #expect(sound.status == 0, "\(sound.errors)")
            #expect(sound.output.contains("captions    3, 1.0 per image"))
            #expect(sound.output.hasSuffix("no problems were found\n"))

            try "image,caption\n\(rows)gone.bmp,x\n000.bmp,an image of 0\n".write(
                toFile: table, atomically: true, encoding: .utf8)
            let broken = try await Command.run(arguments + ["--json"], folder: folder)
            #expect(broken.status == 1)
            let json = try broken.json()
            #expect(json["broken"] as? Bool == true && json["images"] as? Int == 4)
            let problems = try #require(json["problems"] as? [[String: Any]])
            #expect(
                problems.map { $0["kind"] as? String } == ["repeated_pair", "missing_image"])
            let text = try await Command.run(arguments, folder: folder)
            #expect(text.status == 1)
            #expect(text.output.contains("missing images: 1\n  photos/gone.bmp\n"))
        }
    }

    @Test("Reports unreadable annotations in one line")
    func errors() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try "image,caption\na.jpg\n".write(
                toFile: folder.appending("table.csv").string, atomically: true, encoding: .utf8)
            let result = try await Command.run(["data", "validate", "table.csv"], folder: folder)
            #expect(result.status == 1 && result.output.isEmpty)
            #expect(
                result.errors == "Error: table.csv:2: has 1 fields, but the header has 2\n")
        }
    }

    @Test("Data without images is broken in any format")
    func nothing() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            for (name, text) in [
                ("list.json", "[]"), ("table.csv", "image,caption\n"),
                ("coco.json", #"{"images": [], "annotations": []}"#),
            ] {
                try text.write(
                    toFile: folder.appending(name).string, atomically: true, encoding: .utf8)
                let result = try await Command.run(["data", "validate", name], folder: folder)
                #expect(result.status == 1, "\(name)")
                #expect(result.output.hasSuffix("no images were found\n"), "\(result.output)")
            }
        }
    }

    @Test("Reads named columns, separated by semicolons")
    func columns() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            _ = try TinyImages.write(1, to: folder.appending("photos"))
            try "photo;name\n000.bmp;A dog, red\n".write(
                toFile: folder.appending("shop.csv").string, atomically: true, encoding: .utf8)
            let arguments = ["data", "validate", "shop.csv", "--images", "photos"]
            let named = try await Command.run(
                arguments + ["--image-column", "photo", "--caption-column", "name"],
                folder: folder)
            #expect(named.output.hasSuffix("no problems were found\n"), "\(named.errors)")
            let unnamed = try await Command.run(arguments, folder: folder)
            #expect(unnamed.status == 1)
            #expect(unnamed.errors.contains("its columns are: photo, name"), "\(unnamed.errors)")
        }
    }

    @Test("Rejects numbers out of bounds with a usage error that names the bounds")
    func bounds() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            for (arguments, named) in [
                (["data", "validate", "x", "--workers", "9223372036854775807"], "from 1 to 1024"),
                (["demo", "--scenes", "9223372036854775807"], "--scenes must be from 200 to"),
                (["demo", "--candidates", "9223372036854775807"], "--candidates must be from 1"),
                (
                    ["wardrobe", "generate", "--output", "o", "--count", "9223372036854775807"],
                    "--count must be from 1 to"
                ),
                (["wardrobe", "tasks", "--output", "o", "--count", "7"], "--count must be from 8"),
                (["wardrobe", "boxes", "--output", "o", "--count", "7"], "--count must be from 8"),
                (
                    ["vocabulary", "train", "x", "--output", "o", "--size", "9223372036854775807"],
                    "--size must be"
                ),
                (
                    ["explain", "x", "y", "--layer", "9223372036854775807"],
                    "--layer must be from 0 to"
                ),
                (
                    [
                        "import", "x", "--vocabulary", "v", "--output", "o", "--text-heads",
                        "9223372036854775807",
                    ], "--text-heads must be from 1 to"
                ),
            ] {
                let result = try await Command.run(arguments, folder: folder)
                #expect(result.status == 64, "\(arguments): \(result.errors)")
                #expect(result.errors.contains(named), "\(arguments): \(result.errors)")
            }
        }
    }

    @Test("Packs shards, and reads them from the disk, a command and a server")
    func shards() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            _ = try TinyImages.write(5, to: folder.appending("photos"))
            let rows = (0..<5).map { "photos/00\($0).bmp,an image of \($0)\n" }.joined()
            try "image,caption\n\(rows)".write(
                toFile: folder.appending("table.csv").string, atomically: true, encoding: .utf8)
            let pack = ["data", "pack", "table.csv", "shards", "--samples-per-shard", "2"]
            let packed = try await Command.run(pack + ["--json"], folder: folder)
            #expect(packed.status == 0, "\(packed.errors)")
            let json = try packed.json()
            #expect(json["samples"] as? Int == 5)
            let written = (json["shards"] as? [[String: Any]])?.map { $0["written"] as? Bool }
            #expect(written == [true, true, true])
            let again = try await Command.run(pack, folder: folder)
            #expect(
                again.output == "5 images in 3 shards in shards\n3 of them were there already\n")

            let shards = folder.appending("shards")
            let server = try FileServer { _, path in
                let content = try? Data(contentsOf: URL(filePath: shards.appending(path).string))
                return FileServer.Behaviour(
                    status: content == nil ? 404 : 200, content: content ?? Data())
            }
            defer { server.stop() }
            for text in [
                "shards", "shards/{000000..000002}.tar", "shards/*.tar",
                "pipe:cat shards/{000000..000002}.tar",
                "\(server.address.absoluteString){000000..000002}.tar",
                "shards/000000.tar::shards/{000001,000002}.tar",
            ] {
                let valid = try await Command.run(["data", "validate", text], folder: folder)
                #expect(valid.status == 0, "\(text): \(valid.output) \(valid.errors)")
                #expect(valid.output.contains("captions    5, 1.0 per image"))
            }

            let path = shards.appending("000001.tar")
            let content = try Data(contentsOf: URL(filePath: path.string))
            try content.prefix(700).write(to: URL(filePath: path.string))
            let broken = try await Command.run(
                ["data", "validate", "shards", "--json"], folder: folder)
            #expect(broken.status == 1)
            let problems = try #require(try broken.json()["problems"] as? [[String: Any]])
            #expect(problems.map { $0["kind"] as? String } == ["damaged_shard"])
            #expect(problems[0]["offset"] as? Int == 0 && problems[0]["samples"] as? Int == 0)
            let gone = try await Command.run(
                ["data", "validate", "\(server.address.absoluteString)none.tar"], folder: folder)
            #expect(gone.status == 1 && gone.output.contains("the server answered 404"))
        }
    }
}
