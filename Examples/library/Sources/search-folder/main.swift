// Makes an index of a folder, or brings it up to date, and finds what a sentence describes:
//
//   swift run -c release search-folder ~/Pictures pictures.index "a dog in the snow"
import Foundation
import Retrieval
import SystemPackage

let arguments = CommandLine.arguments
guard arguments.count == 4, let directory = ShippedModel.default.directory else {
    print("usage: search-folder FOLDER INDEX SENTENCE")
    exit(64)
}
let (folder, index) = (FilePath(arguments[1]), FilePath(arguments[2]))

let model = try SearchModel(directory)
let report = try await Indexer(model).update(index, with: folder)
print("\(report.encoded) encoded, \(report.unchanged) unchanged, \(report.failures.count) skipped")

let searcher = try Searcher(model, ForwardIndex(index))
for result in try searcher.search(arguments[3], count: 5) {
    print(result.rank, result.matchProbability ?? 0, result.path)
}
