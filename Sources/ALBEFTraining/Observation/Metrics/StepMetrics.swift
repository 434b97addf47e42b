/// The measurements of one training step.
public struct StepMetrics: Codable, Sendable, Hashable {
    /// The number of the step in the run, from 1.
    public var step: Int
    /// The epoch of the step, from 1.
    public var epoch: Int
    /// The seconds of training since the start of the run, added up over resumes.
    public var seconds: Double
    /// The number of image-text pairs since the start of the run, this step's included.
    public var pairsSeen: Int?
    /// The weighted sum of the losses that was differentiated, in nats.
    public var loss: Double
    /// The image-text contrastive loss; `nil` if the run has no such objective.
    public var itc: Double?
    /// The image-text matching loss; `nil` if the run has no such objective.
    public var itm: Double?
    /// The masked language modelling loss; `nil` if the run has no such objective.
    public var mlm: Double?
    /// The temperature of the contrastive loss; `nil` if the model has none.
    public var temperature: Double?
    /// The weight of the momentum teacher's targets, from 0 to 1.
    public var alpha: Double
    /// The optimizer's learning rate in this step.
    public var learningRate: Double
    /// The norm of the whole gradient before clipping.
    public var gradientNorm: Double?
    /// The number of image-text pairs per second.
    public var pairsPerSecond: Double
    /// The memory of the process, in megabytes of 1,000,000 bytes.
    public var residentMegabytes: Double
    /// The share of pairs that the matching head classified correctly, from 0 to 1.
    public var itmAccuracy: Double?
    /// The share of sentences that a task's head classified correctly, from 0 to 1; `nil` if the
    /// task has no such head.
    public var accuracy: Double?

    /// Creates the measurements of one step, without those that the run does not measure.
    public init(
        step: Int, epoch: Int, seconds: Double, pairsSeen: Int? = nil, loss: Double,
        itc: Double? = nil, itm: Double? = nil, mlm: Double? = nil, temperature: Double? = nil,
        alpha: Double, learningRate: Double, gradientNorm: Double? = nil, pairsPerSecond: Double,
        residentMegabytes: Double, itmAccuracy: Double? = nil, accuracy: Double? = nil
    ) {
        self.step = step
        self.epoch = epoch
        self.seconds = seconds
        self.pairsSeen = pairsSeen
        self.loss = loss
        self.itc = itc
        self.itm = itm
        self.mlm = mlm
        self.temperature = temperature
        self.alpha = alpha
        self.learningRate = learningRate
        self.gradientNorm = gradientNorm
        self.pairsPerSecond = pairsPerSecond
        self.residentMegabytes = residentMegabytes
        self.itmAccuracy = itmAccuracy
        self.accuracy = accuracy
    }

    enum CodingKeys: String, CodingKey {
        case step, epoch, seconds
        case pairsSeen = "pairs_seen"
        case loss, itc, itm, mlm, temperature, alpha
        case learningRate = "learning_rate"
        case gradientNorm = "gradient_norm"
        case pairsPerSecond = "pairs_per_second"
        case residentMegabytes = "resident_megabytes"
        case itmAccuracy = "itm_accuracy"
        case accuracy
    }
}
