/// What every feature and token in an index was computed with.
public struct ModelSignature: Sendable, Hashable, Codable {
    /// Digest of the weights.
    public var fingerprint: String
    /// Side of the encoded images, in pixels.
    public var imageSize: Int
    /// Length of a feature, E.
    public var embeddingWidth: Int
    /// Tokens per image, the class token included, P + 1.
    public var tokenCount: Int
    /// Length of a token, D_v.
    public var tokenWidth: Int

    /// Describes a model.
    public init(
        fingerprint: String, imageSize: Int, embeddingWidth: Int, tokenCount: Int, tokenWidth: Int
    ) {
        self.fingerprint = fingerprint
        self.imageSize = imageSize
        self.embeddingWidth = embeddingWidth
        self.tokenCount = tokenCount
        self.tokenWidth = tokenWidth
    }

    enum CodingKeys: String, CodingKey {
        case fingerprint
        case imageSize = "image_size"
        case embeddingWidth = "embedding_width"
        case tokenCount = "token_count"
        case tokenWidth = "token_width"
    }
}
