import Foundation
import ImageText
import SystemPackage

/// The data of the text tests.
enum TextFixtures {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures")

    static func vocabulary(_ name: String) throws -> Vocabulary {
        let file = folder.appending(path: "vocabularies/\(name)-vocab.txt")
        return try Vocabulary(contentsOf: FilePath(file.path))
    }

    static func load<Value: Decodable>(_ type: Value.Type, from name: String) throws -> Value {
        let data = try Data(contentsOf: folder.appending(path: "text/\(name)"))
        return try JSONDecoder().decode(type, from: data)
    }
}

/// The results of the two published implementations for a few texts.
struct ReferenceTexts: Decodable {
    struct Row: Decodable {
        var text: String
        var caption: String?
        var question: String?
        var tokens: [String]?
        var ids: [Int]
        var padded30: [Int64]?
    }
    struct Processed: Decodable {
        var text: String
        var caption: String
        var question: String
    }
    struct Tiny: Decodable {
        var text: String
        var input_ids: [Int]
    }
    struct Retrieval: Decodable {
        var texts: [String]
        var length: Int
        var ids: [Int64]
        var mask: [Int64]
        var trainingTexts: [String]
        var trainingIds: [Int64]
    }

    var albef: [Row]
    var lavis: [Row]
    var lavisProcessors: [Processed]
    var lavisTiny: [Tiny]
    var retrieval: [String: Retrieval]

    static func load() throws -> ReferenceTexts {
        try TextFixtures.load(ReferenceTexts.self, from: "reference.json")
    }
}

/// A row of captions.json, which `generate.py` writes.
struct CaptionRow: Decodable {
    var text: String
    var albefCaption: String
    var albefQuestion: String
    var lavisCaption: String
    var lavisQuestion: String
    var ids: [String: [Int]]

    static func load() throws -> [CaptionRow] {
        try TextFixtures.load([CaptionRow].self, from: "captions.json")
    }
}

/// Equality of scalars: `==` on strings would accept a differently composed text.
func same(_ left: String, _ right: String) -> Bool {
    left.unicodeScalars.elementsEqual(right.unicodeScalars)
}
