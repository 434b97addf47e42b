import Foundation
import ImageText
import SystemPackage
import TestSupport
import Testing
import Wardrobe

@Suite("Folders of tasks")
struct TaskFolderTests {
    @Test("The readers of every task read what is written")
    func readers() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let tasks = try await WardrobeTasks(seed: 4, scenes: 120)
            var done: [Int] = []
            try await WardrobeTasksFolder(folder, side: 48).write(tasks, seed: 4) {
                done.append($0)
            }
            #expect(done.last == 120 && done == done.sorted())
            for (part, name) in [(tasks.training, "train"), (tasks.test, "test")] {
                let isTest = name == "test"
                let questions = try QuestionDataset(
                    reading: [folder.appending("questions-\(name).json")], isTest: isTest)
                #expect(questions.items.map(\.question) == part.questions.map(\.text))
                #expect(questions.items.map(\.answers) == part.questions.map { [$0.answer] })
                let entailment = try EntailmentDataset(
                    reading: [folder.appending("entailment-\(name).json")])
                #expect(entailment.items.map(\.label) == part.hypotheses.map(\.label))
                let pairs = try NLVRDataset(reading: [folder.appending("nlvr-\(name).json")])
                #expect(pairs.items.map(\.isTrue) == part.pairs.map(\.isTrue))
                #expect(pairs.missingCount == 0)
            }
            let answers = try AnswerChoices(reading: folder.appending("answers.json"))
            #expect(answers.texts == WardrobeTasks.answers)
            let captions = try CaptionDataset(reading: [folder.appending("grounding-train.json")])
            #expect(captions.captionCount == tasks.training.references.count)
            try expectProposals(of: tasks, in: folder)
        }
    }

    private func expectProposals(of tasks: WardrobeTasks, in folder: FilePath) throws {
        let proposals = try BoxProposals(reading: folder.appending("proposals.json"))
        #expect(proposals.boxes.count == 120)
        let grounding = try GroundingDataset(
            reading: [folder.appending("grounding-test.json")], proposals: proposals)
        #expect(grounding.items.count == tasks.test.references.count)
        #expect(Set(grounding.items.map(\.id)).count == grounding.items.count)
        for (item, reference) in zip(grounding.items, tasks.test.references) {
            #expect(item.text == reference.text)
            // The box of the target is one of several.
            #expect(item.proposals.contains(item.box) && item.proposals.count >= 4)
        }
    }

    @Test("The test's images are not those of training")
    func separateImages() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try await WardrobeTasksFolder(folder, side: 16)
                .write(WardrobeTasks(seed: 4, scenes: 40), seed: 4)
            func images(_ name: String) throws -> Set<FilePath> {
                let file = folder.appending("entailment-\(name).json")
                return Set(try EntailmentDataset(reading: [file]).items.map(\.image))
            }
            let (training, test) = (try images("train"), try images("test"))
            #expect(training.count == 36 && test.count == 4 && training.isDisjoint(with: test))
        }
    }

    @Test("A smaller data set replaces a larger one, and nothing else")
    func replaces() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            for count in [24, 8] {
                try await WardrobeTasksFolder(folder, side: 16)
                    .write(WardrobeTasks(seed: 4, scenes: count), seed: 4)
                let images = try FileManager.default.contentsOfDirectory(
                    atPath: folder.appending("images").string)
                #expect(images.count == count)
            }
            // A folder of tasks is no folder of scenes, or of boxes.
            await #expect(throws: DatasetError.self) {
                try await WardrobeFolder(folder, side: 16)
                    .write([WardrobeGenerator(seed: 1).scene(0)], seed: 1)
            }
            await #expect(throws: DatasetError.self) {
                try await BoxesFolder(folder).write(BoxesTask(seed: 1, items: 8))
            }
        }
    }
}
