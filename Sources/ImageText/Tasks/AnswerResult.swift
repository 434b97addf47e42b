import Storage
public import SystemPackage

/// The answer of a model to one question, as VQA's evaluation server takes it.
public struct AnswerResult: Sendable, Hashable {
    /// The question's ``QuestionItem/id``.
    public var questionID: RecordID
    /// The answer.
    public var answer: String

    /// Creates a result.
    public init(questionID: RecordID, answer: String) {
        self.questionID = questionID
        self.answer = answer
    }

    /// Writes results as a JSON list of objects with `question_id` and `answer`, one per line.
    ///
    /// The write is atomic: a failure leaves no partial file. An existing file is replaced.
    ///
    /// - Parameters:
    ///   - results: The results, in the order of the file.
    ///   - file: The file to write.
    /// - Throws: ``DatasetError``, which names the file.
    /// - Complexity: O(*n*) for *n* results.
    public static func write(
        _ results: some Sequence<AnswerResult>, to file: FilePath
    ) throws(DatasetError) {
        let lines = results.map { result in
            let id =
                switch result.questionID {
                case .number(let number): "\(number)"
                case .text(let text): JSONValue.quoted(text)
                }
            return #"{"question_id": \#(id), "answer": \#(JSONValue.quoted(result.answer))}"#
        }
        try TaskOutput.write("[\(lines.joined(separator: ",\n "))]\n", to: file)
    }
}

/// Writes files whole.
enum TaskOutput {
    static func write(_ text: String, to file: FilePath) throws(DatasetError) {
        do {
            try AtomicFile.write(text.utf8, to: file)
        } catch {
            throw .unwritable(file, (error as? FileError)?.reason ?? "\(error)")
        }
    }
}
