import Foundation
import ImageText
import Synchronization
import SystemPackage

enum ShardFixtures {
    private static let folder = ImageFixtures.repository.appending("Tests/Fixtures/shards")

    /// Returns the path of a shard that Python's or GNU's tar wrote.
    static func path(_ name: String) -> FilePath { folder.appending(name) }

    static func bytes(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(filePath: path(name).string)))
    }

    /// A file of an archive.
    struct File {
        var name: String
        var content: [UInt8]
    }

    /// Returns an archive, written without the library's own writer.
    static func tar(_ files: [File]) -> [UInt8] {
        var bytes: [UInt8] = []
        for file in files {
            var header = [UInt8](repeating: 0, count: 512)
            func put(_ text: String, _ offset: Int) {
                header.replaceSubrange(offset..<offset + text.utf8.count, with: text.utf8)
            }
            put(file.name, 0)
            put(String(file.content.count, radix: 8) + " ", 124)
            put("        0ustar", 148)
            put("00", 263)
            let sum = header.reduce(0) { $0 + Int($1) }
            put(String(sum, radix: 8) + "\0", 148)
            bytes += header + file.content
            bytes += [UInt8](repeating: 0, count: (512 - file.content.count % 512) % 512)
        }
        return bytes + [UInt8](repeating: 0, count: 1024)
    }

    /// Returns the files of samples, an image and a caption each.
    static func samples(_ numbers: Range<Int>) -> [File] {
        numbers.flatMap { number in
            [
                File(name: "\(number).bmp", content: DatasetFixtures.bitmap(number)),
                File(name: "\(number).txt", content: Array("image \(number)".utf8)),
            ]
        }
    }

    /// Writes shards with these numbers of samples, which are numbered throughout.
    static func write(_ counts: [Int], to folder: FilePath) throws -> [ShardAddress] {
        var start = 0
        return try counts.enumerated().map { index, count in
            let path = folder.appending("shard-\(index).tar")
            try DatasetFixtures.write(tar(samples(start..<start + count)), to: path)
            start += count
            return ShardAddress(path)
        }
    }

    /// Reads all samples of bytes, and what the reader reports at the end.
    static func read(_ bytes: [UInt8]) -> (samples: [ShardSample], damage: ShardDamage?) {
        let opener = ShardOpener { _ in ByteStream(bytes) }
        var reader = ShardReader(ShardAddress("http://bytes"), opener: opener)
        var samples: [ShardSample] = []
        do throws(ShardDamage) {
            while let sample = try reader.next() { samples.append(sample) }
        } catch {
            return (samples, error)
        }
        return (samples, nil)
    }
}

/// Bytes in memory, handed out in pieces of changing lengths.
final class ByteStream: ShardStream {
    private let bytes: [UInt8]
    private let position = Mutex(0)

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        position.withLock { position in
            let count = min(buffer.count, bytes.count - position, 1 + position * 7 % 1000)
            buffer.copyBytes(from: bytes[position..<position + count])
            position += count
            return count
        }
    }

    func cancel() {}
}
