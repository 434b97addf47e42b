internal import Foundation
import Storage
public import SystemPackage

/// The members of a shard that share a base name: an image, its captions, and what else there is.
public struct ShardSample: Sendable {
    /// One file of a sample.
    public struct Member: Sendable {
        /// What follows the first dot of the file's name, in lower case.
        public let field: String
        /// The content.
        public let bytes: [UInt8]
    }

    /// The path in the archive up to the first dot of the file's name, such as `a/b` of `a/b.jpg`.
    public let key: String
    /// The shard that it comes from.
    public let shard: ShardAddress
    /// The number of the sample in its shard, from 0.
    public let ordinal: Int
    /// The members that the reader's ``ShardFields`` keep, in their order in the archive.
    public internal(set) var members: [Member] = []
    /// Which members are the image and the caption.
    let fields: ShardFields

    /// Returns the content of a field.
    public func bytes(of field: String) -> [UInt8]? {
        members.first { $0.field == field }?.bytes
    }

    /// The image's file; `nil` if the sample has none.
    public var image: Member? { members.first { fields.isImage($0.field) } }

    /// The place of the sample in reports: the shard, the key and the field of the image.
    public var path: FilePath {
        shard.path(of: image.map { "\(key).\($0.field)" } ?? key)
    }

    /// Returns the captions, without blank ones.
    ///
    /// They are the text of `txt`, or what the JSON object of `json` has under the name of a
    /// caption: a text or a list of texts.
    ///
    /// - Throws: ``DatasetError`` if the JSON is damaged or has something else there.
    public func captions() throws(DatasetError) -> [String] {
        let member =
            fields.caption.map { field in members.first { $0.field == field } }
            ?? members.first { $0.field == "txt" } ?? members.first { $0.field == "json" }
        guard let member else { return [] }
        let texts: [String]
        if member.field == "json" || member.field.hasSuffix(".json") {
            texts = try record(of: member).captions
        } else {
            texts = [String(decoding: TextFile.withoutMark(member.bytes), as: UTF8.self)]
        }
        return texts.compactMap { text in
            let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
            return trimmed.isEmpty ? nil : trimmed
        }
    }

    /// The image's number, equal for images that `image_id` in their JSON says are the same.
    func imageID() -> Int {
        var hash = ContentHash()
        if let json = members.first(where: { $0.field == "json" }),
            let id = try? record(of: json).imageID
        {
            switch id {
            case .number(let number): hash.add("number \(number)")
            case .text(let text): hash.add("text \(text.text)")
            }
        } else {
            hash.add("\(shard) \(ordinal)")
        }
        return Int(hash.word >> 2)
    }

    private func record(of member: Member) throws(DatasetError) -> ShardRecord {
        let decoder = JSONDecoder()
        if let key = ShardRecord.namesKey { decoder.userInfo[key] = fields.columns.captionNames }
        let data = Data(JSONText.repaired(member.bytes[...]))
        do {
            return try decoder.decode(ShardRecord.self, from: data)
        } catch {
            throw .json(error, in: data, of: shard.path(of: "\(key).\(member.field)"))
        }
    }
}

/// What a sample's JSON says about its image.
private struct ShardRecord: Decodable {
    static let namesKey = CodingUserInfoKey(rawValue: "names")

    let captions: [String]
    let imageID: ImageID?

    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Name.self)
        let names = Self.namesKey.flatMap { decoder.userInfo[$0] as? [String] } ?? []
        let name = names.map(Name.init(stringValue:)).first { container.contains($0) }
        captions =
            try name.flatMap { try container.decodeIfPresent(OneOrMoreTexts.self, forKey: $0) }?
            .texts ?? []
        // Metadata may have anything under this name.
        imageID = try? container.decodeIfPresent(
            DecodedImageID.self, forKey: Name(stringValue: "image_id"))?.id
    }
}
