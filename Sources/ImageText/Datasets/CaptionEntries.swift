internal import Foundation
internal import SystemPackage

/// ALBEF's JSON: objects with `image`, `caption` and perhaps `image_id`, in a list or one a line.
enum CaptionEntries {
    private struct Entry: Decodable {
        let image: String
        let captions: OneOrMany
        let imageID: DecodedImageID?

        enum CodingKeys: String, CodingKey {
            case image
            case captions = "caption"
            case imageID = "image_id"
        }

        func add(to builder: inout DatasetBuilder) {
            builder.add(name: image, captions: captions.texts, imageID: imageID?.id)
        }
    }

    private struct OneOrMany: Decodable {
        let texts: [String]

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let text = try? container.decode(String.self) {
                texts = [text]
            } else if let texts = try? container.decode([String].self) {
                self.texts = texts
            } else {
                throw DecodingError.dataCorruptedError(
                    in: container, debugDescription: "is neither a text nor a list of texts")
            }
        }
    }

    static func read(
        list: Data, of path: FilePath, into builder: inout DatasetBuilder
    ) throws(DatasetError) {
        let entries: [Entry]
        do {
            entries = try JSONDecoder().decode([Entry].self, from: list)
        } catch {
            throw .json(error, in: list, of: path)
        }
        for (index, entry) in entries.enumerated() {
            guard !entry.image.isEmpty else {
                throw .malformed(path, entry: "[\(index)].image", "is empty")
            }
            entry.add(to: &builder)
        }
    }

    static func read(
        lines: ArraySlice<UInt8>, of path: FilePath, into builder: inout DatasetBuilder
    ) throws(DatasetError) {
        let decoder = JSONDecoder()
        var number = 0
        for line in lines.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            guard !line.allSatisfy({ " \t\r".utf8.contains($0) }) else { continue }
            let entry: Entry
            do {
                entry = try decoder.decode(Entry.self, from: Data(line))
            } catch {
                throw .json(error, in: Data(line), of: path, line: number)
            }
            guard !entry.image.isEmpty else {
                throw .malformed(path, line: number, field: "image", "is empty")
            }
            entry.add(to: &builder)
        }
    }
}

/// An `image_id`, which some files have as numbers and some as texts.
struct DecodedImageID: Decodable {
    let id: ImageID

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let number = try? container.decode(Int.self) {
            id = .number(number)
        } else if let text = try? container.decode(String.self) {
            id = .text(text)
        } else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "is neither a whole number nor a text")
        }
    }
}
