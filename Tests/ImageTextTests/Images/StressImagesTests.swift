import Foundation
import ImageText
import SystemPackage
import Testing

/// Files that broke other loaders, if they exist beside the checkout.
enum StressImages {
    static let folder = ImageFixtures.repository.removingLastComponent()
        .appending("shared/data/stress-images")

    struct Entry: Decodable, Sendable {
        struct Verdict: Decodable, Sendable {
            let rgb: [Int]?
            let error: String?
        }
        let file: String
        let pillow_13_0_0: Verdict
    }

    static let manifest: [Entry]? = {
        let url = URL(filePath: folder.appending("manifest.json").string)
        guard let data = try? Data(contentsOf: url) else { return nil }
        return try? JSONDecoder().decode([Entry].self, from: data)
    }()
}

@Suite("Stress images", .enabled(if: StressImages.manifest != nil))
struct StressImagesTests {
    /// The files with another outcome than Pillow's, and the reasons.
    static let differences = [
        "bad-exif.jpg": "its scan is garbled too: most of what Pillow shows are stripes",
        "bad-compression.png": "only its colour profile is compressed by an unknown method",
        "ztxt-bomb.png": "the text that explodes is left alone; the pixels are fine",
    ]

    @Test("Each file yields Pillow's image, or differs for a stated reason")
    func outcomes() throws {
        let verdicts = Dictionary(
            uniqueKeysWithValues: try #require(StressImages.manifest).map {
                ($0.file, $0.pillow_13_0_0)
            })
        let names = ImageFixtures.entries(StressImages.folder).map(\.string).sorted()
        var table = ["file | what became of it"]
        for name in names where !["README.md", "manifest.json"].contains(name) {
            let result = Result { try ImageLoader().load(StressImages.folder.appending(name)) }
            let verdict = verdicts[name]
            let outcome: String
            switch result {
            case .success(let image): outcome = "\(image.width) x \(image.height)"
            case .failure(let error): outcome = (error as? ImageError)?.reason ?? "\(error)"
            }
            var row = "\(name) | \(outcome)"
            if let reason = Self.differences[name] { row += " | unlike Pillow: \(reason)" }
            table.append(row)
            guard let verdict else { continue }
            switch result {
            case .success(let image):
                if let size = verdict.rgb {
                    #expect([image.width, image.height] == size, "\(name)")
                } else {
                    #expect(Self.differences[name] != nil, "\(name): \(verdict.error ?? "")")
                }
            case .failure(let error):
                #expect(verdict.error != nil || Self.differences[name] != nil, "\(error)")
                #expect("\(error)".contains(name))
            }
        }
        print(table.joined(separator: "\n"))
    }
}
