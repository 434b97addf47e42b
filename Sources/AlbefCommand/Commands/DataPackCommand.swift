import ArgumentParser
import CommandSupport
import Foundation
import ImageText
import SystemPackage

/// `albef data pack`: writes a training set into shards.
struct DataPackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pack",
        abstract: "Write captioned images into tar shards, as WebDataset reads them.",
        discussion: """
            Copies images and captions into 000000.tar, 000001.tar and so on, with an index \
            shards.json of their counts. Equal data make equal shards. Each shard appears complete \
            or not at all; the same command resumes where an earlier one stopped, and rewrites \
            only what has changed.

              albef data pack train.json shards --samples-per-shard 5000
              albef pretrain --set "data.train=[shards]" --run run
            """)

    @Argument(
        help: ArgumentHelp(
            "Annotation file or folder, in any format that 'albef data validate' reads.",
            valueName: "dataset"), completion: .file())
    var dataset: String

    @Argument(
        help: ArgumentHelp("Folder of the shards.", valueName: "output"), completion: .directory)
    var output: String

    @Option(help: ArgumentHelp("Largest number of images per shard.", valueName: "n"))
    var samplesPerShard: Int

    @Option(
        help: ArgumentHelp(
            "Largest length of a shard in bytes; default: 1073741824.", valueName: "bytes"))
    var maxBytes: Int64 = ShardPacker.defaultMaximumBytes

    @Option(
        help: ArgumentHelp(
            "Folder that relative image paths start from; default: that of the annotations.",
            valueName: "directory"), completion: .directory)
    var images: String?

    @Option(
        help: ArgumentHelp(
            "A split to pack, if the file has splits; may be repeated.", valueName: "name"))
    var split: [String] = []

    @Flag(help: "Print the index and what was written as JSON.")
    var json = false

    func validate() throws {
        try NumberBounds.check("--samples-per-shard", samplesPerShard, 1...1_000_000_000)
        try NumberBounds.check("--max-bytes", maxBytes, 1024...1_000_000_000_000_000)
    }

    func run() async throws {
        let data = try CaptionDataset.read(
            FilePath(dataset), imageRoot: images.map { FilePath($0) }, splits: Set(split))
        let packer = ShardPacker(samplesPerShard: samplesPerShard, maximumBytes: maxBytes)
        let folder = FilePath(output)
        let result = try await Interrupts.cancelling("stopping; finished shards stay") {
            var bar = ProgressBar("packing", unit: "images")
            defer { bar.finish() }
            return try packer.pack(data, into: folder) { bar.show($0.done, of: $0.total) }
        }
        if json {
            try Console.json(PackOutput(result, folder: folder))
        } else {
            let (shards, kept) = (result.index.entries.count, result.kept.count)
            Console.result("\(result.index.sampleCount) images in \(shards) shards in \(output)")
            if kept > 0 { Console.result("\(kept) of them were there already") }
        }
    }
}

/// The JSON of `albef data pack --json`.
private struct PackOutput: Encodable {
    private struct Shard: Encodable {
        let path: JSONPath
        let samples: Int
        let bytes: Int64?
        let sha256: String?
        let written: Bool
    }

    private let index: JSONPath
    private let samples: Int
    private let shards: [Shard]

    init(_ result: ShardPacker.Result, folder: FilePath) {
        index = JSONPath(path: folder.appending(ShardList.indexName))
        samples = result.index.sampleCount
        shards = result.index.entries.enumerated().map { number, entry in
            Shard(
                path: JSONPath(path: folder.appending(entry.url)), samples: entry.samples,
                bytes: entry.byteCount, sha256: entry.sha256,
                written: !result.kept.contains(number))
        }
    }
}
