package import ArgumentParser
import CommandSupport
import Foundation
import ImageText
import Retrieval
import SystemPackage

/// `albef demo`: searches drawn scenes that the models have not seen, and photographs, before and
/// after re-ranking.
package struct DemoCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract:
            "Search drawn scenes for 黑色上衣白色裤子, and photographs for everyday things, before and "
            + "after re-ranking.",
        discussion: """
            The shipped model 'wardrobe' searches the scenes; 'photos' searches forty photographs \
            that come with the program, or those of --photos. With --model, one model searches \
            both. The command writes a page that shows every answer with its images.

              albef demo
              albef demo --photos ~/Pictures --query "a dog on a beach" --query 雪山
              albef demo --model albef-coco --scenes 500 --output out/demo --json
            """)

    @Option(
        help: ArgumentHelp(
            "Where to write the gallery, the indexes and the page.", valueName: "directory"),
        completion: .directory)
    var output = "out/demo"

    @Option(help: "Scenes in the gallery, from 200 to 100000.")
    var scenes = 2000

    @Option(
        help: ArgumentHelp(
            "Folder of photographs to search; default: those that come with the program.",
            valueName: "directory"),
        completion: .directory)
    var photos: String?

    @Option(
        name: .customLong("query"),
        help: ArgumentHelp(
            "What to search the photographs for; may be repeated. Default: six everyday things.",
            valueName: "text"))
    var queries: [String] = []

    @Option(
        help: ArgumentHelp(
            "Candidates that recall passes to the fusion encoder.", valueName: "n"))
    var candidates = 128

    @OptionGroup var model: ModelOptions

    @Flag(help: "Print the results as JSON.")
    var json = false

    package init() {}

    package func validate() throws {
        if !(200...100_000).contains(scenes) {
            throw ValidationError("--scenes must be from 200 to 100000.")
        }
        if !(1...10_000).contains(candidates) {
            throw ValidationError("--candidates must be from 1 to 10000.")
        }
    }

    package func run() async throws {
        let directory = FilePath(output)
        // Report mistakes before drawing anything.
        let photos = try DemoPhotos(photos, queries: queries, directory: directory)
        let reader = try await model.load(or: .wardrobe)
        let everyday = try await model.model == nil ? model.load() : reader
        let gallery = DemoScenes(count: scenes, directory: directory)
        let answers = try await answers(of: gallery, reader)
        let photoAnswers = try await Interrupts.cancelling("stopping after this batch") {
            var bar = ProgressBar("indexing", unit: "photographs")
            defer { bar.finish() }
            return try await photos.answers(everyday, candidates: candidates) {
                bar.show($0, of: $1)
            }
        }
        let page = directory.appending("index.html")
        try DemoPage(
            gallery: gallery, answers: answers,
            photos: DemoPhotoSection(photos: photos, answers: photoAnswers)
        ).write(to: page)
        if json {
            try Console.json(
                DemoOutput(
                    scenes: scenes, page: page.string, answers: answers,
                    photos: .init(photos, photoAnswers, ModelOutput(everyday))))
        } else {
            for answer in answers { Console.result(answer.text) }
            for answer in photoAnswers { Console.result(answer.text(photos)) }
            Console.result("every answer with its images: \(page)")
        }
    }

    /// Draws the scenes, indexes them, and searches them with every question.
    private func answers(of gallery: DemoScenes, _ model: SearchModel) async throws -> [DemoAnswer]
    {
        try await Interrupts.cancelling("stopping") {
            var bar = ProgressBar("drawing", unit: "scenes")
            defer { bar.finish() }
            try await gallery.draw { bar.show($0, of: scenes) }
        }
        let scan = try FolderScan(gallery.images)
        let report = try await Interrupts.cancelling("stopping after this batch") {
            var bar = ProgressBar("indexing", unit: "scenes")
            defer { bar.finish() }
            return try await Indexer(model).update(gallery.index, with: scan) { progress in
                bar.show(progress.done, of: progress.total)
            }
        }
        if report.wasCancelled { throw CancellationError() }
        let searcher = try Searcher(model, ForwardIndex(gallery.index))
        let depth = model.matches ? candidates : 0
        return try await Interrupts.cancelling("stopping after this question") {
            try gallery.questions.map { question in
                try Task.checkCancellation()
                return try DemoAnswer(question, gallery, searcher, candidates: depth)
            }
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

    /// The photographs, and the results of their queries as `albef search --json` prints them.
    struct Photos: Encodable {
        let folder: String
        let count: Int
        let answers: [SearchOutput]

        init(_ photos: DemoPhotos, _ answers: [DemoPhotoAnswer], _ model: ModelOutput) {
            folder = photos.scan.root.string
            count = photos.scan.files.count
            self.answers = answers.map { answer in
                SearchOutput(
                    query: .init(.text(answer.query), images: [], unlike: []), model: model,
                    reranked: answer.after.reranked, matchesWell: answer.after.matchesWell,
                    unknownWords: answer.after.reading?.unknownWords ?? [],
                    results: answer.after.results.map { .init(rank: $0.rank, result: $0) })
            }
        }
    }

    let scenes: Int
    let page: String
    let answers: [Answer]
    let photos: Photos

    init(scenes: Int, page: String, answers: [DemoAnswer], photos: Photos) {
        self.scenes = scenes
        self.page = page
        self.photos = photos
        self.answers = answers.map {
            Answer(
                query: $0.question.text, right: $0.question.right.count,
                mirrored: $0.question.mirrored.count, recall: $0.before.count,
                reranked: $0.after.count)
        }
    }
}
