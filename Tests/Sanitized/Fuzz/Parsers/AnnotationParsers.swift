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
            let file = try Scratch.write(withChecksums(bytes), to: "shard.tar")
            let address = ShardAddress(file)
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

    /// Returns an archive whose headers have the right checksums, which almost every change breaks.
    private static func withChecksums(_ archive: [UInt8]) -> [UInt8] {
        var archive = archive
        for start in stride(from: 0, to: archive.count - 511, by: 512)
        where archive[start + 257..<start + 262].elementsEqual("ustar".utf8) {
            let place = start + 148..<start + 156
            archive.replaceSubrange(place, with: Array(repeating: UInt8(ascii: " "), count: 8))
            let sum = archive[start..<start + 512].reduce(0) { $0 + Int($1) }
            let digits = String(sum, radix: 8)
            let text = String(repeating: "0", count: 6 - digits.count) + digits + "\0 "
            archive.replaceSubrange(place, with: Array(text.utf8))
        }
        return archive
    }

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
