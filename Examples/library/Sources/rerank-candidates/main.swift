// Puts what another system found into the order of the fusion encoder. The candidates are JSON, as
// [{"id": "p-17", "image": "shop/17.jpg"}]; the answer is a line of probability and id for each, the
// best first:
//
//   swift run -c release rerank-candidates "black top, white trousers" candidates.json
import ALBEF
import Foundation
import Retrieval
import SystemPackage

struct Candidate: Decodable {
    let id, image: String
}

let arguments = CommandLine.arguments
guard arguments.count == 3, let directory = ShippedModel.default.directory else {
    print("usage: rerank-candidates SENTENCE CANDIDATES")
    exit(64)
}
let file = try Data(contentsOf: URL(filePath: arguments[2]))
let candidates = try JSONDecoder().decode([Candidate].self, from: file)

let model = try SearchModel(directory)
let sentence = try model.encode(texts: [arguments[1]])
// The re-ranker asks for the images batch by batch.
let scores = try Reranker(model.model).scores(sentence, count: candidates.count) { batch in
    let images = try candidates[batch].map { try model.pixels(of: FilePath($0.image)) }
    return ImageTokens(try model.encode(pixels: images).tokens)
}
let probabilities = scores.logits.map { model.calibration($0) }
for (candidate, probability) in zip(candidates, probabilities).sorted(by: { $0.1 > $1.1 }) {
    print(probability, candidate.id)
}
