import ImageText

extension Parser {
    // libvips reads the other formats.
    static let images = [
        Parser("jpeg") { bytes in
            try check(bytes, begin: [0xFF, 0xD8, 0xFF])
            let image = try loader().load(bytes, named: "input")
            var portable = loader()
            portable.kernels = .portable
            guard try portable.load(bytes, named: "input") == image else {
                fatalError("the kernels of this processor decode other pixels than the portable")
            }
            _ = try loader(targetSide: 2).load(bytes, named: "input")
            let part = try loader().load(bytes, named: "input") { width, height in
                middle(width, height)
            }
            let place = middle(image.width, image.height)
            guard (part.width, part.height) == (place.width, place.height) else {
                fatalError("a part has another size than was asked for")
            }
        },
        Parser("bmp") { bytes in
            try check(bytes, begin: Array("BM".utf8))
            let image = try loader().load(bytes, named: "input")
            guard image.pixels.count == image.width * image.height * 3 else {
                fatalError("an image has another number of pixels than its size")
            }
        },
        // EXIF and XMP.
        Parser("facts") { bytes in
            try check(bytes, begin: [0xFF, 0xD8, 0xFF])
            _ = ImageFacts(of: bytes)
        },
    ]

    private static func loader(targetSide: Int? = nil) -> ImageLoader {
        ImageLoader(maximumPixels: 1 << 16, targetSide: targetSide)
    }

    private static func check(_ bytes: [UInt8], begin: [UInt8]) throws {
        guard bytes.starts(with: begin) else { throw OtherFormat() }
    }

    private static func middle(_ width: Int, _ height: Int) -> ImagePart {
        ImagePart(
            left: width / 3, top: height / 3, width: width - width / 3 - width / 4,
            height: height - height / 3 - height / 4)
    }
}
