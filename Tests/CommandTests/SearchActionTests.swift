import Foundation
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing

@Suite("The actions of albef search on its results", .serialized)
struct SearchActionTests {
    @Test("Copies each result once, under a unique name, and opens the best one")
    func companions() async throws {
        try await Command.withIndex { folder in
            let files = FileManager.default
            try files.createDirectory(
                atPath: folder.appending("photos/in").string, withIntermediateDirectories: true)
            try Data(TinyImages.bitmap(77)).write(
                to: URL(filePath: folder.appending("photos/in/001.bmp").string))
            try files.createDirectory(
                atPath: folder.appending("bin").string, withIntermediateDirectories: true)
            let viewer = folder.appending("bin/xdg-open").string
            try Data("#!/bin/sh\nprintf '%s' \"$1\" >opened\n".utf8).write(
                to: URL(filePath: viewer))
            try files.setAttributes([.posixPermissions: 0o755], ofItemAtPath: viewer)
            let updated = try await Command.run(
                ["index", "photos", "--model", "model", "--index", "index"], folder: folder)
            #expect(updated.status == 0, "\(updated.errors)")
            let search = ["search", "a bus", "--model", "model", "--index", "index", "--top", "11"]
            for _ in 0..<2 {
                let copied = try await Command.run(
                    search + ["--copy-to", "a/chosen", "--paths"], folder: folder)
                #expect(copied.status == 0, "\(copied.errors)")
                #expect(copied.output.split(separator: "\n").count == 11)
                let names = try files.contentsOfDirectory(
                    atPath: folder.appending("a/chosen").string)
                #expect(names.count == 11 && names.contains("001 (2).bmp"))
            }
            #if os(Linux)
                let path = "\(folder.appending("bin").string):/usr/bin:/bin"
                let opened = try await Command.run(
                    search + ["--open", "-0"], folder: folder, environment: ["PATH": path])
                #expect(opened.status == 0, "\(opened.errors)")
                #expect(
                    try String(contentsOfFile: folder.appending("opened").string, encoding: .utf8)
                        == opened.output.split(separator: "\0").first.map(String.init))
                let refused = try await Command.run(
                    search + ["--open"], folder: folder, environment: ["PATH": "/nowhere"])
                #expect(refused.status == 1 && refused.errors.contains("xdg-utils"))
            #endif
            let second = try await Command.run(
                search + ["--skip", "1", "--paths"], folder: folder)
            let all = try await Command.run(search + ["--paths"], folder: folder)
            #expect(
                second.output.split(separator: "\n")
                    == Array(all.output.split(separator: "\n").dropFirst()))
        }
    }

    @Test("Fetches an image from the web only with --fetch")
    func addresses() async throws {
        try await Command.withIndex { folder in
            let server = try FileServer(path: "cat.bmp") { attempt in
                switch attempt {
                case 0: .init(content: Data(TinyImages.bitmap(3)))
                case 1: .init(status: 404)
                default: .init(content: Data(TinyImages.bitmap(3)), announcedLength: 1 << 30)
                }
            }
            defer { server.stop() }
            let address = server.address.absoluteString
            let search = [
                "search", "--model", "model", "--index", "index", "--top", "1", "--paths",
            ]
            let found = try await Command.run(
                search + ["--image", address, "--fetch"], folder: folder)
            #expect(found.status == 0, "\(found.errors)")
            #expect(found.output.hasSuffix("/photos/003.bmp\n"))
            let refused = try await Command.run(
                search + ["--image", address], folder: folder)
            #expect(refused.status == 64 && refused.errors.contains("add --fetch"))
            for part in ["the server answered 404", "more than 64 MiB"] {
                let failed = try await Command.run(
                    search + ["--image", address, "--fetch"], folder: folder)
                #expect(failed.status == 1 && failed.errors.contains("cannot be fetched: "))
                #expect(failed.errors.contains(part), "\(failed.errors)")
            }
        }
    }
}

extension Command {
    /// A folder with a model, ten images and their index.
    static func withIndex(_ body: (FilePath) async throws -> Void) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try TinyModel().write(to: folder.appending("model"))
            try TinyImages.write(10, to: folder.appending("photos"))
            let made = try await run(
                ["index", "photos", "--model", "model", "--index", "index", "--json"],
                folder: folder)
            #expect(made.status == 0, "\(made.errors)")
            let report = try made.json()
            #expect(report["encoded"] as? Int == 10)
            #expect(report["interrupted"] as? Bool == false)
            try await body(folder)
        }
    }
}
