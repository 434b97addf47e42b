public import ALBEF
import OrderedCollections
public import Torch

/// The parameters to which weight decay applies.
public enum WeightDecay: String, Sendable, Hashable, Codable, CaseIterable {
    /// Matrices and embedding tables only. Biases, LayerNorms, the temperature, the class token and
    /// the image encoder's positions do not decay. This is the default.
    case matrices
    /// All parameters except biases and those with one dimension, as in the original code; so the
    /// temperature (no dimension), the class token and the positions (three) decay.
    case original
    /// All parameters except biases and those with fewer than two dimensions, as in LAVIS.
    case lavis

    /// Returns whether a parameter decays.
    ///
    /// - Parameters:
    ///   - name: The name of the parameter.
    ///   - rank: The number of its dimensions.
    public func applies(to name: String, rank: Int) -> Bool {
        switch self {
        case .matrices:
            rank >= 2 && !name.hasSuffix(".pos_embed") && !name.hasSuffix(".cls_token")
        case .original: rank != 1 && !name.hasSuffix(".bias")
        case .lavis: rank >= 2 && !name.hasSuffix(".bias")
        }
    }

    /// Returns the parameters of a model in two groups, with decay and without.
    public func groups(of model: ALBEFModel, decay: Double) -> [AdamW.Group] {
        groups(of: Array(model.parameters.values), decay: decay)
    }

    /// Returns parameters in two groups, with decay and without.
    ///
    /// - Parameters:
    ///   - parameters: The parameters to group.
    ///   - decay: The weight decay of the first group.
    ///   - rateFactor: The learning rate of both groups, relative to the optimizer's. Default: 1.
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
