public import ALBEF
public import Foundation

/// A catalogue of public models by name, with their addresses, sizes and abilities.
///
/// ```swift
/// for entry in ModelCatalog.published.entries where entry.abilities.contains(.search) {
///     print(entry.name, entry.summary, entry.downloadSize)
/// }
/// ```
public struct ModelCatalog: Sendable {
    /// All entries, in the order of a list.
    public let entries: [Entry]

    /// The published models of ALBEF, LAVIS, BLIP, CLIP, Chinese-CLIP and SigLIP, with towers and
    /// vocabularies.
    public static let published = ModelCatalog(
        entries: original + lavis + blip + chineseCLIP + openAI + laion + sigLIP + towers
            + vocabularies)

    /// Creates a catalogue of entries.
    public init(entries: [Entry]) {
        self.entries = entries
    }

    /// Returns the entry of a name; nil if the catalogue does not have it.
    public subscript(name: String) -> Entry? {
        entries.first { $0.name == name }
    }
}

extension ModelCatalog {
    /// The purpose of an entry.
    public enum Purpose: String, Sendable, Hashable, Codable, CaseIterable {
        /// Weights to fine-tune, which also search without fine-tuning.
        case pretraining
        /// Weights for search.
        case retrieval
        /// Weights that answer questions.
        case questionAnswering = "question answering"
        /// Weights that locate an expression in an image.
        case grounding
        /// Weights that compare a sentence with two images, or weights to fine-tune for this task.
        case pairReasoning = "reasoning over two images"
        /// Weights that decide whether an image entails a sentence.
        case visualEntailment = "visual entailment"
        /// An image encoder from which a model can start.
        case imageTower = "image tower"
        /// A text encoder from which a model can start.
        case textTower = "text tower"
        /// The tokens of a text encoder.
        case vocabulary
    }

    /// A use that this project supports for an entry.
    public enum Ability: String, Sendable, Hashable, Codable, CaseIterable {
        /// Recalling images for a text.
        case search
        /// Re-ranking recalled images by reading each image together with the text.
        case rerank = "re-rank"
        /// Choosing one of several texts for an image.
        case classify
        /// Starting the training of a new model.
        case start
    }

    /// A public file.
    public struct File: Sendable, Hashable {
        /// The name of the downloaded file.
        public let name: String
        /// The address at which the owner publishes the file.
        public let address: URL
        /// The SHA-256 in hexadecimal.
        ///
        /// If the owner publishes none, it is nil, and the hash of the first download is recorded.
        public let sha256: String?
        /// The content that the file must have.
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

    /// A part of an entry, such as its weights, which owners publish under different names.
    public struct Part: Sendable, Hashable {
        /// The possible files, of which the first that the server has is downloaded.
        public let alternatives: [File]
        /// Whether the entry needs the part; an optional part may be missing on the server.
        public let isRequired: Bool

        package init(_ alternatives: [File], isRequired: Bool = true) {
            self.alternatives = alternatives
            self.isRequired = isRequired
        }
    }

    /// A model, a tower or a vocabulary.
    public struct Entry: Sendable, Hashable {
        /// The name: a short one such as `albef-coco`, or that of the owner's folder, such as
        /// `openai/clip-vit-base-patch16`.
        public let name: String
        /// A description in one line.
        public let summary: String
        /// The purpose of the entry.
        public let purpose: Purpose
        /// The supported uses, in the order of ``Ability``.
        public let abilities: [Ability]
        /// The languages of the texts as BCP 47 codes, or `mul` for many; empty for an image tower.
        public let languages: [String]
        /// The licence under which the owner publishes the entry.
        public let licence: String
        /// The naming conventions of the weights; nil for towers and vocabularies.
        public let dialect: Dialect?
        /// The files, the weights last.
        public let parts: [Part]
        /// Whether the entry is a folder of files, as on Hugging Face.
        ///
        /// A mirror has such a folder under ``name``, and the file of any other entry in its root.
        public let isFolder: Bool
        /// The name of the entry with the vocabulary; nil if this entry has its own or needs none.
        public let vocabulary: String?
        /// The number of parameters; 0 for a vocabulary.
        ///
        /// It is computed from the shapes of the architecture, not read from the file.
        public let parameters: Int
        /// The approximate size of the download in bytes.
        ///
        /// It is computed: four bytes per parameter, because all weights are published as 32-bit
        /// floats, plus the momentum teacher and the queues if they are known to be published. A
        /// file may be larger.
        public let downloadSize: Int64

        /// The approximate memory of the weights in use, in bytes: four bytes per parameter.
        public var memorySize: Int64 { 4 * Int64(parameters) }

        /// The summary and the languages of the texts, in one line.
        public var subject: String {
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

        /// Whether the entry is a complete model, from which a model directory can be created.
        public var isModel: Bool {
            ![.imageTower, .textTower, .vocabulary].contains(purpose)
        }

        /// - Parameter downloadSize: the size in bytes; nil stands for four bytes per parameter.
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

        /// Returns the entry with other addresses of its files.
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
