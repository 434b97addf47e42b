import Foundation
import SystemPackage
import TestSupport
import Testing

/// A piece of code that a test compiles and runs, as pages show it; see ``SampleSuite``.
struct Sample {
    let name: String
    let code: [String]
    /// The modules that its file imports.
    let imports: Set<String>

    /// All samples of this target, by name.
    static func all() throws -> [String: Sample] {
        var found: [String: Sample] = [:]
        let folder = FilePath(#filePath).removingLastComponent().appending("Samples")
        for file in try Pages.files(under: folder, extension: "swift") {
            for sample in try samples(of: Pages.text(file)) {
                try #require(found[sample.name] == nil, "two samples are called \(sample.name)")
                found[sample.name] = sample
            }
        }
        return found
    }

    private static func samples(of text: String) throws -> [Sample] {
        let lines = text.components(separatedBy: "\n")
        let imports = Set(lines.compactMap { $0.wholeMatch(of: /import (\w+)/)?.output.1 })
        var found: [Sample] = []
        var open: (name: String, shown: [Substring: Substring], code: [String])?
        for line in lines {
            if let match = line.wholeMatch(of: /\s*\/\/ sample: ([a-z-]+)/) {
                try #require(open == nil, "\(match.output.1) begins within another sample")
                open = (String(match.output.1), [:], [])
            } else if let match = line.wholeMatch(of: /\s*\/\/ shown: (\w+) = (.+)/) {
                open?.shown[match.output.1] = match.output.2
            } else if line.wholeMatch(of: /\s*\/\/ end/) != nil, let (name, shown, code) = open {
                found.append(
                    Sample(
                        name: name, code: unindented(code).map { replacing(shown, in: $0) },
                        imports: Set(imports.map(String.init))))
                open = nil
            } else {
                open?.code.append(line)
            }
        }
        try #require(open == nil, "a sample has no end")
        return found
    }

    private static func unindented(_ lines: [String]) -> [String] {
        let depth = lines.filter { !$0.isEmpty }.map { $0.prefix { $0 == " " }.count }.min() ?? 0
        return lines.map { String($0.dropFirst(depth)) }
    }

    /// A line with what pages have in place of variables; labels and members are left as they are.
    private static func replacing(_ shown: [Substring: Substring], in line: String) -> String {
        line.replacing(/\w+/) { match in
            guard let text = shown[match.output],
                line[..<match.range.lowerBound].last != ".",
                line[match.range.upperBound...].first != ":"
            else { return match.output }
            return text
        }
    }
}

/// A block of Swift in a page, and the sample that the page says it is.
struct ShownCode {
    let page: FilePath
    /// The line of the block's first line of code, from 1.
    let line: Int
    /// What the comment before the block names; nil where there is none.
    let name: String?
    let imports: [String]
    let code: [String]

    var place: String { "\(Pages.name(page)):\(line)" }

    /// The blocks of Swift in a page.
    static func blocks(of page: FilePath) throws -> [ShownCode] {
        let lines = try Pages.text(page).components(separatedBy: "\n")
        var found: [ShownCode] = []
        for (start, line) in lines.enumerated() where line == "```swift" {
            let body = lines[(start + 1)...].prefix { $0 != "```" }
            let comment = start > 0 ? lines[start - 1] : ""
            let imports = body.prefix { $0.hasPrefix("import ") }
            let code = body.dropFirst(imports.count)
            found.append(
                ShownCode(
                    page: page, line: start + 2,
                    name: comment.wholeMatch(of: /<!-- sample: ([a-z-]+) -->/).map {
                        String($0.output.1)
                    },
                    imports: imports.map { String($0.dropFirst("import ".count)) },
                    code: Array(!imports.isEmpty && code.first == "" ? code.dropFirst() : code)))
        }
        return found
    }
}

@Suite("Code that pages show")
struct SampleTests {
    /// Code in pages is code that the tests of this target have run.
    ///
    /// After a change of a sample, `ALBEF_RECORD_SNAPSHOTS=1 make test` writes it into the pages.
    @Test func shownCodeIsTheSample() throws {
        let samples = try Sample.all()
        var unseen = Set(samples.keys)
        // The code of testing.md is held to that of RetrievalTestingTests, which has no package access.
        for page in try Pages.all() where page.lastComponent != "testing.md" {
            for block in try ShownCode.blocks(of: page) {
                guard let name = block.name, let sample = samples[name] else {
                    Issue.record(
                        "\(block.place) shows code that no test runs: name a sample before it")
                    continue
                }
                unseen.remove(name)
                if block.code != sample.code, Pages.isRecording {
                    try record(sample, in: block)
                    continue
                }
                #expect(block.code == sample.code, "\(block.place) differs from sample \(name)")
                for module in block.imports {
                    #expect(sample.imports.contains(module), "\(block.place): import \(module)")
                }
            }
        }
        #expect(unseen.isEmpty, "no page shows these samples")
    }

    private func record(_ sample: Sample, in block: ShownCode) throws {
        var lines = try Pages.text(block.page).components(separatedBy: "\n")
        // What was recorded above it in the same page may have moved the block.
        let comment = try #require(lines.firstIndex(of: "<!-- sample: \(sample.name) -->"))
        let end = try #require(lines[(comment + 2)...].firstIndex(of: "```"))
        var code = sample.code
        if !block.imports.isEmpty { code = block.imports.map { "import \($0)" } + [""] + code }
        lines.replaceSubrange((comment + 2)..<end, with: code)
        try lines.joined(separator: "\n").write(
            toFile: block.page.string, atomically: true, encoding: .utf8)
    }
}
