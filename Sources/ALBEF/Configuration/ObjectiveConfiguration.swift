/// The objectives of training, with their negatives and labels.
///
/// ALBEF, CLIP, BriVL (WenLan) and a single tower are settings of this one structure, so that their
/// differences can be measured.
public struct ObjectiveConfiguration: Sendable, Hashable, Codable {
    /// The settings of image–text contrastive learning.
    public var contrastive: Contrastive
    /// The settings of image–text matching.
    public var matching: Matching
    /// The settings of masked language modelling.
    public var maskedLanguage: MaskedLanguage
    /// The settings of answers in visual question answering.
    public var answers: Answers
    /// The settings of the momentum teacher and its distillation.
    public var teacher: Teacher
    /// The dropout probability of BERT's layers in training; 0.1 by default.
    public var dropout: Double
    /// Whether to reproduce the original's oddities; `false` by default.
    ///
    /// The teacher also uses dropout, other captions of an image can be its ITM negatives, and
    /// weight decay applies to the temperature and the positions.
    public var isFaithful: Bool

    /// The settings of image–text contrastive learning, ITC.
    public struct Contrastive: Sendable, Hashable, Codable {
        /// The factor of the loss; 0 turns the objective off.
        public var weight: Double
        /// The number of the teacher's older keys (M); 0 for no queue.
        public var queue: Int
        /// The keys that are positives.
        public var positives: Positives
        /// The initial temperature (tau).
        public var temperature: Double
        /// The lower bound of the temperature.
        public var minimumTemperature: Double
        /// The upper bound of the temperature.
        public var maximumTemperature: Double

        /// A choice of positive keys.
        public enum Positives: String, Sendable, Hashable, Codable, CaseIterable {
            /// The row's own pair alone, as in pretraining.
            case pair
            /// All keys of the same image in equal shares, as in fine-tuning for retrieval.
            case image
            /// All keys of the batch that are known to be right: those of the same image, and of
            /// any image with the same caption; in the queues, those of the same image.
            ///
            /// Short captions fit many images. Images that are known to fit are not ITM negatives
            /// either: drawn by similarity, they would precede all real negatives.
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

    /// The settings of image–text matching, ITM.
    public struct Matching: Sendable, Hashable, Codable {
        /// The factor of the loss; 0 turns the objective off.
        public var weight: Double
        /// The source of mismatched pairs.
        public var negatives: Source
        /// The distance in the batch to the neighbour of ``Source/shifted``; 1, the next pair, by
        /// default.
        ///
        /// If batches keep groups of similar images together, set it to the size of a group. The
        /// neighbour is then from another group, as in a batch of random order.
        public var shift: Int
        /// The number of first epochs in which negatives are shifted, regardless of ``negatives``.
        ///
        /// A model with random weights can stay at chance for long if it gets only hard negatives,
        /// because they differ from matches in details that it cannot distinguish yet.
        public var easyEpochs: Double
        /// The number of epochs after these in which hardness rises to that of ITC's similarities.
        public var rampEpochs: Double
        /// Whether other captions of an image are never its negatives; ignored if
        /// ``ObjectiveConfiguration/isFaithful``.
        public var excludesSameImage: Bool

        /// A source of mismatched pairs.
        public enum Source: String, Sendable, Hashable, Codable, CaseIterable {
            /// Drawn from the batch in proportion to the ITC softmax.
            case hard
            /// The pair ``Matching/shift`` rows further in the batch.
            case shifted
        }

        /// Creates settings; the defaults are the paper's, except that other captions of an image are
        /// excluded.
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

    /// The settings of masked language modelling, MLM.
    public struct MaskedLanguage: Sendable, Hashable, Codable {
        /// The factor of the loss; 0 turns the objective off.
        public var weight: Double
        /// The probability that a token is hidden.
        public var probability: Double

        /// Creates settings; the defaults are BERT's.
        public init(weight: Double = 1, probability: Double = 0.15) {
            self.weight = weight
            self.probability = probability
        }
    }

    /// The settings of answers in visual question answering.
    public struct Answers: Sendable, Hashable, Codable {
        /// The share of each label that is spread over the vocabulary; 0.1 in LAVIS.
        public var labelSmoothing: Double
        /// The weight of an answer of Visual Genome; 1 in LAVIS.
        public var genomeWeight: Double

        /// Creates settings; the defaults are the original's.
        public init(labelSmoothing: Double = 0, genomeWeight: Double = 0.5) {
            self.labelSmoothing = labelSmoothing
            self.genomeWeight = genomeWeight
        }

        enum CodingKeys: String, CodingKey {
            case labelSmoothing = "label_smoothing"
            case genomeWeight = "genome_weight"
        }
    }

    /// The settings of the momentum teacher.
    public struct Teacher: Sendable, Hashable, Codable {
        /// Whether training has a teacher; without it, ITC compares features within the batch.
        public var isEnabled: Bool
        /// The share of the teacher that each step keeps.
        public var momentum: Double
        /// The weight of the teacher's predictions in the labels of ITC and MLM; 0 for no
        /// distillation.
        public var alpha: Double
        /// The number of epochs in which alpha rises from 0.
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
        maskedLanguage: MaskedLanguage = MaskedLanguage(), answers: Answers = Answers(),
        teacher: Teacher = Teacher(), dropout: Double = 0.1, isFaithful: Bool = false
    ) {
        self.contrastive = contrastive
        self.matching = matching
        self.maskedLanguage = maskedLanguage
        self.answers = answers
        self.teacher = teacher
        self.dropout = dropout
        self.isFaithful = isFaithful
    }

    enum CodingKeys: String, CodingKey {
        case contrastive, matching
        case maskedLanguage = "masked_language"
        case answers, teacher, dropout
        case isFaithful = "faithful"
    }

    /// The entries in the header of a weights file that describe its training.
    package var metadata: [String: String] {
        let trained = [
            ("itc", contrastive.weight), ("itm", matching.weight), ("mlm", maskedLanguage.weight),
        ]
        return ["objectives": trained.filter { $0.1 > 0 }.map(\.0).joined(separator: " ")]
    }

    /// Whether the fusion encoder is trained.
    public var usesFusion: Bool { matching.weight > 0 || maskedLanguage.weight > 0 }

    /// Checks that all settings are in range and consistent.
    ///
    /// - Parameter task: the task that the settings train; pretraining by default. ITC, ITM and MLM
    ///   have no meaning for tasks that neither align nor match.
    /// - Throws: ``ALBEFError``, which names the first invalid field.
    public func validate(for task: ALBEFConfiguration.Task = .pretraining) throws(ALBEFError) {
        try validateShares()
        if task.aligns { try validatePairs() }
    }

    private func validateShares() throws(ALBEFError) {
        let shares = [
            ("masked_language.probability", maskedLanguage.probability),
            ("answers.label_smoothing", answers.labelSmoothing),
            ("answers.genome_weight", answers.genomeWeight),
            ("teacher.momentum", teacher.momentum), ("teacher.alpha", teacher.alpha),
        ]
        for (name, value) in shares where !(0...1).contains(value) {
            throw .configuration("objectives.\(name)", "must be within 0...1, not \(value)")
        }
        guard teacher.rampEpochs >= 0 else {
            throw .configuration("objectives.teacher.ramp_epochs", "must be 0 or more")
        }
        guard (0..<1).contains(dropout) else {
            throw .configuration("objectives.dropout", "must be at least 0 and below 1")
        }
    }

    /// Checks the settings of ITC, ITM and MLM.
    private func validatePairs() throws(ALBEFError) {
        let weights = [
            ("contrastive", contrastive.weight), ("matching", matching.weight),
            ("masked_language", maskedLanguage.weight),
        ]
        for (name, weight) in weights where !(weight >= 0 && weight.isFinite) {
            throw .configuration("objectives.\(name).weight", "must be 0 or more, not \(weight)")
        }
        guard weights.contains(where: { $0.1 > 0 }) else {
            throw .configuration("objectives", "all have weight 0; give one a weight above 0")
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
        guard contrastive.queue >= 0 else {
            throw .configuration("objectives.contrastive.queue", "must be 0 or more")
        }
        guard contrastive.queue == 0 || teacher.isEnabled else {
            throw .configuration(
                "objectives.contrastive.queue",
                "must be 0 if teacher.enabled is false, because it holds the teacher's keys")
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
                "is hard, which needs ITC's similarities: set contrastive.weight above 0 or use"
                    + " shifted")
        }
    }
}
