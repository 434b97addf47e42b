import Foundation
package import Retrieval
import Storage
package import SystemPackage

/// The JSON of `albef search --json`.
package struct SearchOutput: Encodable {
    package let query: Query
    package let model: ModelOutput
    package let reranked: Int
    package let matchesWell: Bool?
    package let unknownWords: [String]
    package let results: [Found]

    package init(
        query: Query, model: ModelOutput, reranked: Int, matchesWell: Bool?, unknownWords: [String],
        results: [Found]
    ) {
        self.query = query
        self.model = model
        self.reranked = reranked
        self.matchesWell = matchesWell
        self.unknownWords = unknownWords
        self.results = results
    }

    private enum CodingKeys: String, CodingKey {
        case model, reranked
        case matchesWell = "matches_well"
        case unknownWords = "unknown_words"
        case results
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try query.encode(to: encoder)
        try container.encode(model, forKey: .model)
        try container.encode(reranked, forKey: .reranked)
        // `null` if unknown.
        try container.encode(matchesWell, forKey: .matchesWell)
        try container.encode(unknownWords, forKey: .unknownWords)
        try container.encode(results, forKey: .results)
    }

    /// The query: the sentence as `query`, and each other part that it has.
    package struct Query: Encodable {
        package let query: String?
        /// The path of a single image; several are in `images`.
        package let image: String?
        package let images, without, unlike: [String]?
        package let emphasis: [String: Double]?

        package init(_ query: SearchQuery, images: [String], unlike: [String]) {
            func some<Part: Collection>(_ part: Part) -> Part? { part.isEmpty ? nil : part }
            self.query = query.text
            image = images.count == 1 ? images.first : nil
            self.images = images.count > 1 ? images : nil
            without = some(query.without)
            self.unlike = some(unlike)
            emphasis = some(query.emphasis)
        }
    }

    /// Returns the warnings to show before the results: that nothing matches well, and the words
    /// that the model does not know.
    package static func warnings(of answer: SearchAnswer) -> [String] {
        let lines = answer.matchesWell == false ? ["nothing here matches well"] : []
        return lines + [answer.reading?.namedUnknownWords].compactMap { $0 }
    }

    /// One result, with the others that are equal to it or look nearly the same.
    package struct Found {
        package let rank: Int
        package let result: SearchResult
        /// The paths of the others, in the order of the results; nil if they were not folded.
        package var duplicates: [FilePath]?

        package init(rank: Int, result: SearchResult, duplicates: [FilePath]? = nil) {
            self.rank = rank
            self.result = result
            self.duplicates = duplicates
        }

        /// Returns the best of each group of equal results, the best group first.
        package static func folding(_ results: [SearchResult], top: Int) -> [Found] {
            var places: [String: Int] = [:]
            var found: [Found] = []
            for result in results {
                if let place = places[result.sha256] {
                    found[place].duplicates?.append(result.path)
                } else {
                    places[result.sha256] = found.count
                    found.append(Found(rank: found.count + 1, result: result, duplicates: []))
                }
            }
            return Array(found.prefix(top))
        }
    }

    /// Returns how many results to ask for, so that enough remain after folding.
    package static func looked(for top: Int) -> Int { max(200, top * 10) }

    /// Formats ranks, scores and paths in columns.
    ///
    /// - Parameter others: the word for folded results, such as `equal`.
    package static func table(_ found: [Found], others: String) -> String {
        let isOfTexts = found.contains { $0.result.text != nil }
        var lines = ["rank  recall   match   cosine  " + (isOfTexts ? "text" : "path")]
        for item in found {
            let result = item.result
            let match = result.matchProbability.map { String(format: "%5.1f %%", $0 * 100) }
            let numbers = String(format: "%4d  %6d", item.rank, result.recallRank)
            let cosine = String(format: "%7.4f", result.similarity)
            let name = result.text?.displayed ?? result.path.displayed
            let more: String? = item.duplicates.flatMap {
                $0.isEmpty ? nil : " (and \($0.count) \(others))"
            }
            lines.append("\(numbers)  \(match ?? "      -")  \(cosine)  \(name)\(more ?? "")")
        }
        return lines.joined(separator: "\n")
    }

    /// Writes the exact bytes of the paths, for other programs.
    ///
    /// - Parameter end: the byte after each path.
    package static func writePaths(_ found: [Found], end: UInt8) {
        let bytes = found.flatMap { Array($0.result.path.bytes) + [end] }
        // A reader that closes the pipe early is not an error.
        _ = try? FileDescriptor.standardOutput.writeAll(bytes)
    }
}

extension QueryReading {
    /// The words that the model does not know, in one line; nil if there are none.
    package var namedUnknownWords: String? {
        guard !unknownWords.isEmpty else { return nil }
        let named = unknownWords.prefix(6).map { "\"\($0.shortened.displayed)\"" }
        let others = unknownWords.count - named.count
        return "does not know: \(named.joined(separator: ", "))"
            + (others > 0 ? " and \(others) more" : "")
    }

    /// Notes that only the beginning of the text is read, if that is the case.
    package func noteIfCut() {
        if isCut { Console.note("note: the query is long; only its beginning is read") }
    }
}

extension String {
    fileprivate var shortened: String { count > 40 ? prefix(40) + "…" : self }
}

extension SearchOutput.Found: Encodable {
    private enum CodingKeys: String, CodingKey {
        case rank
        case recallRank = "recall_rank"
        case similarity
        case matchLogit = "match_logit"
        case matchProbability = "match_probability"
        case folder, size, about, metadata, duplicates
    }

    package func encode(to encoder: any Encoder) throws {
        try JSONPath(path: result.path).encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(rank, forKey: .rank)
        try container.encode(result.recallRank, forKey: .recallRank)
        try container.encode(result.similarity, forKey: .similarity)
        // Write `null` rather than leave out a key: every result has the same fields.
        try container.encode(result.matchLogit, forKey: .matchLogit)
        try container.encode(result.matchProbability, forKey: .matchProbability)
        try container.encode(result.path.removingLastComponent().string, forKey: .folder)
        try container.encode(result.size, forKey: .size)
        try container.encodeIfPresent(result.about, forKey: .about)
        if !result.metadata.isEmpty { try container.encode(result.metadata, forKey: .metadata) }
        try container.encodeIfPresent(
            duplicates?.map { JSONPath(path: $0) }, forKey: .duplicates)
    }
}
