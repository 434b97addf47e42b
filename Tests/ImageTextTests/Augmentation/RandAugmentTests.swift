import Foundation
import ImageText
import SystemPackage
import Testing

/// The results of OpenCV, Pillow and numpy for small images; see `make.py` beside them.
struct AugmentedImage: Sendable {
    struct Entry: Decodable, Sendable {
        let source: Int
        let width, height: Int
        let operation: String?
        let magnitude: Double?
        let negated: Bool?
        let box: [Int]?
    }

    let entry: Entry
    let image: RGBImage

    static func all() throws -> [AugmentedImage] {
        let folder = ImageFixtures.repository.appending("Tests/Fixtures/augmentation")
        let manifest = try ImageFixtures.bytes(at: folder.appending("manifest.json"))
        var bytes = try ImageFixtures.bytes(at: folder.appending("pictures.bin"))[...]
        let entries = try JSONDecoder().decode([Entry].self, from: Data(manifest))
        return entries.map { entry in
            let count = entry.width * entry.height * 3
            defer { bytes = bytes.dropFirst(count) }
            return AugmentedImage(
                entry: entry,
                image: RGBImage(
                    width: entry.width, height: entry.height, pixels: Array(bytes.prefix(count))))
        }
    }

    static func sources() throws -> [RGBImage] {
        try all().filter { $0.entry.operation == nil && $0.entry.box == nil }.map(\.image)
    }
}

@Suite("RandAugment")
struct RandAugmentTests {
    @Test("Every operation yields OpenCV's bytes", arguments: RandAugment.Operation.allCases)
    func operations(_ operation: RandAugment.Operation) throws {
        let sources = try AugmentedImage.sources()
        let expected = try AugmentedImage.all().filter {
            $0.entry.operation == operation.rawValue
        }
        #expect(expected.count == (operation.isGeometric ? 8 : 4))
        for image in expected {
            let negated = image.entry.negated == true
            let augment = RandAugment(magnitude: try #require(image.entry.magnitude))
            let result = augment.apply(
                operation, to: sources[image.entry.source], negated: negated)
            #expect(result == image.image, "image \(image.entry.source)")
        }
    }

    @Test("Operations are equally frequent, half are applied, and signs are balanced")
    func frequencies() throws {
        let image = try AugmentedImage.sources()[1]
        let augment = RandAugment(count: 1)
        var outcomes: [[UInt8]: String] = [:]
        for operation in RandAugment.Operation.allCases where operation != .identity {
            for negated in operation.isGeometric ? [false, true] : [false] {
                let result = augment.apply(operation, to: image, negated: negated)
                outcomes[result.pixels] = "\(operation)\(negated ? "-" : "")"
            }
        }
        #expect(outcomes.count == 14)
        var random = SplitMix64(seed: 5)
        var counts: [String: Int] = [:]
        let draws = 8000
        for _ in 0..<draws {
            let result = augment(image, using: &random)
            counts[outcomes[result.pixels] ?? "unchanged", default: 0] += 1
        }
        #expect(counts.count == 15)
        for (name, count) in counts {
            let isDirected = RandAugment.Operation.allCases.contains {
                $0.isGeometric && name.hasPrefix($0.rawValue)
            }
            let probability = name == "unchanged" ? 0.55 : isDirected ? 0.025 : 0.05
            let mean = Double(draws) * probability
            // Five standard deviations.
            let deviation = 5 * (mean * (1 - probability)).squareRoot()
            #expect(abs(Double(count) - mean) < deviation, "\(name)")
        }
    }

    @Test("Operations work on tiny and single-coloured images")
    func extremes() {
        for (width, height) in [(1, 1), (2, 1), (1, 3), (2, 2), (3, 3)] {
            let image = RGBImage(
                width: width, height: height,
                pixels: [UInt8](repeating: 128, count: width * height * 3))
            for operation in RandAugment.Operation.allCases where operation != .brightness {
                for negated in [false, true] {
                    let result = RandAugment().apply(operation, to: image, negated: negated)
                    #expect(result == image, "\(operation) of \(width) x \(height)")
                }
            }
        }
    }

    @Test("The fast and the portable routines agree")
    func kernels() {
        var random = SplitMix64(seed: 9)
        for _ in 0..<200 {
            let (width, height) = (random.integer(below: 40) + 1, random.integer(below: 40) + 1)
            let image = RGBImage(
                width: width, height: height,
                pixels: (0..<3 * width * height).map { _ in UInt8(random.integer(below: 256)) })
            let matrix = [1.0, 0, 0, 0, 1, 0].map { $0 + random.uniform(in: -0.6...0.6) }
            let moved = matrix.enumerated().map {
                $0.offset % 3 == 2 ? $0.element * 12 : $0.element
            }
            #expect(
                Pixels.warped(image, by: moved, fill: 128)
                    == Pixels.warped(image, by: moved, fill: 128, kernels: .portable),
                "\(width) x \(height) by \(moved)")
            let factor = Float(random.uniform(in: -1...3))
            #expect(
                Pixels.sharpened(image, factor: factor)
                    == Pixels.sharpened(image, factor: factor, kernels: .portable),
                "\(width) x \(height) by \(factor)")
        }
    }
}
