internal import Foundation
internal import SystemPackage

/// ALBEF's JSON: objects with an image, a caption and perhaps `image_id`, in a list or one per
/// line.
struct CaptionEntries {
    let path: FilePath
    /// The names of the fields.
    let columns: CaptionColumns

    private struct Entry: Decodable {
        let image: String
        let imageField: String
        let captions: OneOrMoreTexts
        let imageID: DecodedImageID?

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Name.self)
            let names =
                columnsKey.flatMap { decoder.userInfo[$0] as? CaptionColumns }
                ?? CaptionColumns()
            let imageName = Self.first(of: names.imageNames, in: container)
            image = try container.decode(String.self, forKey: imageName)
            imageField = imageName.stringValue
            captions = try container.decode(
                OneOrMoreTexts.self, forKey: Self.first(of: names.captionNames, in: container))
            imageID = try container.decodeIfPresent(
                DecodedImageID.self, forKey: Name(stringValue: "image_id"))
        }

        func add(to builder: inout DatasetBuilder) {
            builder.add(name: image, captions: captions.texts, imageID: imageID?.id)
        }

        /// Returns the first name that exists, otherwise the first of all, to be reported missing.
        private static func first(
            of names: [String], in container: KeyedDecodingContainer<Name>
        ) -> Name {
            let keys = names.map(Name.init(stringValue:))
            return keys.first { container.contains($0) } ?? keys[0]
        }
    }

    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    private static let columnsKey = CodingUserInfoKey(rawValue: "columns")

    private var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        if let key = Self.columnsKey { decoder.userInfo[key] = columns }
        return decoder
    }

    func read(list: Data, into builder: inout DatasetBuilder) throws(DatasetError) {
        let entries: [Entry]
        do {
            entries = try decoder.decode([Entry].self, from: list)
        } catch {
            throw .json(error, in: list, of: path)
        }
        for (index, entry) in entries.enumerated() {
            guard !entry.image.isEmpty else {
                throw .malformed(path, entry: "[\(index)].\(entry.imageField)", "is empty")
            }
            entry.add(to: &builder)
        }
    }

    func read(
        lines: ArraySlice<UInt8>, into builder: inout DatasetBuilder
    ) throws(DatasetError) {
        let decoder = decoder
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
                throw .malformed(path, line: number, field: entry.imageField, "is empty")
            }
            entry.add(to: &builder)
        }
    }
}

/// An `image_id`, a number in some files and a string in others.
struct DecodedImageID: Decodable {
    let id: ImageID

    init(from decoder: any Decoder) throws {
        switch try RecordID(from: decoder) {
        case .number(let number): id = .number(number)
        case .text(let text): id = .text(ExactText(text))
        }
    }
}

/// A string or a list of strings.
struct OneOrMoreTexts: Decodable {
    let texts: [String]

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        do {
            if let text = try? container.decode(String.self) {
                texts = [text]
            } else {
                texts = try container.decode([String].self)
            }
        } catch DecodingError.dataCorrupted(let context) {
            // A string itself is damaged, so the error about it is the one to report.
            throw DecodingError.dataCorrupted(context)
        } catch {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "is neither a string nor a list of strings")
        }
    }
}
