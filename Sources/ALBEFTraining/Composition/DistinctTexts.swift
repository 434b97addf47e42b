import ALBEF
import ImageText

/// The distinct texts of several requests.
///
/// Texts with the same tokens get the same score, whatever else is in their batch, so neither ranks
/// above the other.
struct DistinctTexts {
    private struct Key: Hashable {
        let reader: [Int]
        let recall: [Int]?
    }

    /// The texts to encode.
    private(set) var rows: [String] = []
    /// The rows of each request's texts.
    private(set) var places: [[Int]] = []
    /// For each row, the first row with the same tokens for the model that computes the features.
    private(set) var firstForTowers: [Int] = []
    /// For each row, the first row with the same tokens for the fusion encoder.
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
