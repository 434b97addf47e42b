import ImageText
import SystemPackage
import Testing

@Suite("Loading images")
struct ImageLoaderTests {
    static let exact = [
        "rgb.png", "palette.png", "rgba.png", "palette-transparent.png", "rgb16.png",
        "rgba16.png", "rgb.webp", "rgba.webp", "rgb.gif", "animated.gif", "rgb.tif", "lzw.tif",
        "rgb.bmp", "palette.bmp", "padded.bmp", "rgba.bmp", "rgb.ppm", "rgb.jp2",
    ]
    static let lossy = [
        "rgb.jpg", "progressive.jpg", "subsampled.jpg", "srgb-profile.jpg", "cmyk.jpg",
        "cmyk.tif", "rgb.avif", "lab.tif",
    ]
    static let grey = [
        "grey.jpg", "grey.png", "grey-alpha.png", "grey16.png", "grey16.tif", "grey.bmp",
        "grey.pgm", "grey.pfm",
    ]

    @Test("Every format and pixel type yields the same image", arguments: exact + lossy)
    func colours(_ name: String) throws {
        let image = try ImageLoader().load(ImageFixtures.path(name))
        #expect(image.width == 32 && image.height == 16)
        let tolerance = Self.exact.contains(name) ? 0 : name == "lab.tif" ? 10 : 4
        let distance = Quarters.distance(image)
        #expect(distance <= tolerance, "\(distance) of 255 off")
    }

    @Test("Grey becomes equal red, green and blue; 16 bits are scaled", arguments: grey)
    func greys(_ name: String) throws {
        let image = try ImageLoader().load(ImageFixtures.path(name))
        #expect(image.width == 32 && image.height == 16)
        #expect(Quarters.distance(image, from: Quarters.greys) <= 2)
    }

    static let turned =
        (1...8).map { "orientation-\($0).jpg" } + [
            "orientation-6.png", "orientation-6.webp", "orientation-6.tif", "orientation-6.avif",
            "orientation-xmp.jpg", "orientation-xmp.png", "orientation-hex.png",
        ]

    @Test("EXIF's orientation is applied, or XMP's", arguments: turned)
    func orientation(_ name: String) throws {
        let image = try ImageLoader().load(ImageFixtures.path(name))
        #expect(image.width == 32 && image.height == 16)
        #expect(Quarters.distance(image) <= 4)
    }

    @Test("Colour profiles are applied on request only", arguments: ["profile.jpg", "profile.png"])
    func profiles(_ name: String) throws {
        let path = ImageFixtures.path(name)
        #expect(Quarters.distance(try ImageLoader().load(path)) <= 4)
        let applied = try ImageLoader(profiles: .applied).load(path)
        let colours = Quarters.colours
        // The profile exchanges red and green.
        #expect(applied.colour(7, 3)[1] > 150 && applied.colour(24, 3)[0] > 120)
        #expect(Quarters.distance(applied, from: colours) > 100)
        let plain = ImageFixtures.path("srgb-profile.jpg")
        #expect(try ImageLoader().load(plain) == ImageLoader(profiles: .applied).load(plain))
    }

    @Test("Damaged EXIF never stops an image")
    func garbageEXIF() throws {
        let bytes = try ImageFixtures.bytes("orientation-6.jpg")
        let exif = try #require(bytes.firstRange(of: Array("Exif\0\0".utf8)))
        var random = SystemRandomNumberGenerator()
        for _ in 0..<300 {
            var damaged = bytes
            for _ in 0..<4 {
                let place = exif.upperBound + Int.random(in: 0..<24, using: &random)
                damaged[place] = .random(in: 0...255, using: &random)
            }
            let image = try ImageLoader().load(damaged, named: "damaged.jpg")
            #expect(image.width * image.height == 512)
        }
    }

    @Test("Bytes after the image are ignored")
    func trailingGarbage() throws {
        let bytes = try ImageFixtures.bytes("rgb.jpg") + Array("left over".utf8)
        #expect(try ImageLoader().load(bytes, named: "a.jpg").width == 32)
    }

    @Test("A reduced decode is at least twice the target size")
    func scaled() throws {
        let path = ImageFixtures.path("subsampled.jpg")
        #expect(try ImageLoader(targetSide: 9).load(path).height == 16)
        #expect(try ImageLoader(targetSide: 8).load(path).height == 16)
        #expect(try ImageLoader(targetSide: 5).load(path).height == 16)
        let half = try ImageLoader(targetSide: 4).load(path)
        #expect(half.width == 16 && half.height == 8)
        let quarter = try ImageLoader(targetSide: 2).load(ImageFixtures.path("orientation-6.jpg"))
        #expect(quarter.width == 8 && quarter.height == 4)
    }

    @Test("Threads that load at once get their own images and errors")
    func concurrency() async throws {
        let names = Self.exact + Self.turned + ["bomb.png", "bomb.gif"]
        let loader = ImageLoader()
        let expected = names.map { name in Result { try loader.load(ImageFixtures.path(name)) } }
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    for turn in 0..<names.count * 4 {
                        let index = (turn * 7 + task) % names.count
                        let path = ImageFixtures.path(names[index])
                        switch (expected[index], Result { try loader.load(path) }) {
                        case (.success(let one), .success(let other)): #expect(one == other)
                        case (.failure(let one), .failure(let other)):
                            #expect("\(one)" == "\(other)")
                        default: Issue.record("\(names[index]) differs between threads")
                        }
                    }
                }
            }
        }
    }
}
