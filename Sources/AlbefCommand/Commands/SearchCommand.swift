import ALBEF
import ArgumentParser
import CommandSupport
import Retrieval
import SystemPackage

/// `albef search`: searches an index.
struct SearchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "search",
        abstract: "Find the images or texts in an index that match a sentence or an image.",
        discussion: """
            Recall compares the feature of the sentence with that of every image; the fusion \
            encoder then reads the sentence together with each of the best candidates and re-ranks \
            them. Warnings precede the results if nothing matches well, and if the model does not \
            know a word.

              albef search "a dog in the snow" --model model --index photos.index
              albef search 黑色上衣白色裤子 --model model --index photos.index --json
              albef search --image cat.jpg --index photos.index
              albef search "on a sofa" --image cat.jpg --index photos.index --where 'year>=2020'
              albef search 'dog^2 beach -leash -"red ball"' --index photos.index
              albef search "a dog" --unlike mine.jpg --index photos.index --fold
              albef search --image cat.jpg --index captions.index
              albef search "a dog" --index two.index \\
                --recall google/siglip2-base-patch16-224 \\
                --model Salesforce/blip-itm-base-coco
              albef search "on a sofa" --index photos.index --where 'date>=2020-06' --sort date
              albef search "on a sofa" --index photos.index --top 50 --copy-to chosen
              albef search "a dog" --index photos.index --recall milvus://127.0.0.1:19530/photos

            -word leaves out images that match a word, -"two words" those that match a phrase; \
            word^2 gives a word twice the weight, word^0.5 half. Put a query that begins with a \
            hyphen last, after --:

              albef search --index photos.index --image dog.jpg -- -leash
            """)

    @Argument(
        help: ArgumentHelp(
            "A sentence; -word leaves out images that match a word, word^2 doubles its weight.",
            valueName: "query"))
    var query: String?

    @Option(
        help: ArgumentHelp(
            "Find images similar to this one, or texts that describe it; with a sentence, results "
                + "match both; may be repeated, for results similar to all.",
            valueName: "file"), completion: .file())
    var image: [String] = []

    @Option(
        help: ArgumentHelp(
            "Rank images similar to this one last; may be repeated.", valueName: "file"),
        completion: .file())
    var unlike: [String] = []

    @Flag(help: "Allow addresses (https://…) in --image and --unlike, and fetch the images.")
    var fetch = false

    @Option(
        help: ArgumentHelp("The index that 'albef index' made.", valueName: "directory"),
        completion: .directory)
    var index: String

    @OptionGroup var model: ModelOptions

    @Option(
        name: [.customShort("k"), .long], help: ArgumentHelp("Results to show.", valueName: "n"))
    var top = 10

    @Option(
        help: ArgumentHelp("Candidates that recall passes to the fusion encoder.", valueName: "n"))
    var candidates = 64

    @Flag(name: .customLong("no-rerank"), help: "Show the order of recall, without re-ranking.")
    var skipsReranking = false

    @Option(
        help: ArgumentHelp(
            "The score that re-ranks candidates: \(RankingScore.names); default: the model's own, "
                + "or that of its dialect.", valueName: "score"))
    var ranking: RankingScore?

    @Option(
        help: ArgumentHelp(
            "The method of recall: exact, or along the graph that 'albef index graph' made; "
                + "default: along the graph if there is one.", valueName: "method"))
    var recallMethod: RecallMethod?

    @Option(
        name: .customLong("where"),
        help: ArgumentHelp(
            "Only images that meet this condition on their metadata, such as year>=2020, or on the "
                + "file itself: date (date>=2020-06), camera, lens, orientation, width, height, "
                + "size, folder; may be repeated.",
            valueName: "condition"))
    var filters: [MetadataFilter] = []

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Order the results by date, the newest first, or by -date, the oldest first; default: "
                + "the best first.",
            valueName: "order"))
    var sort: EntryOrder?

    @Option(
        help: ArgumentHelp("Leave out the first n results.", valueName: "n"))
    var skip = 0

    @Option(
        help: ArgumentHelp(
            "Leave out images with a lower match probability, from 0 to 1; see 'albef calibrate'.",
            valueName: "p"))
    var minProbability: Double?

    @Option(
        help: ArgumentHelp(
            "Milliseconds for re-ranking, which reads as many candidates as fit; default: no "
                + "limit.",
            valueName: "ms"))
    var timeBudget: Double?

    @Flag(help: "Show equal images or texts once, with the number of others.")
    var foldDuplicates = false

    @Flag(help: "Show nearly identical images once, with the number of others.")
    var fold = false

    @Flag(help: "Print the results as JSON.")
    var json = false

    @OptionGroup var actions: SearchActions

    func validate() throws {
        if query == nil, image.isEmpty {
            throw ValidationError("the query is missing; give a sentence, --image, or both.")
        }
        do { try asked.check() } catch let error as QueryError {
            throw ValidationError("\(error).")
        }
        if !fetch, let address = (image + unlike).first(where: { ImageAddress($0) != nil }) {
            throw ValidationError("\(address) is an address; add --fetch to fetch the image.")
        }
        if fold, foldDuplicates {
            throw ValidationError("--fold folds equal images too; leave out --fold-duplicates.")
        }
        if let method = model.recall.flatMap(RecallMethod.init(rawValue:)) {
            throw ValidationError(
                "--recall names a model; name the method of recall with --recall-method"
                    + " \(method.rawValue).")
        }
        if recallMethod != nil, model.store != nil {
            throw ValidationError(
                "--recall-method is a method of the index, but --recall names a store; leave one"
                    + " out.")
        }
        try NumberBounds.check("--min-probability", minProbability, 0...1)
        try NumberBounds.check("--time-budget", timeBudget, 0.001...86_400_000)
        try NumberBounds.check("--skip", skip, 0...1_000_000_000)
        try NumberBounds.check("--top", top, 1...1_000_000)
        try NumberBounds.check("--candidates", candidates, 1...100_000)
        if sort == .path {
            throw ValidationError(
                "--sort must be date or -date; without it, the best results come first.")
        }
        if [json, actions.pathsOnly, actions.printsZeros].count(where: { $0 }) > 1 {
            throw ValidationError("--json, --paths and --print0 exclude each other.")
        }
        if minProbability != nil, skipsReranking {
            throw ValidationError("--min-probability needs re-ranking; leave out --no-rerank.")
        }
    }

    func run() async throws {
        let forward = try ForwardIndex(FilePath(index))
        try actions.check(forward.content)
        let canRead = forward.content.isReadable(with: asked)
        if minProbability != nil, !canRead {
            throw ValidationError(
                "--min-probability needs "
                    + (forward.content == .images
                        ? "a sentence." : "--image, because this index holds texts."))
        }
        let recall = try RecallStore.recall(model.store)
        let model = try await model.withoutStore.load(of: forward.model)
        let asked = asked
        if !model.matches, !skipsReranking, canRead {
            Console.note("note: this model was not trained to match; this is the order of recall")
        }
        if minProbability != nil, !model.isCalibrated {
            Console.note("note: this model is not calibrated; see 'albef calibrate --help'")
        }
        if forward.count == 0 { Console.note("note: the index is empty") }
        var options = SearchOptions(
            count: foldDuplicates ? SearchOutput.looked(for: top) : top,
            candidates: skipsReranking ? 0 : candidates)
        options.offset = skip
        options.order = sort
        options.ranking = ranking
        options.recall = recallMethod
        options.filters = filters
        options.foldsDuplicates = fold
        options.minimumProbability = minProbability
        options.timeBudget = timeBudget.map { .microseconds(Int64($0 * 1000)) }
        let answer = try Searcher(model, forward, recall: recall)
            .search(try await fetched(asked, model), options)
        answer.reading?.noteIfCut()
        let found =
            foldDuplicates
            ? SearchOutput.Found.folding(answer.results, top: top)
            : answer.results.map {
                SearchOutput.Found(
                    rank: $0.rank, result: $0, duplicates: $0.duplicates?.map(\.path))
            }
        try await actions.act(on: found.map(\.result))
        if json {
            try Console.json(
                SearchOutput(
                    query: .init(asked, images: image, unlike: unlike),
                    model: ModelOutput(model),
                    reranked: answer.reranked, matchesWell: answer.matchesWell,
                    unknownWords: answer.reading?.unknownWords ?? [], results: found))
            return
        }
        let warnings = SearchOutput.warnings(of: answer)
        if actions.isForPrograms || found.isEmpty {
            for warning in warnings { Console.note("note: \(warning)") }
        }
        if actions.isForPrograms {
            SearchOutput.writePaths(found, end: actions.printsZeros ? 0 : UInt8(ascii: "\n"))
        } else if !found.isEmpty {
            let table = SearchOutput.table(found, others: fold ? "alike" : "equal")
            Console.result((warnings + [table]).joined(separator: "\n"))
        }
        if timeBudget != nil { Console.note("re-ranked \(answer.reranked) candidates") }
        if answer.results.isEmpty, let minProbability, answer.reranked > 0 {
            Console.note(
                "nothing matches: none of \(answer.reranked) candidates reaches \(minProbability)")
        } else if answer.results.isEmpty, !filters.isEmpty {
            Console.note("note: nothing meets the conditions")
        }
    }

    /// Returns the query after fetching the images that it names by address.
    private func fetched(_ query: SearchQuery, _ model: SearchModel) async throws -> SearchQuery {
        guard fetch else { return query }
        func queryImage(_ text: String) async throws -> QueryImage {
            guard let address = ImageAddress(text) else { return .file(FilePath(text)) }
            let bytes = try await Interrupts.cancelling("stopping") { try await address.bytes() }
            return .pixels(try model.pixels(of: bytes, named: text))
        }
        var query = query
        query.images = []
        for text in image { query.images.append(try await queryImage(text)) }
        query.unlike = []
        for text in unlike { query.unlike.append(try await queryImage(text)) }
        return query
    }

    private var asked: SearchQuery {
        (query.map { QueryTerms($0) } ?? QueryTerms(text: nil)).query(
            images: image.map { .file(FilePath($0)) },
            unlike: unlike.map { .file(FilePath($0)) })
    }
}
