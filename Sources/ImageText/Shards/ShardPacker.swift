internal import Foundation
import Storage
public import SystemPackage

/// Writes captioned images into shards, with an index beside them.
///
/// The files of image *n*, from 1, are `00000000n.jpg` (or the extension of its format) with
/// `00000000n.txt` for one caption. Several captions, or an `image_id` that images share, are in
/// `00000000n.json` instead. Images are copied byte for byte. Equal data sets make equal shards.
///
/// Each shard appears complete or not at all, and the index after it. So a packer that was
/// interrupted goes on, and one that starts again writes only the shards whose images or captions
/// have changed.
public struct ShardPacker: Sendable {
    /// How far a packer is.
    public struct Progress: Sendable {
        /// The number of images in finished shards, and of those in the shard being written.
        public let done: Int
        /// The number of images to pack.
        public let total: Int
    }

    /// What a packer did.
    public struct Result: Sendable {
        /// The index, with an entry for each shard.
        public let index: ShardIndex
        /// The numbers of the shards that had been finished before, from 0.
        public let kept: Set<Int>
    }

    /// The length of a shard that is written if no length is given: 1 GiB.
    public static let defaultMaximumBytes: Int64 = 1 << 30
    private static let maximumSamples = 1_000_000_000

    private let samplesPerShard: Int
    private let maximumBytes: Int64

    /// Creates a packer.
    ///
    /// - Parameters:
    ///   - samplesPerShard: The largest number of images per shard, at least 1.
    ///   - maximumBytes: The largest length of a shard, unless a single image is longer.
    public init(samplesPerShard: Int, maximumBytes: Int64 = Self.defaultMaximumBytes) {
        precondition(samplesPerShard > 0 && maximumBytes > 0)
        self.samplesPerShard = samplesPerShard
        self.maximumBytes = maximumBytes
    }

    /// Packs a data set.
    ///
    /// - Parameters:
    ///   - dataset: The images with captions. Images without a caption are packed as they are.
    ///   - folder: The folder of the shards, which is made if it is missing.
    ///   - onProgress: Called after each image.
    /// - Throws: `ImageError` for an image that is missing or is none; `DatasetError` if the folder
    ///   has other files; `FileError` if a shard cannot be written; `CancellationError` if the task
    ///   is cancelled. Shards finished by then stay.
    public func pack(
        _ dataset: CaptionDataset, into folder: FilePath,
        onProgress: (Progress) -> Void = { _ in }
    ) throws -> Result {
        let total = dataset.images.count
        guard total > 0, total <= Self.maximumSamples else {
            throw DatasetError.shards("the data set", "has \(total) images; name data with images")
        }
        try prepare(folder)
        let indexPath = folder.appending(ShardList.indexName)
        let older =
            ImageFile.exists(indexPath) ? try ShardIndex(contentsOf: indexPath).entries : []
        var index = ShardIndex(entries: [], in: folder)
        var kept: Set<Int> = []
        let samples = try PackedSample.all(of: dataset)
        var start = 0
        while start < total {
            try Task.checkCancellation()
            let end = end(ofShardFrom: start, in: samples)
            let number = index.entries.count
            let name = "\(Self.padded(number, 6)).tar"
            let path = folder.appending(name)
            let source = Self.fingerprint(samples[start..<end])
            if number < older.count, older[number].url == name, older[number].source == source,
                older[number].samples == end - start, Self.length(path) == older[number].byteCount
            {
                index.entries.append(older[number])
                kept.insert(number)
                onProgress(Progress(done: end, total: total))
            } else {
                let (bytes, digest) = try write(samples[start..<end], from: start, to: path) {
                    onProgress(Progress(done: $0, total: total))
                }
                index.entries.append(
                    ShardIndex.Entry(
                        url: name, samples: end - start, byteCount: bytes, sha256: digest,
                        source: source))
                // Until everything is packed, the entries of a former packing stay behind, so that
                // one that is interrupted loses none of them.
                var written = index
                written.entries += older.dropFirst(index.entries.count)
                try written.write(to: indexPath)
            }
            start = end
        }
        try index.write(to: indexPath)
        for entry in older.dropFirst(index.entries.count) {
            unlink(folder.appending(entry.url).string)
        }
        return Result(index: index, kept: kept)
    }

    /// Creates the folder; one that has other files than shards is refused.
    private func prepare(_ folder: FilePath) throws {
        try FileManager.default.createDirectory(
            atPath: folder.string, withIntermediateDirectories: true)
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.string)
        where !name.hasPrefix(".") && name != ShardList.indexName && !name.hasSuffix(".tar") {
            throw DatasetError.occupied(folder)
        }
    }

    private func end(ofShardFrom start: Int, in samples: [PackedSample]) -> Int {
        var bytes = Int64(TarWriter.end.count)
        var end = start
        while end < samples.count, end - start < samplesPerShard {
            bytes += samples[end].byteCount
            if bytes > maximumBytes, end > start { break }
            end += 1
        }
        return end
    }

    /// Writes a shard, and returns its length and its SHA-256.
    private func write(
        _ samples: ArraySlice<PackedSample>, from start: Int, to path: FilePath,
        onProgress: (Int) -> Void
    ) throws -> (Int64, String) {
        let file = try AtomicFile(path)
        var length: Int64 = 0
        func append(_ bytes: [UInt8]) throws {
            try bytes.withUnsafeBytes { try file.write($0) }
            length += Int64(bytes.count)
        }
        for (offset, sample) in zip(start..., samples) {
            try Task.checkCancellation()
            let key = Self.padded(offset + 1, 9)
            for (field, content) in try sample.members() {
                try append(TarWriter.header(name: "\(key).\(field)", size: content.count))
                try append(content)
                try append(TarWriter.padding(after: content.count))
            }
            onProgress(offset + 1)
        }
        try append(TarWriter.end)
        try file.commit()
        return (length, try MappedFile(path).sha256)
    }

    /// Returns a text that changes with the names, lengths, times and captions of images.
    private static func fingerprint(_ samples: ArraySlice<PackedSample>) -> String {
        var hash = ContentHash()
        for sample in samples { sample.add(to: &hash) }
        return String(hash.word, radix: 16)
    }

    private static func length(_ path: FilePath) -> Int64? {
        (try? RegularFile.open(path)).map { file, count in
            try? file.close()
            return Int64(count)
        }
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}
