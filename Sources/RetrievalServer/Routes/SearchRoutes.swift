import ALBEF
import Hummingbird
import ImageText
import Retrieval
import SystemPackage

/// The routes for searches, pair scores and explanations.
struct SearchRoutes: Sendable {
    private struct CacheKey: Hashable {
        let query: SearchQuery
        let options: SearchOptions
        let generation: Int
    }

    private let parts: ServiceParts
    private let answers: RecentValues<CacheKey, QueryBatcher.Served>

    init(_ parts: ServiceParts) {
        self.parts = parts
        answers = RecentValues(
            count: parts.configuration.batching.cachedAnswers, bytes: 64 << 20, size: \.byteCount)
    }

    func add(to router: RouterGroup<ServiceContext>) {
        router.post("search") { request, _ in try await search(request) }
        router.post("score") { request, _ in try await score(request) }
        router.post("explain") { request, _ in try await explain(request) }
    }

    // MARK: Search

    private func search(_ request: Request) async throws -> Response {
        let submission = try await request.submission(SearchRequest.self, parts)
        let asked = submission.document
        let options = try asked.options(parts.configuration.limits)
        let image = try await image(asked.image, submission.image)
        let query = try asked.composition.query(
            text: try asked.text.map { try parts.checked($0, "text") }, image, parts)
        if options.minimumProbability != nil,
            !parts.model.matches || !parts.library.gallery.index.content.isReadable(with: query)
        {
            throw Problem(
                .conflict,
                "minimum_probability: this search reads no text together with an image")
        }
        let key = CacheKey(
            query: query, options: options, generation: parts.library.gallery.index.generation)
        // A sent image is large and unlikely to be sent again.
        let isRemembered = submission.image == nil && options.timeBudget == nil
        if isRemembered, let served = answers[key] {
            parts.metrics.countCache(isHit: true)
            return JSON.response(SearchDocument(served, isCached: true))
        }
        if isRemembered { parts.metrics.countCache(isHit: false) }
        let served = try await parts.batcher.search(try await parts.decoded(query), options)
        if isRemembered, served.generation == key.generation {
            answers.keep(served, for: key)
        }
        return JSON.response(SearchDocument(served, isCached: false))
    }

    // MARK: Pairs

    private struct ScoreRequest: Decodable {
        enum CodingKeys: String, CodingKey, CaseIterable { case image, texts }
        var image: String?
        var texts: [String]

        init(from decoder: any Decoder) throws {
            try decoder.refuseOthers(than: CodingKeys.self)
            let fields = try decoder.container(keyedBy: CodingKeys.self)
            image = try fields.decodeIfPresent(String.self, forKey: .image)
            texts = try fields.texts(forKey: .texts, atMost: 64) ?? []
        }
    }

    private struct Score: Encodable {
        let text: String
        let similarity, match_logit, match_probability: Float

        init(_ score: PairScore) {
            text = score.text
            similarity = score.similarity
            match_logit = score.matchLogit
            match_probability = score.matchProbability
        }
    }

    private func score(_ request: Request) async throws -> Response {
        struct Document: Encodable { let scores: [Score] }
        let submission = try await request.submission(ScoreRequest.self, parts)
        let asked = submission.document
        guard !asked.texts.isEmpty else {
            throw Problem(.invalidRequest, "texts: must have from 1 to 64 texts")
        }
        let texts = try asked.texts.map { try parts.checked($0, "texts") }
        let pixels = try await pixels(asked.image, submission.image)
        guard parts.model.matches else {
            throw Problem(.conflict, "this model was not trained to match texts with images")
        }
        let model = parts.model
        let scores = try await parts.compute.run {
            try model.score(model.encode(pixels: [pixels]), texts)
        }
        return JSON.response(Document(scores: scores.map(Score.init)))
    }

    // MARK: Explanations

    private struct ExplainDocument: Encodable {
        struct Word: Encodable {
            let word: String
            let share, strength: Float
            let map: [[Float]]
        }

        let text: String
        let similarity, match_logit, match_probability: Float
        let layer, width, height: Int
        let map: [[Float]]
        let words: [Word]

        init(_ explanation: Explanation) {
            let score = explanation.score
            text = score.text
            similarity = score.similarity
            match_logit = score.matchLogit
            match_probability = score.matchProbability
            layer = explanation.layer
            width = explanation.sentence.width
            height = explanation.sentence.height
            map = explanation.sentence.rows
            words = explanation.words.map {
                Word(
                    word: $0.text, share: $0.share, strength: explanation.strength(of: $0),
                    map: $0.map.rows)
            }
        }
    }

    private func explain(_ request: Request) async throws -> Response {
        let submission = try await request.submission(ExplainRequest.self, parts)
        let asked = submission.document
        let text = try parts.checked(asked.text, "text")
        let (model, metrics) = (parts.model, parts.metrics)
        try asked.checkLayer(of: model)
        let pixels = try await pixels(asked.image, submission.image)
        let explanation = try await parts.compute.run {
            let start = ContinuousClock.now
            defer { metrics.record(.explain, ContinuousClock.now - start) }
            return try model.explain(
                model.encode(pixels: [pixels]), text, layer: asked.layer)
        }
        return JSON.response(ExplainDocument(explanation))
    }

    // MARK: Images

    /// Returns the image that a request names or carries; nil if it has none.
    private func image(
        _ id: String?, _ sent: MultipartBody.Part?
    ) async throws -> QueryImage? {
        switch try parts.requestedImage(id, sent) {
        case .sent(let bytes)?:
            return .pixels(try await parts.pixels(of: bytes, named: RequestedImage.sentName))
        case .file(let file)?: return .file(file)
        case nil: return nil
        }
    }

    private func pixels(
        _ id: String?, _ sent: MultipartBody.Part?
    ) async throws -> PreparedImage {
        let file = try await parts.imageFile(id, sent)
        return try await parts.pixels(of: file.bytes, named: file.name)
    }
}
