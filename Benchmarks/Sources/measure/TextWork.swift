import ImageText
import SystemPackage

/// What happens to a text before its encoder.
struct TextWork {
    /// Splits 200 sentences, in English and Chinese, into tokens of the vocabulary at `path`.
    func tokenize(_ request: Request) throws -> Answer {
        let path = FilePath(try request.string(.path, request.path))
        let tokenizer = Tokenizer.wordPiece(
            WordPieceTokenizer(vocabulary: try Vocabulary(contentsOf: path), isUncased: true))
        let people = ["a woman", "two children", "an old man", "the dog", "穿红色外套的女人"]
        let places = ["in the snow", "on a bicycle", "near the water", "在公园里", "unbelievably far"]
        let sentences = (0..<200).map {
            "\(people[$0 % 5]) \(places[$0 / 5 % 5]) with \($0) umbrellas, black top & trousers"
        }
        var count = 0
        let answer = try Answer.timing(request) {
            for sentence in sentences { count += tokenizer.ids(of: sentence, limit: 30).count }
        }
        precondition(count > sentences.count)
        return answer
    }
}
