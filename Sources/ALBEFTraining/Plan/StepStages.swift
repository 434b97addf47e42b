import ALBEF

/// A part of a training step.
struct StepStage: Sendable, Hashable {
    /// The place of the part in the model, as `optimizer.frozen` names it, or the objective.
    let address: String
    /// What the part computes and keeps.
    var cost: LayerCost
    /// The bytes of the gradients that its backward pass allocates.
    var gradients = 0
}

/// The parts of a training step in the order of its forward pass; the backward pass has the reverse
/// order.
struct StepStages: Sendable {
    private(set) var stages: [StepStage] = []
    private let shape: StepShape
    private var parts: PartGradients { shape.parts }

    /// The sum of all parts, for one forward and backward pass.
    var total: LayerCost { imageEncoders + others }
    /// The image encoders of the model and of its teacher.
    var imageEncoders: LayerCost { sum { $0.hasPrefix(Self.imagePrefix) } }
    /// All parts but the image encoders.
    var others: LayerCost { sum { !$0.hasPrefix(Self.imagePrefix) } }

    private static let imagePrefix = "image."

    private func sum(_ isChosen: (String) -> Bool) -> LayerCost {
        stages.filter { isChosen($0.address) }.reduce(LayerCost()) { $0 + $1.cost }
    }

    /// Lists the parts of a step.
    init(_ shape: StepShape) {
        self.shape = shape
        addImageEncoder()
        addTextEncoder()
        addTeacher()
        addContrast()
        addFusion()
    }

    /// The most bytes that exist at one time of a step: what the forward pass has kept so far, and
    /// the gradients that the backward pass has made.
    ///
    /// With several forward passes per step, the gradients of all parameters exist from the first
    /// backward pass on.
    var peakBytes: Int {
        let allGradients = stages.reduce(0) { $0 + $1.gradients }
        var (live, peak) = (shape.accumulation > 1 ? allGradients : 0, 0)
        for stage in stages {
            peak = max(peak, live + stage.cost.saved + stage.cost.passing)
            live += stage.cost.saved
        }
        for stage in stages.reversed() {
            peak = max(peak, live + stage.gradients + stage.cost.returning)
            live += (shape.accumulation > 1 ? 0 : stage.gradients) - stage.cost.saved
        }
        return peak
    }

    // MARK: Parts

    private func recording(_ address: String, reachesBelow: Bool) -> Recording {
        Recording(
            trains: parts.trains(address), reachesBelow: reachesBelow,
            productBytes: shape.productBytes)
    }

    private mutating func add(_ address: String, _ cost: LayerCost) {
        stages.append(
            StepStage(
                address: address, cost: cost, gradients: parts.gradients(of: address)))
    }

    private mutating func addImageEncoder() {
        let vision = shape.sizes.vision
        let images = shape.pairs
        let pixels = 4 * images * 3 * vision.imageSize * vision.imageSize
        var reaches = false
        if let trunk = vision.trunk {
            let costs = TrunkCosts(trunk, images: images, imageSize: vision.imageSize) { address in
                defer { reaches = reaches || parts.trains(address) }
                return recording(address, reachesBelow: reaches)
            }
            // The input of the first part that is computed lives through the whole step.
            add("image.pixels", LayerCost(saved: costs.inputs[shape.cachedParts]))
            for (address, cost) in costs.parts.dropFirst(shape.cachedParts) {
                add(address, cost)
            }
        } else {
            add("image.pixels", LayerCost(saved: pixels))
        }
        let tokens = images * vision.tokenCount
        let states = 4 * tokens * vision.width
        let embedding = recording("image.embeddings", reachesBelow: reaches)
        let inputs = vision.trunk?.featureWidth ?? 3 * vision.patchSize * vision.patchSize
        let patches = 4 * images * vision.patchCount * inputs
        var cost = LayerCost()
        cost.products =
            embedding.productPasses * 2
            * Double(images * vision.patchCount) * Double(inputs * vision.width)
        cost.elements = Double(2 * patches + 4 * states)
        cost.saved = embedding.trains ? patches : 0
        cost.passing = 2 * states
        add("image.embeddings", cost)
        reaches = reaches || embedding.trains

        for index in 0..<vision.depth {
            let address = "image.\(index)"
            let record = recording(address, reachesBelow: reaches)
            var block = LayerCosts.visionBlock(rows: images, vision, record)
            if shape.isCheckpointed, record.reachesBelow {
                block = LayerCosts.recomputed(block, input: states)
            }
            add(address, block)
            reaches = reaches || record.trains
        }
        let norm = recording("image.norm", reachesBelow: reaches)
        var last = LayerCost()
        last.elements = norm.elementPasses * Double(3 * states)
        // The tokens are what the fusion encoder and the projection read.
        last.saved = states + (norm.isRecorded ? states : 0)
        add("image.norm", last)
        add("image.pool", LayerCost())
        reachesImages = reaches || norm.trains
    }

    private var reachesImages = false
    private var reachesTexts = false

    private mutating func addTextEncoder() {
        let text = shape.sizes.text
        let rows = shape.pairs * (shape.masks ? 2 : 1)
        let states = 4 * rows * shape.length * text.width
        let record = recording("text.embeddings", reachesBelow: false)
        var cost = LayerCost()
        cost.elements = record.elementPasses * Double((shape.hasDropout ? 10 : 6) * states)
        cost.passing = 2 * states
        if record.isRecorded {
            cost.saved = states + (shape.hasDropout ? states : 0)
            // The gradient of the words arrives as a whole table. Beside that of the MLM head it is
            // added to a third, whose layout is that of the words.
            let table = 4 * text.vocabularySize * text.width
            cost.returning = (shape.masks ? 2 * table : 0) + states
            cost.elements += Double(2 * table)
        }
        add("text.embeddings", cost)
        var reaches = record.trains
        for index in 0..<text.textDepth {
            let address = "text.\(index)"
            let record = recording(address, reachesBelow: reaches)
            add(
                address,
                LayerCosts.textLayer(
                    .init(
                        texts: rows, length: shape.length, chosenTokens: shape.length, rows: rows),
                    text, hasDropout: shape.hasDropout, record))
            reaches = reaches || record.trains
        }
        add("text.norm", LayerCost())
        add("heads.projections", LayerCost())
        reachesTexts = reaches
    }

    /// The teacher's passes, which keep nothing but features and logits.
    private mutating func addTeacher() {
        let objectives = shape.objectives
        guard objectives.teacher.isEnabled, objectives.contrastive.weight > 0 || distils else {
            return
        }
        let (vision, text) = (shape.sizes.vision, shape.sizes.text)
        let record = Recording.none(shape.productBytes)
        var cost = LayerCost()
        if let trunk = vision.trunk, !sharesTrunk {
            let costs = TrunkCosts(trunk, images: shape.pairs, imageSize: vision.imageSize) { _ in
                record
            }
            for part in costs.parts.dropFirst(shape.cachedParts) { cost += part.cost }
        }
        for _ in 0..<vision.depth {
            cost += LayerCosts.visionBlock(rows: shape.pairs, vision, record)
        }
        stages.append(StepStage(address: "\(Self.imagePrefix)teacher", cost: cost))
        cost = LayerCost()
        let hasDropout = shape.hasDropout && objectives.isFaithful
        let texts = shape.pairs * ((objectives.contrastive.weight > 0 ? 1 : 0) + (distils ? 1 : 0))
        for _ in 0..<text.textDepth {
            cost += LayerCosts.textLayer(
                .init(
                    texts: texts, length: shape.length, chosenTokens: shape.length, rows: texts),
                text, hasDropout: hasDropout, record)
        }
        if distils {
            let layers = fusionDepth
            let memory = LayerCosts.memory(
                images: shape.pairs, layers: layers, shape.sizes, hasDropout: true, record)
            for index in 0..<layers {
                let isLast = index == layers - 1
                cost += LayerCosts.textLayer(
                    .init(
                        texts: shape.pairs, length: shape.length,
                        chosenTokens: isLast ? shape.hiddenRoom : shape.length, rows: shape.pairs,
                        images: (shape.pairs, vision.tokenCount)),
                    text, hasDropout: hasDropout, record)
            }
            let passing = cost.passing
            cost += memory
            cost.passing = passing + memory.passing
            cost += wordLogits(record)
            cost.saved += 4 * shape.hiddenTokens * text.vocabularySize
        }
        stages.append(StepStage(address: "teacher", cost: cost))
    }

    private var fusionDepth: Int { shape.sizes.text.depth - shape.sizes.text.fusionLayer }

    /// Whether the teacher predicts hidden words.
    private var distils: Bool {
        shape.masks && shape.objectives.teacher.isEnabled && shape.objectives.teacher.alpha > 0
    }

    private var sharesTrunk: Bool {
        !parts.trainsAny(below: "image.trunk")
    }

    /// ITC's products `[N, N + M]`, their softmax and their labels, for images and for texts.
    ///
    /// Autograd keeps the queues that a step has read, so the keys of the batch go into copies.
    private mutating func addContrast() {
        let settings = shape.objectives.contrastive
        guard settings.weight > 0 else { return }
        let (pairs, width) = (shape.pairs, shape.sizes.embeddingWidth)
        let keys = pairs + settings.queue
        let scores = 4 * pairs * keys
        let queues = settings.queue > 0 ? 2 * 4 * width * settings.queue : 0
        var cost = LayerCost()
        let record = Recording(
            trains: false, reachesBelow: true, productBytes: shape.productBytes)
        cost.products =
            (record.productPasses + (shape.objectives.teacher.isEnabled ? 1 : 0)) * 4
            * Double(pairs * keys) * Double(width)
        cost.elements = Double(2 * 20 * scores + 2 * queues)
        cost.saved = 2 * 4 * scores + queues
        cost.passing = 4 * scores
        cost.returning = 3 * scores
        add("itc", cost)
    }

    private mutating func addFusion() {
        let objectives = shape.objectives
        guard objectives.usesFusion, fusionDepth > 0 else { return }
        let (vision, text) = (shape.sizes.vision, shape.sizes.text)
        let pairs = shape.pairs
        let images = (pairs, vision.tokenCount)
        let first = recording(
            "fusion.0", reachesBelow: reachesTexts || reachesImages)
        let memory = LayerCosts.memory(
            images: pairs, layers: fusionDepth, shape.sizes, hasDropout: shape.hasDropout, first)
        add("fusion.images", memory)
        let rows = pairs * shape.alignedBlocks + shape.drawnRows
        var reaches = reachesTexts || reachesImages
        for index in 0..<fusionDepth {
            let address = "fusion.\(index)"
            let record = recording(address, reachesBelow: reaches)
            let isLast = index == fusionDepth - 1
            let isFirst = index == 0
            var cost = LayerCost()
            if !isLast {
                cost = LayerCosts.textLayer(
                    .init(
                        texts: isFirst ? pairs * (shape.masks ? 2 : 1) : rows,
                        length: shape.length, chosenTokens: shape.length, rows: rows,
                        images: images, chosenRows: shape.drawnRows),
                    text, hasDropout: shape.hasDropout, record)
            } else {
                if shape.masks {
                    cost += LayerCosts.textLayer(
                        .init(
                            texts: pairs, length: shape.length, chosenTokens: shape.hiddenRoom,
                            rows: pairs, images: images),
                        text, hasDropout: shape.hasDropout, record)
                }
                if objectives.matching.weight > 0 {
                    cost += LayerCosts.textLayer(
                        .init(
                            texts: 3 * pairs, length: shape.length, chosenTokens: 1,
                            rows: 3 * pairs, images: images, chosenRows: pairs),
                        text, hasDropout: shape.hasDropout, record)
                }
            }
            cost.passing += memory.passing
            add(address, cost)
            reaches = reaches || record.trains
        }
        add("heads.matching", LayerCost())
        if shape.masks {
            let record = recording("heads.words", reachesBelow: reaches)
            add("heads.words", wordLogits(record))
            // The gradient of the output matrix, which is the table of words.
            if parts.trains("text.embeddings") {
                let table = 4 * text.vocabularySize * text.width
                stages[stages.count - 1].gradients += table
                if let place = stages.firstIndex(where: { $0.address == "text.embeddings" }) {
                    stages[place].gradients -= table
                }
            }
        }
    }

    /// The MLM head over K hidden tokens: logits `[K, V]`, and their softmax for each kind of
    /// label.
    private func wordLogits(_ recording: Recording) -> LayerCost {
        let text = shape.sizes.text
        let hidden = shape.hiddenTokens
        let logits = 4 * hidden * text.vocabularySize
        let states = 4 * hidden * text.width
        var cost = LayerCost()
        cost.products =
            recording.productPasses * 2 * Double(hidden * text.width)
            * Double(text.vocabularySize + text.width)
        cost.elements = recording.elementPasses * Double(5 * logits)
        if recording.isRecorded {
            // Each kind of label keeps a softmax; the teacher's is counted with its pass.
            cost.saved = 5 * states + (distils ? 2 : 1) * logits
            cost.passing = (distils ? 3 : 1) * logits
            cost.returning = (distils ? 1 : 2) * logits
        }
        return cost
    }
}
