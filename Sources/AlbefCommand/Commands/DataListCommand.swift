import ArgumentParser
import CommandSupport
import Foundation
import ImageText
import Storage

/// `albef data list`: shows what shards have, in the order in which training reads it.
struct DataListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the samples of shards, and which process has which.",
        discussion: """
            Reads shards as training does, and prints one line per sample: its shard, its key, its \
            fields and its captions. With --ranks it prints what one of several processes reads in \
            an epoch, before shuffling. A damaged shard is reported, and the exit status is then 1.

              albef data list 'shards/train-{000..127}.tar'
              albef data list shards --ranks 4 --rank 0 --epoch 3 --json
            """)

    @Argument(
        help: ArgumentHelp("Shards: paths, patterns, commands or addresses.", valueName: "shards"),
        completion: .file())
    var shards: [String]

    @Option(help: ArgumentHelp("Number of processes that share an epoch.", valueName: "n"))
    var ranks = 1

    @Option(help: ArgumentHelp("Which of them, from 0.", valueName: "n"))
    var rank = 0

    @Option(
        help: ArgumentHelp(
            "Epoch whose order is used, from 0; default: the order of the shards.", valueName: "n"))
    var epoch: Int?

    @Option(help: ArgumentHelp("Seed of the order, training.seed.", valueName: "n"))
    var seed: UInt64 = 42

    @Flag(help: "Print one JSON object per line, with the SHA-256 of every file.")
    var json = false

    func validate() throws {
        try NumberBounds.check("--ranks", ranks, 1...1_000_000)
        try NumberBounds.check("--rank", rank, 0...max(0, ranks - 1))
        try NumberBounds.check("--epoch", epoch, 0...1_000_000)
    }

    func run() async throws {
        var set = try ShardSet(shards, opener: .standard)
        var fields = ShardFields()
        fields.keepsAll = true
        let damaged = DamagedShards()
        let samples: ShardSamples
        if ranks > 1 || epoch != nil {
            if set.counts == nil { try set.count(opener: .standard) }
            samples = ShardSamples(
                set, epoch: epoch ?? 0, part: ShardPart(rank: rank, ranks: ranks), seed: seed,
                fields: fields, opener: .standard, onDamage: { damaged.report($0) })
        } else {
            samples = ShardSamples(
                set.addresses, fields: fields, opener: .standard,
                onDamage: { damaged.report($0) })
        }
        let json = json
        try await Interrupts.cancelling("stopping") {
            for try await sample in samples {
                let row = Row(sample)
                if json {
                    try Console.jsonLine(row)
                } else {
                    Console.result(row.text)
                }
            }
        }
        if damaged.isAny { throw ExitCode.failure }
    }
}

/// A sample in the output.
private struct Row: Encodable {
    private struct File: Encodable {
        let field: String
        let bytes: Int
        let sha256: String
    }

    private let shard: String
    private let key: String
    private let files: [File]
    private let captions: [String]

    init(_ sample: ShardSample) {
        shard = sample.shard.description
        key = sample.key
        files = sample.members.map { member in
            File(
                field: member.field, bytes: member.bytes.count,
                sha256: ContentDigest(of: member.bytes).hexadecimal)
        }
        captions = (try? sample.captions()) ?? []
    }

    var text: String {
        let fields = files.map { "\($0.field) \($0.bytes)" }.joined(separator: ", ")
        let quoted = captions.map { "\"\($0)\"" }.joined(separator: ", ")
        return "\(shard.displayed)  \(key.displayed)  \(fields)  \(quoted.displayed)"
    }
}
