import ImageText

/// Four scenes and two statements: of scenes 0 and 2 the first is true, of 1 and 3 the second.
struct SceneGroup {
    let contrast: SceneContrast
    let scenes: [WardrobeScene]
    /// The index of the first scene in the whole data set.
    let start: Int

    /// Draws a group.
    init(_ kind: SceneContrast.Kind, at start: Int, _ random: inout SplitMix64) {
        self.start = start
        while true {
            let contrast = SceneContrast(kind, &random)
            guard let one = Self.scenes(of: contrast, &random),
                let other = Self.scenes(of: contrast, &random)
            else { continue }
            self.contrast = contrast
            scenes = [one.first, one.second, other.first, other.second]
            return
        }
    }

    private static func scenes(
        of contrast: SceneContrast, _ random: inout SplitMix64
    ) -> SceneContrast.Scenes? {
        let generator = WardrobeGenerator(
            seed: random.next(),
            settings: .init(people: contrast.people, smallShare: contrast.needsThing ? 1 : 0.5))
        // Facts that fit hardly any scene are drawn again instead.
        for attempt in 0..<32 {
            if let scenes = contrast.scenes(from: generator.scene(attempt), &random) {
                return scenes
            }
        }
        return nil
    }

    /// Draws one of the two statements, with a scene of which it is true and one of which it is
    /// false, both made from the same scene.
    private func statement(
        ofHalf half: Int, _ random: inout SplitMix64
    ) -> (statement: SceneStatement, right: Int, wrong: Int) {
        let first = start + 2 * half
        return random.chance(0.5)
            ? (contrast.first, first, first + 1) : (contrast.second, first + 1, first)
    }
}

// MARK: Questions

extension SceneGroup {
    /// Returns two questions per scene; each has different answers for scenes 0 and 1, 2 and 3.
    func questions(_ random: inout SplitMix64) -> [WardrobeTasks.Question] {
        [0, 2].flatMap { first -> [WardrobeTasks.Question] in
            let asked = [contrast.question, .whether(asked(&random))]
            return [first, first + 1].flatMap { place in
                asked.compactMap { question in
                    let scene = scenes[place]
                    guard let text = question.text(in: scene),
                        let answer = question.answer(in: scene)
                    else { return nil }
                    return WardrobeTasks.Question(
                        scene: start + place, kind: question.kind, text: text, answer: answer)
                }
            }
        }
    }

    /// Draws the statement that is asked about.
    private func asked(_ random: inout SplitMix64) -> SceneStatement {
        let isFirst = random.chance(0.5)
        // "Are there no hats?" can be answered in two ways.
        if contrast.first.isNegative { return contrast.second }
        if contrast.second.isNegative { return contrast.first }
        if case .whether(let statement) = contrast.question {
            return statement == contrast.first ? contrast.second : contrast.first
        }
        return isFirst ? contrast.first : contrast.second
    }
}

// MARK: Entailment

extension SceneGroup {
    /// What no drawing of a scene shows.
    private static let unknown = [
        "someone is tired", "someone is ill", "someone is late", "someone likes tea",
        "someone has a cat", "someone is in love", "someone wants to eat", "someone can sing",
        "someone is cold", "someone works at night", "someone has a sister",
        "someone slept well",
    ]

    /// Returns twelve sentences, four of each label.
    ///
    /// With a statement s and something unknown u, "s" follows or contradicts; "s and u" is neutral
    /// or contradicts; "s or u" follows or is neutral. So no form of sentence has one label.
    func hypotheses(_ random: inout SplitMix64) -> [WardrobeTasks.Hypothesis] {
        let forms: [(word: String?, right: EntailmentLabel, wrong: EntailmentLabel)] = [
            (nil, .entailment, .contradiction), ("and", .neutral, .contradiction),
            ("or", .entailment, .neutral),
        ]
        return [0, 1].flatMap { half in
            forms.flatMap { form -> [WardrobeTasks.Hypothesis] in
                let (statement, right, wrong) = statement(ofHalf: half, &random)
                let unknown = random.element(of: Self.unknown)
                let sentence = statement.text + (form.word.map { " \($0) \(unknown)" } ?? "")
                return [
                    .init(scene: right, sentence: sentence, label: form.right),
                    .init(scene: wrong, sentence: sentence, label: form.wrong),
                ]
            }
        }
    }
}

// MARK: Two images

extension SceneGroup {
    /// Returns eight statements about two scenes, four of which are true.
    ///
    /// Four compare or name sides, and are true or false by the order of the same two images. Four
    /// say in how many images something is so, which neither image tells alone.
    func pairs(_ random: inout SplitMix64) -> [WardrobeTasks.Pair] {
        sides(&random) + numbers(&random)
    }

    private func sides(_ random: inout SplitMix64) -> [WardrobeTasks.Pair] {
        let side = random.element(of: ["left", "right"])
        let half = 2 * random.integer(below: 2)
        let (first, second) = (start + half, start + half + 1)
        // The image that the sentence names comes first.
        func ordered(_ named: Int, _ other: Int) -> [Int] {
            side == "left" ? [named, other] : [other, named]
        }
        var sentences = [contrast.first, contrast.second].map { "\($0.text) in the \(side) image" }
        if case .number(let counted, let number) = contrast.first,
            case .number(_, let other) = contrast.second
        {
            let sides = number > other ? ["left", "right"] : ["right", "left"]
            sentences = (side == "left" ? sides : sides.reversed()).map {
                "the \($0) image has more \(counted.rawValue) than the"
                    + " \($0 == "left" ? "right" : "left")"
            }
        }
        return [
            .init(scenes: ordered(first, second), sentence: sentences[0], isTrue: true),
            .init(scenes: ordered(first, second), sentence: sentences[1], isTrue: false),
            .init(scenes: ordered(second, first), sentence: sentences[0], isTrue: false),
            .init(scenes: ordered(second, first), sentence: sentences[1], isTrue: true),
        ]
    }

    private func numbers(_ random: inout SplitMix64) -> [WardrobeTasks.Pair] {
        let (statement, right, wrong) = statement(ofHalf: 0, &random)
        // The other two scenes, in the same order.
        let (otherRight, otherWrong) = (right + 2, wrong + 2)
        let fixed = random.chance(0.5)
        let isFirst = random.chance(0.5)
        func pair(_ one: Int, _ other: Int) -> [Int] { isFirst ? [one, other] : [other, one] }
        // With the image in which it is so, both or only one; otherwise only one or neither.
        let equal = fixed ? pair(right, otherRight) : pair(wrong, otherWrong)
        let mixed = fixed ? pair(right, otherWrong) : pair(wrong, otherRight)
        let same = fixed ? "in both images" : "in neither image"
        return [
            .init(scenes: mixed, sentence: "\(statement.text) in only one image", isTrue: true),
            .init(scenes: equal, sentence: "\(statement.text) in only one image", isTrue: false),
            .init(scenes: mixed, sentence: "\(statement.text) \(same)", isTrue: false),
            .init(scenes: equal, sentence: "\(statement.text) \(same)", isTrue: true),
        ]
    }
}
