import ImageText
import Testing

@Suite("Resizing and normalising")
struct ImageTransformTests {
    struct Golden: Sendable, CustomTestStringConvertible {
        let width: Int
        let height: Int
        let side: Int
        var name: String { "\(width)x\(height)to\(side)" }
        var testDescription: String { name }

        /// The results of Pillow 13 and torchvision for an image.
        func load() throws -> (input: RGBImage, resized: [UInt8], output: [Float]) {
            let bytes = try ImageFixtures.bytes("golden-\(name).bin")
            let (inputs, outputs) = (width * height * 3, side * side * 3)
            let floats = bytes[(inputs + outputs)...].withUnsafeBytes { raw in
                (0..<outputs).map { raw.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self) }
            }
            return (
                RGBImage(width: width, height: height, pixels: Array(bytes[..<inputs])),
                Array(bytes[inputs..<inputs + outputs]), floats
            )
        }
    }

    static let goldens = [
        Golden(width: 37, height: 53, side: 48), Golden(width: 150, height: 101, side: 64),
    ]

    @Test("Resizing yields Pillow's bytes", arguments: goldens)
    func resized(_ golden: Golden) throws {
        let (input, resized, _) = try golden.load()
        let size = (golden.side, golden.side)
        #expect(ImageTransform.resized(input, to: size).pixels == resized)
        let portable = Pixels.resize(
            input, width: golden.side, height: golden.side, kernels: .portable)
        #expect(portable.pixels == resized)
    }

    @Test(
        "Crops and squeezes with either filter match torchvision and Pillow",
        arguments: [
            (37, 53, 48, [48, 20, 15]), (150, 101, 64, [64, 33, 31]),
        ])
    func fitted(_ width: Int, _ height: Int, _ golden: Int, _ sides: [Int]) throws {
        let (input, _, _) = try Golden(width: width, height: height, side: golden).load()
        let forms: [(ImageTransform.Fit, ImageTransform.Filter, String)] = [
            (.crop, .bicubic, "crop-bicubic"), (.crop, .bilinear, "crop-bilinear"),
            (.squeeze, .bilinear, "squeeze-bilinear"),
        ]
        for side in sides {
            for (fit, filter, name) in forms {
                let transform = ImageTransform(
                    side: side, mean: .zero, standardDeviation: .one, fit: fit, filter: filter)
                let expected = try ImageFixtures.bytes(
                    "fitted-\(width)x\(height)to\(side)-\(name).bin")
                let area = side * side
                let found = transform(input)
                let samples = (0..<3 * area).map { index in
                    UInt8((found[index % 3 * area + index / 3] * 255).rounded())
                }
                #expect(samples == expected, "\(side) \(name)")
            }
        }
    }

    @Test("Normalising matches torchvision", arguments: goldens)
    func normalised(_ golden: Golden) throws {
        let (input, _, expected) = try golden.load()
        let transform = ImageTransform(side: golden.side)
        let output = transform(input)
        #expect(output.count == transform.count)
        let distance = zip(output, expected).map { abs($0 - $1) }.max() ?? .infinity
        #expect(distance <= 1e-6)
        var batch = [Float](repeating: .nan, count: 2 * transform.count)
        batch.withUnsafeMutableBufferPointer {
            transform(input, into: .init(rebasing: $0[transform.count...]))
        }
        #expect(Array(batch[transform.count...]) == output)
        let untouched = batch[..<transform.count].allSatisfy { $0.isNaN }
        #expect(untouched)
    }

    @Test("The fast and the portable routines agree for all sizes")
    func kernels() {
        var random = SystemRandomNumberGenerator()
        for turn in 0..<200 {
            func side() -> Int { .random(in: 1...(turn % 3 == 0 ? 9 : 120), using: &random) }
            let (width, height) = (side(), side())
            let image = RGBImage(
                width: width, height: height,
                pixels: (0..<width * height * 3).map { _ in .random(in: 0...255, using: &random) })
            let size = (turn % 7 == 0 ? width : side(), turn % 11 == 0 ? height : side())
            let fast = ImageTransform.resized(image, to: size)
            let portable = Pixels.resize(
                image, width: size.0, height: size.1, kernels: .portable)
            #expect(fast == portable, "\(width) x \(height) to \(size.0) x \(size.1)")
        }
    }

    @Test("An image of the target size is unchanged")
    func unchanged() {
        let image = RGBImage(width: 2, height: 1, pixels: [1, 2, 3, 4, 5, 6])
        #expect(ImageTransform.resized(image, to: (2, 1)) == image)
    }

    @Test(
        "An image is fitted into a square at its own aspect ratio, and never enlarged",
        arguments: [
            ((40, 20), (10, 5)), ((20, 40), (5, 10)), ((10, 10), (10, 10)), ((7, 3), (7, 3)),
            ((400, 1), (10, 1)),
        ])
    func fitted(_ size: (width: Int, height: Int), _ expected: (width: Int, height: Int)) {
        let image = RGBImage(
            width: size.width, height: size.height,
            pixels: [UInt8](repeating: 90, count: size.width * size.height * 3))
        let small = ImageTransform.fitted(image, side: 10)
        #expect(small.width == expected.width && small.height == expected.height)
        #expect(small.pixels.allSatisfy { $0 == 90 })
    }
}
