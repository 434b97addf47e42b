import Storage
import Torch

/// The way in which a VQA model writes answers of its own.
public struct AnswerGeneration: Sendable, Hashable {
    /// The token with which answers begin: `[CLS]`.
    public var start: Int
    /// The token with which answers end: `[SEP]`.
    public var end: Int
    /// The number of answers that are continued at once; 1 for greedy search.
    public var beams: Int
    /// The maximum number of tokens of an answer, without begin and end.
    public var maximumTokens: Int
    /// The power of the length by which the log-likelihood is divided when answers are compared; 0
    /// compares likelihoods, and larger numbers prefer longer answers.
    public var lengthPenalty: Double

    /// Creates the settings of a search.
    ///
    /// - Parameters:
    ///   - start: the token with which answers begin.
    ///   - end: the token with which answers end.
    ///   - beams: the number of answers that are continued at once; 1, the default, is greedy search.
    ///   - maximumTokens: the maximum number of tokens of an answer; 10 by default.
    ///   - lengthPenalty: the power of the length; 0 by default.
    public init(
        start: Int, end: Int, beams: Int = 1, maximumTokens: Int = 10, lengthPenalty: Double = 0
    ) {
        self.start = start
        self.end = end
        self.beams = beams
        self.maximumTokens = maximumTokens
        self.lengthPenalty = lengthPenalty
    }
}

/// An answer that a model has written.
public struct GeneratedAnswer: Sendable, Hashable {
    /// The tokens, without begin and end.
    public var tokens: [Int]
    /// ln p(tokens, end | image, question).
    public var logLikelihood: Double
    /// The number by which answers are compared: the log-likelihood over the length, end included,
    /// to the power of ``AnswerGeneration/lengthPenalty``.
    public var score: Double
}

extension ALBEFModel {
    /// Writes answers to each of N questions by greedy search, or by beam search.
    ///
    /// Each step continues the best prefixes of a question by one token. Greedy search stops as soon
    /// as the end is the most probable token. Beam search also collects the answers that end at each
    /// prefix, and compares them. An answer of the maximum length has to end there, so that every
    /// result is a complete answer.
    ///
    /// - Parameters:
    ///   - questions: N questions; see ``encodeQuestions(_:mask:tokens:dropout:)``.
    ///   - settings: the tokens and the width of the search.
    /// - Returns: at most ``AnswerGeneration/beams`` answers to each question, best first; at least
    ///   one.
    /// - Throws: ``ALBEFError`` if the model has no answer decoder, or if the settings are out of
    ///   range.
    /// - Complexity: O(N · `beams` · `maximumTokens`) runs of the decoder, which reads each prefix
    ///   anew.
    public func generateAnswers(
        to questions: EncodedQuestions, _ settings: AnswerGeneration
    ) throws(ALBEFError) -> [[GeneratedAnswer]] {
        guard let decoder = answers else { throw .missingHead("text_decoder", configuration.task) }
        try check(settings)
        return withoutGradients {
            let memory = decoder.memory(of: questions)
            var searches = (0..<questions.count).map { _ in BeamSearch(settings) }
            for length in 1...settings.maximumTokens + 1 {
                let rows = searches.indices.flatMap { question in
                    repeatElement(question, count: searches[question].prefixes.count)
                }
                guard !rows.isEmpty else { break }
                let ids = searches.flatMap { search in
                    search.prefixes.flatMap { [settings.start] + $0.tokens }
                }
                let shape = [rows.count, length]
                let logits = decoder(
                    Tensor(ids, shape: shape, device: device), mask: .ones(shape, device: device),
                    answering: memory, rows: Tensor(rows, device: device))
                let logs = logits[.all, length - 1].to(.float32).logSoftmax(1)
                // At most one of a prefix's continuations is the end.
                let best = logs.topK(min(settings.beams + 1, logs.size(1)))
                let ends: [Double] = logs[.all, settings.end].values()
                let values: [Double] = best.values.values()
                let tokens: [Int] = best.indices.values()
                let width = best.values.size(1)
                var row = 0
                for question in searches.indices {
                    let count = searches[question].prefixes.count
                    let places = row * width..<(row + count) * width
                    searches[question].step(
                        tokens: tokens[places], logs: values[places],
                        ends: ends[row..<row + count])
                    row += count
                }
            }
            return searches.map(\.answers)
        }
    }

    private func check(_ settings: AnswerGeneration) throws(ALBEFError) {
        let text = configuration.text
        for (name, token) in [("begin", settings.start), ("end", settings.end)]
        where !(0..<text.vocabularySize).contains(token) {
            throw .answer(
                "the \(name) token \(token) is not among the \(text.vocabularySize) tokens of the"
                    + " vocabulary")
        }
        guard settings.beams > 0, settings.lengthPenalty >= 0 else {
            throw .answer("a search needs at least one beam, and a length penalty of 0 or more")
        }
        guard (1..<text.positions).contains(settings.maximumTokens) else {
            throw .answer(
                "the maximum of \(settings.maximumTokens) tokens is not within"
                    + " 1...\(text.positions - 1)")
        }
    }
}

/// The search for the answers to one question.
private struct BeamSearch {
    struct Prefix {
        var tokens: [Int]
        var logLikelihood: Double
    }

    private let settings: AnswerGeneration
    /// The answers that can be continued; empty when the search is over.
    private(set) var prefixes = [Prefix(tokens: [], logLikelihood: 0)]
    private var found: [GeneratedAnswer] = []

    init(_ settings: AnswerGeneration) { self.settings = settings }

    /// The best answers found so far.
    var answers: [GeneratedAnswer] { Array(found.prefix(settings.beams)) }

    /// Continues every prefix.
    ///
    /// - Parameters:
    ///   - tokens: the most probable next tokens of each prefix, one prefix after another.
    ///   - logs: their log-probabilities.
    ///   - ends: the log-probability of the end of each prefix.
    mutating func step(
        tokens: ArraySlice<Int>, logs: ArraySlice<Double>, ends: ArraySlice<Double>
    ) {
        guard !prefixes.isEmpty else { return }
        let isLast = prefixes[0].tokens.count == settings.maximumTokens
        let width = tokens.count / prefixes.count
        var next: [Prefix] = []
        for (place, (prefix, end)) in zip(prefixes, ends).enumerated() {
            var largest = -Double.infinity
            for offset in place * width..<(place + 1) * width where !isLast {
                let token = tokens[tokens.startIndex + offset]
                let log = logs[logs.startIndex + offset]
                if token == settings.end { continue }
                largest = max(largest, log)
                next.append(
                    Prefix(
                        tokens: prefix.tokens + [token], logLikelihood: prefix.logLikelihood + log))
            }
            // Greedy search ends where the end is the most probable token.
            if settings.beams > 1 || end >= largest { finish(prefix, end) }
        }
        found.sort { $0.score > $1.score }
        found.removeLast(max(0, found.count - settings.beams))
        // Equal prefixes keep the order of their parts.
        let order = next.indices.sorted {
            (-next[$0].logLikelihood, $0) < (-next[$1].logLikelihood, $1)
        }
        prefixes = order.prefix(settings.beams).map { next[$0] }
        guard found.count == settings.beams, let worst = found.last?.logLikelihood else { return }
        if settings.beams == 1 { prefixes = [] }
        // Longer answers are never more probable than their prefixes.
        if settings.lengthPenalty == 0 { prefixes.removeAll { $0.logLikelihood <= worst } }
    }

    private mutating func finish(_ prefix: Prefix, _ end: Double) {
        let sum = prefix.logLikelihood + end
        let length = Double(prefix.tokens.count + 1)
        found.append(
            GeneratedAnswer(
                tokens: prefix.tokens, logLikelihood: sum,
                score: sum / pow(length, settings.lengthPenalty)))
    }
}
