import SystemPackage

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
    /// Where the model was found when the index was last written to, a name of the catalogue or an
    /// absolute path; nil in indexes of earlier versions.
    ///
    /// It is for people and for what goes on to load the model; it is not compared.
    public var source: String?

    /// The model whose features are compared, where that is not the one that re-ranks.
    public struct Recall: Sendable, Hashable, Codable {
        /// What the model was called when the index was made; for people, not compared.
        public var name: String
        /// Digest of its weights.
        public var fingerprint: String
        /// Side of the images that it encodes, in pixels.
        public var imageSize: Int
        /// Where it was found, as ``ModelSignature/source``.
        public var source: String?

        /// Describes a model.
        public init(name: String, fingerprint: String, imageSize: Int, source: String? = nil) {
            self.name = name
            self.fingerprint = fingerprint
            self.imageSize = imageSize
            self.source = source
        }

        enum CodingKeys: String, CodingKey {
            case name, fingerprint, source
            case imageSize = "image_size"
        }
    }

    /// Describes a model, or two.
    public init(
        fingerprint: String, imageSize: Int, embeddingWidth: Int, tokenCount: Int, tokenWidth: Int,
        recall: Recall? = nil, source: String? = nil
    ) {
        self.fingerprint = fingerprint
        self.imageSize = imageSize
        self.embeddingWidth = embeddingWidth
        self.tokenCount = tokenCount
        self.tokenWidth = tokenWidth
        self.recall = recall
        self.source = source
    }

    enum CodingKeys: String, CodingKey {
        case fingerprint
        case imageSize = "image_size"
        case embeddingWidth = "embedding_width"
        case tokenCount = "token_count"
        case tokenWidth = "token_width"
        case recall, source
    }
}

extension ModelSignature {
    /// What people call the model, or both: a name of the catalogue or of a directory, or else how
    /// its digest begins.
    public var title: String {
        let name =
            source.map { source in
                source.hasPrefix("/") ? FilePath(source).lastComponent?.string ?? source : source
            } ?? String(fingerprint.prefix(12))
        return recall.map { "\(name) with \($0.named)" } ?? name
    }

    /// The options that name the model, or both, to `albef`; `MODEL` where that is not known.
    public var options: String {
        func name(_ source: String?) -> String {
            guard let source, !source.isEmpty, !source.contains(where: \.isWhitespace) else {
                return "MODEL"
            }
            return source
        }
        return "--model \(name(source))" + (recall.map { " --recall \(name($0.source))" } ?? "")
    }

    /// Whether vectors of one go with those of the other: all is equal but what is for people.
    public func isSame(as other: ModelSignature) -> Bool { compared == other.compared }

    /// What is compared.
    private var compared: ModelSignature {
        var copy = self
        copy.source = nil
        copy.recall?.name = ""
        copy.recall?.source = nil
        return copy
    }

    /// The digests of the one model, or of both.
    var weights: Set<String> { Set([fingerprint] + (recall.map { [$0.fingerprint] } ?? [])) }
}

extension ModelSignature {
    /// What is wrong with searching an index of this signature with the models of another; nil if
    /// nothing is.
    ///
    /// Whoever reads it learns which of two models differs, and what to do.
    func difference(from model: ModelSignature) -> String? {
        let change = "change the index to what you name by 'albef index'"
        switch (recall, model.recall) {
        case (nil, nil):
            return Self.difference(
                (fingerprint, imageSize), (model.fingerprint, model.imageSize)
            ).map {
                "was made with another model\(sourced) (\($0)); search it with that model, or"
                    + " \(change) with --model"
            } ?? rest(model)
        case (nil, _?):
            return "was made with one model\(sourced); search it without --recall, or \(change)"
        case (let recall?, nil):
            return "was made with two models: recall needs --recall \(recall.named), with the"
                + " weights \(recall.fingerprint.prefix(12)), beside the --model that re-ranks,"
                + " with the weights \(fingerprint.prefix(12))"
        case (let recall?, let other?):
            if let found = Self.difference(
                (recall.fingerprint, recall.imageSize), (other.fingerprint, other.imageSize))
            {
                return "was made with another model for recall, \(recall.named) (\(found)); name"
                    + " that one with --recall, or \(change)"
            }
            return Self.difference(
                (fingerprint, imageSize), (model.fingerprint, model.imageSize)
            ).map {
                "was made with another model for re-ranking\(sourced) (\($0)); name that one with"
                    + " --model, or \(change)"
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

    /// The name after a comma; nothing if it is not known.
    private var sourced: String {
        var reader = self
        reader.recall = nil
        return source == nil ? "" : ", \(reader.title)"
    }

    /// What else differs, as in a manifest that was edited.
    private func rest(_ model: ModelSignature) -> String? {
        isSame(as: model)
            ? nil : "says other lengths of features or tokens than its model has; it is damaged"
    }
}

extension ModelSignature.Recall {
    /// The name as an option takes it; a manifest may say anything.
    fileprivate var named: String {
        name.isEmpty || name.contains { $0.isNewline || $0.isWhitespace } ? "MODEL" : name
    }
}
