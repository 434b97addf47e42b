public import ALBEF
public import Foundation

/// The public models that ALBEF works with, by name: what to fetch from where, how much it is, and
/// what can be done with it.
public struct ModelCatalog: Sendable {
    /// Every entry, in the order to list them.
    public let entries: [Entry]

    /// What the owners of ALBEF, LAVIS, BLIP, CLIP, Chinese-CLIP, SigLIP and of the usual towers
    /// publish.
    public static let published = ModelCatalog(
        entries: original + lavis + blip + chineseCLIP + openAI + laion + sigLIP + towers
            + vocabularies)

    /// A catalogue of these entries.
    public init(entries: [Entry]) {
        self.entries = entries
    }

    /// The entry of a name.
    public subscript(name: String) -> Entry? {
        entries.first { $0.name == name }
    }
}

extension ModelCatalog {
    /// What an entry is for.
    public enum Purpose: String, Sendable, Hashable, Codable, CaseIterable {
        /// Weights to fine-tune, or to search with as they are.
        case pretraining
        /// Weights for search.
        case retrieval
        /// Weights that answer questions.
        case questionAnswering = "question answering"
        /// Weights that locate an expression in an image.
        case grounding
        /// Weights that compare a sentence with two images, or the start of training them.
        case pairReasoning = "reasoning over two images"
        /// Weights that tell whether an image entails a sentence.
        case visualEntailment = "visual entailment"
        /// An image encoder that a model can start from.
        case imageTower = "image tower"
        /// A text encoder that a model can start from.
        case textTower = "text tower"
        /// The tokens of a text encoder.
        case vocabulary
    }

    /// What can be done with an entry here.
    public enum Ability: String, Sendable, Hashable, Codable, CaseIterable {
        /// Finding images by texts, in the order of recall.
        case search
        /// Ordering what recall found by reading each image together with the text.
        case rerank = "re-rank"
        /// Choosing among texts for an image.
        case classify
        /// Being what a new model is trained from.
        case start
    }

    /// One public file.
    public struct File: Sendable, Hashable {
        /// Its name once downloaded.
        public let name: String
        /// Where its owner keeps it.
        public let address: URL
        /// Its SHA-256 in hexadecimal; `nil` where the owner publishes none, and then the first
        /// download's is remembered.
        public let sha256: String?
        /// What it has to be.
        public let content: DownloadContent

        package init(
            name: String, address: URL, sha256: String? = nil, content: DownloadContent
        ) {
            self.name = name
            self.address = address
            self.sha256 = sha256
            self.content = content
        }
    }

    /// One thing that an entry needs, which owners publish under different names.
    public struct Part: Sendable, Hashable {
        /// The files that would do, of which the first that the server has is fetched.
        public let alternatives: [File]
        /// Whether the entry is of no use without; else it is left out where no server has it.
        public let isRequired: Bool

        package init(_ alternatives: [File], isRequired: Bool = true) {
            self.alternatives = alternatives
            self.isRequired = isRequired
        }
    }

    /// A model, a tower or a vocabulary.
    public struct Entry: Sendable, Hashable {
        /// What it is called: a short name such as `albef-coco`, or the name that its owner
        /// publishes it under, such as `openai/clip-vit-base-patch16`.
        public let name: String
        /// What it is, in one line.
        public let summary: String
        /// What it is for.
        public let purpose: Purpose
        /// What can be done with it here, in the order of ``Ability``.
        public let abilities: [Ability]
        /// The languages of its texts, as BCP 47 has them, `mul` for many; empty for an image tower.
        public let languages: [String]
        /// The licence that its owner publishes it under.
        public let licence: String
        /// Whose conventions the weights follow; `nil` for towers and vocabularies.
        public let dialect: Dialect?
        /// Its files, the weights last.
        public let parts: [Part]
        /// Whether it is a folder of files that belong together, as on Hugging Face.
        ///
        /// A mirror keeps such a folder under ``name``, and the file of any other entry beside the
        /// other files.
        public let isFolder: Bool
        /// The entry whose file is its vocabulary; `nil` if it has its own or needs none.
        public let vocabulary: String?
        /// How many parameters it has; 0 for a vocabulary.
        ///
        /// Computed from the shapes of its architecture, not read off the file.
        public let parameters: Int
        /// About how many bytes are downloaded.
        ///
        /// Computed: four for each parameter, since all are published as 32-bit floats, and those of
        /// the momentum twins and queues where they are known to be published, too. A file may
        /// hold more than that.
        public let downloadSize: Int64

        /// About how many bytes the weights take while they are used: four for each parameter.
        public var memorySize: Int64 { 4 * Int64(parameters) }

        /// What it is and which languages its texts have, in one line.
        public var knows: String {
            let spoken = languages.map { language in
                switch language {
                case "en": "English"
                case "zh": "Chinese"
                case "mul": "many languages"
                default: language
                }
            }
            return ([summary] + spoken).joined(separator: ", ")
        }

        /// Whether it is a whole model, of which a model directory can be made.
        public var isModel: Bool {
            ![.imageTower, .textTower, .vocabulary].contains(purpose)
        }

        /// - Parameter downloadSize: nil for four bytes a parameter.
        package init(
            name: String, summary: String, purpose: Purpose, abilities: [Ability],
            languages: [String], licence: String, dialect: Dialect?, parts: [Part],
            isFolder: Bool, vocabulary: String? = nil, parameters: Int, downloadSize: Int64? = nil
        ) {
            self.name = name
            self.summary = summary
            self.purpose = purpose
            self.abilities = abilities
            self.languages = languages
            self.licence = licence
            self.dialect = dialect
            self.parts = parts
            self.isFolder = isFolder
            self.vocabulary = vocabulary
            self.parameters = parameters
            self.downloadSize = downloadSize ?? 4 * Int64(parameters)
        }

        /// The same entry with its files elsewhere.
        func moved(_ address: (File) -> URL) -> Entry {
            Entry(
                name: name, summary: summary, purpose: purpose, abilities: abilities,
                languages: languages, licence: licence, dialect: dialect,
                parts: parts.map { part in
                    Part(
                        part.alternatives.map { file in
                            File(
                                name: file.name, address: address(file), sha256: file.sha256,
                                content: file.content)
                        }, isRequired: part.isRequired)
                },
                isFolder: isFolder, vocabulary: vocabulary, parameters: parameters,
                downloadSize: downloadSize)
        }
    }
}
