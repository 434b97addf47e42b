/// What one training step measured.
public struct StepMetrics: Codable, Sendable, Hashable {
    /// The step's number in the run, from 1.
    public var step: Int
    /// The epoch that the step belongs to, from 1.
    public var epoch: Int
    /// Seconds of training since the start of the run, added up over resumes.
    public var seconds: Double
    /// Image-text pairs seen since the start of the run, this step's included.
    public var pairsSeen: Int?
    /// The sum of the losses, which was differentiated; in nats.
    public var loss: Double
    /// Image-text contrastive loss, or `nil` where the run has no such objective.
    public var itc: Double?
    /// Image-text matching loss, or `nil` where the run has no such objective.
    public var itm: Double?
    /// Masked language modelling loss, or `nil` where the run has no such objective.
    public var mlm: Double?
    /// The temperature of the contrastive loss, where it is learned.
    public var temperature: Double?
    /// Weight of the momentum teacher's targets, from 0 to 1.
    public var alpha: Double
    /// The optimizer's learning rate in this step.
    public var learningRate: Double
    /// Length of the whole gradient, before clipping if there is any.
    public var gradientNorm: Double?
    /// Image-text pairs trained on per second.
    public var pairsPerSecond: Double
    /// Memory that the process holds, in megabytes of 1,000,000 bytes.
    public var residentMegabytes: Double
    /// The share of pairs that the matching head judged rightly, from 0 to 1.
    public var itmAccuracy: Double?

    /// The measurements of one step; what a run does not measure is left out.
    public init(
        step: Int, epoch: Int, seconds: Double, pairsSeen: Int? = nil, loss: Double,
        itc: Double? = nil, itm: Double? = nil, mlm: Double? = nil, temperature: Double? = nil,
        alpha: Double, learningRate: Double, gradientNorm: Double? = nil, pairsPerSecond: Double,
        residentMegabytes: Double, itmAccuracy: Double? = nil
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
    }
}
