internal import Foundation
import Storage
internal import SystemPackage

/// An image with its captions as a shard has them.
struct PackedSample {
    private let image: CaptionedImage
    /// The number that the image shares with others; `nil` if it is the only one.
    private let sharedID: Int?
    private let length: Int
    private let modified: String
    /// The caption or the JSON, with the field that it is in; `nil` for an image without captions.
    private let text: (field: String, content: [UInt8])?

    private struct Record: Encodable {
        let caption: [String]
        let imageID: Int?

        enum CodingKeys: String, CodingKey {
            case caption
            case imageID = "image_id"
        }
    }

    /// The number of bytes in an archive.
    var byteCount: Int64 {
        Int64(TarWriter.byteCount(ofFile: length))
            + Int64(text.map { TarWriter.byteCount(ofFile: $0.content.count) } ?? 0)
    }

    /// Returns the samples of a data set; images are not read yet.
    ///
    /// - Throws: ``ImageError`` if an image does not exist.
    static func all(of dataset: CaptionDataset) throws -> [PackedSample] {
        var uses: [Int: Int] = [:]
        for image in dataset.images { uses[image.id, default: 0] += 1 }
        return try dataset.images.map { image in
            try PackedSample(image, sharedID: uses[image.id, default: 0] > 1 ? image.id : nil)
        }
    }

    private init(_ image: CaptionedImage, sharedID: Int?) throws {
        self.image = image
        self.sharedID = sharedID
        var status = stat()
        guard image.path.withPlatformString({ stat($0, &status) }) == 0 else {
            throw ImageError(
                .unreadable("\(Errno(rawValue: errno))"), image.path.description)
        }
        guard let length = Int(exactly: status.st_size), length <= ImageFile.maximumBytes else {
            throw ImageError(
                .tooManyBytes(Int64(status.st_size), limit: ImageFile.maximumBytes),
                image.path.description)
        }
        self.length = length
        #if canImport(Darwin)
            modified = "\(status.st_mtimespec.tv_sec) \(status.st_mtimespec.tv_nsec)"
        #else
            modified = "\(status.st_mtim.tv_sec) \(status.st_mtim.tv_nsec)"
        #endif
        if image.captions.count == 1, sharedID == nil {
            text = ("txt", Array(image.captions[0].utf8))
        } else if image.captions.isEmpty, sharedID == nil {
            text = nil
        } else {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            let record = Record(caption: image.captions, imageID: sharedID)
            text = ("json", Array(try encoder.encode(record)))
        }
    }

    /// Adds what the sample's bytes depend on.
    func add(to hash: inout ContentHash) {
        hash.add(image.path.description)
        hash.add("\(length) \(modified) \(text?.field ?? "")")
        (text?.content ?? []).withUnsafeBytes { hash.add($0) }
    }

    /// Returns the files of the sample by their fields, the image first.
    ///
    /// - Throws: ``ImageError`` if the image cannot be read or is none.
    func members() throws(ImageError) -> [(field: String, content: [UInt8])] {
        let bytes = try ImageLoader.bytes(of: image.path)
        guard let kind = ImageKind(bytes) else {
            throw ImageError(.unrecognised, image.path.description)
        }
        return [(kind.fileExtension, bytes)] + (text.map { [$0] } ?? [])
    }
}
