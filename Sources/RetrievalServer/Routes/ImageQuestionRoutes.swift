import ALBEF
import Hummingbird
import ImageText
import Retrieval

/// The routes that ask about one image: for the answer to a question, and for the place of a text.
struct ImageQuestionRoutes: Sendable {
    private let parts: ServiceParts

    init(_ parts: ServiceParts) { self.parts = parts }

    func add(to router: RouterGroup<ServiceContext>) {
        router.post("answer") { request, _ in try await answer(request) }
        router.post("locate") { request, _ in try await locate(request) }
    }

    // MARK: Questions

    private struct AnswerRequest: Decodable {
        enum CodingKeys: String, CodingKey, CaseIterable { case image, question }
        var image: String?
        var question: String

        init(from decoder: any Decoder) throws {
            try decoder.refuseOthers(than: CodingKeys.self)
            let fields = try decoder.container(keyedBy: CodingKeys.self)
            image = try fields.decodeIfPresent(String.self, forKey: .image)
            question = try fields.decode(String.self, forKey: .question)
        }
    }

    private struct AnswerDocument: Encodable {
        let question: String
        /// The answers, best first.
        let answers: [ScoredAnswer]
        let model: String
    }

    private func answer(_ request: Request) async throws -> Response {
        let submission = try await request.submission(AnswerRequest.self, parts)
        let asked = submission.document
        let question = try parts.checked(asked.question, "question")
        guard question.contains(where: { $0.isLetter || $0.isNumber }) else {
            throw Problem(.emptyText, "question: has no letters or digits")
        }
        guard let model = parts.questions else {
            throw Problem(
                .conflict, "this service answers no questions; start it with --questions")
        }
        let image = try await parts.decodedImage(
            asked.image, submission.image, side: model.side)
        let metrics = parts.metrics
        let answers = try await parts.compute.run {
            let start = ContinuousClock.now
            defer { metrics.record(.answer, ContinuousClock.now - start) }
            return try model.answers(to: question, about: image.pixels)
        }
        return JSON.response(
            AnswerDocument(question: question, answers: answers, model: model.name))
    }

    // MARK: Places

    private struct LocationDocument: Encodable {
        struct Box: Encodable { let x, y, width, height: Double }

        /// The hottest point and the box around it, in one unit.
        struct Place: Encodable {
            let x, y: Double
            let box: Box

            /// - Parameters:
            ///   - width: The unit of horizontal numbers, in pixels.
            ///   - height: The unit of vertical numbers, in pixels.
            init(_ peak: HeatPeak, width: Double, height: Double) {
                x = peak.x / width
                y = peak.y / height
                box = Box(
                    x: peak.box.x / width, y: peak.box.y / height,
                    width: peak.box.width / width, height: peak.box.height / height)
            }
        }

        struct Peak: Encodable { let pixels, shares: Place }

        let text: String
        let similarity: Float
        /// Null if the model did not compare the text closely with the image.
        let match_probability: Nullable<Float>
        /// The size of the image in pixels.
        let image_width, image_height: Int
        /// The place of the text; null if the map has no heat.
        let peak: Nullable<Peak>
        let layer, width, height: Int
        let map: [[Float]]

        init(_ found: Localization) {
            let place = found.placement
            text = found.text
            similarity = found.similarity
            match_probability = .init(value: found.matchProbability)
            image_width = place.imageWidth
            image_height = place.imageHeight
            peak = .init(
                value: found.peak.map {
                    Peak(
                        pixels: Place($0, width: 1, height: 1),
                        shares: Place(
                            $0, width: Double(place.imageWidth), height: Double(place.imageHeight)))
                })
            layer = found.layer.index
            width = found.map.width
            height = found.map.height
            map = found.map.rows
        }
    }

    private func locate(_ request: Request) async throws -> Response {
        let submission = try await request.submission(ExplainRequest.self, parts)
        let asked = submission.document
        let text = try parts.checked(asked.text, "text")
        let (model, metrics) = (parts.model, parts.metrics)
        guard model.matches else {
            throw Problem(.conflict, "this model was not trained to match texts with images")
        }
        try asked.checkLayer(of: model)
        let image = try await parts.decodedImage(
            asked.image, submission.image, side: model.loader.targetSide)
        let found = try await parts.compute.run {
            let start = ContinuousClock.now
            defer { metrics.record(.locate, ContinuousClock.now - start) }
            return try model.locate(
                image.pixels, width: image.width, height: image.height, text, layer: asked.layer)
        }
        return JSON.response(LocationDocument(found))
    }
}
