// Times the comparison of N texts with N images: by two towers, and by the fusion encoder.
//
//     pair-scoring MODEL [N ...]
//
// Both ways begin by encoding N images and N texts. The towers then multiply two matrices; the
// fusion encoder reads N x N pairs, and projects the keys and values of each image once for its N
// texts.
import Wardrobe
import ALBEF
import Foundation
import ImageText
import Retrieval
import SystemPackage
import Torch

func seconds(_ work: () throws -> Void) rethrows -> Double {
    let start = ContinuousClock.now
    try work()
    let duration = ContinuousClock.now - start
    return Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
}

let arguments = CommandLine.arguments.dropFirst()
guard let directory = arguments.first else {
    FileHandle.standardError.write(Data("usage: pair-scoring MODEL [N ...]\n".utf8))
    exit(64)
}
let counts = arguments.dropFirst().compactMap { Int($0) }
let search = try SearchModel(FilePath(directory))
let generator = WardrobeGenerator(seed: 2_000_001)
print("N, pairs, encoding s, towers s, fusion s, fusion pairs per second")
for count in counts.isEmpty ? [8, 16, 32, 64, 128, 256] : counts {
    let scenes = (0..<count).map { generator.scene($0) }
    let pixels = try scenes.map { search.pixels(of: try $0.image(side: 128)) }
    let texts = scenes.map { scene in
        WardrobeOutfit(
            top: scene.people[0].top, trousers: scene.people[0].bottom.colour
        ).text(in: .english)
    }
    var times: [(encode: Double, towers: Double, fusion: Double)] = []
    for round in 0..<4 {
        var images: EncodedImages?
        var words: EncodedTexts?
        let encode = try seconds {
            images = try search.encode(pixels: pixels)
            words = try search.encode(texts: texts)
        }
        guard let images, let words else { continue }
        let gallery = EncodedImageSet(images)
        var scores = RetrievalScores(gallery, words, model: search.model)
        let towers = seconds { scores = RetrievalScores(gallery, words, model: search.model) }
        let fusion = try seconds {
            for image in 0..<count {
                _ = try scores.matchLogits(image: image, texts: Array(0..<count))
            }
        }
        if round > 0 { times.append((encode, towers, fusion)) }
    }
    // The best of three is closest to the time on an idle machine.
    let encode = times.map(\.encode).min() ?? 0
    let towers = times.map(\.towers).min() ?? 0
    let fusion = times.map(\.fusion).min() ?? 0
    print(
        String(
            format: "%d, %d, %.4f, %.6f, %.4f, %.0f", count, count * count, encode, towers, fusion,
            Double(count * count) / fusion))
}
