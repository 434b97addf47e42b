public import SystemPackage

/// A question about an image, with the answers that people gave.
public struct QuestionItem: Sendable, Hashable {
    /// The collection that a question comes from, by its name in annotation files.
    public enum Source: String, Sendable, Hashable, CaseIterable {
        /// VQAv2 (Goyal et al., CVPR 2017), whose questions have ten answers each.
        case vqa
        /// Visual Genome (Krishna et al., IJCV 2017), whose questions have one answer each.
        case visualGenome = "vg"
    }

    /// The image's file.
    public var image: FilePath
    /// The question as annotated; ``TextRules/question(_:maximumWords:)`` cleans it.
    public var question: String
    /// The answers as annotated, one per person, with repetitions; empty for a question of a test.
    public var answers: [String]
    /// The collection that the question comes from.
    public var source: Source
    /// The `question_id`; `nil` if the record has none.
    public var id: RecordID?
    /// The annotation file that the item comes from.
    public var file: FilePath
    /// The place of the item in that file: `[3]` in a list, `line 4` in JSON Lines.
    public var entry: String

    /// Creates an item.
    public init(
        image: FilePath, question: String, answers: [String], source: Source = .vqa,
        id: RecordID? = nil, file: FilePath = "", entry: String = ""
    ) {
        self.image = image
        self.question = question
        self.answers = answers
        self.source = source
        self.id = id
        self.file = file
        self.entry = entry
    }

    /// Returns the different answers with their weights in the loss, in order of appearance.
    ///
    /// The weight is the share of the people who gave the answer. For Visual Genome it is
    /// multiplied by `visualGenomeWeight`. A blank answer counts as a person's, but is left out,
    /// because it has no tokens to learn. Answers are the same if their bytes are.
    ///
    /// - Parameter visualGenomeWeight: The weight of an answer of Visual Genome; 0.5 by default, as
    ///   in the original. LAVIS has 1.
    /// - Complexity: O(*n*) for *n* answers.
    public func weightedAnswers(visualGenomeWeight: Double = 0.5) -> [WeightedAnswer] {
        var positions: [ExactText: Int] = [:]
        var counts: [(text: String, count: Int)] = []
        for answer in answers where !answer.allSatisfy(\.isWhitespace) {
            if let position = positions[ExactText(answer)] {
                counts[position].count += 1
            } else {
                positions[ExactText(answer)] = counts.count
                counts.append((answer, 1))
            }
        }
        let scale = source == .visualGenome ? visualGenomeWeight : 1
        return counts.map {
            WeightedAnswer(
                text: $0.text, weight: scale * Double($0.count) / Double(answers.count))
        }
    }
}

extension QuestionItem: BenchmarkItem {}

/// An answer and its weight in the loss.
public struct WeightedAnswer: Sendable, Hashable {
    /// The answer as annotated.
    public var text: String
    /// The weight, from 0 to 1.
    public var weight: Double

    /// Creates an answer with its weight.
    public init(text: String, weight: Double) {
        self.text = text
        self.weight = weight
    }
}
