import ALBEF
import Torch

/// The costs of the layers of both encoders, read off their forward passes.
///
/// B is the number of rows, L their length, D the width, F the width of the MLP, and H the number
/// of heads. Bytes are those of single precision, except what a product returns under autocast.
enum LayerCosts {
    private static let single = 4

    /// A block of the image encoder over B rows of L tokens.
    ///
    /// Autograd keeps the input, both norms, queries, keys, values, the attended values, the sum in
    /// the middle, and both sides of the activation: `[B, L, 8 D + 2 F]`.
    static func visionBlock(
        rows: Int, _ vision: ALBEFConfiguration.Vision, _ recording: Recording
    ) -> LayerCost {
        let (width, hidden) = (vision.width, vision.mlpWidth)
        let tokens = rows * vision.tokenCount
        let (full, product) = (single * tokens * width, recording.productBytes * tokens * width)
        let wide = recording.productBytes * tokens * hidden
        let statistics = single * tokens * (4 + vision.heads)
        var cost = LayerCost()
        cost.products =
            recording.productPasses * 2 * Double(tokens)
            * Double(4 * width * width + 2 * width * hidden)
        cost.attention =
            recording.attentionPasses * 4 * Double(tokens * vision.tokenCount * width)
        cost.elements = recording.elementPasses * Double(10 * full + 2 * wide)
        cost.passing = 3 * product + 2 * full + 2 * wide
        if recording.isRecorded {
            // Input and middle sum; queries, keys, values and their result; before the activation.
            cost.saved = 2 * full + 4 * product + wide + statistics
            // What only the weights' gradients need: both norms, and the activation's result.
            if recording.trains { cost.saved += 2 * full + wide }
            cost.returning = 2 * wide + 2 * full
        }
        return cost
    }

    /// A block whose backward pass repeats its forward pass, so that it keeps its input alone.
    static func recomputed(_ block: LayerCost, input: Int) -> LayerCost {
        var cost = block
        cost.saved = input
        cost.returning = block.saved + block.returning
        cost.products *= 4.0 / 3
        cost.attention *= 4.5 / 3.5
        cost.elements *= 4.0 / 3
        return cost
    }

    /// The rows of a layer that reads texts, and the images that it reads them with.
    struct TextRows: Sendable, Hashable {
        /// The texts of self-attention.
        var texts: Int
        /// The tokens of each text, L.
        var length: Int
        /// The tokens of each text whose states are needed.
        var chosenTokens: Int
        /// The rows that the layer continues with after self-attention.
        var rows: Int
        /// The images that a fusion layer reads, and the tokens of each.
        var images: (count: Int, tokens: Int)?
        /// The rows beyond those that read the images in their order.
        var chosenRows = 0

        static func == (first: TextRows, second: TextRows) -> Bool {
            first.key == second.key
        }

        func hash(into hasher: inout Hasher) { hasher.combine(key) }

        private var key: [Int] {
            [
                texts, length, chosenTokens, rows, images?.count ?? 0, images?.tokens ?? 0,
                chosenRows,
            ]
        }
    }

    /// A layer of the text encoder or the fusion encoder.
    ///
    /// With dropout, attention keeps its probabilities, the mask and their product, each
    /// `[B, H, L, S]`, and copies of queries, keys and values in the layout of the products.
    /// Without it, attention keeps queries, keys, values and its result.
    static func textLayer(
        _ rows: TextRows, _ text: ALBEFConfiguration.Text, hasDropout: Bool,
        _ recording: Recording
    ) -> LayerCost {
        let (width, hidden, heads) = (text.width, text.mlpWidth, text.heads)
        let sources = rows.texts * rows.length
        let queries = rows.texts * rows.chosenTokens
        let outputs = rows.rows * rows.chosenTokens
        let bytes = recording.productBytes
        var cost = attention(
            queries: queries, sources: sources, length: rows.length, width: width, heads: heads,
            hasDropout: hasDropout, recording)
        cost.products +=
            recording.productPasses * 2 * Double(width * width)
            * Double(2 * queries + 2 * sources)
        if recording.isRecorded {
            // The input, and the sum that the norm reads.
            cost.saved += single * width * (recording.trains ? sources : 0)
            cost.saved += single * width * queries
        }
        if let images = rows.images {
            cost += crossAttention(rows, images, text, hasDropout: hasDropout, recording)
        }
        let wide = bytes * outputs * hidden
        let narrow = single * outputs * width
        cost.products +=
            recording.productPasses * 2 * Double(outputs) * Double(2 * width * hidden)
        cost.elements +=
            recording.elementPasses
            * Double(2 * wide + (hasDropout ? 12 : 7) * narrow)
        cost.passing = max(cost.passing, 2 * wide + 3 * narrow)
        if recording.isRecorded {
            cost.saved += wide + narrow
            if hasDropout { cost.saved += narrow }
            if recording.trains { cost.saved += narrow + wide }
            cost.returning = max(cost.returning, 2 * wide + 2 * narrow)
        }
        return cost
    }

    private static func attention(
        queries: Int, sources: Int, length: Int, width: Int, heads: Int, hasDropout: Bool,
        _ recording: Recording
    ) -> LayerCost {
        let bytes = recording.productBytes
        let scores = queries * heads * length
        var cost = LayerCost()
        cost.attention = recording.attentionPasses * 4 * Double(queries * length * width)
        cost.elements =
            recording.elementPasses
            * Double(single * (3 * queries * width + (hasDropout ? 7 * scores : scores)))
        cost.passing = bytes * width * (2 * queries + 2 * sources) + single * 3 * scores
        guard recording.isRecorded else { return cost }
        // Queries, keys and values, and the result.
        cost.saved = bytes * width * (2 * queries + 2 * sources)
        if hasDropout {
            cost.saved += single * 3 * scores + single * queries * width
            cost.returning = single * 2 * scores
        } else {
            cost.saved += single * queries * heads
        }
        return cost
    }

    /// Keys and values of the images are copied for the rows that read them in their order, and
    /// again for the rows with chosen images.
    private static func crossAttention(
        _ rows: TextRows, _ images: (count: Int, tokens: Int), _ text: ALBEFConfiguration.Text,
        hasDropout: Bool, _ recording: Recording
    ) -> LayerCost {
        let width = text.width
        let outputs = rows.rows * rows.chosenTokens
        let aligned = rows.rows > rows.chosenRows ? images.count : 0
        var cost = attention(
            queries: outputs, sources: 0, length: images.tokens, width: width, heads: text.heads,
            hasDropout: hasDropout, recording)
        cost.products += recording.productPasses * 2 * Double(2 * width * width * outputs)
        let copies = (hasDropout ? aligned : 0) + rows.chosenRows
        let copied = 2 * recording.productBytes * copies * images.tokens * width
        cost.elements += recording.elementPasses * Double(2 * copied)
        guard recording.isRecorded else {
            cost.passing += copied
            return cost
        }
        cost.saved += copied
        // The input, and the sum that the norm reads.
        cost.saved += single * width * outputs * (recording.trains ? 2 : 1)
        // Without dropout, the rows of one image are joined by copies of queries and results.
        if !hasDropout, aligned > 0 {
            cost.saved += 2 * recording.productBytes * outputs * width
        }
        return cost
    }

    /// The keys and values of all fusion layers for N images of S tokens.
    ///
    /// Without dropout attention keeps them; with it they exist until all layers have run.
    static func memory(
        images: Int, layers: Int, _ sizes: ALBEFConfiguration, hasDropout: Bool,
        _ recording: Recording
    ) -> LayerCost {
        let tokens = images * sizes.vision.tokenCount
        var cost = LayerCost()
        cost.products =
            recording.productPasses * 2
            * Double(layers * 2 * tokens) * Double(sizes.vision.width * sizes.text.width)
        let bytes = layers * 2 * recording.productBytes * tokens * sizes.text.width
        if recording.isRecorded, !hasDropout { cost.saved = bytes } else { cost.passing = bytes }
        return cost
    }
}
