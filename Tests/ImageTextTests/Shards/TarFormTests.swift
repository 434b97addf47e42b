import Foundation
import ImageText
import SystemPackage
import Testing

@Suite("Forms of tar")
struct TarFormTests {
    @Test("Reads what Python's tarfile writes", arguments: ["ustar.tar", "pax.tar", "gnu.tar"])
    func forms(_ name: String) throws {
        var fields = ShardFields()
        fields.keepsAll = true
        var reader = ShardReader(ShardAddress(ShardFixtures.path(name)), fields: fields)
        var samples: [ShardSample] = []
        while let sample = try reader.next() { samples.append(sample) }
        // The link; the folder does not count.
        #expect(reader.skippedMembers == 1)
        #expect(samples.map(\.ordinal) == [0, 1, 2, 3])
        let folders = Array(repeating: "folder-" + String(repeating: "x", count: 40), count: 4)
        let start = folders.joined(separator: "/") + "/long"
        let long =
            name == "ustar.tar"
            ? String(repeating: "folder/", count: 20) + "long"
            : start + String(repeating: "y", count: 196 - start.count)
        #expect(samples.map(\.key) == ["a/first", "second", long, "empty"])
        #expect(
            samples.map { $0.members.map(\.field) } == [
                ["jpg", "txt"], ["png", "json", "cls"], ["jpg", "txt"], ["jpg", "txt"],
            ])
        for (sample, length) in zip(samples, [11, 10, 4]) {
            #expect(sample.image?.bytes == Self.content(length))
        }
        #expect(
            try samples.map { try $0.captions() } == [
                ["a first caption"], ["one", "two"], ["a long näme"], [],
            ])
        #expect(samples[3].image?.bytes == [])
        #expect(samples[0].path == ShardFixtures.path(name).appending("a/first.jpg"))
    }

    /// What make.py makes of a name of this length.
    private static func content(_ length: Int) -> [UInt8] {
        (0..<300 + 137 * (length % 7)).map { UInt8((7 * $0 + length) % 251) }
    }

    @Test("Passes over sparse files", arguments: ["sparse-gnu.tar", "sparse-pax.tar"])
    func sparse(_ name: String) throws {
        var reader = ShardReader(ShardAddress(ShardFixtures.path(name)))
        let sample = try #require(try reader.next())
        #expect(sample.members.map(\.field) == ["txt"])
        #expect(try reader.next() == nil)
        #expect(reader.skippedMembers == 1)
    }

    @Test("Reads sizes in GNU's binary form, and names of any bytes")
    func oddHeaders() throws {
        var bytes = ShardFixtures.tar([.init(name: "a.txt", content: Array("hello".utf8))])
        bytes.replaceSubrange(124..<136, with: [0x80] + [UInt8](repeating: 0, count: 10) + [5])
        bytes[0] = 0xFF
        Self.seal(&bytes)
        let (samples, damage) = ShardFixtures.read(bytes)
        #expect(damage == nil)
        #expect(try samples.map { try $0.captions() } == [["hello"]])
        // A negative number.
        bytes[124] = 0xFF
        Self.seal(&bytes)
        #expect(ShardFixtures.read(bytes).damage?.reason.contains("no number") == true)
    }

    @Test("A record of extended headers that has a wrong length is damage")
    func wrongRecords() {
        for record in ["8 path=a\n", "99 path=a\n", "10 pathxaa\n", "x path=a\n", "0 \n", "3 \n"] {
            var files = [ShardFixtures.File(name: "x", content: Array(record.utf8))]
            files += ShardFixtures.samples(0..<1)
            var bytes = ShardFixtures.tar(files)
            bytes[156] = UInt8(ascii: "x")
            Self.seal(&bytes)
            #expect(
                ShardFixtures.read(bytes).damage?.reason.contains("record") == true, "\(record)")
        }
    }

    @Test("Names compressed archives")
    func compressed() {
        let bytes: [UInt8] = [0x1F, 0x8B] + [UInt8](repeating: 1, count: 2000)
        #expect(ShardFixtures.read(bytes).damage?.reason.contains("gzip") == true)
        let other = [UInt8](repeating: 1, count: 2000)
        #expect(ShardFixtures.read(other).damage?.reason.contains("not a tar archive") == true)
    }

    /// Puts the right checksum into the first header.
    private static func seal(_ bytes: inout [UInt8]) {
        bytes.replaceSubrange(148..<156, with: Array("        ".utf8))
        let sum = bytes[..<512].reduce(0) { $0 + Int($1) }
        let digits = String(sum, radix: 8)
        bytes.replaceSubrange(148..<148 + digits.utf8.count, with: digits.utf8)
        bytes[154] = 0
    }
}
