/// The reason that a tokenizer could not be read.
public struct TokenizerError: Error, Sendable, CustomStringConvertible {
    enum Code: Sendable {
        case unreadable(reason: String)
        /// The place in the file and the problem.
        case malformed(String, String)
        /// The place in the file and the feature that this library does not support.
        case unsupported(String, String)
        /// The folder has no file of a supported kind.
        case noTokenizer
    }

    let code: Code
    let source: String

    init(_ code: Code, source: String) {
        self.code = code
        self.source = source
    }

    /// The file, the place in it and the problem.
    public var description: String {
        switch code {
        case .unreadable(let reason): "\(source): cannot be read: \(reason)"
        case .malformed(let place, let problem): "\(source): \(place): \(problem)"
        case .unsupported(let place, let what): "\(source): \(place): \(what)"
        case .noTokenizer:
            "\(source): contains no tokenizer; it needs tokenizer.json, vocab.json with "
                + "merges.txt, spiece.model, sentencepiece.bpe.model, "
                + "bpe_simple_vocab_16e6.txt or vocab.txt"
        }
    }
}
