/// The time of a training step, in seconds, by what takes it.
public struct StepTime: Sendable, Hashable, Codable {
    /// Matrix products and convolutions.
    public let products: Double
    /// Attention between queries and keys.
    public let attention: Double
    /// Norms, activations, dropout, sums and losses.
    public let elements: Double
    /// The optimizer, and the teacher's move.
    public let updates: Double
    /// Decoding and augmenting the images of a step, in processor seconds; nil if it was not
    /// measured.
    public let data: Double?
    /// The time from one step to the next.
    public let total: Double
    /// The processor time of a step, with its images; nil on another device.
    public let processor: Double?

    /// Whether the step waits for its images.
    public var waitsForData: Bool { total > computing * 1.001 }
    /// The time of a step whose images are ready.
    public var computing: Double { products + attention + elements + updates }

    /// Predicts the time of a step.
    ///
    /// - Parameters:
    ///   - stages: The parts of one forward and backward pass.
    ///   - passes: The number of forward passes per step.
    ///   - updateBytes: The bytes that the optimizer and the teacher read and write.
    ///   - images: The images that are decoded per step.
    init(
        _ stages: StepStages, passes: Int, updateBytes: Double, images: Double,
        _ speed: MachineSpeed
    ) {
        let (encoders, others) = (stages.imageEncoders, stages.others)
        func seconds(_ work: KeyPath<LayerCost, Double>, per rate: Double) -> Double {
            Double(passes) / rate
                * (encoders[keyPath: work] * speed.imageCorrection
                    + others[keyPath: work] * speed.correction)
        }
        products = seconds(\.products, per: speed.products)
        attention = seconds(\.attention, per: speed.attention)
        elements = seconds(\.elements, per: speed.elements)
        updates = updateBytes / speed.updates
        let computing = products + attention + elements + updates
        data = speed.imageSeconds.map { $0 * images }
        guard speed.isProcessor else {
            (processor, total) = (nil, max(computing, (data ?? 0) / Double(speed.cores)))
            return
        }
        let both = computing * Double(speed.threads) + (data ?? 0)
        processor = both
        // Workers decode beside the step, on processors that it leaves free or shares.
        total = max(computing, both / Double(max(speed.cores, 1)))
    }
}

/// The speed of a machine, in operations or bytes per second.
public struct MachineSpeed: Sendable, Hashable, Codable {
    /// Operations of matrix products; a multiplication with its addition counts as two.
    public var products: Double
    /// Operations of attention between queries and keys.
    public var attention: Double
    /// Bytes that element-wise operators read and write.
    public var elements: Double
    /// Bytes that the optimizer reads and writes.
    public var updates: Double
    /// The time of the image encoder's layers, relative to the sum of their operators.
    public var imageCorrection: Double
    /// The same of all other layers.
    public var correction: Double
    /// The processor time of decoding and augmenting an image; nil if it was not measured.
    public var imageSeconds: Double?
    /// The threads of the step.
    public var threads: Int
    /// The processors of the machine.
    public var cores: Int
    /// Whether the step runs on the processor.
    public var isProcessor: Bool

    /// Describes a device of which only the peak is known.
    ///
    /// - Parameters:
    ///   - teraflops: The operations that products reach, in 10^12 per second. Memory is taken to
    ///     move a byte in the time of 40 operations, as on GPUs of the last years.
    ///   - imageSeconds: The processor time of decoding and augmenting an image.
    ///   - cores: The processors of the machine.
    public init(teraflops: Double, imageSeconds: Double?, cores: Int) {
        products = teraflops * 1e12
        attention = teraflops * 1e12 / 2
        elements = teraflops * 1e12 / 40
        updates = teraflops * 1e12 / 40
        (imageCorrection, correction) = (1, 1)
        self.imageSeconds = imageSeconds
        (threads, self.cores, isProcessor) = (1, cores, false)
    }

    init(products: Double, attention: Double, elements: Double, updates: Double, threads: Int) {
        self.products = products
        self.attention = attention
        self.elements = elements
        self.updates = updates
        self.threads = threads
        (imageCorrection, correction, imageSeconds) = (1, 1, nil)
        (cores, isProcessor) = (threads, true)
    }
}
