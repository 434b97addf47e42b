import ImageText
import Testing

@Suite("Random numbers")
struct SplitMix64Tests {
    @Test("The numbers are those of the published sequence")
    func reference() {
        var random = SplitMix64(seed: 1_234_567)
        let expected: [UInt64] = [
            6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
        ]
        #expect((0..<3).map { _ in random.next() } == expected)
    }

    @Test("Streams differ, also by the order of their numbers")
    func streams() {
        func first(_ random: SplitMix64) -> UInt64 {
            var random = random
            return random.next()
        }
        var seen: Set<UInt64> = []
        for seed in 0..<10 as Range<UInt64> {
            for a in 0..<10 {
                seen.insert(first(SplitMix64(seed: seed, stream: a)))
                for b in 0..<10 { seen.insert(first(SplitMix64(seed: seed, stream: a, b))) }
            }
        }
        #expect(seen.count == 1100)
    }

    @Test("Integers are uniform, and shuffles are permutations")
    func integers() {
        var random = SplitMix64(seed: 3)
        var counts = [Int](repeating: 0, count: 7)
        for _ in 0..<7000 { counts[random.integer(below: 7)] += 1 }
        #expect(counts.allSatisfy { abs($0 - 1000) < 150 })
        var elements = Array(0..<100)
        random.shuffle(&elements)
        #expect(elements != Array(0..<100) && elements.sorted() == Array(0..<100))
        for _ in 0..<100 { #expect((2.0..<3).contains(random.uniform(in: 2...3))) }
    }
}

@Suite("Training transform")
struct TrainingTransformTests {
    @Test("A part is cut out and resized as in Pillow")
    func crop() throws {
        let sources = try AugmentedImage.sources()
        let expected = try AugmentedImage.all().filter { $0.entry.box != nil }
        #expect(expected.count == 3)
        for image in expected {
            let box = try #require(image.entry.box)
            let result = RandomResizedCrop(side: 16)(
                sources[image.entry.source],
                box: .init(left: box[0], top: box[1], width: box[2], height: box[3]))
            #expect(result == image.image)
        }
    }

    @Test("Boxes lie within the image and the ranges of area and aspect ratio")
    func boxes() {
        let crop = RandomResizedCrop(side: 16, scale: 0.2...1)
        var random = SplitMix64(seed: 1)
        var areas: [Double] = []
        for _ in 0..<2000 {
            let box = crop.box(width: 640, height: 480, using: &random)
            #expect(box.left >= 0 && box.left + box.width <= 640)
            #expect(box.top >= 0 && box.top + box.height <= 480)
            let ratio = Double(box.width) / Double(box.height)
            #expect(ratio > 0.74 && ratio < 1.35)
            areas.append(Double(box.width * box.height) / (640 * 480))
        }
        #expect(areas.allSatisfy { $0 > 0.198 && $0 <= 1 })
        // Large boxes fit less often: torchvision's mean is 0.495, and 0.004 its error here.
        let mean = areas.reduce(0, +) / 2000
        #expect(abs(mean - 0.495) < 0.02)
    }

    @Test("If no box fits, the centre is taken", arguments: [(1000, 10), (10, 1000), (1, 1)])
    func fallback(_ width: Int, _ height: Int) {
        var random = SplitMix64(seed: 1)
        let crop = RandomResizedCrop(side: 16, scale: 0.9...1)
        let box = crop.box(width: width, height: height, using: &random)
        let expected: ImagePart =
            switch (width, height) {
            case (1000, 10): .init(left: 493, top: 0, width: 13, height: 10)
            case (10, 1000): .init(left: 0, top: 493, width: 10, height: 13)
            default: .init(left: 0, top: 0, width: 1, height: 1)
            }
        #expect(box == expected)
    }

    @Test("Equal generators yield equal pixels, normalised as for search")
    func determinism() throws {
        let image = try AugmentedImage.sources()[0]
        let transform = TrainingTransform(side: 24)
        func pixels(_ seed: UInt64) -> [Float] {
            var random = SplitMix64(seed: seed)
            return [Float](unsafeUninitializedCapacity: transform.count) { buffer, initialized in
                transform(
                    image, into: .init(rebasing: buffer[..<transform.count]), using: &random)
                initialized = transform.count
            }
        }
        var random = SplitMix64(seed: 9)
        let square = transform.augmented(image, using: &random)
        #expect(square.width == 24 && square.height == 24)
        #expect(pixels(9) == ImageTransform(side: 24)(square))
        #expect(pixels(9) == pixels(9))
        #expect(Set((0..<20).map { pixels($0) }).count == 20)
    }

    @Test("With flips only, half of the images are mirrored and otherwise unchanged")
    func flips() throws {
        let image = try AugmentedImage.sources()[0]
        let plain = ImageTransform.resized(image, to: (24, 24))
        var pixels: [UInt8] = []
        for y in 0..<24 {
            for x in (0..<24).reversed() {
                let start = (y * 24 + x) * 3
                pixels += plain.pixels[start..<start + 3]
            }
        }
        let mirrored = RGBImage(width: 24, height: 24, pixels: pixels)
        let transform = TrainingTransform(side: 24, cropScale: nil, randAugment: nil)
        var random = SplitMix64(seed: 2)
        let results = (0..<400).map { _ in transform.augmented(image, using: &random) }
        #expect(results.allSatisfy { $0 == plain || $0 == mirrored })
        #expect(abs(results.count { $0 == mirrored } - 200) < 50)
    }
}
