import Foundation
import SystemPackage
import TestSupport
import Testing

/// What `SECURITY.md` says is what tests show.
@Suite("The page about security")
struct SecurityPageTests {
    /// A line of a table: its cells.
    private static func rows() throws -> [[String]] {
        try text().split(separator: "\n").filter { $0.hasPrefix("| ") }.map { line in
            line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        }
    }

    private static func text() throws -> String {
        try Pages.text(Fixtures.repository.appending("SECURITY.md"))
    }

    /// The code in spans of a text.
    private static func spans(_ text: String) -> [String] {
        text.matches(of: /`([^`]+)`/).map { String($0.output.1) }
    }

    @Test("Every attack has a test, and a table of attacks has four columns")
    func everyLineHasATest() throws {
        let rows = try Self.rows().filter { $0.count == 4 && $0.last != "test" }
        #expect(rows.count > 60)
        for row in rows {
            let tests = Self.spans(row[3])
            #expect(!tests.isEmpty, "\(row[0])")
            for test in tests {
                #expect(test.wholeMatch(of: /\w+\/\w+/) != nil, "\(row[0]): \(test)")
            }
        }
    }

    @Test("Every test that is named exists in its suite")
    func namedTestsExist() throws {
        let folder = Fixtures.repository.appending("Tests")
        let swift = try Pages.files(under: folder, extension: "swift").map(Pages.text)
        var count = 0
        for name in Self.spans(try Self.text()) {
            guard let match = name.wholeMatch(of: /(\w+(?:Tests)|test_\w+)\/(\w+)/) else {
                continue
            }
            let (suite, test) = (match.output.1, match.output.2)
            count += 1
            if suite.hasPrefix("test_") {
                let file = folder.appending("Page").appending("\(suite).py")
                let text = try Pages.text(file)
                #expect(text.contains("def \(test)(self"), "\(name) is not there")
                continue
            }
            let isThere = swift.contains {
                Self.suite(String(suite), in: $0)?.contains("func \(test)(") == true
            }
            #expect(isThere, "\(name) is not there")
        }
        #expect(count > 70)
    }

    /// The text of a file from the declaration of a suite to that of the next one.
    private static func suite(_ name: String, in text: String) -> Substring? {
        guard let start = text.range(of: "struct \(name) {") ?? text.range(of: "struct \(name):")
        else { return nil }
        let rest = text[start.upperBound...]
        return rest[..<(rest.range(of: "\n@Suite")?.lowerBound ?? rest.endIndex)]
    }

    @Test("Every limit has the value that the sources give it")
    func limitsAreThoseOfTheSources() throws {
        let folder = Fixtures.repository.appending("Sources")
        let files = try Pages.files(under: folder, extension: "swift")
        var count = 0
        for span in Self.spans(try Self.text()) {
            guard let match = span.wholeMatch(of: /([\w+]+)\.(\w+) = (.+)/) else { continue }
            let (file, name, value) = (match.output.1, match.output.2, match.output.3)
            count += 1
            let texts = try files.filter { $0.lastComponent?.string == "\(file).swift" }
                .map(Pages.text)
            let isSo = texts.contains { text in
                text.split(separator: "\n").contains { line in
                    let line = line.replacing(/: Int64/, with: "")
                    return line.hasSuffix(" \(name) = \(value)")
                }
            }
            #expect(isSo, "\(file).swift does not say that \(name) is \(value)")
        }
        #expect(count > 30)
    }
}
