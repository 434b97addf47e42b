import ImageText
import SystemPackage

extension Parser {
    static let annotations = [
        Parser("captions") { bytes in
            let path = try Scratch.write(bytes, to: "captions.json")
            let whole = Result { try CaptionDataset.read(path) }
            _ = try? CaptionDataset.read(path, splits: ["train"])
            _ = try? CaptionDataset.read(
                path, columns: CaptionColumns(image: "file", caption: "title"))
            _ = try? CaptionTexts.read(path)
            _ = try whole.get()
        },
        Parser("benchmarks") { bytes in
            let path = try Scratch.write(bytes, to: "benchmark.json")
            try anyOf([
                { _ = try PairDataset(reading: [path], missing: .skipped) },
                { _ = try ChoiceDataset(reading: [path], missing: .skipped) },
            ])
        },
        Parser("tasks") { bytes in
            let path = try Scratch.write(bytes, to: "task.json")
            try anyOf([
                { _ = try QuestionDataset(reading: [path], missing: .skipped) },
                { _ = try QuestionDataset(reading: [path], isTest: true, missing: .skipped) },
                { _ = try NLVRDataset(reading: [path], missing: .skipped) },
                { _ = try EntailmentDataset(reading: [path], missing: .skipped) },
                { _ = try GroundingDataset(reading: [path], missing: .skipped) },
                { _ = try LabelledDataset(reading: path) },
                { _ = try AnswerChoices(reading: path) },
                { _ = try BoxProposals(reading: path) },
            ])
        },
        Parser("glosses") { bytes in _ = try Glosses(bytes.text()) },
        Parser("tar") { bytes in
            let address = ShardAddress(try Scratch.write(bytes, to: "shard.tar"))
            var counted = ShardSet([address])
            try counted.count()
            var reader = ShardReader(address)
            while let sample = try reader.next() {
                _ = sample.image
                _ = sample.path
                _ = try? sample.captions()
            }
        },
        // shards.json, and after a zero byte a pattern of names.
        Parser("shards") { bytes in
            let parts = bytes.parts(2)
            let pattern = parts[1]
            _ = try? ShardList.addresses([pattern.text()])
            let index = try ShardIndex(contentsOf: Scratch.write(parts[0], to: "shards.json"))
            _ = index.addresses
            _ = index.sampleCount
        },
    ]

    /// Calls every reader; one of them must be able to read an input.
    private static func anyOf(_ readers: [() throws -> Void]) throws {
        var first: (any Error)?
        var isRead = false
        for reader in readers {
            do {
                try reader()
                isRead = true
            } catch {
                first = first ?? error
            }
        }
        if let first, !isRead { throw first }
    }
}
