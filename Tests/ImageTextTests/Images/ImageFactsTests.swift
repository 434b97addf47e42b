import ImageText
import SystemPackage
import Testing

@Suite("Metadata of image files")
struct ImageFactsTests {
    private static let folder = ImageFixtures.repository.appending("Tests/Fixtures/facts")

    private static func bytes(_ name: String) throws -> [UInt8] {
        try ImageFixtures.bytes(at: folder.appending(name))
    }

    private static func facts(_ name: String) throws -> ImageFacts {
        ImageFacts(of: try bytes(name))
    }

    @Test("EXIF of a camera is read, with the sides of the upright image")
    func camera() throws {
        let facts = try Self.facts("camera.jpg")
        #expect(facts.date == "2020-06-14T12:34:56")
        #expect(facts.camera == "NIKON D90")
        #expect(facts.lens == "18.0-55.0 mm f/3.5-5.6")
        #expect(facts.width == 8 && facts.height == 12 && facts.orientation == .portrait)
        #expect(facts.latitude == 52.51 && facts.longitude == 13.4)
    }

    @Test("EXIF is read in other formats", arguments: ["phone.png", "phone.webp"])
    func formats(_ name: String) throws {
        let facts = try Self.facts(name)
        #expect(facts.date == "2019-01-02T03:04:05")
        #expect(facts.camera == "Apple iPhone 12")
        #expect(facts.width == 12 && facts.height == 8 && facts.orientation == .landscape)
        if name == "phone.png" { #expect(facts.latitude == -0.2 && facts.longitude == -78.5) }
    }

    @Test func heicAsPhonesWriteIt() throws {
        let facts = try Self.facts("phone.heic")
        #expect(facts.date == "2019-01-02T03:04:05" && facts.camera == "Apple iPhone 12")
        #expect(facts.width == 64 && facts.height == 48)
        #expect(facts.latitude == -0.2 && facts.longitude == -78.5)
    }

    @Test func tiffIsSuchABlockItself() throws {
        let facts = try Self.facts("camera.tif")
        #expect(facts.date == "2021-12-31T23:59:59" && facts.camera == "NIKON D90")
    }

    @Test("XMP is read if there is no EXIF")
    func packet() throws {
        let facts = try Self.facts("packet.jpg")
        #expect(facts.date == "2018-03-04T05:06:07")
        #expect(facts.camera == "Canon EOS 5D")
        #expect(facts.lens == "EF24-70mm f/2.8L & hood")
        #expect(facts.latitude == 52.51 && facts.longitude == -13.4)
    }

    @Test("Absurd values are ignored")
    func absurd() throws {
        var expected = ImageFacts()
        (expected.width, expected.height) = (12, 8)
        #expect(try Self.facts("absurd.jpg") == expected)
        let plain = try Self.facts("plain.bmp")
        #expect(plain.width == 7 && plain.orientation == .square && plain.date == nil)
        #expect(ImageFacts(of: []) == ImageFacts())
        #expect(ImageFacts(of: Array("no image".utf8)) == ImageFacts())
    }

    @Test(
        "Dates are parsed or rejected",
        arguments: [
            ("2020:06:14 12:34:56", "2020-06-14T12:34:56"), ("2020-06-14", "2020-06-14"),
            ("2020-06-14T12:34Z", "2020-06-14T12:34:00"),
            ("2020:02:29 00:00:60", "2020-02-29T00:00:59"),
            ("2019:02:29 00:00:00", nil), ("2020:06:31 00:00:00", nil),
            ("0000:00:00 00:00:00", nil),
            ("1700:01:01 00:00:00", nil), ("    :  :     :  :  ", nil), ("2020", nil), ("", nil),
            ("2020:06:14 25:00:00", "2020-06-14"), ("99999999999999999999:1:1", nil),
        ] as [(String, String?)])
    func dates(_ text: String, _ expected: String?) { #expect(ImageFacts.date(text) == expected) }

    @Test("Truncated and altered files are read without harm")
    func damage() throws {
        for name in ["camera.jpg", "packet.jpg", "camera.tif", "phone.png"] {
            let bytes = try Self.bytes(name)
            for count in 0..<min(bytes.count, 700) { _ = ImageFacts(of: Array(bytes[..<count])) }
            for place in 0..<min(bytes.count, 400) {
                var changed = bytes
                changed[place] ^= 0xFF
                let facts = ImageFacts(of: changed)
                #expect((facts.latitude.map { abs($0) } ?? 0) <= 90)
            }
        }
    }

    @Test("Reading ends for directories that are cyclic or of the largest size")
    func loops() throws {
        var block: [UInt8] = [0x49, 0x49, 42, 0, 8, 0, 0, 0, 0xFF, 0xFF]
        for field in [UInt16(0x8769), 0x8825, 0x010F] {
            block += [UInt8(field & 0xFF), UInt8(field >> 8), 4, 0, 1, 0, 0, 0, 8, 0, 0, 0]
        }
        let body = Array("Exif\0\0".utf8) + block
        let segment = [0xFF, 0xE1, UInt8((body.count + 2) >> 8), UInt8((body.count + 2) & 0xFF)]
        let jpeg = try Self.bytes("packet.jpg")
        let facts = ImageFacts(of: Array(jpeg[..<2]) + segment + body + jpeg[2...])
        // XMP supplies the fields that EXIF lacks.
        #expect(facts == (try Self.facts("packet.jpg")))
    }
}
