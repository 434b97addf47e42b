import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("albef data")
struct DataCommandTests {
    @Test("Broken data ends with status 1, sound data with 0")
    func validates() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            _ = try TinyModel.writePictures(3, to: folder.appending("photos"))
            let table = folder.appending("table.csv").string
            let rows = (0..<3).map { "00\($0).bmp,a picture of \($0)\n" }.joined()
            try "image,caption\n\(rows)".write(toFile: table, atomically: true, encoding: .utf8)
            let arguments = ["data", "validate", "table.csv", "--images", "photos"]
            let sound = try await Command.run(arguments, folder: folder)
            #expect(sound.status == 0, "\(sound.errors)")
            #expect(sound.output.contains("captions    3, 1.0 a picture"))
            #expect(sound.output.hasSuffix("nothing is wrong\n"))

            try "image,caption\n\(rows)gone.bmp,x\n000.bmp,a picture of 0\n".write(
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
            #expect(text.output.contains("missing pictures: 1\n  photos/gone.bmp\n"))
        }
    }

    @Test("Annotations that cannot be read are an error of one line")
    func errors() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try "image,caption\na.jpg\n".write(
                toFile: folder.appending("table.csv").string, atomically: true, encoding: .utf8)
            let result = try await Command.run(["data", "validate", "table.csv"], folder: folder)
            #expect(result.status == 1 && result.output.isEmpty)
            #expect(
                result.errors == "Error: table.csv:2: has 1 fields where the header has 2\n")
        }
    }
}
