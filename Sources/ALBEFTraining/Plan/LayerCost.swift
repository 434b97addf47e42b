/// The work of a part of a training step, and the memory that it takes.
///
/// The counts are of one forward pass and, where autograd records it, its backward pass.
struct LayerCost: Sendable, Hashable {
    /// The bytes that the forward pass keeps for the backward pass.
    var saved = 0
    /// The most bytes that exist for a moment of the forward pass beside the saved ones.
    var passing = 0
    /// The most bytes that exist for a moment of the backward pass beside the saved ones.
    var returning = 0
    /// The operations of matrix products and convolutions; a multiplication with its addition
    /// counts as two.
    var products = 0.0
    /// The operations of attention between queries and keys.
    var attention = 0.0
    /// The bytes that all other operators read and write.
    var elements = 0.0

    static func + (first: LayerCost, second: LayerCost) -> LayerCost {
        LayerCost(
            saved: first.saved + second.saved, passing: max(first.passing, second.passing),
            returning: max(first.returning, second.returning),
            products: first.products + second.products,
            attention: first.attention + second.attention,
            elements: first.elements + second.elements)
    }

    static func += (total: inout LayerCost, cost: LayerCost) { total = total + cost }
}

/// What autograd records of a part.
struct Recording: Sendable, Hashable {
    /// Whether the part's own parameters require gradients.
    let trains: Bool
    /// Whether the part's input requires gradients.
    let reachesBelow: Bool
    /// The bytes of an element that a product returns: 4, or 2 with autocast.
    let productBytes: Int

    /// Whether the part has a backward pass at all.
    var isRecorded: Bool { trains || reachesBelow }

    /// A pass without gradients, as the momentum teacher's.
    static func none(_ productBytes: Int) -> Recording {
        Recording(trains: false, reachesBelow: false, productBytes: productBytes)
    }

    /// The number of passes of the size of a forward product: itself, the gradient of its input,
    /// and that of its weight.
    var productPasses: Double { 1 + (isRecorded ? 1 : 0) + (trains ? 1 : 0) }
    /// Attention computes two products forward and, because it keeps no scores, five backward.
    var attentionPasses: Double { isRecorded ? 3.5 : 1 }
    /// Element-wise operators read about twice as much backward as forward.
    var elementPasses: Double { isRecorded ? 3 : 1 }
}
