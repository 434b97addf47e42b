import ALBEF
import ALBEFTraining
import Foundation
import ImageText
import SystemPackage

/// The JSON of `albef evaluate grounding --json`.
struct GroundingOutput: Encodable {
    private struct Row: Encodable {
        let split: String?
        let texts: Int
        let right, reachable: MeasuredShare
        let withoutChoice: Int

        init(_ row: GroundingMetrics.Row, split: String? = nil) {
            self.split = split
            texts = row.texts
            right = row.right
            reachable = row.reachable
            withoutChoice = row.withoutChoice
        }

        enum CodingKeys: String, CodingKey {
            case split, texts, right, reachable
            case withoutChoice = "no_proposal_scored"
        }
    }

    private struct Layer: Encodable {
        let mode: GradCAMMode
        let layer: Int
        let splits: [Row]
        let all: Row

        init(_ result: GroundingEvaluator.Result) {
            mode = result.layer.mode
            layer = result.layer.index
            splits = result.metrics.splits.map { Row($0, split: $0.name) }
            all = Row(result.metrics.all)
        }
    }

    private let images, leftOut: Int
    private let layers: [Layer]

    init(_ found: GroundingEvaluator.Evaluation, leftOut: Int) {
        images = found.images
        self.leftOut = leftOut
        layers = found.results.map(Layer.init)
    }

    private enum CodingKeys: String, CodingKey {
        case images, layers
        case leftOut = "left_out"
    }
}

/// One line of `albef evaluate grounding --dump`.
struct GroundingDetail: Encodable {
    private let mode: GradCAMMode
    private let layer: Int
    private let file, entry, image, text: String
    private let id: RecordID?
    private let split: String?
    private let box: [Double]
    private let chosen: [Double]?
    private let proposal: Int?
    private let score: Double?
    private let overlap: Double
    private let isRight: Bool

    init(_ outcome: GroundingOutcome, layer: GradCAMLayer) {
        let item = outcome.item
        mode = layer.mode
        self.layer = layer.index
        file = item.file.string
        entry = item.entry
        image = item.image.string
        text = item.text
        id = item.id
        split = item.split
        box = item.box.numbers
        chosen = outcome.box?.numbers
        proposal = outcome.choice?.index
        score = outcome.choice?.score
        overlap = outcome.overlap
        isRight = outcome.isRight
    }

    private enum CodingKeys: String, CodingKey {
        case mode, layer, file, entry, image, text, split, box, chosen, proposal, score
        case id = "ref_id"
        case overlap = "iou"
        case isRight = "right"
    }
}

extension BoundingBox {
    /// The numbers as annotations list them: x, y, width and height.
    var numbers: [Double] { [x, y, width, height] }
}
