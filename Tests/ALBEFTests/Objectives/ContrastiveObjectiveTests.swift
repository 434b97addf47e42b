import ALBEF
import Foundation
import Testing
import Torch

private typealias Matrix = [[Double]]

/// A plain implementation of ITC by the paper, one number at a time.
private enum Plain {
    static func similarities(_ a: Matrix, _ b: Matrix, _ temperature: Double) -> Matrix {
        a.map { row in b.map { zip(row, $0).map(*).reduce(0, +) / temperature } }
    }

    static func softmax(_ row: [Double]) -> [Double] {
        let exponentials = row.map { exp($0 - (row.max() ?? 0)) }
        return exponentials.map { $0 / exponentials.reduce(0, +) }
    }

    /// The mean of H(target, softmax(scores)) over the rows.
    static func crossEntropy(_ scores: Matrix, _ targets: Matrix) -> Double {
        let rows = zip(scores, targets).map { scores, targets in
            -zip(softmax(scores), targets).map { log($0) * $1 }.reduce(0, +)
        }
        return rows.reduce(0, +) / Double(rows.count)
    }

    static func oneHot(_ count: Int, _ width: Int) -> Matrix {
        (0..<count).map { row in (0..<width).map { $0 == row ? 1 : 0 } }
    }

    static func mixed(_ alpha: Double, _ q: Matrix, _ y: Matrix) -> Matrix {
        zip(q, y).map { zip($0, $1).map { alpha * $0 + (1 - alpha) * $1 } }
    }
}

@Suite("ITC")
struct ContrastiveObjectiveTests {
    private let temperature = 0.2
    private let generator: Generator

    init() throws { generator = try Generator(seed: 6) }

    private func features(_ count: Int) -> ContrastiveObjective.Features {
        .init(
            images: Tensor.normal([count, 4], generator: generator).normalized().to(.float64),
            texts: Tensor.normal([count, 4], generator: generator).normalized().to(.float64))
    }

    private func queues(_ length: Int, ids: [Int]? = nil) -> ContrastiveQueues {
        ContrastiveQueues(
            images: Tensor.normal([4, length], generator: generator).normalized(0).to(.float64),
            texts: Tensor.normal([4, length], generator: generator).normalized(0).to(.float64),
            ids: ids.map { Tensor($0) }, pointer: 0)
    }

    private func matrix(_ tensor: Tensor) -> Matrix {
        (0..<tensor.size(0)).map { tensor[$0].values() }
    }

    private func outcome(
        _ features: ContrastiveObjective.Features, keys: ContrastiveObjective.Features? = nil,
        queues: ContrastiveQueues? = nil, alpha: Double = 0, ids: [Int]? = nil,
        temperature: Tensor? = nil
    ) -> ContrastiveObjective.Outcome {
        ContrastiveObjective()(
            features, keys: keys, queues: queues,
            temperature: temperature ?? .full([], self.temperature, dtype: .float64), alpha: alpha,
            ids: ids.map { Tensor($0) })
    }

    @Test(
        "The loss is the mean of two cross-entropies with labels mixed by alpha",
        arguments: [0, 0.4, 1])
    func byHand(alpha: Double) throws {
        let (student, teacher, queues) = (features(3), features(3), queues(5))
        let found = outcome(student, keys: teacher, queues: queues, alpha: alpha)
        let textKeys = matrix(teacher.texts) + matrix(queues.texts.transposed())
        let imageKeys = matrix(teacher.images) + matrix(queues.images.transposed())
        var losses: [Double] = []
        for (own, opinion, keys, targets) in [
            (student.images, teacher.images, textKeys, found.imageToTextTargets),
            (student.texts, teacher.texts, imageKeys, found.textToImageTargets),
        ] {
            let scores = Plain.similarities(matrix(own), keys, temperature)
            let opinions = Plain.similarities(matrix(opinion), keys, temperature)
            let expected = Plain.mixed(
                alpha, opinions.map(Plain.softmax), Plain.oneHot(3, 8))
            for (found, expected) in zip(matrix(targets), expected) {
                #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-6 })
                #expect(abs(found.reduce(0, +) - 1) < 1e-6)
            }
            losses.append(Plain.crossEntropy(scores, expected))
        }
        #expect(abs(found.loss.scalar() - (losses[0] + losses[1]) / 2) < 1e-6)
        #expect(found.imageToText.shape == [3, 8] && found.textToImage.shape == [3, 8])
    }

    @Test("The label is shared among all keys of the image")
    func sharedLabels() throws {
        let queues = queues(4, ids: [2, -100, 1, 1])
        let found = outcome(features(3), keys: features(3), queues: queues, ids: [1, 1, 2])
        let third = 1.0 / 4
        let expected: Matrix = [
            [third, third, 0, 0, 0, third, third], [third, third, 0, 0, 0, third, third],
            [0, 0, 0.5, 0.5, 0, 0, 0],
        ]
        #expect(matrix(found.imageToTextTargets) == expected)
        #expect(matrix(found.textToImageTargets) == expected)
        // Keys of unknown images never count as right.
        let pair = outcome(features(3), keys: features(3), queues: queues)
        #expect(matrix(pair.imageToTextTargets) == Plain.oneHot(3, 7))
    }

    @Test("Without teacher and queues ITC compares within the batch and trains both towers")
    func ownKeys() throws {
        let own = features(4)
        let images = own.images.requiringGrad()
        let texts = own.texts.requiringGrad()
        let tau = Tensor.full([], temperature, dtype: .float64).requiringGrad()
        func loss(_ images: Tensor, _ texts: Tensor, _ tau: Tensor) -> Double {
            outcome(.init(images: images, texts: texts), temperature: tau).loss.scalar()
        }
        let found = outcome(.init(images: images, texts: texts), temperature: tau)
        #expect(found.imageToText.shape == [4, 4])
        try found.loss.backward()
        let step = 1e-5
        for (side, leaf) in [images, texts].enumerated() {
            let gradient = try #require(leaf.grad)
            for (row, column) in [(0, 0), (1, 3), (3, 2)] {
                var (more, less) = (leaf.detached().clone(), leaf.detached().clone())
                let value = leaf[row, column].scalar()
                more[row, column] = .full([], value + step, dtype: .float64)
                less[row, column] = .full([], value - step, dtype: .float64)
                let rise =
                    side == 0
                    ? loss(more, own.texts, tau) - loss(less, own.texts, tau)
                    : loss(own.images, more, tau) - loss(own.images, less, tau)
                #expect(abs(gradient[row, column].scalar() - rise / (2 * step)) < 1e-6)
            }
        }
        let rise =
            loss(own.images, own.texts, .full([], temperature + step, dtype: .float64))
            - loss(own.images, own.texts, .full([], temperature - step, dtype: .float64))
        #expect(abs(try #require(tau.grad).scalar() - rise / (2 * step)) < 1e-5)
    }

    @Test(
        "Keeps the temperature within its bounds", arguments: [(3, 0.5), (1e-6, 0.001), (0.2, 0.2)])
    func temperatureBounds(start: Double, end: Double) throws {
        let student = try TinyObjective.model()
        let parameter = try #require(student.temperature)
        parameter.value = Tensor.full([], start)
        let objective = try TinyObjective.objective(
            student, ObjectiveConfiguration(contrastive: .init(queue: 0), dropout: 0))
        _ = try objective(try TinyObjective.batch(3), alpha: 0)
        #expect(abs(parameter.value.scalar() - end) < 1e-7)
    }

    @Test("A batch of one pair, which has no negatives, is rejected")
    func singlePair() throws {
        let objective = try TinyObjective.objective(
            TinyObjective.model(), ObjectiveConfiguration(contrastive: .init(queue: 0)))
        #expect(throws: ALBEFError.self) { try objective(try TinyObjective.batch(1), alpha: 0) }
    }
}
