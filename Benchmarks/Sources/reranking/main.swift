// Times re-ranking on request of reranking.py.
//
// Reads lines "TOKENS PATCHES CANDIDATES" from standard input. For each line, a fusion encoder of
// the paper's size with random weights reads a text of TOKENS tokens with CANDIDATES images of
// PATCHES tokens, which are stored in half precision as in an index. Prints the seconds of the
// exact reformulation, then those of the form that projects every image.
import ALBEF
import Foundation
import Retrieval
import Torch

func seconds(_ work: () throws -> Void) rethrows -> Double {
    let start = ContinuousClock.now
    try work()
    let duration = ContinuousClock.now - start
    return Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
}

// The image encoder is not used, so one block is enough.
let configuration = ALBEFConfiguration(vision: .init(imageSize: 384, depth: 1))
let generator = try Generator(seed: 1)
let model = try ALBEFModel(
    configuration, parameters: RandomParameters(generator: generator))
let reranker = Reranker(model)

while let line = readLine() {
    let numbers = line.split(separator: " ").compactMap { Int($0) }
    guard numbers.count == 3 else { continue }
    let (length, patches, count) = (numbers[0], numbers[1], numbers[2])
    let ids = Tensor([101] + (0..<length - 1).map { 1000 + $0 * 37 }, shape: [1, length])
    let text = try withoutGradients {
        try model.encodeTexts(ids, mask: .ones([1, length], dtype: .int64))
    }
    let kept = Tensor.normal([count, patches, 768], generator: generator).to(.float16)
    let reformulated = try seconds {
        _ = try reranker.scores(text, count: count) { ImageTokens(kept[$0].to(.float32)) }
    }
    let plain = try seconds {
        for start in stride(from: 0, to: count, by: 16) {
            let tokens = ImageTokens(kept[start..<min(start + 16, count)].to(.float32))
            _ = try withoutGradients {
                try model.matchLogits(text, withEach: tokens, form: .imageSide)
            }
        }
    }
    // Write without a buffer: reranking.py waits for this line.
    try FileHandle.standardOutput.write(contentsOf: Data("\(reformulated) \(plain)\n".utf8))
}
