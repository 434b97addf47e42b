import SystemPackage

/// The facts in timm's name of a ViT, such as `vit_base_patch16_clip_224.openai`.
struct TimmArchitecture {
    private let name: String
    private let file: FilePath

    /// The number of attention heads of each size in timm.
    private static let heads = [
        "tiny": 3, "small": 6, "medium": 8, "base": 12, "large": 16, "huge": 16, "so400m": 16,
    ]

    /// Creates an architecture from its name.
    ///
    /// - Parameters:
    ///   - name: the name, with or without the tag of its weights.
    ///   - file: the document that contains the name, for errors.
    init(name: String, file: FilePath) {
        self.name = String(name.prefix { $0 != "." })
        self.file = file
    }

    /// Returns the number of attention heads.
    ///
    /// - Throws: ``ModelFileError`` if the architecture is not a known ViT of timm.
    func heads() throws -> Int {
        let words = name.split(separator: "_")
        guard words.count > 1, ["vit", "deit", "deit3"].contains(words[0]),
            let heads = Self.heads[String(words[1])]
        else {
            throw ModelFileError(
                file,
                .configuration(
                    "names the architecture '\(name)', whose number of heads is unknown; add"
                        + " \"model_args\": {\"num_heads\": …}"))
        }
        return heads
    }

    /// The epsilon of the norms; in CLIP towers it is PyTorch's default.
    var layerNormEpsilon: Double { name.contains("_clip_") ? 1e-5 : 1e-6 }

    /// The activation of the MLPs.
    ///
    /// SigLIP was trained with the tanh approximation, even though some versions of timm run the
    /// exact function. OpenAI's CLIP states its activation in the name.
    var activation: Activation {
        if name.contains("quickgelu") { return .quickGELU }
        return name.contains("siglip") ? .tanhGELU : .gelu
    }
}

/// The number of attention heads of a layout with few published sizes.
struct TowerHeads {
    let file: TowerFile
    /// The number of heads by width.
    let published: [Int: Int]

    /// Returns the number that a document states, or that of the published model of a width.
    ///
    /// - Throws: ``ModelFileError``, which names the key, if both are missing.
    func of(width: Int, _ section: String) throws -> Int {
        let key = "num_attention_heads"
        if let tower = file.configuration?.section(section), tower.has(key) {
            let heads = try tower.integer(key)
            // Hugging Face's documents of BLIP stated 8 for a model with 12 heads.
            return heads == 8 && width == 768 ? 12 : heads
        }
        guard let heads = published[width] else {
            throw ModelFileError(
                file.path,
                .configuration(
                    "has the width \(width), which no published model of its kind has; add its"
                        + " number of heads as \"\(section).\(key)\" to a config.json beside it"))
        }
        return heads
    }
}
