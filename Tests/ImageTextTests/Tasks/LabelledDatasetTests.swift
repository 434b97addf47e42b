import ImageText
import SystemPackage
import Testing

@Suite("Labelled images")
struct LabelledDatasetTests {
    private static func withFile(
        _ text: String, _ body: (FilePath) throws -> Void
    ) async throws {
        try await DatasetFixtures.withFolder { folder in
            try body(DatasetFixtures.write(text, to: folder.appending("x")))
        }
    }

    @Test(
        "Are read from JSON and tables",
        arguments: [
            #"[{"image": "a.jpg", "label": "dog"}, {"image": "/b.jpg", "label": 7}]"#,
            "{\"image\": \"a.jpg\", \"label\": \"dog\"}\n{\"image\": \"/b.jpg\", \"label\": \"7\"}\n",
            "image,label\na.jpg,dog\n/b.jpg,7\n",
            "label\tmore\tImage\ndog\t\ta.jpg\n7\tx\t/b.jpg\n",
        ])
    func forms(_ text: String) async throws {
        try await Self.withFile(text) { file in
            let folder = file.removingLastComponent()
            #expect(
                try LabelledDataset(reading: file).images == [
                    LabelledImage(path: folder.appending("a.jpg"), label: "dog"),
                    LabelledImage(path: "/b.jpg", label: "7"),
                ])
            let rooted = try LabelledDataset(reading: file, imageRoot: "/root")
            #expect(rooted.images[0].path == "/root/a.jpg")
        }
    }

    @Test(
        "Faults name the place",
        arguments: [
            ("", "is empty"), ("[]", "has no records"), ("image,label\n", "has no records"),
            ("image,class\na,b\n", ":1: label: no column has this name"),
            ("image,label\na.jpg,\n", ":2: label: is empty"),
            ("image,label\na.jpg\n", ":2: has 1 fields, but the header has 2"),
            (#"{"image": "a.jpg"}"#, ":1: label"), (#"[{"image": "", "label": "a"}]"#, "[0].image"),
            ("nothing else", "with image and label"),
        ])
    func faults(_ text: String, _ reason: String) async throws {
        try await Self.withFile(text) { file in
            let error = #expect(throws: DatasetError.self) { try LabelledDataset(reading: file) }
            #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
        }
    }
}
