import ImageText
import Testing

@Suite struct TextInputTests {
    @Test func cleaningFollowsTheOriginal() throws {
        for row in try ReferenceTexts.load().albef {
            #expect(same(TextRules.albef.caption(row.text), try #require(row.caption)))
            #expect(same(TextRules.albef.question(row.text), try #require(row.question)))
        }
    }

    @Test func cleaningFollowsLAVIS() throws {
        for row in try ReferenceTexts.load().lavisProcessors {
            #expect(same(TextRules.lavis.caption(row.text), row.caption))
            #expect(same(TextRules.lavis.question(row.text), row.question))
        }
    }

    @Test func cleaningFollowsBothOnAnyText() throws {
        for row in try CaptionRow.load() {
            #expect(same(TextRules.albef.caption(row.text), row.albefCaption), "\(row.text)")
            #expect(same(TextRules.albef.question(row.text), row.albefQuestion), "\(row.text)")
            #expect(same(TextRules.lavis.caption(row.text), row.lavisCaption), "\(row.text)")
            #expect(same(TextRules.lavis.question(row.text), row.lavisQuestion), "\(row.text)")
        }
    }

    @Test func wordsAreCountedBetweenSpaces() {
        let long = (0..<60).map { "w\($0)" }.joined(separator: " ")
        #expect(TextRules.albef.question(long, maximumWords: 50).split(separator: " ").count == 50)
        #expect(TextRules.lavis.caption(long).split(separator: " ").count == 50)
        let chinese = String(repeating: "黑", count: 80)
        #expect(TextRules.albef.caption(chinese) == chinese)
    }

    @Test func pretrainingIDsFollowTheOriginal() throws {
        let input = try self.input("bert-base-uncased", .albef, length: 25)
        let rows = try ReferenceTexts.load().albef
        let batch = input.batch(rows.map(\.text))
        #expect(batch.count == rows.count && batch.length == 25)
        for (index, row) in rows.enumerated() { #expect(batch[index] == row.ids) }
        for (index, row) in rows.enumerated() {
            #expect(input.tokenizer.tokens(of: batch[index]) == row.tokens ?? [])
        }
    }

    @Test func separatorsAreCountedAndKeptWhenCutting() throws {
        let framed = try input("bert-base-uncased", .none, length: 30, isFixedLength: true)
        let input = TextInput(
            tokenizer: .wordPiece(
                WordPieceTokenizer(
                    vocabulary: try TextFixtures.vocabulary("bert-base-uncased"),
                    recognizesSpecialTokens: true)), framing: framed.framing)
        for row in try ReferenceTexts.load().lavis {
            #expect(input.batch([row.text]).ids == row.padded30, "\(row.text)")
        }
        let short = try self.input("bert-base-uncased", .lavis, length: 1)
        #expect(short.ids(of: "a red bus") == [101, 102])
    }

    @Test func tinyIDsFollowLAVIS() throws {
        let input = try self.input("tiny", .none, length: nil)
        for row in try ReferenceTexts.load().lavisTiny {
            #expect(input.ids(of: row.text) == row.input_ids)
        }
    }

    @Test(arguments: [TextCleaning.albef, .lavis])
    func retrievalBatchesFollowBoth(cleaning: TextCleaning) throws {
        let reference = try #require(try ReferenceTexts.load().retrieval[cleaning.rawValue])
        let batch = try input(
            "tiny", cleaning, length: reference.length, isFixedLength: true
        ).batch(reference.texts)
        #expect(batch.length == reference.length)
        #expect(batch.ids == reference.ids)
        #expect(batch.mask == reference.mask)
        let training = try input("tiny", cleaning, length: 12, isFixedLength: true)
            .batch(reference.trainingTexts)
        #expect(training.ids == reference.trainingIds)
    }

    /// Returns the input of a BERT; only the original omits `[SEP]`.
    private func input(
        _ vocabulary: String, _ cleaning: TextCleaning, length: Int?, isFixedLength: Bool = false
    ) throws -> TextInput {
        TextInput(
            vocabulary: try TextFixtures.vocabulary(vocabulary), isUncased: true,
            cleaning: cleaning, endsWithSeparator: cleaning != .albef, length: length,
            isFixedLength: isFixedLength)
    }

    @Test func batchesOfNothing() throws {
        let none = TokenBatch(rows: [], paddingID: 0)
        #expect(none.count == 0 && none.length == 0 && none.ids.isEmpty && none.mask.isEmpty)
        #expect(TokenBatch(rows: [], padding: .fixed(30), paddingID: 0).length == 30)
        // A fixed length never truncates.
        #expect(TokenBatch(rows: [[1, 2, 3]], padding: .fixed(2), paddingID: 0).ids == [1, 2, 3])
    }
}
