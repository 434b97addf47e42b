/// Why a tokenizer could not be read.
public struct TokenizerError: Error, Sendable, CustomStringConvertible {
    enum Code: Sendable {
        case unreadable(reason: String)
        /// At a place of the file there is a problem.
        case malformed(String, String)
        /// At a place of the file there is something that this library does not do.
        case unsupported(String, String)
        /// The folder has no file of the kinds that are read.
        case noTokenizer
    }

    let code: Code
    let source: String

    init(_ code: Code, source: String) {
        self.code = code
        self.source = source
    }

    /// The file, the place in it, and what is wrong there.
    public var description: String {
        switch code {
        case .unreadable(let reason): "\(source): cannot be read: \(reason)"
        case .malformed(let place, let problem): "\(source): \(place): \(problem)"
        case .unsupported(let place, let what): "\(source): \(place): \(what)"
        case .noTokenizer:
            "\(source): there is no tokenizer; wanted is one of tokenizer.json, vocab.json with "
                + "merges.txt, spiece.model, sentencepiece.bpe.model, "
                + "bpe_simple_vocab_16e6.txt or vocab.txt"
        }
    }
}
