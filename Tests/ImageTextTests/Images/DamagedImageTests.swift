import ImageText
import SystemPackage
import Testing

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

@Suite("Damaged images and other files")
struct DamagedImageTests {
    private func failure(_ load: () throws(ImageError) -> RGBImage) -> String? {
        do {
            _ = try load()
            return nil
        } catch {
            return error.description
        }
    }

    static let bombs = ["bomb.png", "bomb.bmp", "bomb.gif", "bomb.tif", "bomb.jpg"]

    @Test("An image above the pixel limit is rejected by its header", arguments: bombs)
    func bomb(_ name: String) {
        let message = failure { () throws(ImageError) in
            try ImageLoader().load(ImageFixtures.path(name))
        }
        #expect(message?.contains(name) == true)
        #expect(message?.contains("above the limit of 178956970") == true, "\(message ?? "")")
    }

    @Test("The caller sets the limit", arguments: ["rgb.jpg", "rgb.png", "rgb.bmp", "rgb.avif"])
    func limit(_ name: String) throws {
        let path = ImageFixtures.path(name)
        #expect(try ImageLoader(maximumPixels: 512).load(path).width == 32)
        #expect(throws: ImageError.self) { try ImageLoader(maximumPixels: 511).load(path) }
    }

    static let whole =
        ImageLoaderTests.exact + ImageLoaderTests.lossy + ImageLoaderTests.grey

    @Test("A truncated file is an error that names it", arguments: whole)
    func truncated(_ name: String) throws {
        let bytes = try ImageFixtures.bytes(name)
        // The last fifth of the animation is its second frame, which is not needed.
        for part in name == "animated.gif" ? [0.2, 0.5] : [0.2, 0.5, 0.8] {
            let count = Int(Double(bytes.count) * part)
            let message = failure { () throws(ImageError) in
                try ImageLoader().load(Array(bytes.prefix(count)), named: name)
            }
            #expect(message?.hasPrefix(name) == true, "\(count) of \(bytes.count) bytes")
        }
    }

    @Test("Loading ends for any content", arguments: whole)
    func fuzzed(_ name: String) throws {
        let bytes = try ImageFixtures.bytes(name)
        var random = SystemRandomNumberGenerator()
        let loader = ImageLoader(maximumPixels: 1 << 20)
        for _ in 0..<60 {
            var damaged = bytes
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                damaged[.random(in: 0..<damaged.count, using: &random)] = .random(
                    in: 0...255, using: &random)
            }
            let image = try? loader.load(damaged, named: name)
            #expect((image?.width ?? 1) * (image?.height ?? 1) <= 1 << 20)
        }
    }

    @Test("Text, empty files, folders, pipes and missing files have separate errors")
    func notImages() throws {
        try ImageFixtures.withFolder { folder in
            let text = folder.appending("text.jpg")
            try ImageFixtures.write(Array("hello".utf8), to: text)
            let empty = folder.appending("empty.png")
            try ImageFixtures.write([], to: empty)
            let pipe = folder.appending("pipe.jpg")
            #expect(pipe.withPlatformString { mkfifo($0, 0o600) } == 0)
            let cases: [(FilePath, String)] = [
                (text, "not an image"), (empty, "is empty"), (pipe, "not a regular file"),
                (folder, "irectory"), (folder.appending("missing.jpg"), "No such file"),
            ]
            for (path, reason) in cases {
                let message = failure { () throws(ImageError) in try ImageLoader().load(path) }
                #expect(message?.hasPrefix(path.string) == true)
                #expect(message?.contains(reason) == true, "\(message ?? "no error")")
            }
        }
        #expect(failure { () throws(ImageError) in try ImageLoader().load([], named: "x") } != nil)
    }

    @Test("A file above the limit of bytes is refused before it is read")
    func endless() throws {
        try ImageFixtures.withFolder { folder in
            let path = folder.appending("large.bmp")
            let file = try FileDescriptor.open(
                path, .writeOnly, options: [.create], permissions: .ownerReadWrite)
            // A hole, which takes no space.
            try file.closeAfter { try file.resize(to: (1 << 30) + 1) }
            let message = failure { () throws(ImageError) in try ImageLoader().load(path) }
            #expect(
                message?.contains("has 1073741825 bytes, above the limit of 1073741824") == true,
                "\(message ?? "no error")")
        }
    }

    @Test("Images that fail at the same time report their own reason or none")
    func reasons() async throws {
        let names = ["rgb.png", "animated.gif", "rgb.tif"].filter { name in
            (try? ImageFixtures.bytes(name)) != nil
        }
        #expect(names.count > 1)
        await withTaskGroup(of: (String, String).self) { group in
            for turn in 0..<60 {
                let name = names[turn % names.count]
                group.addTask {
                    let bytes = (try? ImageFixtures.bytes(name)) ?? []
                    let reason = failure { () throws(ImageError) in
                        try ImageLoader().load(Array(bytes.prefix(bytes.count / 2)), named: name)
                    }
                    return (name, reason ?? "no error")
                }
            }
            for await (name, reason) in group {
                #expect(reason.hasPrefix(name) && reason.contains("cannot be decoded"))
                for other in ["png", "gif", "tiff"] where !name.contains(other.prefix(3)) {
                    #expect(!reason.lowercased().contains("\(other)load"), "\(reason)")
                }
            }
        }
    }

    @Test(
        "An encoder fails at any limit below the size of its file",
        arguments: [0, 1, 5000, 16384, 20_000, 40_000, 65_536, 70_000])
    func noRoom(_ limit: Int) throws {
        var random = SplitMix64(seed: 1, stream: 0)
        let noise = RGBImage(
            width: 300, height: 300,
            pixels: (0..<270_000).map { _ in UInt8(truncatingIfNeeded: random.next()) })
        let whole = try JPEGEncoder.encode(noise, quality: 90, named: "noise")
        #expect(whole.count > 70_000)
        let error = #expect(throws: ImageError.self) {
            try JPEGEncoder.encode(noise, quality: 90, maximumBytes: limit, named: "noise")
        }
        #expect(error?.description.contains("noise: cannot be encoded as JPEG") == true)
        let fitting = try JPEGEncoder.encode(
            noise, quality: 90, maximumBytes: whole.count, named: "noise")
        #expect(fitting == whole)
        #expect(try ImageLoader().load(whole, named: "noise").width == 300)
    }

    #if os(Linux)
        @Test("A file name need not be UTF-8")
        func rawName() throws {
            try ImageFixtures.withFolder { folder in
                let name: [CChar] = [0x66, -1, -28, 0x2E, 0x6A, 0x70, 0x67, 0]
                let component = try #require(FilePath.Component(platformString: name))
                let path = folder.appending(component)
                try ImageFixtures.write(try ImageFixtures.bytes("rgb.jpg"), to: path)
                #expect(try ImageLoader().load(path).width == 32)
            }
        }
    #endif
}
