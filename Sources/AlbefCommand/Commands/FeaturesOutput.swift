import CommandSupport
import Retrieval
import SystemPackage
import Torch

/// The JSON of `albef features --json`.
struct FeaturesOutput: Encodable {
    struct Shape: Encodable {
        let name: String
        let shape: [Int]
    }

    struct Left: Encodable {
        let row: FeatureExport.Skipped

        private enum CodingKeys: String, CodingKey { case text, reason }

        func encode(to encoder: any Encoder) throws {
            if let image = row.image { try JSONPath(path: image).encode(to: encoder) }
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encodeIfPresent(row.text, forKey: .text)
            try container.encode(row.reason, forKey: .reason)
        }
    }

    let output: String
    let labels: String?
    let kind: FeatureKind
    let dtype: String
    let arrays: [Shape]
    let skipped: [Left]
    /// The model that encoded; nil if an index was exported without one.
    let model: ModelOutput?
    let seconds: Double

    init(
        _ command: FeaturesCommand, _ report: FeatureExport.Report, _ model: SearchModel?,
        seconds: Double
    ) {
        output = command.output
        labels = report.labelPath?.string
        kind = command.kind
        dtype = command.dtype.rawValue
        arrays = report.arrays.map { Shape(name: $0.name, shape: $0.shape) }
        skipped = report.skipped.map(Left.init)
        self.model = model.map(ModelOutput.init)
        self.seconds = seconds
    }
}

extension FeaturesCommand.Precision {
    /// The type of the numbers.
    var type: DType { self == .float32 ? .float32 : .float16 }
}
