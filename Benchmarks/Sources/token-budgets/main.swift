// Measures what fewer or coarser tokens cost: bytes, time and recall.
//
//     token-budgets MODEL ANNOTATIONS [IMAGES]
//
// For each budget, indexes the first IMAGES (1,000) images anew, then searches with the first
// caption of each: recall, then the 64 best candidates re-ranked by 'posterior'. Prints the bytes
// of tokens per image, the median time of a search in milliseconds, and R@1, R@5 and R@10 in
// percent.
import Foundation
import ImageText
import Retrieval
import SystemPackage

func seconds(_ work: () throws -> Void) rethrows -> Double {
    let start = ContinuousClock.now
    try work()
    let duration = ContinuousClock.now - start
    return Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
}

let arguments = CommandLine.arguments.dropFirst()
guard arguments.count >= 2, let first = arguments.first else {
    FileHandle.standardError.write(
        Data("usage: token-budgets MODEL ANNOTATIONS [IMAGES]\n".utf8))
    exit(64)
}
let model = try SearchModel(FilePath(first))
let limit = arguments.count > 2 ? Int(arguments[arguments.startIndex + 2]) ?? 1000 : 1000
let dataset = try CaptionDataset(reading: [FilePath(arguments[arguments.startIndex + 1])])
let images = Array(dataset.images.prefix(limit))
let folder = FilePath(NSTemporaryDirectory()).appending("token-budgets-\(getpid())")
let photos = folder.appending("photos")
try FileManager.default.createDirectory(
    atPath: photos.string, withIntermediateDirectories: true)
defer { try? FileManager.default.removeItem(atPath: folder.string) }
for (number, image) in images.enumerated() {
    let name = String(format: "%05d.%@", number, image.path.extension ?? "jpg")
    try FileManager.default.createSymbolicLink(
        atPath: photos.appending(name).string,
        withDestinationPath: URL(filePath: image.path.string).path)
}

let budgets: [(String, TokenBudget)] = [
    ("all, float16", TokenBudget()), ("all, int8", TokenBudget(precision: .int8)),
    ("128, float16", TokenBudget(count: 128)),
    ("128, int8", TokenBudget(count: 128, precision: .int8)),
    ("64, float16", TokenBudget(count: 64)), ("64, int8", TokenBudget(count: 64, precision: .int8)),
    ("32, float16", TokenBudget(count: 32)), ("32, int8", TokenBudget(count: 32, precision: .int8)),
    ("16, int8", TokenBudget(count: 16, precision: .int8)),
]
print("tokens | bytes per image | search ms | R@1 R@5 R@10")
for (name, budget) in budgets {
    let directory = folder.appending("index")
    try? FileManager.default.removeItem(atPath: directory.string)
    _ = try await Indexer(model, options: .init(budget: budget)).update(directory, with: photos)
    let index = try ForwardIndex(directory)
    let available = index.statistics.tokenCount
    if let count = budget.count, count >= available { continue }
    let searcher = try Searcher(model, index)
    var options = SearchOptions(count: 10, candidates: 64)
    options.ranking = .posterior
    var (times, ranks): ([Double], [Int]) = ([], [])
    for (number, image) in images.enumerated() {
        guard let caption = image.captions.first else { continue }
        var results: [SearchResult] = []
        times.append(
            try seconds { results = try searcher.search(.text(caption), options).results })
        let right = results.first { $0.path.stem == String(format: "%05d", number) }
        ranks.append(right?.rank ?? .max)
    }
    func share(_ ranks: [Int]) -> String {
        [1, 5, 10].map { limit in
            String(format: "%5.1f", 100 * Double(ranks.count { $0 <= limit }) / Double(ranks.count))
        }.joined(separator: " ")
    }
    times.sort()
    print(
        "\(name) | \(index.statistics.tokenByteCount) | "
            + String(format: "%.1f", times[times.count / 2] * 1000) + " | " + share(ranks))
}
