import Storage
public import SystemPackage

/// The texts among which a VQA model chooses its answer: all different, none of them blank.
///
/// The file is a JSON list of texts, such as the original's `answer_list.json`, which has 3,128.
public struct AnswerChoices: Sendable, Hashable {
    /// The answers, in the order of the list; at least one.
    public let texts: [String]

    /// Reads the file of a list.
    ///
    /// - Parameter file: The JSON file.
    /// - Throws: ``DatasetError``, which names the file and the first answer that is no text, is
    ///   blank, or repeats another byte by byte.
    /// - Complexity: O(*n*) for *n* bytes.
    public init(reading file: FilePath) throws(DatasetError) {
        let bytes = try BenchmarkText.bytes(of: file)
        guard let first = bytes.first(where: { !" \t\r\n".utf8.contains($0) }) else {
            throw .empty(file, "is empty")
        }
        guard first == UInt8(ascii: "[") else {
            throw .malformed(file, entry: "", "is not a JSON list of answers")
        }
        let texts = try BenchmarkText.list(
            of: String.self, JSONText.repaired(bytes[...]), file)
        guard !texts.isEmpty else { throw .empty(file, "has no answers") }
        var positions: [ExactText: Int] = [:]
        for (index, text) in texts.enumerated() {
            guard !text.allSatisfy(\.isWhitespace) else {
                throw .malformed(file, entry: "[\(index)]", "is empty; remove it")
            }
            if let first = positions.updateValue(index, forKey: ExactText(text)) {
                throw .malformed(
                    file, entry: "[\(index)]", "repeats [\(first)], '\(text)'; remove one")
            }
        }
        self.texts = texts
    }

    /// Makes a list of the most frequent answers.
    ///
    /// The most frequent answer is the first. Answers of one frequency are in the order of their
    /// UTF-8 bytes, so that the same data make the same list.
    ///
    /// - Parameters:
    ///   - limit: The largest number of answers, at least 1.
    ///   - counts: The answers of the training data.
    ///   - minimum: The number of times that an answer must occur; 1 by default.
    /// - Returns: `nil` if no answer occurs so often.
    /// - Complexity: O(*a* log *a*) for *a* different answers.
    public init?(mostFrequent limit: Int, of counts: AnswerCounts, minimum: Int = 1) {
        precondition(limit > 0, "a list of \(limit) answers")
        let sorted = counts.counts.filter { $0.value >= minimum }.sorted { left, right in
            left.value == right.value
                ? left.key.text.utf8.lexicographicallyPrecedes(right.key.text.utf8)
                : left.value > right.value
        }
        guard !sorted.isEmpty else { return nil }
        texts = sorted.prefix(limit).map(\.key.text)
    }

    /// Writes the list as JSON, one answer per line.
    ///
    /// The write is atomic: a failure leaves no partial file. An existing file is replaced.
    ///
    /// - Throws: ``DatasetError``, which names the file.
    public func write(to file: FilePath) throws(DatasetError) {
        let lines = texts.map(JSONValue.quoted).joined(separator: ",\n ")
        try TaskOutput.write("[\(lines)]\n", to: file)
    }
}

/// How often each answer occurs in training data.
public struct AnswerCounts: Sendable {
    fileprivate private(set) var counts: [ExactText: Int] = [:]

    /// The number of different answers.
    public var count: Int { counts.count }

    /// Creates counts of no answers.
    public init() {}

    /// Counts every answer of every item once; blank answers are left out.
    ///
    /// - Complexity: O(*n*) for *n* answers.
    public mutating func add(_ items: some Sequence<QuestionItem>) {
        for item in items {
            for answer in item.answers where !answer.allSatisfy(\.isWhitespace) {
                counts[ExactText(answer), default: 0] += 1
            }
        }
    }
}
