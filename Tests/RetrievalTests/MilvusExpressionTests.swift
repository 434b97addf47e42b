import Foundation
import ImageText
import Retrieval
import SystemPackage
import Testing

@Suite("Conditions in Milvus's language")
struct MilvusExpressionTests {
    @Test func conditionsAreTranslated() throws {
        #expect(MilvusExpression([]).description.isEmpty)
        let year = try #require(MetadataFilter("year>=2020"))
        #expect(
            MilvusExpression([year]).description
                == #"((fields["t_year"] >= "2020" or fields["z_year"] >= "2020""#
                + #" or fields["n_year"] >= 2020.0)) or json_contains(fields["is"], "*")"#)
        // Names and values cannot leave their quotation marks.
        let hostile = MetadataFilter("a\" or \"", .less, "b\" or id != \"\\\u{0}")
        let text = MilvusExpression([hostile]).description
        #expect(
            text.contains(#"fields["t_x_6122206f722022"] < "b\" or id != \"\\\u0000""#), "\(text)")
        #expect(
            MilvusExpression.range(StoreRange(from: "0a", to: nil), field: "id") == #"id >= "0a""#)
        #expect(MilvusExpression.ids(["a", "b"], field: "id") == #"id in ["a", "b"]"#)
    }

    /// Values that are equal in one way and different in another.
    private static let values: [MetadataValue] = [
        .number(0), .number(-0.0), .number(7), .number(-3.25), .number(1e300), .number(0.1),
        .text(""), .text("7"), .text("true"), .text("a\"b\\c"), .text("e\u{301}"), .text("é"),
        .text("狗"), .text("2020-06"), .text("/a/b"), .flag(true), .flag(false), .list([]),
        .list(["7", "é"]), .list(["b", "狗", ""]), .text(String(repeating: "a", count: 63)),
        .text(String(repeating: "a", count: 64)), .text(String(repeating: "a", count: 65)),
        .text(String(repeating: "a", count: 64) + "b"),
    ]

    private static let wanted =
        ["inf", "-inf", "nan", "2020", "2020-06-07", "x", "/", "/a", "/a/", "/a/b/c", "a", "zz"]
        + values.flatMap { value in
            switch value {
            case .number(let number): ["\(number)", "+\(number)"]
            case .text(let text): [text]
            case .flag(let flag): ["\(flag)"]
            case .list(let list): list
            }
        }

    @Test(
        "An expression admits what fulfils the condition, and nothing else unless texts are long",
        arguments: ["v", "a name", "date", "folder", "size"])
    func admits(_ name: String) throws {
        var entries = Self.values.map { value in
            IndexEntry(
                path: "/a/b.jpg", size: 7, modified: 0, sha256: "", metadata: [name: value])
        }
        let long = "/" + String(repeating: "d", count: 80)
        for path in ["/b.jpg", "/a/b/c/d.jpg", "/ab/c.jpg", "\(long)/b.jpg", "\(long)/e/b.jpg"] {
            entries.append(IndexEntry(path: FilePath(path), size: 70, modified: 0, sha256: ""))
        }
        for date in ["2020-06-07T10:00:00", "2019-01-01T00:00:00", "2020-07-01T00:00:00"] {
            var about = ImageFacts()
            about.date = date
            entries.append(
                IndexEntry(path: "/x.jpg", size: 1, modified: 0, sha256: "", about: about))
        }
        let json = try entries.map { try StoredFields.json(of: $0) }
        for comparison in MetadataFilter.Comparison.allCases {
            for value in Self.wanted + [long, "\(long)/e"] {
                let filter = MetadataFilter(name, comparison, value)
                let expression = try MilvusExpressionReader(MilvusExpression([filter]).description)
                for (entry, json) in zip(entries, json) {
                    let (holds, admits) = (filter(entry), try expression.holds(json))
                    let isLong = value.count > 62
                    #expect(
                        holds == admits || (isLong && admits),
                        "\(name)\(comparison.rawValue)\(value) over \(json)")
                }
            }
        }
    }

    @Test("An entry with more metadata than fits is always admitted")
    func tooMuchMetadata() throws {
        let many = Dictionary(
            uniqueKeysWithValues: (0..<3000).map { ("name\($0)", MetadataValue.text("value")) })
        let entry = IndexEntry(path: "/a.jpg", size: 1, modified: 0, sha256: "", metadata: many)
        let json = try StoredFields.json(of: entry)
        #expect(json.utf8.count < 65_536)
        for text in ["name1=value", "name1!=value", "other=1", "name1>z"] {
            let filter = try #require(MetadataFilter(text))
            let expression = MilvusExpression([filter]).description
            #expect(try MilvusExpressionReader(expression).holds(json))
        }
    }

    @Test("Pauses double, stay within their bounds, and vary")
    func pauses() {
        var (schedule, generator) = (RetrySchedule(), SystemRandomNumberGenerator())
        let pauses = (0..<40).map { _ in schedule.next(using: &generator) }
        for (attempt, pause) in pauses.enumerated() {
            let bound = min(Duration.seconds(5), .milliseconds(100) * Double(1 << min(attempt, 16)))
            #expect(pause <= bound && pause >= bound * 0.5)
        }
        #expect(Set(pauses).count > 30)
    }
}
