public import ALBEF
import OrderedCollections
public import Torch

/// Which parameters decay towards zero.
public enum WeightDecay: String, Sendable, Hashable, Codable, CaseIterable {
    /// Matrices and tables alone: no bias, no LayerNorm, no temperature, no class token and no
    /// position of the image encoder. The default.
    case matrices
    /// As the original: all but biases and what has one dimension; so the temperature (none), the
    /// class token and the positions (three) decay.
    case original
    /// As LAVIS: all but biases and what has fewer than two dimensions.
    case lavis

    /// Whether a parameter decays.
    public func applies(to name: String, rank: Int) -> Bool {
        switch self {
        case .matrices:
            rank >= 2 && !name.hasSuffix(".pos_embed") && !name.hasSuffix(".cls_token")
        case .original: rank != 1 && !name.hasSuffix(".bias")
        case .lavis: rank >= 2 && !name.hasSuffix(".bias")
        }
    }

    /// The parameters of a model in two groups: with decay and without.
    public func groups(of model: ALBEFModel, decay: Double) -> [AdamW.Group] {
        groups(of: Array(model.parameters.values), decay: decay)
    }

    /// Parameters in two groups: with decay and without.
    ///
    /// - Parameter rateFactor: the learning rate of both, relative to the optimizer's.
    func groups(
        of parameters: [Parameter], decay: Double, rateFactor: Double = 1
    ) -> [AdamW.Group] {
        func group(decays: Bool) -> AdamW.Group {
            AdamW.Group(
                parameters.filter { applies(to: $0.name, rank: $0.value.rank) == decays },
                weightDecay: decays ? decay : 0, rateFactor: rateFactor)
        }
        return [group(decays: true), group(decays: false)]
    }
}
