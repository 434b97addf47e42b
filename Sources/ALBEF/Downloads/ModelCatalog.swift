public import Foundation

/// The public files that ALBEF works with: checkpoints and vocabularies, by short names.
public struct ModelCatalog: Sendable {
    /// What a file is for.
    public enum Purpose: String, Sendable, Hashable, Codable, CaseIterable {
        /// Weights to fine-tune, or to search with as they are.
        case pretraining
        /// Weights fine-tuned for search.
        case retrieval
        /// Weights that answer questions.
        case questionAnswering = "question answering"
        /// Weights that locate an expression in a picture.
        case grounding
        /// Weights that compare a sentence with two pictures, or the start of training them.
        case pairReasoning = "reasoning over two images"
        /// Weights that tell whether a picture entails a sentence.
        case visualEntailment = "visual entailment"
        /// The tokens of a text encoder.
        case vocabulary
    }

    /// One public file.
    public struct Entry: Sendable, Hashable {
        /// The short name, such as `albef-coco`.
        public let name: String
        /// The name of the file once downloaded; no two entries share one.
        public let file: String
        /// Where its owner keeps it.
        public let address: URL
        /// What it is, in one line.
        public let summary: String
        /// The licence that its owner publishes it under.
        public let licence: String
        /// The implementation that the weights were made for; `nil` for vocabularies.
        public let dialect: Dialect?
        /// What it is for.
        public let purpose: Purpose
        /// The SHA-256 of the file in hexadecimal; `nil` where the owner publishes none, and then
        /// the first download's is remembered.
        public let sha256: String?
    }

    /// Every entry, in the order to list them.
    public let entries: [Entry]

    /// The files that the owners of ALBEF, LAVIS and BERT publish.
    public static let published = ModelCatalog(entries: original + lavis + vocabularies)

    /// A catalogue of these entries.
    public init(entries: [Entry]) {
        self.entries = entries
    }

    /// The entry with a short name.
    public subscript(name: String) -> Entry? {
        entries.first { $0.name == name }
    }

    /// The same files on a mirror that keeps them all in one folder, under ``Entry/file``.
    public func mirrored(at base: URL) -> ModelCatalog {
        ModelCatalog(
            entries: entries.map { entry in
                Entry(
                    name: entry.name, file: entry.file, address: base.appending(path: entry.file),
                    summary: entry.summary, licence: entry.licence, dialect: entry.dialect,
                    purpose: entry.purpose, sha256: entry.sha256)
            })
    }

    // An address that is not one would be a typing error here: such an entry is left out, and the
    // tests count the entries.
    private static func entry(
        _ name: String, _ file: String, at address: String, _ summary: String, licence: String,
        dialect: Dialect?, _ purpose: Purpose, sha256: String? = nil
    ) -> Entry? {
        guard let address = URL(string: address) else { return nil }
        return Entry(
            name: name, file: file, address: address, summary: summary, licence: licence,
            dialect: dialect, purpose: purpose, sha256: sha256)
    }

    private static let original: [Entry] = {
        let rows: [(String, String, String, Purpose)] = [
            ("albef-14m", "ALBEF.pth", "pretrained on 14 million images", .pretraining),
            ("albef-4m", "ALBEF_4M.pth", "pretrained on 4 million images", .pretraining),
            (
                "albef-coco", "mscoco.pth",
                "retrieval, fine-tuned on COCO; also the zero-shot Flickr30K model", .retrieval
            ),
            ("albef-flickr30k", "flickr30k.pth", "retrieval, fine-tuned on Flickr30K", .retrieval),
            ("albef-vqa", "vqa.pth", "question answering on VQAv2", .questionAnswering),
            ("albef-refcoco", "refcoco.pth", "grounding on RefCOCO+", .grounding),
            (
                "albef-nlvr-ta", "pretrain_model_nlvr.pth",
                "NLVR2 after text assignment, to be fine-tuned", .pairReasoning
            ),
        ]
        let base = "https://storage.googleapis.com/sfr-pcl-data-research/ALBEF/"
        return rows.compactMap { name, file, summary, purpose in
            entry(
                name, file, at: base + file, summary, licence: "BSD-3-Clause", dialect: .albef,
                purpose)
        }
    }()

    private static let lavis: [Entry] = {
        let rows: [(String, String, String, Purpose)] = [
            (
                "lavis-coco", "albef_coco_retrieval_lavis.pt", "retrieval, fine-tuned on COCO",
                .retrieval
            ),
            (
                "lavis-flickr30k", "albef_flickr_retrieval_lavis.pt",
                "retrieval, fine-tuned on Flickr30K", .retrieval
            ),
            ("lavis-nlvr", "albef_nlvr_lavis.pt", "NLVR2", .pairReasoning),
            ("lavis-ve", "albef_snli_ve_lavis.pt", "entailment on SNLI-VE", .visualEntailment),
            (
                "lavis-vqa", "albef_vqav2_lavis.pt", "question answering on VQAv2",
                .questionAnswering
            ),
        ]
        let base =
            "https://storage.googleapis.com/sfr-vision-language-research/LAVIS/models/ALBEF/"
        return rows.compactMap { name, file, summary, purpose in
            entry(
                name, file, at: base + file, summary, licence: "BSD-3-Clause", dialect: .lavis,
                purpose)
        }
    }()

    private static let vocabularies: [Entry] = {
        let rows = [
            (
                "bert-base-uncased",
                "30,522 English tokens; the vocabulary of every published model",
                "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"
            ),
            (
                "bert-base-chinese", "21,128 Chinese tokens",
                "45bbac6b341c319adc98a532532882e91a9cefc0329aa57bac9ae761c27b291c"
            ),
        ]
        return rows.compactMap { name, summary, sha256 in
            entry(
                name, "\(name)-vocab.txt",
                at: "https://huggingface.co/\(name)/resolve/main/vocab.txt", summary,
                licence: "Apache-2.0", dialect: nil, .vocabulary, sha256: sha256)
        }
    }()
}
