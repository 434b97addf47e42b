import Foundation
import ImageText
import SystemPackage
import Testing

@Suite("Lists of shards")
struct ShardListTests {
    private func expand(_ texts: String...) throws -> [String] {
        try ShardList.addresses(texts).map(\.description)
    }

    @Test(
        "Expands patterns as a shell does",
        arguments: [
            ("a-{08..11}.tar", ["a-08.tar", "a-09.tar", "a-10.tar", "a-11.tar"]),
            ("{1..3}.tar", ["1.tar", "2.tar", "3.tar"]),
            ("{3..1}.tar", ["3.tar", "2.tar", "1.tar"]),
            ("{000..10..5}.tar", ["000.tar", "005.tar", "010.tar"]),
            ("{-1..1}.tar", ["-1.tar", "0.tar", "1.tar"]),
            ("{a..c}.tar", ["a.tar", "b.tar", "c.tar"]),
            (
                "{x,y{0..1}}/{p,q}.tar",
                [
                    "x/p.tar", "x/q.tar", "y0/p.tar", "y0/q.tar", "y1/p.tar", "y1/q.tar",
                ]
            ),
            ("{a,}b.tar", ["ab.tar", "b.tar"]),
            (
                "a::pipe:cat {1,2}::http://h/{0..1}",
                [
                    "a", "pipe:cat 1", "pipe:cat 2", "http://h/0", "http://h/1",
                ]
            ),
            (#"\{a,b\}.tar"#, ["{a,b}.tar"]),
            ("${A}.tar", ["${A}.tar"]), ("{a.tar", ["{a.tar"]), ("a}.tar", ["a}.tar"]),
            ("{1..}.tar", ["{1..}.tar"]), ("{1..2..0}.tar", ["{1..2..0}.tar"]),
        ])
    func patterns(_ pattern: String, _ expected: [String]) throws {
        #expect(try expand(pattern) == expected)
    }

    @Test("Refuses patterns of too many shards, without making them")
    func tooMany() {
        for pattern in [
            "{0..999999999999}", "{0..999}{0..999}{0..999}", "{-4000000000000000000..0}",
            "{{0..999999},{0..999999}}",
        ] {
            #expect(throws: DatasetError.self) { try expand(pattern + ".tar") }
        }
    }

    @Test("Finds files, folders with an index, and what is not a shard")
    func files() async throws {
        try await DatasetFixtures.withFolder { folder in
            for name in ["b-1.tar", "b-0.tar", "c-0.tar", "b-{x}.tar"] {
                try DatasetFixtures.write("", to: folder.appending(name))
            }
            let start = folder.string + "/"
            #expect(try expand(start + "b-[0-9].tar") == ["b-0.tar", "b-1.tar"].map { start + $0 })
            #expect(try expand(start + "{c,b}-?.tar").count == 3)
            #expect(throws: DatasetError.self) { try expand(start + "d*.tar") }
            #expect(!ShardList.isShards(folder.string))
            try DatasetFixtures.write(
                #"{"shardlist": [{"url": "c-0.tar", "nsamples": 3}, {"url": "b-0.tar", "nsamples": 2}]}"#,
                to: folder.appending("shards.json"))
            #expect(try expand(folder.string) == ["c-0.tar", "b-0.tar"].map { start + $0 })
            let set = try ShardSet([folder.string])
            #expect(set.counts == [3, 2] && set.sampleCount == 5)
            #expect(try ShardSet([start + "b-0.tar"]).counts == [2])
            #expect(try ShardSet([start + "b-1.tar"]).counts == nil)
            for text in ["a.tar", "a.TAR::b.tar", "pipe:x", "https://h/x", folder.string] {
                #expect(ShardList.isShards(text), "\(text)")
            }
            for text in ["a.json", "folder", "a.tar::b.csv", "a.tar.gz"] {
                #expect(!ShardList.isShards(text), "\(text)")
            }
            let mapped = ShardList.mappingPaths(of: "a.tar::pipe:x a::http://h/a") { "/r/" + $0 }
            #expect(mapped == "/r/a.tar::pipe:x a::http://h/a")
        }
    }

    @Test("Refuses damaged indexes")
    func damagedIndexes() async throws {
        try await DatasetFixtures.withFolder { folder in
            for text in [
                "", "[]", "{}", #"{"shardlist": [{"url": "a.tar"}]}"#,
                #"{"shardlist": [{"url": "a.tar", "nsamples": -1}]}"#,
                #"{"shardlist": [{"url": "", "nsamples": 1}]}"#,
                #"{"shardlist": [{"url": "a", "nsamples": 9e11}, {"url": "b", "nsamples": 9e11}]}"#,
            ] {
                try DatasetFixtures.write(text, to: folder.appending("shards.json"))
                #expect(throws: DatasetError.self, "\(text)") { try ShardSet([folder.string]) }
            }
        }
    }

    @Test("An index cannot name a command; only who names the shards can")
    func commandsInIndexes() async throws {
        try await DatasetFixtures.withFolder { folder in
            let index = folder.appending("shards.json")
            try DatasetFixtures.write(
                #"{"shardlist": [{"url": "pipe:cat a.tar", "nsamples": 1}]}"#, to: index)
            for place in [folder, index] {
                let error = #expect(throws: DatasetError.self) { try ShardSet([place.string]) }
                let text = try #require(error?.description)
                #expect(text.contains("shardlist[0].url") && text.contains("is a command"))
            }
            #expect(
                try ShardList.addresses(["pipe:cat a.tar"]).map(\.kind) == [.command("cat a.tar")])
        }
    }
}
