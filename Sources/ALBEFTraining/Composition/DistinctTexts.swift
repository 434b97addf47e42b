import ALBEF
import ImageText

/// The texts of some requests, each once.
///
/// Texts that a model reads as the same tokens get one score, whatever else stands in their batch: of
/// two such texts none is above the other.
struct DistinctTexts {
    private struct Key: Hashable {
        let reader: [Int]
        let recall: [Int]?
    }

    /// What is encoded.
    private(set) var rows: [String] = []
    /// For each request the rows of its texts.
    private(set) var places: [[Int]] = []
    /// The first row of the same tokens, for the model that the features are of.
    private(set) var firstForTowers: [Int] = []
    /// The first row of the same tokens, for the fusion encoder.
    private(set) var firstForFusion: [Int] = []

    init(_ texts: [[String]], _ encoder: EvaluationEncoder) {
        var known: [Key: Int] = [:]
        var readers: [[Int]: Int] = [:]
        var towers: [[Int]: Int] = [:]
        for texts in texts {
            places.append(
                texts.map { text in
                    let key = Key(
                        reader: encoder.preprocessing.text.ids(of: text),
                        recall: encoder.recall?.preprocessing.text.ids(of: text))
                    if let row = known[key] { return row }
                    let row = rows.count
                    known[key] = row
                    rows.append(text)
                    firstForFusion.append(readers[key.reader] ?? row)
                    firstForTowers.append(towers[key.recall ?? key.reader] ?? row)
                    readers[key.reader] = firstForFusion[row]
                    towers[key.recall ?? key.reader] = firstForTowers[row]
                    return row
                })
        }
    }
}
