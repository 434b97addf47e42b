import Foundation
import ImageText
import Retrieval
import SystemPackage
import TestSupport
import Testing
import Torch
import WeightFiles

@Suite("The linear probe")
struct LinearProbeTests {
    /// Sixty rows of four features and three overlapping classes.
    ///
    /// The last feature has another scale and another mean than the others.
    static let overlapping: LabelledFeatures = {
        let rows = (0..<60).map { i -> [Double] in
            var row = (0..<4).map { j in
                Double((i * 7919 + j * 104_729 + i * i * 31) % 1009) / 250 - 2
            }
            row[3] = row[3] * 5 + 10
            return row
        }
        let classes = rows.enumerated().map { i, row -> Int in
            let scores = [row[0] + row[1], row[1] - row[2], row[2] - row[0]]
            let best = scores.indices.max { scores[$0] < scores[$1] } ?? 0
            return (best + (i % 7 == 0 ? 1 : 0)) % 3
        }
        return LabelledFeatures(
            features: Tensor(rows.flatMap { $0 }, shape: [60, 4]), classes: classes,
            labels: ["a", "b", "c"])
    }()

    struct Golden: Sendable {
        let inverse: Double
        let weights, bias: [Double]
    }

    /// What scikit-learn 1.9.1 gives for these rows:
    /// `LogisticRegression(C=C, tol=1e-13, max_iter=100000).fit(x, y)`.
    static let golden = [
        Golden(
            inverse: 0.05,
            weights: [
                0.1323038391, -0.0801451171, 0.0935138345, -0.1550371885,
                0.2767661179, 0.0151763323, -0.4257974025, 0.1053367399,
                -0.4090699571, 0.0649687848, 0.332283568, 0.0497004485,
            ],
            bias: [1.3899778601, -1.0854306535, -0.3045472065]),
        Golden(
            inverse: 1,
            weights: [
                0.3726925528, -0.1284898322, 0.5801679284, -0.1868626979,
                0.7995845677, 0.1032581245, -1.001116108, 0.1120392526,
                -1.1722771205, 0.0252317077, 0.4209481796, 0.0748234453,
            ],
            bias: [2.0227764811, -1.235724445, -0.7870520362]),
        Golden(
            inverse: 100,
            weights: [
                0.4847515816, -0.1191384512, 1.5587687309, -0.3531896174,
                1.8497328897, 0.2144974536, -1.9145962695, 0.129355025,
                -2.3344844713, -0.0953590024, 0.3558275385, 0.2238345924,
            ],
            bias: [4.2200580273, -1.6990103218, -2.5210477055]),
    ]

    @Test("The classifier equals scikit-learn's", arguments: golden)
    func scikit(_ golden: Golden) throws {
        let data = Self.overlapping
        let fit = try LinearProbe.fit(data, l2: 1 / (golden.inverse * 60))
        #expect(fit.isConverged && fit.gradientSize <= 1e-8 && fit.trials.isEmpty)
        #expect(abs(fit.l2 * golden.inverse * 60 - 1) < 1e-12)
        let weights = Tensor(golden.weights, shape: [3, 4]).to(.float32)
        #expect(fit.probe.weights.isClose(to: weights, relative: 0, absolute: 1e-4))
        let bias = Tensor(golden.bias).to(.float32)
        #expect(fit.probe.bias.isClose(to: bias, relative: 0, absolute: 5e-4))
    }

    @Test("Separable classes are told apart, whatever the scale of their features")
    func separable() throws {
        let generator = try Generator(seed: 3)
        let noise = Tensor.normal([120, 8], generator: generator) * 0.1
        let classes = (0..<120).map { $0 % 6 }
        let centres = Tensor(
            classes.flatMap { label in (0..<8).map { Float($0 == label ? 1 : 0) } },
            shape: [120, 8])
        for scale in [1e-3, 1, 1e3] {
            let data = LabelledFeatures(
                features: (centres + noise) * scale + 5 * scale, classes: classes,
                labels: (0..<6).map { "class \($0)" })
            let fit = try LinearProbe.fit(data)
            #expect(fit.trials.count > 3 && fit.trials.allSatisfy { $0.l2 > 0 })
            let report = ClassificationReport(
                logits: fit.probe.logits(data.features), truths: classes, labels: data.labels,
                majority: data.majority)
            #expect(report.accuracy == 1 && report.topFiveAccuracy == 1)
            #expect(report.meanClassAccuracy == 1 && report.standardError == 0)
            #expect(abs(report.majorityAccuracy - 1 / 6) < 1e-12)
        }
    }

    @Test("Labels without relation to the features call for strong regularization")
    func noise() throws {
        let generator = try Generator(seed: 5)
        let features = Tensor.normal([400, 40], generator: generator)
        let classes = (0..<400).map { ($0 * 7) % 2 }
        let data = LabelledFeatures(features: features, classes: classes, labels: ["a", "b"])
        let fit = try LinearProbe.fit(data)
        let (least, most) = (
            try #require(fit.trials.map(\.l2).min()), try #require(fit.trials.map(\.l2).max())
        )
        #expect(most / least >= 100)
        // What was chosen did at least as well on held-out rows as every other strength.
        let chosen = fit.trials.filter { abs($0.l2 / fit.l2 - 1) < 0.2 }
        let best = try #require(fit.trials.map(\.accuracy).max())
        #expect(chosen.contains { $0.accuracy == best })
        // On new rows, such a classifier guesses.
        let other = Tensor.normal([400, 40], generator: generator)
        let report = ClassificationReport(
            logits: fit.probe.logits(other), truths: classes, labels: data.labels,
            majority: data.majority)
        #expect(abs(report.accuracy - 0.5) < 0.15)
        // Equal data give equal classifiers.
        let again = try LinearProbe.fit(data)
        #expect(again.trials == fit.trials)
        #expect(again.probe.weights.isClose(to: fit.probe.weights, relative: 0, absolute: 0))
    }

    @Test("Counts right and wrong answers")
    func report() {
        let logits = Tensor(
            [
                3, 1, 0, 0, 0, 0, 0, 2, 1, 0, 0, 0, 0, 5, 4, 0, 0, 0, 9, 8, 7, 6, 5, 4,
            ] as [Float], shape: [4, 6])
        let report = ClassificationReport(
            logits: logits, truths: [0, 1, 2, 5], labels: ["a", "b", "c", "d", "e", "f"],
            majority: 1)
        #expect(report.count == 4 && report.accuracy == 0.5 && report.majorityAccuracy == 0.25)
        #expect(report.confusion[2] == [0, 1, 0, 0, 0, 0])
        #expect(report.classAccuracies == [1, 1, 0, nil, nil, 0])
        #expect(report.meanClassAccuracy == 0.5 && report.standardError == 0.25)
        // The last image's class has the lowest logit of six.
        #expect(report.topFiveAccuracy == 0.75)
    }

    @Test("Training needs two classes, and rows to hold out")
    func mistakes() {
        func message(_ classes: [Int], _ labels: [String]) -> String {
            let data = LabelledFeatures(
                features: Tensor.ones([classes.count, 2]), classes: classes, labels: labels)
            do {
                _ = try LinearProbe.fit(data)
                return ""
            } catch { return "\(error)" }
        }
        #expect(message([0, 0], ["dog", "cat"]).contains("of one class, 'dog'"))
        #expect(message([0, 1], ["dog", "cat"]).contains("single training image"))
        #expect(message([0, 0, 1], ["dog", "cat"]).isEmpty)
    }

    @Test("A classifier is read as it was written")
    func file() async throws {
        let fit = try LinearProbe.fit(Self.overlapping, l2: 0.01)
        try await Fixtures.withTemporaryFolder { folder in
            let path = folder.appending("probe.safetensors")
            let probe = LinearProbe(
                labels: ["dog", "狗 \"quoted\"", "c"], weights: fit.probe.weights,
                bias: fit.probe.bias)
            try probe.write(to: path, metadata: ["kind": "image"])
            let read = try LinearProbe(reading: path)
            #expect(read.labels == probe.labels)
            let features = Self.overlapping.features
            #expect(
                read.logits(features).isClose(
                    to: probe.logits(features), relative: 0, absolute: 0))
            #expect(try SafetensorsFile(path).metadata["kind"] == "image")
            try SafetensorsWriter.write(
                [probe.bias.entry(named: "bias"), probe.bias.entry(named: "weight")], to: path)
            #expect(throws: (any Error).self) { try LinearProbe(reading: path) }
        }
    }

    @Test("A folder has one subfolder per class, whose images lie at any depth")
    func folders() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            try TinyFolder.write(["dog/a.bmp", "dog/old/b.bmp", "cat/c.bmp", "loose.bmp"], folder)
            let images = LabelledDataset(try FolderScan(folder)).images
            #expect(images.map(\.label) == ["cat", "dog", "dog"])
            #expect(images.map { $0.path.lastComponent?.string } == ["c.bmp", "a.bmp", "b.bmp"])
        }
    }
}

/// Files that are empty, for scans.
private enum TinyFolder {
    static func write(_ names: [String], _ folder: FilePath) throws {
        for name in names {
            let path = folder.pushing(FilePath(name))
            try FileManager.default.createDirectory(
                atPath: path.removingLastComponent().string, withIntermediateDirectories: true)
            try Data().write(to: URL(filePath: path.string))
        }
    }
}
