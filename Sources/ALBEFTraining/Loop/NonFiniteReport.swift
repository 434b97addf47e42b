import ImageText
import Storage
import SystemPackage
import Torch

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The inputs of a step whose loss or gradient is not finite.
struct NonFiniteReport: Encodable {
    /// An image with its text; of two images of one text, each is a pair.
    struct Pair: Encodable {
        let image: String
        let caption: String
    }

    let step: Int
    let losses: [String: String]
    /// The parameters whose gradients are not finite; nil if the loss is not finite.
    let gradients: [String]?
    let pairs: [Pair]

    init(
        step: Int, _ measured: StepMeter.Step, gradients: [String]? = nil, pairs: [Pair]
    ) {
        self.step = step
        self.gradients = gradients
        losses = [
            "total": measured.loss, "itc": measured.itc, "itm": measured.itm, "mlm": measured.mlm,
        ].compactMapValues { $0?.plainText }
        self.pairs = pairs
    }

    /// The file of the report in a run's directory.
    func path(in directory: FilePath) -> FilePath {
        directory.appending("non-finite-step-\(step).json")
    }

    /// Writes the report into a run's directory.
    func write(to directory: FilePath) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try AtomicFile.write(encoder.encode(self), to: path(in: directory))
    }
}

extension Double {
    /// The number as text; a NaN loses its sign and payload.
    var plainText: String { isNaN ? "nan" : "\(self)" }
}
