import Foundation
import ImageText
import Synchronization
import SystemPackage
import Testing

@Suite("Damaged shards")
struct DamagedShardTests {
    private let files = ShardFixtures.samples(0..<5)
    private let bytes = ShardFixtures.tar(ShardFixtures.samples(0..<5))

    /// The offsets at which samples end, and the length of the archive without its end.
    private var ends: [Int] {
        var offset = 0
        return files.enumerated().compactMap { index, file in
            offset += 512 + (file.content.count + 511) / 512 * 512
            // The padding of the last member may be missing.
            return index % 2 == 1 ? offset - (512 - file.content.count % 512) : nil
        }
    }

    @Test("A shard that is cut anywhere keeps the samples before the cut")
    func cuts() throws {
        let whole = ShardFixtures.read(bytes)
        #expect(whole.damage == nil && whole.samples.count == 5)
        let places = stride(from: 0, through: bytes.count, by: 512).flatMap {
            [$0, $0 + 1, $0 + 300]
        }
        for place in places where place < bytes.count {
            let (samples, damage) = ShardFixtures.read(Array(bytes[..<place]))
            #expect(samples.count == ends.count { $0 <= place }, "cut at \(place)")
            for (sample, other) in zip(samples, whole.samples) {
                #expect(sample.key == other.key && sample.image?.bytes == other.image?.bytes)
                #expect(try sample.captions() == other.captions())
            }
            // One block of zeros is enough of an end.
            #expect((damage == nil) == (place >= bytes.count - 512), "cut at \(place)")
            guard let damage else { continue }
            #expect(damage.samples == samples.count)
            #expect(damage.offset <= place && damage.offset > place - 2048)
        }
    }

    @Test("Counting finds as many samples as reading")
    func counting() async throws {
        try await DatasetFixtures.withFolder { folder in
            for place in stride(from: 0, to: bytes.count, by: 171) {
                let path = try DatasetFixtures.write(
                    Array(bytes[..<place]), to: folder.appending("cut.tar"))
                var shards = ShardSet([ShardAddress(path)])
                let damages = Mutex<[ShardDamage]>([])
                try shards.count { damage in damages.withLock { $0.append(damage) } }
                let (samples, damage) = ShardFixtures.read(Array(bytes[..<place]))
                #expect(shards.counts == [samples.count], "cut at \(place)")
                #expect(damages.withLock { $0.count } == (damage == nil ? 0 : 1))
            }
        }
    }

    @Test("A damaged header costs what follows it")
    func damagedHeaders() {
        var start = 0
        for (index, file) in files.enumerated() {
            for offset in [0, 100, 124, 148, 156, 300, 511] {
                var damaged = bytes
                damaged[start + offset] ^= 0x11
                let (samples, damage) = ShardFixtures.read(damaged)
                #expect(samples.count == index / 2, "byte \(offset) of header \(index)")
                #expect(damage?.offset == Int64(start))
                #expect(damage?.reason.contains("checksum") == true)
            }
            start += 512 + (file.content.count + 511) / 512 * 512
        }
    }

    @Test("Data after the end, and a hole of zeros, are damage")
    func holes() {
        let more = ShardFixtures.read(bytes + bytes)
        #expect(more.samples.count == 5)
        #expect(more.damage?.reason.contains("more follows") == true)
        var hole = bytes
        let second = ends[0] / 512 * 512 + 512
        hole.replaceSubrange(second..<second + 1024, with: [UInt8](repeating: 0, count: 1024))
        let cut = ShardFixtures.read(hole)
        #expect(cut.samples.count == 1 && cut.damage != nil)
    }

    @Test("Only the damaged shard loses samples")
    func onlyItself() async throws {
        try await DatasetFixtures.withFolder { folder in
            let shards = try ShardFixtures.write([3, 4, 2], to: folder)
            let path = folder.appending("shard-1.tar")
            let content = try Data(contentsOf: URL(filePath: path.string))
            try content.prefix(content.count / 2).write(to: URL(filePath: path.string))
            let missing = ShardAddress(folder.appending("none.tar"))
            let damages = Mutex<[ShardDamage]>([])
            var keys: [String] = []
            let samples = ShardSamples(shards + [missing]) { damage in
                damages.withLock { $0.append(damage) }
            }
            for try await sample in samples { keys.append(sample.key) }
            #expect(keys == ["0", "1", "2", "3", "4", "7", "8"])
            let found = damages.withLock { $0 }
            #expect(found.map(\.shard) == [shards[1], missing])
            #expect(found.map(\.samples) == [2, 0])
            #expect(found[0].description.hasPrefix("\(path): ends within"))
            #expect(found[1].description.contains("cannot open it: No such file or directory"))
        }
    }

    @Test("A command's output is a shard, and its failure is damage")
    func commands() async throws {
        try await DatasetFixtures.withFolder { folder in
            let shard = try ShardFixtures.write([6], to: folder)[0]
            func read(_ command: String) -> (keys: [String], damage: ShardDamage?) {
                var reader = ShardReader(ShardAddress("pipe:" + command))
                var keys: [String] = []
                do throws(ShardDamage) {
                    while let sample = try reader.next() { keys.append(sample.key) }
                } catch {
                    return (keys, error)
                }
                return (keys, nil)
            }
            let all = read("cat '\(shard)'")
            #expect(all.keys == (0..<6).map(String.init) && all.damage == nil)
            let late = read("cat '\(shard)'; exit 3")
            #expect(late.keys.count == 6)
            #expect(late.damage?.reason == "the command failed with status 3")
            let early = read("head -c 1600 '\(shard)'; exit 4")
            #expect(early.keys == ["0"])
            #expect(early.damage?.reason.hasPrefix("the command failed with status 4; ") == true)
            let killed = read("kill -9 $$")
            #expect(killed.damage?.reason.hasPrefix("the command was ended by signal 9") == true)
            #expect(read("true").damage?.reason == "is empty")
        }
    }

    @Test("A command that gives nothing more ends with its reader")
    func abandonedCommand() async throws {
        try await DatasetFixtures.withFolder { folder in
            let shard = try ShardFixtures.write([4], to: folder)[0]
            let mark = folder.appending("process")
            let command = "echo $$ > '\(mark)'; cat '\(shard)' | head -c 3000; exec sleep 1000"
            let samples = ShardSamples([ShardAddress("pipe:" + command)])
            for try await sample in samples {
                #expect(sample.key == "0")
                break
            }
            let text = try String(contentsOfFile: mark.string, encoding: .utf8)
            let process = try #require(pid_t(text.trimmingCharacters(in: .newlines)))
            // The reading thread lets go of the command shortly after the iterator.
            while kill(process, 0) == 0 { try await Task.sleep(for: .milliseconds(2)) }
        }
    }
}
