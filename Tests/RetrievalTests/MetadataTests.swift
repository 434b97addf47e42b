import Foundation
import ImageText
import Retrieval
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing

@Suite("Metadata", .oneModelAndTwo)
struct MetadataTests {
    private let image: [String: MetadataValue] = [
        "year": .number(2021), "place": .text("Kyoto"), "raw": .flag(true),
        "tags": .list(["sea", "family"]),
    ]

    @Test(
        "Conditions",
        arguments: [
            ("year>=2020", true), ("year >= 2022", false), ("year<2021", false),
            ("year<=2021", true), ("year>2020.5", true), ("year=2021.0", true),
            ("year!=2021", false), ("year=soon", false), ("place=Kyoto", true),
            ("place=kyoto", false), ("place<Osaka", true), ("place!=Osaka", true),
            ("raw=true", true), ("raw=false", false), ("tags=sea", true), ("tags=se", false),
            ("tags!=sea", false), ("tags!=city", true), ("missing=1", false),
            ("missing!=1", true), ("missing<1", false),
        ])
    func conditions(_ text: String, _ expected: Bool) throws {
        let filter = try #require(MetadataFilter(text))
        let entry = IndexEntry(
            path: "/a/b.jpg", size: 1, modified: 0, sha256: "", metadata: image)
        #expect(filter(entry) == expected)
    }

    @Test(
        "Conditions on what every image has",
        arguments: [
            ("date>=2020", true), ("date>=2020-06", true), ("date<=2020-06", true),
            ("date=2020-06-14", true), ("date=2020", true), ("date<2020-06", false),
            ("date>2020", false), ("date>2020-06-14T12", false), ("date!=2021", true),
            ("width>=4000", true), ("height<3000", false), ("orientation=landscape", true),
            ("camera=NIKON D90", true), ("lens=50mm", false), ("lens!=50mm", true),
            ("latitude>50", true), ("size>1000", true), ("folder=/a/b", true), ("folder=/a", true),
            ("folder=/a/", true), ("folder=/", true), ("folder=/a/bc", false),
            ("folder=b", false), ("folder!=/a", false), ("year=given", true),
        ])
    func fields(_ text: String, _ expected: Bool) throws {
        var about = ImageFacts()
        about.date = "2020-06-14T12:34:56"
        (about.width, about.height) = (4000, 3000)
        (about.camera, about.latitude) = ("NIKON D90", 52.5)
        let entry = IndexEntry(
            path: "/a/b/c.jpg", size: 2000, modified: 0, sha256: "", about: about,
            metadata: ["year": .text("given")])
        let filter = try #require(MetadataFilter(text))
        #expect(filter(entry) == expected)
        // What somebody noted comes before what the file tells.
        var noted = entry
        noted.metadata[filter.name] = .text("noted")
        #expect(MetadataFilter("\(filter.name)=noted")?(noted) == true)
    }

    @Test func whatIsNoConditionIsNone() {
        for text in ["", "year", "=3", ">=3", " <2"] { #expect(MetadataFilter(text) == nil) }
        let filter = MetadataFilter("a = b=c")
        #expect(filter?.name == "a" && filter?.value == "b=c")
    }

    @Test func filesAreReadAndTheirMistakesNamed() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let file = folder.appending("notes.jsonl")
            func write(_ text: String) throws {
                try Data(text.utf8).write(to: URL(filePath: file.string))
            }
            try write(
                """
                {"image": "a/b.jpg", "year": 2021, "tags": ["x"]}

                {"image": "/c.jpg"}
                """)
            let images = try MetadataFile(file).images
            #expect(
                images == [
                    folder.appending("a").appending("b.jpg"): [
                        "year": .number(2021), "tags": .list(["x"]),
                    ], "/c.jpg": [:],
                ])
            for (text, part) in [
                ("{\"year\": 1}", ":1: 'image'"), ("{\"image\": \"a\"}\n{\"image\": \"a\"}", ":2:"),
                ("{\"image\": \"a\", \"x\": {}}", "x: must be a number"), ("nonsense", ":1:"),
            ] {
                try write(text)
                let error = #expect(throws: MetadataError.self) { try MetadataFile(file) }
                #expect(try #require(error?.description).contains(part))
            }
        }
    }

    @Test func searchesAreFilteredAndNotesKept() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let (photos, index) = (folder.appending("photos"), folder.appending("index"))
            let paths = try TinyImages.write(6, to: photos)
            let model = try TinyModel.search(in: folder)
            let scan = try FolderScan(photos)
            let notes = Dictionary(
                uniqueKeysWithValues: paths.enumerated().map { number, path in
                    (path, ["number": MetadataValue.number(Double(number))])
                })
            let indexer = Indexer(model)
            _ = try await indexer.update(index, with: scan, metadata: notes)
            var options = SearchOptions()
            options.filters = [MetadataFilter("number", .less, "2")]
            func found() throws -> [Int?] {
                try Searcher(model, ForwardIndex(index)).search(.text("train"), options).results
                    .map { paths.firstIndex(of: $0.path) }
            }
            #expect(try found().count == 2)
            // An image that changes keeps what was noted of it; a new note needs no encoding.
            try Data(TinyImages.bitmap(77)).write(to: URL(filePath: paths[0].string))
            _ = try await indexer.update(index, with: FolderScan(photos))
            #expect(Set(try found()) == [0, 1])
            let report = try await indexer.update(
                index, with: FolderScan(photos), metadata: [paths[5]: ["number": .number(1)]])
            #expect(report.encoded == 0 && report.reused == 1)
            #expect(Set(try found()) == [0, 1, 5])
            #expect(
                try ForwardIndex.remove(
                    index, paths: [], filters: [MetadataFilter("number", .equals, "1")]) == 2)
            #expect(try found() == [0])
        }
    }
}
