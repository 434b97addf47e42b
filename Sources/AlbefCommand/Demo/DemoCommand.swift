import ArgumentParser
import Foundation
import ImageText
import Retrieval
import SystemPackage

/// `albef demo`: the question that the system is for, asked of scenes it has not seen.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Draw a gallery, index it, and ask it for 黑色上衣白色裤子 before and after re-ranking.",
        discussion: """
            Needs nothing but the model that comes with the program. The page it writes shows \
            every answer with its pictures.

              albef demo
              albef demo --scenes 500 --output out/demo --json
            """)

    @Option(help: ArgumentHelp("Where gallery, index and page go.", valueName: "directory"))
    var output = "out/demo"

    @Option(help: "Scenes in the gallery, 200 to 100000.")
    var scenes = 2000

    @Option(help: ArgumentHelp("Scenes that recall hands to the fusion encoder.", valueName: "n"))
    var candidates = 128

    @OptionGroup var model: ModelOptions

    @Flag(help: "Print the outcome as JSON.")
    var json = false

    func validate() throws {
        if !(200...100_000).contains(scenes) {
            throw ValidationError("--scenes must be from 200 to 100000.")
        }
        if !(1...10_000).contains(candidates) {
            throw ValidationError("--candidates must be from 1 to 10000.")
        }
    }

    func run() async throws {
        let search = try await model.load(or: .wardrobe)
        let directory = FilePath(output)
        let gallery = DemoGallery(count: scenes, directory: directory)
        try await Interrupts.cancelling("stopping") {
            var bar = ProgressBar("drawing", unit: "scenes")
            defer { bar.finish() }
            try await gallery.draw { bar.show($0, of: scenes) }
        }
        let scan = try FolderScan(gallery.pictures)
        let report = try await Interrupts.cancelling("stopping after this batch") {
            var bar = ProgressBar("indexing", unit: "scenes")
            defer { bar.finish() }
            return try await Indexer(search).update(gallery.index, with: scan) { progress in
                bar.show(progress.done, of: progress.total)
            }
        }
        if report.wasCancelled { throw CancellationError() }
        let searcher = try Searcher(search, ForwardIndex(gallery.index))
        let depth = search.matches ? candidates : 0
        let answers = try await Interrupts.cancelling("stopping after this question") {
            try gallery.questions.map { question in
                try Task.checkCancellation()
                return try DemoAnswer(question, gallery, searcher, candidates: depth)
            }
        }
        let page = directory.appending("index.html")
        try DemoPage(gallery: gallery, answers: answers).write(to: page)
        if json {
            try Console.json(DemoOutput(scenes: scenes, page: page.string, answers: answers))
        } else {
            for answer in answers { Console.result(answer.text) }
            Console.result("every answer with its pictures: \(page)")
        }
    }
}

/// The JSON of `albef demo --json`.
private struct DemoOutput: Encodable {
    struct Answer: Encodable {
        let query: String
        let right, mirrored: Int
        let recall, reranked: DemoAnswer.Count

        enum CodingKeys: String, CodingKey {
            case query
            case right = "right_in_gallery"
            case mirrored = "mirrored_in_gallery"
            case recall = "top20_recall"
            case reranked = "top20_reranked"
        }
    }

    let scenes: Int
    let page: String
    let answers: [Answer]

    init(scenes: Int, page: String, answers: [DemoAnswer]) {
        self.scenes = scenes
        self.page = page
        self.answers = answers.map {
            Answer(
                query: $0.question.text, right: $0.question.right.count,
                mirrored: $0.question.mirrored.count, recall: $0.before.count,
                reranked: $0.after.count)
        }
    }
}
