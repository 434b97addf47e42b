public import ImageText

/// Questions, hypotheses, statements about two images and references, all about drawn scenes.
///
/// They are the data of four tasks: answering questions (as in VQA), visual entailment (SNLI-VE),
/// reasoning over two images (NLVR2) and grounding (RefCOCO+). Equal seeds and numbers give equal
/// scenes and sentences on every platform.
///
/// Scenes come in groups of four. Two and two differ in one fact: what two people wear, who is
/// sitting, how many hats there are. Every sentence is used for a scene of which it is true and for
/// one of which it is false, so neither the words nor the images alone tell the label.
///
/// | task | balance | right at most without images |
/// |---|---|---|
/// | questions | each question has different answers for two scenes that hardly differ | 1/2 |
/// | entailment | each sentence has two labels; thirds of all | 1/2 |
/// | two images | each sentence and each pair of images is as often true as false | 1/2 |
public struct WardrobeTasks: Sendable {
    /// The scenes of training or of the test, and what is said about them.
    public struct Part: Sendable, Hashable {
        /// The scenes.
        public var scenes: [WardrobeScene] = []
        /// The questions, each with one answer.
        public var questions: [Question] = []
        /// The sentences that follow from a scene, contradict it or do neither; equally many each.
        public var hypotheses: [Hypothesis] = []
        /// The statements about two scenes, of which half are true.
        public var pairs: [Pair] = []
        /// The expressions that refer to one person or thing.
        public var references: [Reference] = []
    }

    /// A question about a scene, with its answer.
    public struct Question: Sendable, Hashable {
        /// The index of the scene.
        public var scene: Int
        /// What is asked about, such as `posture`, by which results can be grouped.
        public var kind: String
        /// The question, such as "what is the person on the left doing?".
        public var text: String
        /// The answer, one of ``WardrobeTasks/answers``.
        public var answer: String
    }

    /// A sentence, and what it is to a scene.
    public struct Hypothesis: Sendable, Hashable {
        /// The index of the scene.
        public var scene: Int
        /// The sentence.
        public var sentence: String
        /// What the sentence is to the scene.
        public var label: EntailmentLabel
    }

    /// A sentence about two scenes.
    public struct Pair: Sendable, Hashable {
        /// The indices of the left and the right scene.
        public var scenes: [Int]
        /// The sentence.
        public var sentence: String
        /// Whether the sentence is true.
        public var isTrue: Bool
    }

    /// An expression that refers to exactly one person or thing of a scene.
    public struct Reference: Sendable, Hashable {
        /// The index of the scene.
        public var scene: Int
        /// The expression, such as "the person in a red top and blue trousers".
        public var text: String
        /// What it refers to.
        public var target: Target

        /// A person or a thing, by its index in the scene.
        public enum Target: Sendable, Hashable {
            /// A person, by the index in ``WardrobeScene/people``.
            case person(Int)
            /// A thing, by the index in ``WardrobeScene/props``.
            case prop(Int)
        }
    }

    /// The scenes to learn from.
    public let training: Part
    /// The scenes of the test, a tenth of all.
    public let test: Part

    /// The number of scenes of training and test.
    public var sceneCount: Int { training.scenes.count + test.scenes.count }

    /// The texts among which a model can choose the answer of every question.
    public static let answers = SceneQuestion.answers

    /// Makes scenes on all cores, and the data of the tasks; nothing is drawn yet.
    ///
    /// - Parameters:
    ///   - seed: The seed, which no other data set should share.
    ///   - count: The number of scenes; rounded up to a multiple of 4, and at least 8.
    ///   - progress: Called with the number of scenes done.
    /// - Throws: `CancellationError`.
    /// - Complexity: O(*n*) for *n* scenes.
    public init(
        seed: UInt64, scenes count: Int, progress: (Int) -> Void = { _ in }
    ) async throws {
        let groups = Swift.max(2, (count + 3) / 4)
        let tests = Swift.max(1, groups / 10)
        training = try await Self.part(
            seed: seed, stream: 0, groups: groups - tests, progress)
        let learned = training.scenes.count
        test = try await Self.part(seed: seed, stream: 1, groups: tests) { progress(learned + $0) }
    }

    private static func part(
        seed: UInt64, stream: Int, groups: Int, _ progress: (Int) -> Void
    ) async throws -> Part {
        var part = Part()
        let atOnce = 64
        for start in stride(from: 0, to: groups, by: atOnce) {
            let end = Swift.min(start + atOnce, groups)
            let made = try await withThrowingTaskGroup(of: (Int, Part).self) { tasks in
                for index in start..<end {
                    tasks.addTask { (index, Part(seed: seed, stream: stream, group: index)) }
                }
                return try await tasks.reduce(into: []) { $0.append($1) }
            }
            for (_, group) in made.sorted(by: { $0.0 < $1.0 }) { part.append(group) }
            try Task.checkCancellation()
            progress(part.scenes.count)
        }
        return part
    }
}

extension WardrobeTasks.Part {
    /// Makes one group of four scenes, whose indices begin at four times its number.
    fileprivate init(seed: UInt64, stream: Int, group index: Int) {
        var random = SplitMix64(seed: seed, stream: stream, index)
        let kinds = SceneContrast.Kind.allCases
        let group = SceneGroup(kinds[index % kinds.count], at: index * 4, &random)
        scenes = group.scenes
        questions = group.questions(&random)
        hypotheses = group.hypotheses(&random)
        pairs = group.pairs(&random)
        references = group.references(&random)
    }

    fileprivate mutating func append(_ other: Self) {
        scenes += other.scenes
        questions += other.questions
        hypotheses += other.hypotheses
        pairs += other.pairs
        references += other.references
    }
}
