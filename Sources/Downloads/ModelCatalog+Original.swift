import ALBEF
import Foundation

/// The checkpoints of ALBEF and LAVIS, and the vocabularies, each of which is one file.
extension ModelCatalog {
    /// One row of the lists below.
    private struct Row {
        let name, file, summary: String
        let purpose: Purpose
        let parameters: Int
        var downloadSize: Int64?
    }

    /// The abilities of a model that was trained with ITC and ITM.
    private static let all: [Ability] = [.search, .rerank, .classify, .start]

    /// The bytes of two queues, each with 65,536 features of 256 numbers.
    private static let queueSize: Int64 = 2 * 65_536 * 256 * 4

    static let original: [Entry] = {
        // The pretrained files include the momentum teacher and the queues. The files that were
        // fine-tuned for retrieval do not (salesforce/ALBEF#21: 800 MB).
        let pretrained = 209_937_725
        let size = 8 * Int64(pretrained) + queueSize
        let rows = [
            Row(
                name: "albef-14m", file: "ALBEF.pth", summary: "pretrained on 14 million images",
                purpose: .pretraining, parameters: pretrained, downloadSize: size),
            Row(
                name: "albef-4m", file: "ALBEF_4M.pth", summary: "pretrained on 4 million images",
                purpose: .pretraining, parameters: pretrained, downloadSize: size),
            Row(
                name: "albef-coco", file: "mscoco.pth",
                summary: "fine-tuned on COCO; also the zero-shot Flickr30K model",
                purpose: .retrieval, parameters: 209_560_835),
            Row(
                name: "albef-flickr30k", file: "flickr30k.pth", summary: "fine-tuned on Flickr30K",
                purpose: .retrieval, parameters: 209_560_835),
            Row(
                name: "albef-vqa", file: "vqa.pth", summary: "question answering on VQAv2",
                purpose: .questionAnswering, parameters: 290_336_058),
            Row(
                name: "albef-refcoco", file: "refcoco.pth", summary: "grounding on RefCOCO+",
                purpose: .grounding, parameters: 209_560_835),
            Row(
                name: "albef-nlvr-ta", file: "pretrain_model_nlvr.pth",
                summary: "NLVR2 after text assignment, to be fine-tuned",
                purpose: .pairReasoning, parameters: 266_223_363),
        ]
        return entries(
            rows, at: "https://storage.googleapis.com/sfr-pcl-data-research/ALBEF/", .albef)
    }()

    static let lavis: [Entry] = {
        let rows = [
            Row(
                name: "lavis-coco", file: "albef_coco_retrieval_lavis.pt",
                summary: "fine-tuned on COCO", purpose: .retrieval, parameters: 209_559_299),
            Row(
                name: "lavis-flickr30k", file: "albef_flickr_retrieval_lavis.pt",
                summary: "fine-tuned on Flickr30K", purpose: .retrieval, parameters: 209_559_299),
            Row(
                name: "lavis-nlvr", file: "albef_nlvr_lavis.pt", summary: "NLVR2",
                purpose: .pairReasoning, parameters: 266_466_818),
            Row(
                name: "lavis-ve", file: "albef_snli_ve_lavis.pt",
                summary: "entailment on SNLI-VE", purpose: .visualEntailment,
                parameters: 209_756_931),
            Row(
                name: "lavis-vqa", file: "albef_vqav2_lavis.pt",
                summary: "question answering on VQAv2", purpose: .questionAnswering,
                parameters: 290_332_986),
        ]
        return entries(
            rows,
            at: "https://storage.googleapis.com/sfr-vision-language-research/LAVIS/models/ALBEF/",
            .lavis)
    }()

    // An invalid address would be a typing error in this file. Its entry is left out, and the tests
    // count the entries.
    private static func entries(_ rows: [Row], at base: String, _ dialect: Dialect) -> [Entry] {
        rows.compactMap { row in
            guard let address = URL(string: base + row.file) else { return nil }
            let searches = [.pretraining, .retrieval, .grounding].contains(row.purpose)
            return Entry(
                name: row.name, summary: row.summary, purpose: row.purpose,
                abilities: searches ? all : [], languages: ["en"], licence: "BSD-3-Clause",
                dialect: dialect,
                parts: [Part([File(name: row.file, address: address, content: .checkpoint)])],
                isFolder: false, vocabulary: "bert-base-uncased", parameters: row.parameters,
                downloadSize: row.downloadSize)
        }
    }

    static let vocabularies: [Entry] = {
        let rows = [
            (
                "bert-base-uncased", "en", "30,522 tokens; the vocabulary of ALBEF and LAVIS",
                231_508 as Int64,
                "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"
            ),
            (
                "bert-base-chinese", "zh", "21,128 tokens", 109_540,
                "45bbac6b341c319adc98a532532882e91a9cefc0329aa57bac9ae761c27b291c"
            ),
        ]
        return rows.compactMap { name, language, summary, size, sha256 in
            let text = "https://huggingface.co/\(name)/resolve/main/vocab.txt"
            guard let address = URL(string: text) else { return nil }
            let file = File(
                name: "\(name)-vocab.txt", address: address, sha256: sha256, content: .text)
            return Entry(
                name: name, summary: summary, purpose: .vocabulary, abilities: [],
                languages: [language], licence: "Apache-2.0", dialect: nil, parts: [Part([file])],
                isFolder: false, parameters: 0, downloadSize: size)
        }
    }()
}
