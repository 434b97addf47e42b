import ALBEF
import ALBEFTraining
import Foundation
import ImageText
import Retrieval
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing

@Suite("Calibration on several files")
struct CalibrationPartsTests {
    private static let words = [
        "dog", "cat", "bus", "tree", "red", "snow", "sea", "sofa", "ball", "night",
    ]

    /// A file with one caption for each of ten images.
    private func write(_ captions: [String], _ file: FilePath) throws {
        let lines = captions.enumerated().map { number, caption in
            #"{"image": "00\#(number).bmp", "caption": "\#(caption)"}"#
        }
        try "[\(lines.joined(separator: ","))]".write(
            toFile: file.string, atomically: true, encoding: .utf8)
    }

    @Test("Each file is judged by itself, and both languages fit and judge")
    func languages() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try TinyImages.write(10, to: folder)
            try TinyModel().write(to: folder.appending("model"))
            let model = try SearchModel(folder.appending("model"))
            let files = ["a.json", "b.json"].map { folder.appending($0) }
            // What an untrained model says is fitted where it happens to be right more often than
            // not: the captions are turned until it is.
            var found: MatchCalibrator.Result?
            for shift in 0..<10 where found == nil {
                let turned = Self.words.indices.map { Self.words[($0 + shift) % 10] }
                try write(turned.map { "a \($0)" }, files[0])
                try write(turned.map { "the \($0) two" }, files[1])
                let calibrator = try MatchCalibrator(
                    CaptionDataset(reading: files),
                    parts: files.map { .init($0.lastComponent?.string ?? "", try .read($0)) },
                    preprocessing: model.reader.preprocessing)
                found = try await calibrator.calibrate(model.model, candidates: 8)
            }
            let result = try #require(found)
            #expect(result.fitted == 80 && result.all.count == 80)
            #expect(result.parts.map(\.name) == ["a.json", "b.json"])
            #expect(result.parts.map(\.count) == [40, 40])
            // Losses are means, so that of all is that of the parts.
            let mean = result.parts.reduce(0) { $0 + $1.after.loss } / 2
            #expect(abs(mean - result.all.after.loss) < 1e-9)
            #expect(result.parts[0].after.loss != result.parts[1].after.loss)
            let missed = result.parts.compactMap(\.missed)
            #expect(missed.count == 2 && missed.allSatisfy { (0...1).contains($0) })
            #expect(abs(missed.reduce(0, +) / 2 - (result.all.missed ?? -1)) < 1e-9)
            let least = try #require(result.calibration.least)
            #expect((0...0.5).contains(least))
        }
    }
}
