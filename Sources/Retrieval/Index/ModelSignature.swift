import SystemPackage

/// The identity of the models that computed every feature and token in an index.
public struct ModelSignature: Sendable, Hashable, Codable {
    /// The digest of the weights; with two models, of the model that computes tokens.
    public var fingerprint: String
    /// The side of the images that this model encodes, in pixels.
    public var imageSize: Int
    /// The length of a feature (E).
    public var embeddingWidth: Int
    /// The number of tokens per image, the class token included (P + 1).
    public var tokenCount: Int
    /// The length of a token (D_v).
    public var tokenWidth: Int
    /// The model that computes features; nil if one model computes features and tokens.
    public var recall: Recall?
    /// The place in which the model was found when the index was last written: a name in the
    /// catalogue or an absolute path; nil in indexes of earlier versions.
    ///
    /// It informs people and programs that load the model; signatures are compared without it.
    public var source: String?

    /// The model whose features are compared, if it is not the model that re-ranks.
    public struct Recall: Sendable, Hashable, Codable {
        /// The name of the model when the index was made; for information only, not compared.
        public var name: String
        /// The digest of the model's weights.
        public var fingerprint: String
        /// The side of the images that it encodes, in pixels.
        public var imageSize: Int
        /// The place in which it was found, as in ``ModelSignature/source``.
        public var source: String?

        /// Creates the description of a recall model.
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

    /// Creates the signature of one model, or of two.
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
    /// The name of the model, or of both, for people: a name from the catalogue or of a directory,
    /// or else the beginning of the digest.
    public var title: String {
        let name =
            source.map { source in
                source.hasPrefix("/") ? FilePath(source).lastComponent?.string ?? source : source
            } ?? String(fingerprint.prefix(12))
        return recall.map { "\(name) with \($0.named)" } ?? name
    }

    /// The options that name the model, or both, to `albef`; an unknown name appears as `MODEL`.
    public var options: String {
        func name(_ source: String?) -> String {
            guard let source, !source.isEmpty, !source.contains(where: \.isWhitespace) else {
                return "MODEL"
            }
            return source
        }
        return "--model \(name(source))" + (recall.map { " --recall \(name($0.source))" } ?? "")
    }

    /// Returns whether vectors of both signatures can be compared, which ignores names and places.
    public func isSame(as other: ModelSignature) -> Bool { compared == other.compared }

    /// The signature without names and places.
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
    /// Returns the reason why an index of this signature cannot be searched with other
    /// models, or nil if it can.
    ///
    /// The reason says which of two models differs, and what to do.
    func difference(from model: ModelSignature) -> String? {
        let change = "change the index to the named model by 'albef index'"
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
                + " weights \(recall.fingerprint.prefix(12)), in addition to the --model that"
                + " re-ranks, with the weights \(fingerprint.prefix(12))"
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
            return "its images are \(mine.imageSize) pixels wide, this model's \(other.imageSize)"
        }
        if mine.fingerprint != other.fingerprint {
            return "weights \(mine.fingerprint.prefix(12)), this model's"
                + " \(other.fingerprint.prefix(12))"
        }
        return nil
    }

    /// A comma and the name; empty if the name is unknown.
    private var sourced: String {
        var reader = self
        reader.recall = nil
        return source == nil ? "" : ", \(reader.title)"
    }

    /// Returns the reason for any other difference, such as in an edited manifest.
    private func rest(_ model: ModelSignature) -> String? {
        isSame(as: model)
            ? nil
            : "has other lengths of features or tokens than its model, so it is damaged; create"
                + " the index again"
    }
}

extension ModelSignature.Recall {
    /// The name in the form of an option's value; a manifest may contain any text.
    fileprivate var named: String {
        name.isEmpty || name.contains { $0.isNewline || $0.isWhitespace } ? "MODEL" : name
    }
}
