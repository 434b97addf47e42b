import Foundation
import ImageText
import SystemPackage
import Testing

@Suite("Checking shards")
struct ShardValidationTests {
    @Test("Reports every problem of shards")
    func problems() async throws {
        try await DatasetFixtures.withFolder { folder in
            var files = ShardFixtures.samples(0..<6)
            files[2].content = Array("no image".utf8)
            files[5].content = []
            files.remove(at: 6)
            files[8] = .init(name: "4.json", content: Array("{\"caption\": 3}".utf8))
            files[9].content = files[0].content
            let path = try DatasetFixtures.write(
                ShardFixtures.tar(files), to: folder.appending("a.tar"))
            let cut = try DatasetFixtures.write(
                Array(ShardFixtures.tar(ShardFixtures.samples(7..<9)).prefix(2500)),
                to: folder.appending("b.tar"))
            let shards = ShardSet([ShardAddress(path), ShardAddress(cut)])
            let report = try await DatasetValidator(workers: 3).validate(shards)
            #expect(report.images == 6 && report.captions == 5)
            func at(_ name: String) -> FilePath { path.appending(name) }
            #expect(report.problems.count == 6)
            #expect(
                report.problems.contains(
                    .undecodableImage(
                        at("1.bmp"), reason: "is not an image of a known format")))
            #expect(report.problems.contains(.noCaption(at("2.bmp"))))
            #expect(report.problems.contains(.noImage(at("3"))))
            #expect(report.problems.contains(.identicalImages([at("0.bmp"), at("5.bmp")])))
            let reason = report.problems.compactMap { problem in
                if case .unreadableCaption(at("4.bmp"), let reason) = problem {
                    reason
                } else {
                    nil
                }
            }
            #expect(reason.count == 1 && reason[0].contains("a.tar/4.json: caption: is neither"))
            guard case .damagedShard(let damage) = report.problems.last else {
                Issue.record("the cut shard is not reported")
                return
            }
            #expect(damage.shard == ShardAddress(cut) && damage.samples == 1)
            #expect(report.isBroken)
        }
    }

    @Test("Sound shards have no problems, unless their index is wrong")
    func sound() async throws {
        try await DatasetFixtures.withFolder { folder in
            let addresses = try ShardFixtures.write([3, 2], to: folder)
            let report = try await DatasetValidator().validate(ShardSet(addresses, counts: [3, 2]))
            #expect(report.problems.isEmpty && !report.isBroken && report.images == 5)
            let wrong = try await DatasetValidator().validate(ShardSet(addresses, counts: [3, 4]))
            #expect(wrong.problems.count == 1 && wrong.isBroken)
        }
    }
}
