/// What a model is trained for: which objectives, with which negatives and labels.
///
/// ALBEF, CLIP, BriVL (WenLan) and a single tower are settings of this one structure, so that
/// their differences can be measured.
public struct ObjectiveConfiguration: Sendable, Hashable, Codable {
    /// Image–text contrastive learning.
    public var contrastive: Contrastive
    /// Image–text matching.
    public var matching: Matching
    /// Masked language modelling.
    public var maskedLanguage: MaskedLanguage
    /// The momentum teacher and its distillation.
    public var teacher: Teacher
    /// Probability with which BERT's layers drop elements in training; default 0.1.
    public var dropout: Double
    /// Whether the original's oddities are kept: the teacher drops too, ITM takes other captions of
    /// an image as its negatives, the temperature and the positions decay like weights; default
    /// false.
    public var isFaithful: Bool

    /// Image–text contrastive learning, ITC.
    public struct Contrastive: Sendable, Hashable, Codable {
        /// Factor of the loss; 0 leaves the objective out.
        public var weight: Double
        /// Number of older keys (M), which are the teacher's; 0 for none.
        public var queue: Int
        /// Which keys are right for an image.
        public var positives: Positives
        /// The temperature (tau) at the start.
        public var temperature: Double
        /// The temperature is kept at or above this.
        public var minimumTemperature: Double
        /// The temperature is kept at or below this.
        public var maximumTemperature: Double

        /// Which keys count as right.
        public enum Positives: String, Sendable, Hashable, Codable, CaseIterable {
            /// The row's own pair alone, as in pretraining.
            case pair
            /// Every key of the same image in equal shares, as in fine-tuning retrieval.
            case image
            /// Every key of the batch that is known to be right: of the same image, and of any image
            /// that has the same caption. In the queues, of the same image.
            ///
            /// Short captions fit many images. Those that are known to fit are no negatives of ITM
            /// either: drawn by similarity, they would come before all that are really wrong.
            case caption
        }

        /// Creates settings; the defaults are the original's.
        public init(
            weight: Double = 1, queue: Int = 65_536, positives: Positives = .pair,
            temperature: Double = 0.07, minimumTemperature: Double = 0.001,
            maximumTemperature: Double = 0.5
        ) {
            self.weight = weight
            self.queue = queue
            self.positives = positives
            self.temperature = temperature
            self.minimumTemperature = minimumTemperature
            self.maximumTemperature = maximumTemperature
        }

        enum CodingKeys: String, CodingKey {
            case weight, queue, positives, temperature
            case minimumTemperature = "minimum_temperature"
            case maximumTemperature = "maximum_temperature"
        }
    }

    /// Image–text matching, ITM.
    public struct Matching: Sendable, Hashable, Codable {
        /// Factor of the loss; 0 leaves the objective out.
        public var weight: Double
        /// Where wrong pairs come from.
        public var negatives: Source
        /// How far in the batch the neighbour is; default 1, the next pair.
        ///
        /// Where look-alikes stay together in a batch, as many as stay together: then the neighbour is
        /// any other pair, as it is in a batch without order.
        public var shift: Int
        /// Epochs in which they come from the neighbour first, whatever ``negatives`` says.
        ///
        /// A model from random weights that sees hard ones alone can stay at chance for long: they
        /// differ from right ones in what it cannot see yet.
        public var easyEpochs: Double
        /// Epochs after those in which hard negatives become as hard as ITC's similarities say.
        public var rampEpochs: Double
        /// Whether other captions of an image are never its negatives; ignored when faithful.
        public var excludesSameImage: Bool

        /// Where wrong pairs come from.
        public enum Source: String, Sendable, Hashable, Codable, CaseIterable {
            /// Drawn from the batch in proportion to the ITC softmax.
            case hard
            /// The neighbour in the batch, ``Matching/shift`` pairs on.
            case shifted
        }

        /// Creates settings.
        public init(
            weight: Double = 1, negatives: Source = .hard, shift: Int = 1, easyEpochs: Double = 0,
            rampEpochs: Double = 0,
            excludesSameImage: Bool = true
        ) {
            self.weight = weight
            self.negatives = negatives
            self.shift = shift
            self.easyEpochs = easyEpochs
            self.rampEpochs = rampEpochs
            self.excludesSameImage = excludesSameImage
        }

        enum CodingKeys: String, CodingKey {
            case weight, negatives, shift
            case easyEpochs = "easy_epochs"
            case rampEpochs = "ramp_epochs"
            case excludesSameImage = "exclude_same_image"
        }
    }

    /// Masked language modelling, MLM.
    public struct MaskedLanguage: Sendable, Hashable, Codable {
        /// Factor of the loss; 0 leaves the objective out.
        public var weight: Double
        /// Probability with which a token is hidden.
        public var probability: Double

        /// Creates settings; the defaults are BERT's.
        public init(weight: Double = 1, probability: Double = 0.15) {
            self.weight = weight
            self.probability = probability
        }
    }

    /// The momentum teacher.
    public struct Teacher: Sendable, Hashable, Codable {
        /// Whether there is one; without it ITC compares within the batch.
        public var isEnabled: Bool
        /// How much of the teacher stays at each step.
        public var momentum: Double
        /// Weight of the teacher's opinion in ITC's and MLM's labels; 0 for no distillation.
        public var alpha: Double
        /// Epochs in which alpha rises from 0.
        public var rampEpochs: Double

        /// Creates settings; the defaults are the original's.
        public init(
            isEnabled: Bool = true, momentum: Double = 0.995, alpha: Double = 0.4,
            rampEpochs: Double = 1
        ) {
            self.isEnabled = isEnabled
            self.momentum = momentum
            self.alpha = alpha
            self.rampEpochs = rampEpochs
        }

        enum CodingKeys: String, CodingKey {
            case isEnabled = "enabled"
            case momentum, alpha
            case rampEpochs = "ramp_epochs"
        }
    }

    /// Creates settings from their parts; the defaults are the paper's.
    public init(
        contrastive: Contrastive = Contrastive(), matching: Matching = Matching(),
        maskedLanguage: MaskedLanguage = MaskedLanguage(), teacher: Teacher = Teacher(),
        dropout: Double = 0.1, isFaithful: Bool = false
    ) {
        self.contrastive = contrastive
        self.matching = matching
        self.maskedLanguage = maskedLanguage
        self.teacher = teacher
        self.dropout = dropout
        self.isFaithful = isFaithful
    }

    enum CodingKeys: String, CodingKey {
        case contrastive, matching
        case maskedLanguage = "masked_language"
        case teacher, dropout
        case isFaithful = "faithful"
    }

    /// What a weights file says of its training.
    package var metadata: [String: String] {
        let trained = [
            ("itc", contrastive.weight), ("itm", matching.weight), ("mlm", maskedLanguage.weight),
        ]
        return ["objectives": trained.filter { $0.1 > 0 }.map(\.0).joined(separator: " ")]
    }

    /// Whether the fusion encoder is trained.
    public var usesFusion: Bool { matching.weight > 0 || maskedLanguage.weight > 0 }

    /// Checks that the settings fit each other.
    ///
    /// - Throws: ``ALBEFError`` that names the first field that does not fit.
    public func validate() throws(ALBEFError) {
        let weights = [
            ("contrastive", contrastive.weight), ("matching", matching.weight),
            ("masked_language", maskedLanguage.weight),
        ]
        for (name, weight) in weights where !(weight >= 0 && weight.isFinite) {
            throw .configuration("objectives.\(name).weight", "must be 0 or more, not \(weight)")
        }
        guard weights.contains(where: { $0.1 > 0 }) else {
            throw .configuration("objectives", "are all left out; give one a weight above 0")
        }
        let shares = [
            ("masked_language.probability", maskedLanguage.probability),
            ("teacher.momentum", teacher.momentum), ("teacher.alpha", teacher.alpha),
        ]
        for (name, value) in shares where !(0...1).contains(value) {
            throw .configuration("objectives.\(name)", "must be within 0...1, not \(value)")
        }
        guard matching.shift >= 1 else {
            throw .configuration("objectives.matching.shift", "must be at least 1")
        }
        guard matching.easyEpochs >= 0 else {
            throw .configuration("objectives.matching.easy_epochs", "must be 0 or more")
        }
        guard matching.rampEpochs >= 0 else {
            throw .configuration("objectives.matching.ramp_epochs", "must be 0 or more")
        }
        guard teacher.rampEpochs >= 0 else {
            throw .configuration("objectives.teacher.ramp_epochs", "must be 0 or more")
        }
        guard (0..<1).contains(dropout) else {
            throw .configuration("objectives.dropout", "must be at least 0 and below 1")
        }
        guard contrastive.queue >= 0 else {
            throw .configuration("objectives.contrastive.queue", "must be 0 or more")
        }
        guard contrastive.queue == 0 || teacher.isEnabled else {
            throw .configuration(
                "objectives.contrastive.queue",
                "holds the teacher's keys: it must be 0 where teacher.enabled is false")
        }
        guard contrastive.temperature > 0, contrastive.minimumTemperature > 0,
            contrastive.minimumTemperature <= contrastive.maximumTemperature
        else {
            throw .configuration(
                "objectives.contrastive.temperature",
                "and its bounds must be positive and in order")
        }
        guard matching.weight == 0 || matching.negatives == .shifted || contrastive.weight > 0
        else {
            throw .configuration(
                "objectives.matching.negatives",
                "hard negatives are drawn by ITC's similarities: set contrastive.weight above 0"
                    + " or use shifted")
        }
    }
}
