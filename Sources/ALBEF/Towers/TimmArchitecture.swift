import SystemPackage

/// What the name of one of timm's architectures says, such as `vit_base_patch16_clip_224.openai`.
struct TimmArchitecture {
    private let name: String
    private let file: FilePath

    /// Attention heads of the sizes that timm has.
    private static let heads = [
        "tiny": 3, "small": 6, "medium": 8, "base": 12, "large": 16, "huge": 16, "so400m": 16,
    ]

    /// - Parameters:
    ///   - name: with or without the tag of its weights.
    ///   - file: the document that names it, for errors.
    init(name: String, file: FilePath) {
        self.name = String(name.prefix { $0 != "." })
        self.file = file
    }

    /// Attention heads.
    ///
    /// - Throws: ``ModelFileError`` unless the architecture is one of timm's ViTs.
    func heads() throws -> Int {
        let words = name.split(separator: "_")
        guard words.count > 1, ["vit", "deit", "deit3"].contains(words[0]),
            let heads = Self.heads[String(words[1])]
        else {
            throw ModelFileError(
                file,
                .configuration(
                    "names the architecture '\(name)', whose number of heads is not known here: give"
                        + " it as \"model_args\": {\"num_heads\": …}"))
        }
        return heads
    }

    /// Epsilon of the norms: those of CLIP towers have PyTorch's default.
    var layerNormEpsilon: Double { name.contains("_clip_") ? 1e-5 : 1e-6 }

    /// The function inside the MLPs: SigLIP was trained with the approximation, whatever the
    /// library's own version of it runs; OpenAI's CLIP has names of its own.
    var activation: Activation {
        if name.contains("quickgelu") { return .quickGELU }
        return name.contains("siglip") ? .tanhGELU : .gelu
    }
}

/// How many heads a tower has whose layout has only a few published sizes.
struct TowerHeads {
    let file: TowerFile
    /// Heads by width.
    let published: [Int: Int]

    /// The number that a document says, or that of the published model of this width.
    ///
    /// - Throws: ``ModelFileError`` that names the key if neither tells.
    func of(width: Int, _ section: String) throws -> Int {
        let key = "num_attention_heads"
        if let tower = file.configuration?.section(section), tower.has(key) {
            let heads = try tower.integer(key)
            // Documents of Hugging Face's BLIP said 8 where the model has 12.
            return heads == 8 && width == 768 ? 12 : heads
        }
        guard let heads = published[width] else {
            throw ModelFileError(
                file.path,
                .configuration(
                    "is of a width that no published model of its kind has, \(width): its number of"
                        + " heads is needed, as \"\(section).\(key)\" of a config.json beside it"))
        }
        return heads
    }
}
