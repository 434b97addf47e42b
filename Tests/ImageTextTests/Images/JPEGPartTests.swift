import ImageText
import SystemPackage
import Testing

@Suite("Parts of JPEG files")
struct JPEGPartTests {
    static let folder = ImageFixtures.repository.appending("Tests/Fixtures/jpeg")
    /// One scan and several, all kinds of subsampling, with and without restart markers.
    static let names = ImageFixtures.entries(folder).map(\.string).filter {
        $0.hasSuffix(".jpg")
    }.sorted()

    /// Loaders that decode as fast as they can, and by libjpeg alone.
    private static func loaders(targetSide: Int? = nil) -> [ImageLoader] {
        [Pixels.Kernels.fastest, .portable].map { kernels in
            var loader = ImageLoader(targetSide: targetSide)
            loader.kernels = kernels
            return loader
        }
    }

    private static func bytes(_ name: String) throws -> [UInt8] {
        try ImageFixtures.bytes(at: folder.appending(name))
    }

    /// Returns a random part, which often touches a side.
    private static func part(
        _ width: Int, _ height: Int, using random: inout SplitMix64
    ) -> ImagePart {
        func side(_ length: Int) -> (Int, Int) {
            let size = random.integer(below: length) + 1
            let first = random.integer(below: length - size + 1)
            return random.chance(0.2) ? (0, size) : (first, size)
        }
        let (across, down) = (side(width), side(height))
        return ImagePart(left: across.0, top: down.0, width: across.1, height: down.1)
    }

    private static func crop(_ image: RGBImage, _ part: ImagePart) -> RGBImage {
        let pixels = (part.top..<part.top + part.height).flatMap { row in
            let start = 3 * (row * image.width + part.left)
            return image.pixels[start..<start + 3 * part.width]
        }
        return RGBImage(width: part.width, height: part.height, pixels: pixels)
    }

    @Test("There is a file of every kind")
    func kinds() { #expect(Self.names.count == 11) }

    @Test("libjpeg yields the same pixels, in full size and reduced", arguments: names)
    func fast(_ name: String) throws {
        let bytes = try Self.bytes(name)
        for side in [nil, 20, 10, 5] {
            let images = try Self.loaders(targetSide: side).map { try $0.load(bytes, named: name) }
            #expect(images[0] == images[1], "target side \(side ?? 0)")
            #expect(side == nil ? images[0].width == 117 : images[0].width < 117)
        }
    }

    @Test("A part has the pixels of the whole image", arguments: names)
    func parts(_ name: String) throws {
        let bytes = try Self.bytes(name)
        var random = SplitMix64(seed: 6)
        for side in [nil, 20, 10, 5] {
            for loader in Self.loaders(targetSide: side) {
                let whole = try loader.load(bytes, named: name)
                for _ in 0..<40 {
                    let part = Self.part(whole.width, whole.height, using: &random)
                    let loaded = try loader.load(bytes, named: name) { _, _ in part }
                    #expect(loaded == Self.crop(whole, part), "\(part), target side \(side ?? 0)")
                }
            }
        }
    }

    @Test("Parts are those of the upright image", arguments: ImageLoaderTests.turned)
    func orientation(_ name: String) throws {
        let path = ImageFixtures.path(name)
        let whole = try ImageLoader().load(path)
        var random = SplitMix64(seed: 7)
        for _ in 0..<20 {
            let part = Self.part(whole.width, whole.height, using: &random)
            let loaded = try ImageLoader().load(path) { width, height in
                #expect(width == whole.width && height == whole.height)
                return part
            }
            #expect(loaded == Self.crop(whole, part), "\(part)")
        }
    }

    @Test("Damage has the same result by libjpeg alone, and beside a part", arguments: names)
    func damage(_ name: String) throws {
        let bytes = try Self.bytes(name)
        let loaders = Self.loaders()
        var random = SplitMix64(seed: 8)
        var (failures, successes) = (0, 0)
        for _ in 0..<120 {
            var damaged = bytes
            if random.chance(0.3) {
                damaged.removeLast(random.integer(below: bytes.count - 1) + 1)
            } else {
                for _ in 0...random.integer(below: 3) {
                    // Beyond the header, of which most changes are noticed at once.
                    let place = bytes.count / 4 + random.integer(below: bytes.count * 3 / 4)
                    damaged[place] = UInt8(random.integer(below: 256))
                }
            }
            let results = loaders.map { loader in
                Result { () throws(ImageError) in try loader.load(damaged, named: name) }
            }
            #expect(results[0].image == results[1].image)
            #expect(results[0].message == results[1].message)
            let part = Result { () throws(ImageError) in
                try loaders[0].load(damaged, named: name) { width, height in
                    ImagePart(left: width / 2, top: 0, width: 1, height: 1)
                }
            }
            #expect(part.message == results[0].message)
            if results[0].image == nil { failures += 1 } else { successes += 1 }
        }
        #expect(failures > 10 && successes > 10, "\(failures), \(successes)")
    }

    @Test("A training input of a file is that of its image", arguments: ["420.jpg", "grey.jpg"])
    func training(_ name: String) throws {
        let path = Self.folder.appending(name)
        let image = try ImageLoader().load(path)
        for cropScale in [0.2...1, nil] {
            let transform = TrainingTransform(side: 24, cropScale: cropScale)
            for seed in 0..<20 {
                var (ofFile, ofImage) = (
                    SplitMix64(seed: UInt64(seed)), SplitMix64(seed: UInt64(seed))
                )
                var slots = [[Float]](
                    repeating: Array(repeating: 0, count: transform.count), count: 2)
                try slots[0].withUnsafeMutableBufferPointer {
                    try transform(path, loadedBy: ImageLoader(), into: $0, using: &ofFile)
                }
                slots[1].withUnsafeMutableBufferPointer {
                    transform(image, into: $0, using: &ofImage)
                }
                #expect(slots[0] == slots[1] && ofFile == ofImage)
            }
        }
    }
}

extension Result<RGBImage, ImageError> {
    fileprivate var image: RGBImage? { try? get() }
    fileprivate var message: String? {
        if case .failure(let error) = self { error.description } else { nil }
    }
}
