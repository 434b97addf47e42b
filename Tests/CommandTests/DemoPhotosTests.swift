import Foundation
import ImageText
import Retrieval
import SystemPackage
import Testing

@Suite("The photographs of the demonstration")
struct DemoPhotosTests {
    private static let licences: Set<String> = [
        "public domain", "[CC0 1.0]", "[CC BY 2.0]", "[CC BY 4.0]", "[CC BY-SA 4.0]",
    ]

    private let folder: FilePath
    private let credits: String

    init() throws {
        folder = try #require(ProgramResources.path("Photos", of: "Demo"))
        credits = try String(
            contentsOfFile: folder.appending("CREDITS.md").string, encoding: .utf8)
    }

    /// The cells of every row of the table.
    private var rows: [[String]] {
        credits.split(separator: "\n").filter { $0.hasPrefix("| `") }.map { line in
            line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
                .filter { !$0.isEmpty }
        }
    }

    @Test("Each photograph has a row of credits, and each row a photograph")
    func credited() throws {
        let photos = try FolderScan(folder).files.compactMap { $0.path.lastComponent?.string }
        #expect(photos.count == 40)
        #expect(rows.compactMap(\.first).sorted() == photos.map { "`\($0)`" }.sorted())
    }

    @Test("Each row names the author, the source and a free licence")
    func licensed() {
        for row in rows {
            #expect(row.count == 6, "\(row)")
            guard row.count == 6 else { continue }
            #expect(Self.licences.contains(row[3]), "\(row)")
            #expect(row[5].hasPrefix("[`") && row[5].contains("](https://"), "\(row)")
        }
        // Each licence has a link to its text.
        for licence in Self.licences where licence.hasPrefix("[") {
            #expect(credits.contains("\n\(licence): https://creativecommons.org/"))
        }
    }

    @Test("The photographs are small, and no smaller than the page needs")
    func small() throws {
        let files = try FolderScan(folder).files
        #expect(files.map(\.size).reduce(0, +) < 1_600_000)
        for file in files {
            let image = try ImageLoader().load(file.path)
            #expect(max(image.width, image.height) <= 512, "\(file.path)")
            #expect(min(image.width, image.height) >= 224, "\(file.path)")
        }
    }
}
