import Foundation
import ImageText
import SystemPackage
import TestSupport
import Testing
import Wardrobe

@Suite("Statements about boxes with shapes")
struct BoxesTaskTests {
    private let training: BoxesTask.Part
    private let parts: [BoxesTask.Part]

    init() throws {
        let task = try BoxesTask(seed: 5, items: 4000)
        training = task.training
        parts = [task.training, task.test]
    }

    @Test("Equal seeds give equal data, other seeds other data")
    func deterministic() throws {
        let task = try BoxesTask(seed: 1, items: 400)
        #expect(try task.training == BoxesTask(seed: 1, items: 400).training)
        #expect(try task.training != BoxesTask(seed: 2, items: 400).training)
        #expect(task.training.pairs.count == 360 && task.test.pairs.count == 40)
    }

    @Test("The data of a seed do not change")
    func pinned() throws {
        let task = try BoxesTask(seed: 1, items: 400)
        let captions = try DataDigest.of(task.training.scenes, task.training.captions.joined())
        #expect(captions == "5326576a1af01c02a39e0aae1cc3066c8feb94554e97591c4ca3a58c55245361")
        let statements = try DataDigest.of(
            task.test.scenes, task.test.pairs.map { "\($0.scenes) \($0.sentence) \($0.isTrue)" })
        #expect(statements == "9b0d714a55453fd9b59ab44fd4645d23381dd0137b2fd895c03c1f10b0f300f8")
    }

    @Test("All statements are of the chosen kinds")
    func kinds() throws {
        let words: [BoxesTask.Kind: String] = [
            .above: " above ", .leftOf: " left of ", .more: " more ", .onlyOne: "",
        ]
        for (kind, word) in words {
            let task = try BoxesTask(seed: 3, items: 80, kinds: [kind])
            #expect(task.training.pairs.count + task.test.pairs.count == 80)
            #expect(task.training.pairs.allSatisfy { word.isEmpty || $0.sentence.contains(word) })
        }
        let all = try BoxesTask(seed: 1, items: 400, kinds: BoxesTask.Kind.allCases)
        #expect(try all.training == BoxesTask(seed: 1, items: 400).training)
    }

    @Test("A statement is true exactly if it is said to be")
    func truth() {
        for part in parts {
            for pair in part.pairs {
                let truth = BoxesReader.truth(
                    pair.sentence, left: part.scenes[pair.scenes[0]],
                    right: part.scenes[pair.scenes[1]])
                #expect(truth == pair.isTrue, "\(pair)")
            }
        }
    }

    @Test("Sentences, pairs of images and images tell nothing about truth by themselves")
    func balance() {
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

    @Test("Where a statement is true and where it is false, the same shapes and colours are shown")
    func bagsOfWords() {
        for part in parts {
            for start in stride(from: 0, to: part.pairs.count, by: 4) {
                let pairs = part.pairs[start..<start + 2]
                #expect(Set(pairs.map(\.sentence)).count == 1)
                let bags = pairs.map { pair in
                    pair.scenes.flatMap { part.scenes[$0].items }
                        .flatMap { [$0.colour.rawValue, $0.shape.rawValue] }.sorted()
                }
                #expect(bags[0] == bags[1])
            }
        }
    }

    @Test("All forms of statements occur, and about as many about either side")
    func forms() {
        let sentences = training.pairs.map(\.sentence)
        for words in [
            " above ", " left of ", "exactly two boxes", " more ", " and ", "in only one",
            "in both", "in neither", "has exactly",
        ] {
            #expect(sentences.count { $0.contains(words) } > 40, "\(words)")
        }
        func count(_ side: String) -> Int {
            sentences.count {
                $0.contains("the \(side) image") || $0.contains("on the \(side)")
            }
        }
        let (left, right) = (count("left"), count("right"))
        #expect(abs(left - right) * 10 < left + right)
    }

    @Test("A caption describes all boxes, and the others have up to three true facts")
    func captions() throws {
        for (scene, captions) in zip(training.scenes, training.captions) {
            try #require(captions.count == 3)
            let boxes = captions[0].split(separator: ", ").map { box in
                box[(box.firstIndex(of: ":") ?? box.startIndex)...].dropFirst(2)
            }
            #expect(
                boxes.map(String.init)
                    == scene.boxes.map { box in
                        box.compactMap { $0.map { "\($0.colour.rawValue) \($0.shape.rawValue)" } }
                            .joined(separator: " and ")
                    })
            for caption in captions.dropFirst() {
                let facts = caption.components(separatedBy: ", ")
                #expect((1...3).contains(facts.count))
                for fact in facts {
                    let truth = BoxesReader.truth("on the left \(fact)", left: scene, right: scene)
                    #expect(truth == true, "\(fact)")
                }
            }
        }
    }

    @Test("Captions are read, and all texts of training are in one file for a vocabulary")
    func captionFiles() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let task = try BoxesTask(seed: 3, items: 40)
            try await BoxesFolder(folder).write(task)
            for (part, name) in [(task.training, "train"), (task.test, "test")] {
                let read = try CaptionDataset(
                    reading: [folder.appending("captions-\(name).json")])
                #expect(read.images.map(\.captions) == part.captions)
            }
            let words = try String(
                contentsOfFile: folder.appending("words.txt").string, encoding: .utf8)
            let lines = words.split(separator: "\n").map(String.init)
            #expect(
                lines == Array(task.training.captions.joined())
                    + task.training.pairs.map(\.sentence))
        }
    }

    @Test("Images and statements are read as NLVR2")
    func reader() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let task = try BoxesTask(seed: 3, items: 40)
            try await BoxesFolder(folder).write(task)
            let read = try NLVRDataset(reading: [folder.appending("nlvr-train.json")])
            #expect(read.items.map(\.sentence) == task.training.pairs.map(\.sentence))
            #expect(read.items.map(\.isTrue) == task.training.pairs.map(\.isTrue))
            let test = try NLVRDataset(reading: [folder.appending("nlvr-test.json")])
            #expect(test.items.count == 4)
            let image = try ImageLoader().load(test.items[0].images[0])
            #expect(image.width == 64 && image.height == 64)
            let used = Set(read.items.flatMap(\.images))
            #expect(used.isDisjoint(with: test.items.flatMap(\.images)))
        }
    }
}
