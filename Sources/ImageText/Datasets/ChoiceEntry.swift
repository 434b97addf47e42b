/// One item of a choice file, in any of the formats that ``ChoiceDataset`` lists.
struct ChoiceEntry: Decodable {
    let image: String
    let box: CropBox?
    let positives, negatives: [String]
    let kind: String?
    /// Whether the item is one of ARO's relations or attributes.
    let isRegion: Bool

    private enum Field: String, CodingKey {
        case trueCaption = "true_caption"
        case falseCaption = "false_caption"
        case relation = "relation_name"
        case attributes
        case options = "caption_options"
        case caption
        case negativeCaption = "negative_caption"
        case positives, negatives, kind, box
        case x = "bbox_x"
        case y = "bbox_y"
        case width = "bbox_w"
        case height = "bbox_h"
        case pos = "POS"
        case neg = "NEG"
        case firstImage = "image_0"

        static let coordinates: [Field] = [.x, .y, .width, .height]
    }

    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    private typealias Fields = KeyedDecodingContainer<Field>

    init(from decoder: any Decoder) throws {
        if var tuple = try? decoder.unkeyedContainer() {
            image = try Self.checked(
                tuple.decode(String.self), tuple.codingPath, "the image's name")
            let texts = try tuple.nestedContainer(keyedBy: Field.self)
            positives = try Self.texts(.pos, in: texts)
            negatives = try Self.texts(.neg, in: texts)
            (box, kind, isRegion) = (nil, nil, false)
            return
        }
        let fields = try decoder.container(keyedBy: Field.self)
        image = try Self.image(decoder)
        if fields.contains(.trueCaption) {
            positives = try Self.texts(.trueCaption, in: fields)
            negatives = try Self.texts(.falseCaption, in: fields)
            kind = try Self.region(fields)
            isRegion = kind != nil
            box = try Self.corners(fields)
            return
        }
        isRegion = false
        if fields.contains(.options) {
            let options = try Self.texts(.options, in: fields)
            guard options.count > 1 else {
                throw DecodingError.dataCorruptedError(
                    forKey: .options, in: fields,
                    debugDescription: "has one text, but needs at least two")
            }
            positives = [options[0]]
            negatives = Array(options.dropFirst())
        } else if fields.contains(.negativeCaption) {
            positives = try Self.texts(.caption, in: fields)
            negatives = try Self.texts(.negativeCaption, in: fields)
        } else {
            guard fields.contains(.positives) || fields.contains(.negatives) else {
                throw DecodingError.dataCorruptedError(
                    forKey: .positives, in: fields, debugDescription: Self.unknown(fields))
            }
            positives = try Self.texts(.positives, in: fields)
            negatives = try Self.texts(.negatives, in: fields)
        }
        kind = try fields.decodeIfPresent(String.self, forKey: .kind)
        box = try Self.box(fields)
    }

    // MARK: Parts

    private static func image(_ decoder: any Decoder) throws -> String {
        let container = try decoder.container(keyedBy: Name.self)
        let names = CaptionColumns().imageNames.map(Name.init(stringValue:))
        // If no name exists, the error reports the first one as missing.
        let name = names.first { container.contains($0) } ?? names[0]
        return try checked(
            container.decode(String.self, forKey: name), container.codingPath + [name], "it")
    }

    private static func texts(_ field: Field, in fields: Fields) throws -> [String] {
        let texts = try fields.decode(OneOrMoreTexts.self, forKey: field).texts
        guard !texts.isEmpty else {
            throw DecodingError.dataCorruptedError(
                forKey: field, in: fields, debugDescription: "has no text")
        }
        for text in texts where text.allSatisfy(\.isWhitespace) {
            throw DecodingError.dataCorruptedError(
                forKey: field, in: fields, debugDescription: "contains a blank text")
        }
        return texts
    }

    private static func checked(
        _ text: String, _ path: [any CodingKey], _ what: String
    ) throws -> String {
        guard text.isEmpty else { return text }
        throw DecodingError.dataCorrupted(
            .init(codingPath: path, debugDescription: "\(what) is empty"))
    }

    /// Returns the relation, or the attributes joined as in ARO.
    private static func region(_ fields: Fields) throws -> String? {
        if let relation = try fields.decodeIfPresent(String.self, forKey: .relation) {
            return relation
        }
        return try fields.decodeIfPresent([String].self, forKey: .attributes)?
            .joined(separator: "_")
    }

    private static func corners(_ fields: Fields) throws -> CropBox? {
        guard Field.coordinates.contains(where: { fields.contains($0) }) else { return nil }
        let numbers = try Field.coordinates.map { try fields.decode(Double.self, forKey: $0) }
        return try box(numbers, .width, fields)
    }

    private static func box(_ fields: Fields) throws -> CropBox? {
        guard let numbers = try fields.decodeIfPresent([Double].self, forKey: .box) else {
            return nil
        }
        guard numbers.count == 4 else {
            throw DecodingError.dataCorruptedError(
                forKey: .box, in: fields,
                debugDescription:
                    "has \(numbers.count) numbers, but needs four: [x, y, width, height]")
        }
        return try box(numbers, .box, fields)
    }

    private static func box(_ numbers: [Double], _ field: Field, _ fields: Fields) throws -> CropBox
    {
        let (x, y, width, height) = (numbers[0], numbers[1], numbers[2], numbers[3])
        guard let box = CropBox(x: x, y: y, width: width, height: height) else {
            throw DecodingError.dataCorruptedError(
                forKey: field, in: fields,
                debugDescription:
                    "the box \(x), \(y), \(width), \(height) is not a region of an image; it needs"
                    + " a positive width and height, and numbers within a million pixels")
        }
        return box
    }

    /// Returns why an entry has no texts to choose from.
    private static func unknown(_ fields: Fields) -> String {
        if fields.contains(.firstImage) {
            return "is missing; evaluate pairs of images with 'albef evaluate pairs'"
        }
        if fields.contains(.caption) {
            return "is missing; evaluate captions without wrong alternatives with 'albef evaluate"
                + " retrieval'"
        }
        return "is missing, as are true_caption, negative_caption and caption_options"
    }
}
