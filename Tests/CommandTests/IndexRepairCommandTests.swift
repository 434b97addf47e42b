import Foundation
import Retrieval
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing

@Suite("albef index, for damaged indexes", .serialized)
struct IndexRepairCommandTests {
    private func withIndex(_ body: (FilePath) async throws -> Void) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try TinyModel().write(to: folder.appending("model"))
            try TinyImages.write(5, to: folder.appending("photos"))
            let made = try await Command.run(Self.add, folder: folder)
            #expect(made.status == 0, "\(made.errors)")
            try await body(folder)
        }
    }

    private static let add = ["index", "photos", "--model", "model", "--index", "index"]

    @Test("The error of an index that lost a file names a command that repairs it")
    func repair() async throws {
        try await withIndex { folder in
            let segments = folder.appending("index/segments")
            for name in try FileManager.default.contentsOfDirectory(atPath: segments.string) {
                try FileManager.default.removeItem(atPath: segments.appending(name).string)
            }
            let refused = try await Command.run(Self.add, folder: folder)
            #expect(refused.status == 1)
            #expect(refused.errors.contains("'albef index repair index'"), "\(refused.errors)")
            let repaired = try await Command.run(["index", "repair", "index"], folder: folder)
            #expect(repaired.status == 0)
            #expect(repaired.output == "removed 5 images; 0 are left\n")
            #expect(repaired.errors.contains("removed index/segments/"), "\(repaired.errors)")
            let again = try await Command.run(Self.add, folder: folder)
            #expect(again.status == 0 && again.output.contains("5 encoded"), "\(again.errors)")
            let whole = try await Command.run(
                ["index", "repair", "index", "--json"], folder: folder)
            let document = try whole.json()
            #expect(document["dropped"] as? Int == 0 && document["left"] as? Int == 5)
            #expect((document["files"] as? [Any])?.isEmpty == true)
        }
    }

    @Test("Reports that there was nothing to remove")
    func removesNothing() async throws {
        try await withIndex { folder in
            let result = try await Command.run(
                ["index", "remove", "elsewhere", "--index", "index"], folder: folder)
            #expect(result.status == 0 && result.output == "removed 0\n")
            #expect(result.errors.contains("nothing in index matches"))
        }
    }
}
