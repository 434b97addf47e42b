/// What every feature and token in an index was computed with.
public struct ModelSignature: Sendable, Hashable, Codable {
    /// Digest of the weights; of two models, of the one that makes the tokens.
    public var fingerprint: String
    /// Side of the images that model encodes, in pixels.
    public var imageSize: Int
    /// Length of a feature, E.
    public var embeddingWidth: Int
    /// Tokens per image, the class token included, P + 1.
    public var tokenCount: Int
    /// Length of a token, D_v.
    public var tokenWidth: Int
    /// The model that makes the features; nil if one model makes features and tokens.
    public var recall: Recall?

    /// The model whose features are compared, where that is not the one that re-ranks.
    public struct Recall: Sendable, Hashable, Codable {
        /// What the model was called when the index was made; for people, not compared.
        public var name: String
        /// Digest of its weights.
        public var fingerprint: String
        /// Side of the images that it encodes, in pixels.
        public var imageSize: Int

        /// Describes a model.
        public init(name: String, fingerprint: String, imageSize: Int) {
            self.name = name
            self.fingerprint = fingerprint
            self.imageSize = imageSize
        }

        enum CodingKeys: String, CodingKey {
            case name, fingerprint
            case imageSize = "image_size"
        }
    }

    /// Describes a model, or two.
    public init(
        fingerprint: String, imageSize: Int, embeddingWidth: Int, tokenCount: Int, tokenWidth: Int,
        recall: Recall? = nil
    ) {
        self.fingerprint = fingerprint
        self.imageSize = imageSize
        self.embeddingWidth = embeddingWidth
        self.tokenCount = tokenCount
        self.tokenWidth = tokenWidth
        self.recall = recall
    }

    enum CodingKeys: String, CodingKey {
        case fingerprint
        case imageSize = "image_size"
        case embeddingWidth = "embedding_width"
        case tokenCount = "token_count"
        case tokenWidth = "token_width"
        case recall
    }
}

extension ModelSignature {
    /// What is wrong with searching an index of this signature with the models of another; nil if
    /// nothing is.
    ///
    /// Whoever reads it learns which of two models differs, and what to do.
    func difference(from model: ModelSignature) -> String? {
        let instead = "search it with that model or index into a new directory"
        switch (recall, model.recall) {
        case (nil, nil):
            return Self.difference(
                (fingerprint, imageSize), (model.fingerprint, model.imageSize)
            ).map { "was made with another model (\($0)); \(instead)" } ?? rest(model)
        case (nil, _?):
            return "was made with one model; search it without --recall, or index into a new"
                + " directory"
        case (let recall?, nil):
            return "was made with two models: recall needs --recall \(recall.named), with the"
                + " weights \(recall.fingerprint.prefix(12)), beside the --model that re-ranks,"
                + " with the weights \(fingerprint.prefix(12))"
        case (let recall?, let other?):
            if let found = Self.difference(
                (recall.fingerprint, recall.imageSize), (other.fingerprint, other.imageSize))
            {
                return "was made with another model for recall, \(recall.named) (\(found)); name"
                    + " that one with --recall or index into a new directory"
            }
            return Self.difference(
                (fingerprint, imageSize), (model.fingerprint, model.imageSize)
            ).map {
                "was made with another model for re-ranking (\($0)); name that one with --model or"
                    + " index into a new directory"
            } ?? rest(model)
        }
    }

    private static func difference(
        _ mine: (fingerprint: String, imageSize: Int),
        _ other: (fingerprint: String, imageSize: Int)
    ) -> String? {
        if mine.imageSize != other.imageSize {
            return "its images are \(mine.imageSize) pixels, this model's \(other.imageSize)"
        }
        if mine.fingerprint != other.fingerprint {
            return "weights \(mine.fingerprint.prefix(12)), this model's"
                + " \(other.fingerprint.prefix(12))"
        }
        return nil
    }

    /// What else differs, as in a manifest that was edited.
    private func rest(_ model: ModelSignature) -> String? {
        var renamed = model
        renamed.recall?.name = recall?.name ?? ""
        return self == renamed
            ? nil : "says other lengths of features or tokens than its model has; it is damaged"
    }
}

extension ModelSignature.Recall {
    /// The name as an option takes it; a manifest may say anything.
    fileprivate var named: String {
        name.isEmpty || name.contains { $0.isNewline || $0.isWhitespace } ? "MODEL" : name
    }
}
