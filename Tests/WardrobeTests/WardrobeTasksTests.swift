import Foundation
import ImageText
import SystemPackage
import TestSupport
import Testing
import Wardrobe

@Suite("Tasks about drawn scenes")
struct WardrobeTasksTests {
    private static let made = Task { try await WardrobeTasks(seed: 5, scenes: 3000) }

    private let training: WardrobeTasks.Part
    private let parts: [WardrobeTasks.Part]

    init() async throws {
        let tasks = try await Self.made.value
        training = tasks.training
        parts = [tasks.training, tasks.test]
    }

    @Test("Equal seeds give equal data; the test has other scenes than training")
    func deterministic() async throws {
        let tasks = try await WardrobeTasks(seed: 1, scenes: 240)
        #expect(try await tasks.training == WardrobeTasks(seed: 1, scenes: 240).training)
        #expect(try await tasks.training != WardrobeTasks(seed: 2, scenes: 240).training)
        #expect(tasks.training.scenes.count == 216 && tasks.test.scenes.count == 24)
        #expect(Set(tasks.training.scenes).isDisjoint(with: tasks.test.scenes))
    }

    @Test("The data of a seed do not change")
    func pinned() async throws {
        let part = try await WardrobeTasks(seed: 1, scenes: 240).training
        let texts = [
            part.questions.map { "\($0.scene) \($0.text) \($0.answer)" },
            part.hypotheses.map { "\($0.scene) \($0.sentence) \($0.label)" },
            part.pairs.map { "\($0.scenes) \($0.sentence) \($0.isTrue)" },
            part.references.map { "\($0.scene) \($0.text)" },
        ]
        let digest = try DataDigest.of(part.scenes, texts.joined())
        #expect(digest == "63f53f29453da0e1bc528a9ac4f33a68bdbbc2938422860cdaf991ab5734c89f")
    }

    @Test("Every question has the answer that its words ask for")
    func answers() {
        for part in parts {
            for question in part.questions {
                let reader = SceneReader(scene: part.scenes[question.scene])
                #expect(reader.answer(question.text) == question.answer, "\(question)")
                #expect(WardrobeTasks.answers.contains(question.answer))
            }
        }
        #expect(Set(WardrobeTasks.answers).count == WardrobeTasks.answers.count)
        let given = Set(training.questions.map(\.answer))
        #expect(given == Set(WardrobeTasks.answers))
    }

    @Test("No answer is much more frequent than the others of its kind")
    func answerBalance() {
        // The largest share of one answer, by kind.
        let limits = [
            "yes or no": 0.5, "colour of the top": 0.2, "colour of the lower garment": 0.2,
            "colour of the hat": 0.2, "colour of the bag": 0.2, "colour of the toy": 0.2,
            "which toy": 0.35, "posture": 0.35, "garment": 0.5, "carried": 0.5,
            "number of people": 0.35, "number of hats": 0.35, "number of bags": 0.35,
            "number of skirts": 0.35,
        ]
        let questions = training.questions
        let kinds = Dictionary(grouping: questions, by: \.kind)
        #expect(Set(kinds.keys) == Set(limits.keys))
        var right = 0
        for (kind, asked) in kinds {
            let most = Dictionary(grouping: asked, by: \.answer).values.map(\.count).max() ?? 0
            right += most
            let share = Double(most) / Double(asked.count)
            #expect(share <= limits[kind, default: 0], "\(kind): \(share)")
        }
        // What the most frequent answer of each kind gets right.
        let majority = Double(right) / Double(questions.count)
        #expect(majority < 0.42, "\(majority)")
    }

    @Test("Every question has two answers: for each scene there is one that answers otherwise")
    func questionPairs() {
        for part in parts {
            let asked = Dictionary(grouping: part.questions) { "\($0.scene / 2) \($0.text)" }
            for (text, questions) in asked {
                #expect(
                    questions.count == 2 && questions[0].answer != questions[1].answer, "\(text)")
            }
        }
    }

    @Test("Every label is what the sentence is to the scene")
    func entailment() throws {
        for part in parts {
            for hypothesis in part.hypotheses {
                let reader = SceneReader(scene: part.scenes[hypothesis.scene])
                // What is unknown is one of a few clauses after the statement.
                let form = /(.+?)(?: (and|or) (someone (?!is wearing).+))?/
                let found = try #require(hypothesis.sentence.wholeMatch(of: form))
                let isTrue = try #require(reader.truth(found.1) as Bool?, "\(hypothesis)")
                let label: EntailmentLabel =
                    switch found.2 {
                    case "and": isTrue ? .neutral : .contradiction
                    case "or": isTrue ? .entailment : .neutral
                    default: isTrue ? .entailment : .contradiction
                    }
                #expect(label == hypothesis.label, "\(hypothesis)")
            }
        }
    }

    @Test("Labels of entailment are thirds; neither a sentence nor an image tells which")
    func entailmentBalance() {
        for part in parts {
            let items = part.hypotheses
            for label in EntailmentLabel.allCases {
                #expect(items.count { $0.label == label } * 3 == items.count)
            }
            for (text, same) in Dictionary(grouping: items, by: \.sentence) {
                let counts = Dictionary(grouping: same, by: \.label).values.map(\.count)
                #expect(counts.count >= 2 && (counts.max() ?? 0) * 2 <= same.count, "\(text)")
            }
        }
    }

    @Test("A statement about two images is true exactly if it is said to be")
    func pairs() throws {
        for part in parts {
            for pair in part.pairs {
                let truth = PairReader.truth(
                    pair.sentence, left: part.scenes[pair.scenes[0]],
                    right: part.scenes[pair.scenes[1]])
                #expect(truth == pair.isTrue, "\(pair)")
            }
        }
    }

    @Test("Sentences, pairs of images and images tell nothing about truth by themselves")
    func pairBalance() {
        for part in parts {
            func expectHalves(_ key: (WardrobeTasks.Pair) -> String) {
                for (name, same) in Dictionary(grouping: part.pairs, by: key) {
                    #expect(same.count { $0.isTrue } * 2 == same.count, "\(name)")
                }
            }
            expectHalves { $0.sentence }
            expectHalves { "\($0.scenes)" }
            for side in 0..<2 { expectHalves { "\($0.scenes[side])" } }
        }
    }

    @Test("How many images show something, one image does not tell, even with the sentence")
    func onlyOne() {
        for part in parts {
            let counted = part.pairs.filter {
                $0.sentence.hasSuffix("only one image")
            }
            #expect(counted.count * 4 == part.pairs.count)
            for side in 0..<2 {
                var right: [Bool: [Bool]] = [:]
                for pair in counted {
                    let scene = part.scenes[pair.scenes[side]]
                    let statement = pair.sentence.dropLast(" in only one image".count)
                    guard let shows = SceneReader(scene: scene).truth(statement) else { continue }
                    right[shows, default: []].append(pair.isTrue)
                }
                for (shows, truths) in right {
                    let share = Double(truths.count { $0 }) / Double(truths.count)
                    // Three standard errors around one half.
                    let error = 3 * (0.25 / Double(truths.count)).squareRoot()
                    #expect(abs(share - 0.5) < error, "\(shows): \(share)")
                }
            }
        }
    }

    @Test("A reference fits one person or thing, its target")
    func references() {
        var kinds: Set<String> = []
        for part in parts {
            for reference in part.references {
                let scene = part.scenes[reference.scene]
                switch reference.target {
                case .person(let index):
                    kinds.insert("person")
                    #expect(SceneReader(scene: scene).people(reference.text) == [index])
                case .prop(let index):
                    let words = reference.text.split(separator: " ").map(String.init)
                    let fitting = scene.props.indices.filter {
                        let prop = scene.props[$0]
                        return prop.kind.rawValue == words.last
                            && (prop.colour == nil || prop.colour?.rawValue == words[1])
                    }
                    kinds.insert(scene.props[index].kind.rawValue)
                    #expect(fitting == [index], "\(reference.text)")
                }
            }
        }
        #expect(kinds.count == 9, "\(kinds)")
    }

    @Test("Several people often wear the colour of a reference, so the colour alone is not enough")
    func hardReferences() {
        let part = training
        let people = part.references.filter {
            if case .person = $0.target { true } else { false }
        }
        let hard = people.filter { reference in
            let scene = part.scenes[reference.scene]
            let colours = reference.text.split(separator: " ").compactMap {
                WardrobeColour(rawValue: String($0))
            }
            return scene.people.count { person in
                let worn = [person.top, person.bottom.colour, person.hat, person.bag]
                return colours.allSatisfy(worn.contains)
            } > 1
        }
        let share = Double(hard.count) / Double(people.count)
        #expect(share > 0.4, "\(share)")
    }
}
