import ImageText
import Testing

@Suite struct TextPreprocessorTests {
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
        let preprocessor = TextPreprocessor(
            rules: .albef,
            tokenizer: WordPieceTokenizer(
                vocabulary: try TextFixtures.vocabulary("bert-base-uncased")))
        let rows = try ReferenceTexts.load().albef
        let batch = preprocessor.batch(rows.map(\.text), maximumTokens: 25)
        #expect(batch.count == rows.count && batch.length == 25)
        for (index, row) in rows.enumerated() { #expect(batch[index] == row.ids) }
        #expect(preprocessor.tokens(of: batch) == rows.map { $0.tokens ?? [] })
    }

    @Test func separatorsAreCountedAndKeptWhenCutting() throws {
        let preprocessor = TextPreprocessor(
            rules: .lavis,
            tokenizer: WordPieceTokenizer(
                vocabulary: try TextFixtures.vocabulary("bert-base-uncased"),
                recognizesSpecialTokens: true))
        for row in try ReferenceTexts.load().lavis {
            let batch = preprocessor.batch(
                [row.text], cleaning: .none, maximumTokens: 30, padding: .fixed(30))
            #expect(batch.ids == row.padded30, "\(row.text)")
        }
        #expect(preprocessor.ids(of: "a red bus", maximumTokens: 1) == [101, 102])
    }

    @Test func tinyIDsFollowLAVIS() throws {
        let preprocessor = TextPreprocessor(
            rules: .lavis,
            tokenizer: WordPieceTokenizer(vocabulary: try TextFixtures.vocabulary("tiny")))
        for row in try ReferenceTexts.load().lavisTiny {
            #expect(preprocessor.ids(of: row.text, cleaning: .none) == row.input_ids)
        }
    }

    @Test(arguments: [("albef", TextRules.albef), ("lavis", TextRules.lavis)])
    func retrievalBatchesFollowBoth(name: String, rules: TextRules) throws {
        let reference = try #require(try ReferenceTexts.load().retrieval[name])
        let preprocessor = TextPreprocessor(
            rules: rules,
            tokenizer: WordPieceTokenizer(vocabulary: try TextFixtures.vocabulary("tiny")))
        let batch = preprocessor.batch(
            reference.texts, maximumTokens: reference.length, padding: .fixed(reference.length))
        #expect(batch.length == reference.length)
        #expect(batch.ids == reference.ids)
        #expect(batch.mask == reference.mask)
        let training = preprocessor.batch(
            reference.trainingTexts, maximumTokens: 12, padding: .fixed(12))
        #expect(training.ids == reference.trainingIds)
    }

    @Test func batchesOfNothing() throws {
        let none = TokenBatch(rows: [], paddingID: 0)
        #expect(none.count == 0 && none.length == 0 && none.ids.isEmpty && none.mask.isEmpty)
        #expect(TokenBatch(rows: [], padding: .fixed(30), paddingID: 0).length == 30)
        // A fixed length never cuts.
        #expect(TokenBatch(rows: [[1, 2, 3]], padding: .fixed(2), paddingID: 0).ids == [1, 2, 3])
    }
}
